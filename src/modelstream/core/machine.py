"""The machine: the join of a record stream with a model stream, as a pure function of its events.

A shell tells it what happened (`on_...`) and performs the effects it gets back. Nothing is called
per record. Registry offsets, batch ids and the times it is told are the only time it knows.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from modelstream.core.asked import Asked, case_of, hold, plain_rows
from modelstream.core.breaker import Breaker
from modelstream.core.effects import (
    Answer,
    Batch,
    Effect,
    Emit,
    Group,
    Hold,
    Lineage,
    Outcome,
    Refusal,
    Score,
    Unload,
    WakeAt,
)
from modelstream.core.plan import Plan, Roster
from modelstream.core.plans import Plans
from modelstream.core.policies.base import Decision, Policy, reads_of
from modelstream.core.snapshot import Snapshot
from modelstream.core.stats import VersionStats
from modelstream.events import RegistryEvent
from modelstream.messages import Failure, ModelStamp, VersionId

OnNoModel = Literal["hold", "reject"]


@dataclass(slots=True)
class _Pending:
    """A batch between `on_batch` and its Emit."""

    slices: tuple[range, ...]
    waiting: dict[str, Asked]
    answers: list[Answer]
    refusals: dict[int, Refusal]
    lineages: list[Lineage]


class Machine:
    """One instance's join. `registry` and `stats` may be read at any time, by its own thread.

    `declared` is the policy of the flow; unless that is the latest version, records wait until
    the registry has a plan. With `on_demand` versions are loaded for records that are met.
    """

    def __init__(
        self,
        declared: Policy | None = None,
        on_no_model: OnNoModel = "hold",
        *,
        on_demand: bool = False,
    ) -> None:
        self.stats: dict[VersionId, VersionStats] = {}
        self._plans = Plans(declared, on_demand=on_demand)
        self.registry = self._plans.registry
        self._on_no_model = on_no_model
        self._pending: dict[int, _Pending] = {}
        self._breakers: dict[VersionId, Breaker] = {}
        self._reads: dict[str, str] | None = None  # worked out anew after each change of a plan

    # -- the model stream ------------------------------------------------------------------------

    def on_registry(
        self, events: Sequence[tuple[int, RegistryEvent]], *, more: bool = False
    ) -> list[Effect]:
        """Apply registry events, each with its offset, in log order.

        Loads are asked for once all of them are applied, and with `more` not before the call that
        brings the rest: of many promotions only the last one of each data type is loaded.
        """
        return self._released(self._plans.follow(events, self._in_use, more=more))

    def on_loaded(self, version: VersionId, *, ok: bool) -> list[Effect]:
        """Take note that a Load ended; a failed one may be tried again with `retry`."""
        return self._released(self._plans.loaded(version, self._in_use, ok=ok))

    def retry(self, version: VersionId) -> list[Effect]:
        """Ask again for a version whose load failed, if it is still wanted."""
        return self._plans.retry(version)

    def leave(self, data_types: Iterable[str]) -> list[Effect]:
        """Release what is loaded for data types whose records are others' to answer now."""
        return self._released(self._plans.leave(data_types, self._in_use))

    def loading(self) -> bool:
        """Tell whether a version that should answer is still on its way."""
        return self._plans.loading()

    def snapshot(self) -> Snapshot:
        """Return where the machine stands."""
        return self._plans.snapshot()

    def reads(self) -> dict[str, str]:
        """Return the fields of a record, with their types, that plans look at; "" is the key."""
        if self._reads is None:
            self._reads = {}
            for plan in self._plans.all():
                self._reads |= reads_of(plan.serving.policy) if plan.serving else {}
        return self._reads

    def _in_use(self, data_type: str) -> set[VersionId]:
        """Return the versions of a data type that records wait for."""
        return {
            version
            for pending in self._pending.values()
            if data_type in pending.waiting
            for version in pending.waiting[data_type].rows_of
        }

    def _released(self, effects: list[Effect]) -> list[Effect]:
        """Forget what is known of versions that are unloaded, and of plans as they were."""
        self._reads = None
        for each in effects:
            if isinstance(each, Unload):
                self._breakers.pop(each.version, None)
        return effects

    # -- the record stream -----------------------------------------------------------------------

    def on_batch(self, batch: Batch, now_us: float = 0.0) -> list[Effect]:
        """Ask for scores for every row that can be answered; hold or refuse the others."""
        position = self.registry.position
        pending = _Pending(batch.slices, {}, [], {}, [])
        for row, failure in batch.failures.items():
            pending.refusals[row] = Refusal(None, position, failure)
        effects = self._plans.meet((group.data_type for group in batch.groups), self._in_use)
        waiting = [group for group in batch.groups if self._must_wait(group.data_type)]
        groups: Sequence[Group] = batch.groups
        if waiting:
            held, groups = hold(batch, waiting)
            effects.append(held)
            for index in held.slices:
                for row in batch.slices[index]:
                    pending.refusals.pop(row, None)
        self._pending[batch.id] = pending
        for group in groups:
            effects.extend(self._ask(batch, group, pending, now_us))
        return effects + self._emitted(batch.id, pending)

    def on_scored(self, score: Score, outcome: Outcome, now_us: float = 0.0) -> list[Effect]:
        """Take one score call's outcome; emit the batch once every group of it is decided.

        One that comes after the decision is counted as late, and dropped.
        """
        stats = self.stats.setdefault(score.version, VersionStats())
        stats.add(len(outcome.rows), len(outcome.failures), outcome.took_us)
        pending = self._pending.get(score.batch)
        asked = pending.waiting.get(score.data_type) if pending else None
        if pending is None or asked is None:
            stats.late += len(score.rows)
            return []
        asked.add(score.version, outcome)
        return self._look(pending, asked, now_us) + self._emitted(score.batch, pending)

    def on_time(self, now_us: float) -> list[Effect]:
        """Look again at what waits, because of a WakeAt."""
        effects: list[Effect] = []
        for batch, pending in list(self._pending.items()):
            for asked in list(pending.waiting.values()):
                effects.extend(self._look(pending, asked, now_us))
            effects.extend(self._emitted(batch, pending))
        return effects

    def on_unavailable(self, score: Score, now_us: float = 0.0) -> list[Effect]:
        """Hold what a score call was for, because no record is to blame that it came to nothing.

        Slices are held whole; the shell delivers them again after a pause. Where others were asked
        beside it, they may answer: it counts as a failure then.
        """
        if score.apart:
            why = Failure("unavailable", f"{score.version} does not answer now")
            return self.on_scored(score, Outcome([], {}, dict.fromkeys(score.rows, why), 0), now_us)
        pending = self._pending[score.batch]
        del pending.waiting[score.data_type]
        rows = set(score.rows)
        held = tuple(
            index for index, part in enumerate(pending.slices) if not rows.isdisjoint(part)
        )
        return [Hold(score.batch, held), *self._emitted(score.batch, pending)]

    def forget(self, batch: int) -> None:
        """Give a batch up: its records are delivered again. What comes of it is late."""
        self._pending.pop(batch, None)

    def _must_wait(self, data_type: str) -> bool:
        """Tell whether records can only wait: a first version is on its way, or must come."""
        plan = self._plans.of(data_type)
        if plan is None or (plan.serving is None and plan.wanted is None):
            return self._plans.awaits_plan(data_type) or self._on_no_model == "hold"
        return plan.serving is None

    def _ask(self, batch: Batch, group: Group, pending: _Pending, now_us: float) -> list[Effect]:
        """Ask for the scores of one group; refuse it where no version answers for it."""
        plan = self._plans.of(group.data_type)
        if plan is None or plan.serving is None:
            failure = Failure("no_model", f"no model is current for data type {group.data_type!r}")
            refusal = Refusal(group.data_type, self.registry.position, failure)
            pending.refusals.update(dict.fromkeys(group.rows, refusal))
            return []
        if not len(group.rows):
            return []
        roster = plan.serving
        case = case_of(batch, roster, self._able(plan, roster, now_us))
        as_of = plan.as_of(self.registry.position)
        asked = Asked(batch.id, group, roster, as_of, now_us, case)
        pending.waiting[group.data_type] = asked
        scores: list[Effect] = list(asked.ask())
        if scores and not roster.apart:
            return scores
        # Nobody may have been asked at all; and who was, may be waited for only so long.
        return scores + self._look(pending, asked, now_us)

    def _able(self, plan: Plan, roster: Roster, now_us: float) -> list[VersionId]:
        """Return the candidates that can be asked: in memory, and not left out for missing."""
        ready = [version for version in roster.ids() if plan.loads.get(version) == "ready"]
        if not roster.apart:
            return ready
        return [
            version
            for version in ready
            if version not in self._breakers or self._breakers[version].allows(now_us)
        ]

    def _look(self, pending: _Pending, asked: Asked, now_us: float) -> list[Effect]:
        """Decide on a group if that can be done by now; else ask further, and wait."""
        decision = asked.decide(now_us)
        if len(decision.waiting):
            asks: list[Effect] = list(asked.ask())
            if asked.wake_us < math.inf:
                asks.append(WakeAt(asked.since_us + asked.wake_us))
            return asks
        del pending.waiting[asked.group.data_type]
        self._settle(pending, asked, decision)
        if asked.roster.apart:
            self._judge(asked, now_us)
        return []

    def _emitted(self, batch: int, pending: _Pending) -> list[Effect]:
        """Emit a batch of which nothing waits any longer."""
        if pending.waiting:
            return []
        del self._pending[batch]
        emit = Emit(batch, tuple(pending.answers), pending.refusals, tuple(pending.lineages))
        return [emit]

    def _settle(self, pending: _Pending, asked: Asked, decision: Decision) -> None:
        """Turn a decision into answers and refusals."""
        data_type = asked.group.data_type
        for piece in decision.pieces:
            stamp = self._stamp(asked, piece.by, piece.took_us, piece.served_version)
            rows = plain_rows(piece.rows)
            pending.answers.append(Answer(data_type, rows, piece.columns, stamp, piece.by))
            if piece.by is not None:
                self.stats[piece.by].won += len(rows)
        asked_of = asked.asked_of(decision.failures) if decision.failures else {}
        for row, failure in decision.failures.items():
            by = asked_of.get(row)
            pending.refusals[row] = Refusal(data_type, asked.as_of, failure, by)
        lineage = asked.lineage(self.registry)
        if lineage is not None:
            pending.lineages.append(lineage)

    def _stamp(
        self, asked: Asked, by: VersionId | None, took_us: float, served_version: str
    ) -> ModelStamp:
        """Name the version that answered or, where that is the plan itself, the plan."""
        if by is not None:
            digest = self.registry.versions[by].admitted.digest
            return ModelStamp(*by, digest, asked.as_of, took_us, served_version)
        planned = asked.roster.planned
        assert planned is not None, "one version alone answers without a plan"
        return ModelStamp("plan", planned.version, planned.digest, asked.as_of, took_us)

    def _judge(self, asked: Asked, now_us: float) -> None:
        """Tell breakers who answered, and who was not waited for any longer."""
        for version in asked.rows_of:
            breaker = self._breakers.setdefault(version, Breaker())
            if asked.missed(version):
                breaker.missed(now_us)
                self.stats.setdefault(version, VersionStats()).missed += 1
            elif asked.answered(version):
                breaker.answered()
