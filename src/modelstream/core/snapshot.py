"""Where a machine stands, for those who watch it: positions and versions, never a model's bytes."""

from typing import NamedTuple

from modelstream.core.plan import LoadState, Plan
from modelstream.messages import VersionId


class PlanView(NamedTuple):
    """A data type's plan at one moment; of several candidates `serving` and `wanted` are the first.

    `policy` is the plan's text, empty where the latest version answers.
    """

    data_type: str
    serving: VersionId | None
    wanted: VersionId | None
    as_of: int
    policy: str = ""
    candidates: tuple[VersionId, ...] = ()


class Snapshot(NamedTuple):
    """A machine's state."""

    position: int
    plans: tuple[PlanView, ...]
    loads: tuple[tuple[VersionId, LoadState], ...]


def plan_view(plan: Plan, position: int) -> PlanView:
    """Return what can be told of a plan."""
    serving = plan.serving.ids() if plan.serving else ()
    wanted = plan.wanted.ids() if plan.wanted else ()
    planned = plan.serving.planned if plan.serving else None
    return PlanView(
        plan.data_type,
        serving[0] if serving else None,
        wanted[0] if wanted else None,
        plan.as_of(position),
        planned.policy if planned else "",
        serving if planned else (),
    )
