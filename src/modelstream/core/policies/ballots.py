"""What members of one policy said of the same rows, side by side: their decisions and one column."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.core.policies.base import (
    Case,
    Decision,
    Policy,
    RowArray,
    Rows,
    present_in,
    row_array,
)
from modelstream.messages import Column, Failure

# Values, and the places of their rows among those asked about.
Part = tuple[RowArray, Column]


@dataclass(frozen=True, slots=True)
class Ballots:
    """The members' answers to `rows`.

    `parts` has for each member the values it gave, in pieces that may be of unlike kinds. `there`
    (members, rows) tells which rows have a value, `open` which may still get one. `failures` are
    the first member's that failed, by row; `took_us` is the longest of the answers' durations.
    """

    rows: RowArray
    parts: tuple[tuple[Part, ...], ...]
    there: RowArray
    open: RowArray
    failures: dict[int, Failure]
    took_us: float
    wake_us: float


def ballots(
    members: Sequence[Policy], output: str, case: Case, rows: Rows, *, final: bool
) -> Ballots:
    """Ask members what they decide on rows, and take one output of each; "" is its first one."""
    array = row_array(rows)
    place = np.zeros(case.size, np.intp)
    place[array] = np.arange(len(array))
    there = np.zeros((len(members), len(array)), np.bool_)
    still = np.zeros((len(members), len(array)), np.bool_)
    parts: list[tuple[Part, ...]] = []
    failures: dict[int, Failure] = {}
    took_us, wake_us = 0.0, math.inf
    for index, member in enumerate(members):
        each = member.decide(case, array, final=final)
        parts.append(tuple(_parts(each, output, place, failures)))
        for at, column in parts[-1]:
            there[index, at] = _present(column)
        if len(each.waiting):
            still[index, place[row_array(each.waiting)]] = True
            wake_us = min(wake_us, each.wake_us)
        for row, failure in each.failures.items():
            failures.setdefault(row, failure)
        took_us = max([took_us, *(piece.took_us for piece in each.pieces)])
    return Ballots(array, tuple(parts), there, still, failures, took_us, wake_us)


def _parts(
    decision: Decision, output: str, place: RowArray, failures: dict[int, Failure]
) -> Iterator[Part]:
    """Return one output of each of a decision's pieces; one without it has failed."""
    for piece in decision.pieces:
        rows = row_array(piece.rows)
        columns = piece.columns
        column = columns.get(output) if output else next(iter(columns.values()), None)
        if column is None:
            why = Failure("invalid_value", f"{piece.by or 'a member'} has no output {output!r}")
            for row in rows.tolist():
                failures.setdefault(row, why)
        else:
            yield place[rows], column


def _present(column: Column) -> RowArray:
    """Tell where a value is one: not None, not NaN; for vectors, where all are."""
    if column.dtype.kind == "f":
        present = np.isfinite(column)
    elif column.dtype == object:
        present = present_in(column)
    else:
        return np.ones(len(column), np.bool_)
    return np.asarray(present.reshape(len(column), -1).all(axis=1), dtype=np.bool_)
