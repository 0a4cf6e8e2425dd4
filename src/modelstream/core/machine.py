"""The machine: the join of a record stream with a model stream, as a pure function of its events.

A shell tells it what happened (`on_...`) and performs the effects it gets back. Nothing is called
per record. Registry offsets and batch ids are the only time it knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from modelstream.core.effects import (
    Answer,
    Batch,
    Effect,
    Emit,
    Group,
    Hold,
    Load,
    Outcome,
    Refusal,
    Release,
    Score,
    Unload,
)
from modelstream.core.plan import LoadState, Plan
from modelstream.core.policy import Decision, Policy
from modelstream.core.registry import Registry
from modelstream.core.stats import VersionStats
from modelstream.events import RegistryEvent
from modelstream.limits import VERSIONS_KEPT_LOADED
from modelstream.messages import Failure, ModelStamp, VersionId

OnNoModel = Literal["hold", "reject"]


class PlanView(NamedTuple):
    """A data type's plan at one moment."""

    data_type: str
    serving: VersionId | None
    wanted: VersionId | None
    as_of: int


class Snapshot(NamedTuple):
    """The machine's state: positions and versions, never a model's bytes."""

    position: int
    plans: tuple[PlanView, ...]
    loads: tuple[tuple[VersionId, LoadState], ...]


@dataclass(slots=True)
class _Asked:
    """A group of rows that waits for its score calls."""

    group: Group
    versions: tuple[VersionId, ...]
    as_of: int
    outcomes: dict[VersionId, Outcome] = field(default_factory=dict)


@dataclass(slots=True)
class _Pending:
    """A batch between `on_batch` and its Emit."""

    slices: tuple[range, ...]
    waiting: dict[str, _Asked]
    answers: list[Answer]
    refusals: dict[int, Refusal]


class Machine:
    """One instance's join. `registry` and `stats` may be read at any time, by its own thread."""

    def __init__(self, policy: Policy, on_no_model: OnNoModel = "hold") -> None:
        self.registry = Registry()
        self.stats: dict[VersionId, VersionStats] = {}
        self._policy = policy
        self._on_no_model = on_no_model
        self._plans: dict[str, Plan] = {}
        self._pending: dict[int, _Pending] = {}
        self._changed: dict[str, None] = {}  # data types whose plan is to be looked at

    # -- the model stream ------------------------------------------------------------------------

    def on_registry(
        self, events: Sequence[tuple[int, RegistryEvent]], *, more: bool = False
    ) -> list[Effect]:
        """Apply registry events, each with its offset, in log order.

        Loads are asked for once all of them are applied, and with `more` not before the call that
        brings the rest: of many promotions only the last one of each data type is loaded.
        """
        for position, event in events:
            data_type = self.registry.apply(event, position)
            if data_type is not None:
                plan = self._plans.setdefault(data_type, Plan(data_type))
                plan.want(self.registry.current(data_type), position)
                self._changed[data_type] = None
        if more:
            return []
        changed, self._changed = self._changed, {}
        return [effect for data_type in changed for effect in self._advance(data_type)]

    def on_loaded(self, version: VersionId, *, ok: bool) -> list[Effect]:
        """Take note that a Load ended; a failed one may be tried again with `retry`."""
        plan = self._plan_of(version)
        if version not in plan.loads:
            return [Unload(version)] if ok else []
        plan.loads[version] = "ready" if ok else "failed"
        return self._advance(plan.data_type)

    def retry(self, version: VersionId) -> list[Effect]:
        """Ask again for a version whose load failed, if it is still wanted."""
        plan = self._plan_of(version)
        if plan.loads.get(version) != "failed":
            return []
        plan.loads[version] = "loading"
        return [Load(version)]

    def _plan_of(self, version: VersionId) -> Plan:
        return self._plans[self.registry.versions[version].admitted.data_type]

    def _advance(self, data_type: str) -> list[Effect]:
        """Load what a plan wants, flip to it once it is ready, release what it left behind."""
        plan = self._plans[data_type]
        effects: list[Effect] = []
        if plan.ready():
            if plan.serving != plan.wanted:
                plan.flip()
                effects.append(Release())
        elif plan.wanted is not None and plan.wanted not in plan.loads:
            plan.loads[plan.wanted] = "loading"
            effects.append(Load(plan.wanted))
        return effects + self._unload_unused(plan)

    def _unload_unused(self, plan: Plan) -> list[Effect]:
        """Unload versions that neither answer, nor will, nor are the way back."""
        kept = {plan.serving, plan.wanted}
        kept.update(self.registry.recent(plan.data_type, 1 + VERSIONS_KEPT_LOADED))
        for pending in self._pending.values():
            asked = pending.waiting.get(plan.data_type)
            kept.update(asked.versions if asked else ())
        unused = [version for version in plan.loads if version not in kept]
        for version in unused:
            del plan.loads[version]
        return [Unload(version) for version in unused]

    # -- the record stream -----------------------------------------------------------------------

    def on_batch(self, batch: Batch) -> list[Effect]:
        """Ask for scores for every row that can be answered; hold or refuse the others."""
        position = self.registry.position
        pending = _Pending(batch.slices, {}, [], {})
        for row, failure in batch.failures.items():
            pending.refusals[row] = Refusal(None, position, failure)
        waiting = [group for group in batch.groups if self._must_wait(group.data_type)]
        effects: list[Effect] = []
        groups: Sequence[Group] = batch.groups
        if waiting:
            hold, groups = _hold(batch, waiting)
            effects.append(hold)
            for index in hold.slices:
                for row in batch.slices[index]:
                    pending.refusals.pop(row, None)
        for group in groups:
            effects.extend(self._ask(batch.id, group, pending))
        if not pending.waiting:
            return [*effects, _emit(batch.id, pending)]
        self._pending[batch.id] = pending
        return effects

    def on_scored(self, score: Score, outcome: Outcome) -> list[Effect]:
        """Take one score call's outcome; emit the batch once every group of it is decided."""
        pending = self._pending[score.batch]
        asked = pending.waiting[score.data_type]
        asked.outcomes[score.version] = outcome
        stats = self.stats.setdefault(score.version, VersionStats())
        stats.add(len(outcome.rows), len(outcome.failures), outcome.took_us)
        decision = self._policy.decide(asked.versions, asked.outcomes)
        if decision is None:
            return []
        del pending.waiting[score.data_type]
        self._settle(pending, asked, decision)
        if pending.waiting:
            return []
        del self._pending[score.batch]
        return [_emit(score.batch, pending)]

    def on_unavailable(self, score: Score) -> list[Effect]:
        """Hold what a score call was for, because no record is to blame that it came to nothing.

        Slices are held whole; the shell delivers them again after a pause.
        """
        pending = self._pending[score.batch]
        del pending.waiting[score.data_type]
        rows = set(score.rows)
        held = tuple(
            index for index, part in enumerate(pending.slices) if not rows.isdisjoint(part)
        )
        if pending.waiting:
            return [Hold(score.batch, held)]
        del self._pending[score.batch]
        return [Hold(score.batch, held), _emit(score.batch, pending)]

    def loading(self) -> bool:
        """Tell whether a version that should answer is still on its way."""
        return any(
            plan.serving != plan.wanted
            and plan.wanted is not None
            and plan.loads.get(plan.wanted) == "loading"
            for plan in self._plans.values()
        )

    def snapshot(self) -> Snapshot:
        """Return where the machine stands."""
        position = self.registry.position
        return Snapshot(
            position,
            tuple(
                PlanView(plan.data_type, plan.serving, plan.wanted, plan.as_of(position))
                for plan in self._plans.values()
            ),
            tuple(load for plan in self._plans.values() for load in plan.loads.items()),
        )

    def _must_wait(self, data_type: str) -> bool:
        """Tell whether records can only wait: a first version is on its way, or must come."""
        plan = self._plans.get(data_type)
        if plan is None or (plan.serving is None and plan.wanted is None):
            return self._on_no_model == "hold"
        return plan.serving is None

    def _ask(self, batch: int, group: Group, pending: _Pending) -> list[Effect]:
        """Ask for the scores of one group; refuse it where no version answers for it."""
        plan = self._plans.get(group.data_type)
        if plan is None or plan.serving is None:
            failure = Failure("no_model", f"no model is current for data type {group.data_type!r}")
            refusal = Refusal(group.data_type, self.registry.position, failure)
            pending.refusals.update(dict.fromkeys(group.rows, refusal))
            return []
        if not len(group.rows):
            return []
        versions = self._policy.ask(plan.serving)
        as_of = plan.as_of(self.registry.position)
        pending.waiting[group.data_type] = _Asked(group, versions, as_of)
        return [Score(batch, group.data_type, version, group.rows) for version in versions]

    def _settle(self, pending: _Pending, asked: _Asked, decision: Decision) -> None:
        """Turn a decision into answers and refusals."""
        data_type = asked.group.data_type
        for verdict in decision.verdicts:
            digest = self.registry.versions[verdict.version].admitted.digest
            stamp = ModelStamp(
                *verdict.version, digest, asked.as_of, verdict.took_us, verdict.served_version
            )
            pending.answers.append(Answer(data_type, verdict.rows, verdict.columns, stamp))
        for row, failure in decision.failures.items():
            pending.refusals[row] = Refusal(data_type, asked.as_of, failure)


def _emit(batch: int, pending: _Pending) -> Emit:
    return Emit(batch, tuple(pending.answers), pending.refusals)


def _hold(batch: Batch, held_groups: Sequence[Group]) -> tuple[Hold, list[Group]]:
    """Hold every slice with a row that must wait; return the groups of the others.

    A slice is held as a whole, because a partition's records are answered in order.
    """
    waiting = {row for group in held_groups for row in group.rows}
    held = tuple(index for index, rows in enumerate(batch.slices) if not waiting.isdisjoint(rows))
    put_back = {row for index in held for row in batch.slices[index]}
    groups = [
        Group(group.data_type, [row for row in group.rows if row not in put_back])
        for group in batch.groups
        if group not in held_groups
    ]
    return Hold(batch.id, held), groups
