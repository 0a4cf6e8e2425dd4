"""Best: the member with most to say for it answers, by a figure of the version or of the record."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Piece,
    Policy,
    RowArray,
    Rows,
    Weighing,
    check_members,
    check_ms,
    row_array,
)
from modelstream.core.policies.single import Latest, Model, as_policies
from modelstream.errors import InvalidFlow
from modelstream.messages import Column, Columns, Failure

LOWER_IS_BETTER = frozenset({"rmse", "mae", "mse", "log_loss", "calibration", "brier"})
_PROBABLE = ("prob", "confid")
_OF_VERSIONS = frozenset({"declared", "live"})


@dataclass(frozen=True, slots=True)
class Best(Weighing):
    """One member's answer, chosen record by record or version by version.

    `by` is "confidence", the greatest of the probabilities that a member answers with (outputs whose
    name has "prob" or "confid" in it); "output:NAME", the greatest of that output;
    "declared:METRIC", what the version's publisher says of it; or "live:METRIC", what labels say of
    it. By the first two all members are asked, by the others the best alone, and the next where it
    failed. Of METRICs that tell errors the lowest is best. Members without the figure come last, in
    order.
    """

    by: str = "confidence"
    within: float = 0

    def __post_init__(self) -> None:
        """Check the members and what they are chosen by."""
        given = as_policies("Best's candidates", self.candidates)
        object.__setattr__(self, "candidates", given)
        check_members("Best", self.members)
        by: Any = self.by
        kind, colon, name = str(by).partition(":")
        named = kind in {"output", *_OF_VERSIONS} and colon and name
        if not isinstance(by, str) or not (by == "confidence" or named):
            raise InvalidFlow(
                f"Best's by is {self.by!r}; use 'confidence', 'output:NAME', 'declared:METRIC' or "
                f"'live:METRIC'"
            )
        if kind in _OF_VERSIONS and not all(
            isinstance(each, Latest | Model) for each in self.members
        ):
            raise InvalidFlow(f"Best by {kind!r} chooses among models; name them alone")
        if self.within:
            check_ms("Best's within", self.within)

    @property
    def merits(self) -> frozenset[str]:
        """The figure of versions that it chooses by."""
        return frozenset() if self._of_records() else frozenset({self.by})

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask all members, or the best and, where it failed, the next."""
        if self._of_records():
            return [ask for member in self.members for ask in member.ask(case, rows)]
        asks: list[tuple[str, Rows]] = []
        left: Rows = rows
        for member in self._ranked(case):
            asks.extend(member.ask(case, left))
            left = row_array(sorted(member.decide(case, left, final=self._due(case)).failures))
            if not len(left):
                break
        return asks

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Choose among the members' answers."""
        final = final or self._due(case)
        if self._of_records():
            return self._by_record(case, rows, final=final)
        pieces: list[Piece] = []
        waiting: list[int] = []
        failures: dict[int, Failure] = {}
        wake_us = self.within * 1000 or math.inf
        left: Rows = rows
        for member in self._ranked(case):
            each = member.decide(case, left, final=final)
            pieces.extend(each.pieces)
            waiting.extend(row_array(each.waiting).tolist())
            wake_us = min(wake_us, each.wake_us)
            failures = {row: failures.get(row, why) for row, why in each.failures.items()}
            left = row_array(sorted(failures))
            if not len(left):
                break
        return Decision(tuple(pieces), failures, row_array(sorted(waiting)), wake_us)

    def _of_records(self) -> bool:
        return self.by == "confidence" or self.by.startswith("output:")

    def _due(self, case: Case) -> bool:
        return bool(self.within) and case.elapsed_us >= self.within * 1000

    def _ranked(self, case: Case) -> list[Policy]:
        """Return the members by their figure, the best first."""
        sign = 1.0 if self.by.partition(":")[2] in LOWER_IS_BETTER else -1.0
        return sorted(self.members, key=lambda member: self._rank(case, member, sign))

    def _rank(self, case: Case, member: Policy, sign: float) -> float:
        version = case.versions.get(member.refs[0])
        merit = case.merits.get(version, {}).get(self.by) if version is not None else None
        return math.inf if merit is None else sign * merit

    def _by_record(self, case: Case, rows: Rows, *, final: bool) -> Decision:
        """Choose the answer with the greatest figure in each row, once all members have answered."""
        array = row_array(rows)
        decided = [member.decide(case, array, final=final) for member in self.members]
        open_rows = np.zeros(case.size, np.bool_)
        figures = np.full((len(decided), case.size), -np.inf)
        answered = np.zeros((len(decided), case.size), np.bool_)
        failures: dict[int, Failure] = {}
        for index, each in enumerate(decided):
            open_rows[row_array(each.waiting)] = True
            for piece in each.pieces:
                at = row_array(piece.rows)
                figure = self._figure(piece.columns, len(at))
                answered[index, at] = np.isfinite(figure)
                figures[index, at] = np.where(np.isfinite(figure), figure, -np.inf)
            for row, why in each.failures.items():
                failures.setdefault(row, why)
        chosen = np.where(answered.any(axis=0), figures.argmax(axis=0), -1)
        chosen[open_rows] = -1
        pieces = [
            _taken(piece, np.asarray(chosen[row_array(piece.rows)] == index))
            for index, each in enumerate(decided)
            for piece in each.pieces
        ]
        lost = array[~open_rows[array] & ~np.asarray(answered.any(axis=0))[array]].tolist()
        without = Failure("invalid_value", f"no member's answer has a figure for {self.by!r}")
        return Decision(
            tuple(piece for piece in pieces if len(piece.rows)),
            {row: failures.get(row, without) for row in lost},
            array[open_rows[array]],
            min([self.within * 1000 or math.inf, *(each.wake_us for each in decided)]),
        )

    def _figure(self, columns: Columns, count: int) -> Column:
        """Return each row's figure; NaN where an answer has none."""
        name = self.by.partition(":")[2]
        told = [
            column.reshape(count, -1).astype(np.float64)
            for each, column in columns.items()
            if column.dtype.kind in "fiub"
            and (each == name if name else any(word in each.lower() for word in _PROBABLE))
        ]
        if not told:
            return np.full(count, np.nan)
        figure: Column = np.concatenate(told, axis=1).max(axis=1)
        return figure


def _taken(piece: Piece, mask: RowArray) -> Piece:
    """Return the rows of a piece where a mask is true."""
    if mask.all():
        return piece
    return Piece(
        row_array(piece.rows)[np.flatnonzero(mask)],
        {name: column[mask] for name, column in piece.columns.items()},
        piece.by,
        piece.took_us,
        piece.served_version,
    )
