"""Who answers for a data type now, and up to which registry offset that is true.

The registry may want a version that is still being loaded. Until all that is wanted is ready, those
before go on answering, and the plan's `as_of` stays at the last offset where they were right. Plans
of different data types move independently: a slow load delays nobody else.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from modelstream.core.policies.base import Policy, Ref, merits_of, refs_of, speculates
from modelstream.core.policies.single import Latest
from modelstream.core.policies.text import parse_policy
from modelstream.core.registry import Registry
from modelstream.events import Planned
from modelstream.messages import VersionId

LoadState = Literal["loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Roster:
    """A policy and the versions that it means, as the registry had them at one position.

    `planned` is the plan that says so; None where none was needed, because the latest version
    answers. `apart` tells that candidates are scored side by side.
    """

    policy: Policy
    planned: Planned | None
    versions: Mapping[Ref, VersionId]
    merits: Mapping[VersionId, Mapping[str, float]]
    apart: bool

    def ids(self) -> tuple[VersionId, ...]:
        """Return the versions, each once, in the policy's order."""
        return tuple(dict.fromkeys(self.versions.values()))


def roster_of(registry: Registry, data_type: str) -> Roster | None:
    """Return who should answer for a data type; None where nobody can.

    A policy with nobody to ask, a constant, can.
    """
    planned = registry.plan(data_type)
    policy = Latest() if planned is None else parse_policy(planned.policy)
    refs = refs_of(policy)
    found = {ref: registry.resolve(data_type, ref) for ref in refs}
    versions = {ref: version for ref, version in found.items() if version is not None}
    if refs and not versions:
        return None
    merits = merits_of(policy)
    figures = {version: _figures(registry, version, merits) for version in versions.values()}
    return Roster(policy, planned, versions, figures, speculates(policy))


def _figures(registry: Registry, version: VersionId, wanted: Collection[str]) -> dict[str, float]:
    """Return what is known of a version of the figures that a policy looks at."""
    known = {
        "declared": registry.versions[version].admitted.metrics,
        "live": registry.live.get(version, {}),
    }
    told = {f"{kind}:{name}": value for kind, all_ in known.items() for name, value in all_.items()}
    return {name: value for name, value in told.items() if name in wanted}


@dataclass(slots=True)
class Plan:
    """The plan of one data type.

    `serving` answers; `wanted` is what the registry says. While they differ, `held_at` is the
    last offset at which `serving` was wanted. `loads` are the versions in memory, or on their way.
    """

    data_type: str
    serving: Roster | None = None
    wanted: Roster | None = None
    held_at: int | None = None
    loads: dict[VersionId, LoadState] = field(default_factory=dict)

    def as_of(self, position: int) -> int:
        """Return the registry offset that `serving` stands for, given how far it was read."""
        return position if self.held_at is None else self.held_at

    def want(self, roster: Roster | None, position: int) -> None:
        """Take note that the registry wants others from `position` on."""
        self.wanted = roster
        if roster == self.serving:
            self.held_at = None
        elif self.held_at is None:
            self.held_at = position - 1

    def ready(self) -> bool:
        """Tell whether what is wanted can answer; wanting nothing always can.

        Where nothing serves yet, those that are there begin without the ones that cannot be loaded.
        """
        if self.wanted is None:
            return True
        states = [self.loads.get(version) for version in self.wanted.ids()]
        if all(state == "ready" for state in states):
            return True
        loading = "loading" in states or None in states
        return self.serving is None and not loading and "ready" in states

    def loading(self) -> bool:
        """Tell whether something that is wanted is on its way."""
        return self.wanted is not None and any(
            self.loads.get(version) == "loading" for version in self.wanted.ids()
        )

    def flip(self) -> None:
        """Let those that are wanted answer."""
        self.serving = self.wanted
        self.held_at = None
