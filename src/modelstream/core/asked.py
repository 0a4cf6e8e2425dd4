"""A group of rows between the asking and the decision: who was asked, what came, what it means."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from modelstream.core.effects import Batch, Candidate, Group, Hold, Lineage, Outcome, Score
from modelstream.core.plan import Roster
from modelstream.core.policies.base import Case, Decision, Reply, RowArray, row_array
from modelstream.core.registry import Registry
from modelstream.messages import Rows, VersionId


@dataclass(slots=True)
class Asked:
    """The rows of one data type in a batch, on their way to an answer.

    `rows_of` are the rows that each version was asked for so far.
    """

    batch: int
    group: Group
    roster: Roster
    as_of: int
    since_us: float
    case: Case
    wake_us: float = math.inf
    rows_of: dict[VersionId, Rows] = field(default_factory=dict)

    def ask(self) -> list[Score]:
        """Ask whoever should have been asked by now and was not."""
        wanted: dict[VersionId, list[Rows | RowArray]] = {}
        for ref, rows in self.roster.policy.ask(self.case, self.group.rows):
            version = self.case.versions.get(ref)
            if version is not None and len(rows):
                wanted.setdefault(version, []).append(rows)
        return [
            Score(self.batch, self.group.data_type, version, rows, apart=self.roster.apart)
            for version, parts in wanted.items()
            if len(rows := self._new(version, parts))
        ]

    def add(self, version: VersionId, outcome: Outcome) -> None:
        """Take in what a version said."""
        self.case.replies.setdefault(version, Reply()).outcomes.append(outcome)

    def decide(self, now_us: float) -> Decision:
        """Decide by what has come so far."""
        self.case.elapsed_us = now_us - self.since_us
        decision = self.roster.policy.decide(self.case, self.group.rows)
        if len(decision.waiting):
            self.wake_us = decision.wake_us
        return decision

    def answered(self, version: VersionId) -> bool:
        """Tell whether a version that was asked has said something of all of its rows."""
        said = sum(len(each.rows) + len(each.failures) for each in self._outcomes(version))
        return said >= len(self.rows_of[version])

    def missed(self, version: VersionId) -> bool:
        """Tell whether it was decided without a version because time was over, or it is away."""
        if not self.answered(version):
            return self.case.elapsed_us >= self.wake_us
        return any(
            why.reason == "unavailable"
            for each in self._outcomes(version)
            for why in each.failures.values()
        )

    def asked_of(self, rows: Collection[int]) -> dict[int, VersionId]:
        """Return whom each of some rows was asked of, where that is one version alone."""
        if self.roster.apart:
            return {}
        return {row: each for each, asked in self.rows_of.items() for row in asked if row in rows}

    def lineage(self, registry: Registry) -> Lineage | None:
        """Tell how it was decided; one candidate that was simply asked needs no lineage."""
        planned = self.roster.planned
        if planned is None or not self.roster.apart:
            return None
        candidates = tuple(
            Candidate(
                version,
                registry.versions[version].admitted.digest,
                rows,
                tuple(self._outcomes(version)),
            )
            for version, rows in self.rows_of.items()
        )
        return Lineage(self.group.data_type, self.group.rows, planned, candidates)

    def _outcomes(self, version: VersionId) -> Sequence[Outcome]:
        reply = self.case.replies.get(version)
        return reply.outcomes if reply else ()

    def _new(self, version: VersionId, parts: list[Rows | RowArray]) -> Rows:
        """Return those of some rows that a version was not asked for yet, and take note of them."""
        before = self.rows_of.get(version)
        if before is None and len(parts) == 1:
            self.rows_of[version] = rows = plain_rows(parts[0])
            return rows
        fresh = np.zeros(self.case.size, np.bool_)
        for part in parts:
            fresh[row_array(part)] = True
        if before is not None:
            fresh[row_array(before)] = False
        rows = np.flatnonzero(fresh).tolist()
        if rows:
            self.rows_of[version] = [*(before or ()), *rows]
        return rows


def case_of(batch: Batch, roster: Roster, able: Iterable[VersionId]) -> Case:
    """Return the case of a batch; of the roster's versions those that are `able` can be asked."""
    there = set(able)
    return Case(
        size=batch.slices[-1].stop if batch.slices else 0,
        versions={ref: each for ref, each in roster.versions.items() if each in there},
        keys=batch.keys,
        fields=batch.fields,
        merits=roster.merits,
    )


def plain_rows(rows: Rows | RowArray) -> Rows:
    """Return rows as plain numbers, which results and rejects are placed by."""
    return rows.tolist() if isinstance(rows, np.ndarray) else rows


def hold(batch: Batch, held_groups: Sequence[Group]) -> tuple[Hold, list[Group]]:
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
