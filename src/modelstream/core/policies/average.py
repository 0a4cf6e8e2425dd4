"""Average and Median: several members' numbers become one."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.core.policies.ballots import Ballots, ballots
from modelstream.core.policies.base import (
    Case,
    Decision,
    Piece,
    RowArray,
    Rows,
    Weighing,
    check_members,
    check_ms,
)
from modelstream.core.policies.single import as_policies
from modelstream.errors import InvalidFlow
from modelstream.messages import Column, Failure


@dataclass(frozen=True, slots=True)
class Average(Weighing):
    """The weighted mean of an `output`, the first one unless named, of all members that answer.

    A vector is taken number by number. Members that fail, or have no number, are left out; `quorum`
    have to be left (one, unless told), by `within` milliseconds after arrival if that is given. A
    record to which members give vectors of unlike shapes fails. The answer has the mean under
    `output` or else "value", and of how many it is: `voters`.
    """

    weights: tuple[float, ...] = ()
    quorum: int = 1
    within: float = 0
    output: str = ""

    def __post_init__(self) -> None:
        """Check the members and their weights."""
        what = type(self).__name__
        given = as_policies(f"{what}'s candidates", self.candidates)
        object.__setattr__(self, "candidates", given)
        check_members(what, self.members, least=2)
        if type(self.quorum) is not int or not 1 <= self.quorum <= len(self.members):
            raise InvalidFlow(
                f"{what}'s quorum is {self.quorum!r}; use 1 to {len(self.members)}, its members"
            )
        if self.within:
            check_ms(f"{what}'s within", self.within)
        given_weights: Any = self.weights
        weights = tuple(given_weights) if isinstance(given_weights, list | tuple) else None
        if weights is None or len(weights) not in {0, len(self.members)}:
            raise InvalidFlow(f"{what}'s weights are {self.weights!r}; give one a member, or none")
        if not all(isinstance(each, int | float) and 0 < each < math.inf for each in weights):
            raise InvalidFlow(f"{what}'s weights are {self.weights!r}; a weight is above 0")
        object.__setattr__(self, "weights", weights)

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Take the middle of what is there, once nothing more will come."""
        due = self.within * 1000 or math.inf
        final = final or case.elapsed_us >= due
        cast = ballots(self.members, self.output, case, rows, final=final)
        done = ~cast.open.any(axis=0)
        numbers = _numbers(cast)
        voters, kinds = np.zeros((2, len(cast.rows)), np.intp)
        for each in numbers.values():
            voters += each.there.sum(axis=0)
            kinds += each.there.any(axis=0)
        won = done & (voters >= self.quorum) & (kinds == 1)
        lost = np.flatnonzero(done & ~won)
        failures = {
            int(cast.rows[at]): _UNLIKE
            if kinds[at] > 1
            else cast.failures.get(int(cast.rows[at]), _TOO_FEW)
            for at in lost.tolist()
        }
        weights = np.array(self.weights or [1.0] * len(self.members))
        pieces = []
        for each in numbers.values():
            chosen = won & each.there.any(axis=0)
            if chosen.any():
                middle = self._middle(each.values[:, chosen], each.there[:, chosen], weights)
                columns = {self.output or "value": middle, "voters": voters[chosen]}
                pieces.append(Piece(cast.rows[chosen], columns, None, cast.took_us))
        return Decision(tuple(pieces), failures, cast.rows[~done], min(due, cast.wake_us))

    def _middle(self, values: Column, there: RowArray, weights: Column) -> Column:
        """Return the mean of the values that are there; they are (members, rows, ...)."""
        shape = there.shape + (1,) * (values.ndim - 2)
        shares = (weights[:, None] * there).reshape(shape)
        total = np.zeros(values.shape[1:])
        for value, share in zip(np.where(there.reshape(shape), values, 0.0), shares, strict=True):
            total += value * share
        mean: Column = total / shares.sum(axis=0)
        return mean


@dataclass(frozen=True, slots=True)
class Median(Average):
    """As Average, but the weighted median: the lowest value with half of the weight at or below it.

    Of an even number of equal weights it is the mean of the two in the middle.
    """

    def _middle(self, values: Column, there: RowArray, weights: Column) -> Column:
        """Return the median of the values that are there; they are (members, rows, ...)."""
        shape = there.shape + (1,) * (values.ndim - 2)
        known = np.where(there.reshape(shape), values, np.inf)
        order = np.argsort(known, axis=0, kind="stable")
        held = np.broadcast_to((weights[:, None] * there).reshape(shape), known.shape)
        known = np.take_along_axis(known, order, axis=0)
        below = np.cumsum(np.take_along_axis(held, order, axis=0), axis=0)
        half = below[-1] / 2
        low = (below >= half).argmax(axis=0)[None]
        high = (below > half).argmax(axis=0)[None]
        pair = [np.take_along_axis(known, at, axis=0)[0] for at in (low, high)]
        middle: Column = (pair[0] + pair[1]) / 2
        return middle


_TOO_FEW = Failure("no_consensus", "too few members have a number for this record")


_UNLIKE = Failure("invalid_value", "members answer with vectors of unlike shapes")


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The members' numbers of one shape: `values` (members, rows, ...), and where they are there."""

    values: Column
    there: RowArray


def _numbers(cast: Ballots) -> dict[tuple[int, ...], _Numbers]:
    """Return the numbers that members gave, by their shape."""
    found: dict[tuple[int, ...], _Numbers] = {}
    for index, parts in enumerate(cast.parts):
        for at, column in parts:
            if column.dtype.kind not in "fiub":
                continue
            shape = column.shape[1:]
            if shape not in found:
                blank = np.zeros((*cast.there.shape, *shape))
                found[shape] = _Numbers(blank, np.zeros(cast.there.shape, np.bool_))
            found[shape].values[index, at] = column
            found[shape].there[index, at] = cast.there[index, at]
    return found
