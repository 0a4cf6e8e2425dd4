"""Majority: several members vote on each record, one label each."""

import math
from dataclasses import dataclass
from typing import Literal

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

Tie = Literal["first", "reject"]


@dataclass(frozen=True, slots=True)
class Majority(Weighing):
    """The label with most votes wins.

    A member votes with its `output`, its first one unless named; a vector of scores votes for the
    position of the greatest. One that fails, or has no value, abstains. `quorum` members have to
    vote (more than half, unless told), by `within` milliseconds after arrival if that is given. Of
    labels with equally many votes that of the member listed first is taken, or none (`tie`).
    It ends early once no vote can change the winner. The answer has the label, under `output`
    or else "label", and how many of how many voted for it: `votes` and `voters`.
    """

    quorum: int = 0
    within: float = 0
    tie: Tie = "first"
    output: str = ""

    def __post_init__(self) -> None:
        """Check the members and how they vote."""
        given = as_policies("Majority's candidates", self.candidates)
        object.__setattr__(self, "candidates", given)
        check_members("Majority", self.members, least=2)
        if type(self.quorum) is not int or not 0 <= self.quorum <= len(self.members):
            raise InvalidFlow(
                f"Majority's quorum is {self.quorum!r}; use 1 to {len(self.members)}, its members"
            )
        if self.within:
            check_ms("Majority's within", self.within)
        if self.tie not in {"first", "reject"}:
            raise InvalidFlow(f"Majority's tie is {self.tie!r}; use 'first' or 'reject'")

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Count the votes of each row."""
        due = self.within * 1000 or math.inf
        final = final or case.elapsed_us >= due
        cast = ballots(self.members, self.output, case, rows, final=final)
        voters = cast.there.sum(axis=0)
        to_come = cast.open.sum(axis=0)
        enough = voters >= (self.quorum or len(self.members) // 2 + 1)
        if (to_come.astype(np.bool_) & ~enough).all():  # too early to count
            return Decision(waiting=cast.rows, wake_us=min(due, cast.wake_us))
        codes, labels, kinds = _labels(cast)
        votes, second, first = _counted(codes)
        # A tie that is open may be broken, and the leader be caught up with, by what is to come.
        done = (to_come == 0) | (enough & (votes > second + to_come))
        tied = (votes == second) & (self.tie == "reject")
        won = done & enough & ~tied
        lost = done & ~won
        failures = {
            row: _no_consensus(cast, row, int(count), bool(few))
            for row, count, few in zip(
                cast.rows[lost].tolist(), voters[lost], ~enough[lost], strict=True
            )
        }
        pieces = []
        places = np.flatnonzero(won)
        chosen, kind = labels[first[places], places], kinds[first[places], places]
        for each in dict.fromkeys(kind.tolist()):
            alike = places[kind == each]
            columns = {
                self.output or "label": _typed(chosen[kind == each], each),
                "votes": votes[alike],
                "voters": voters[alike],
            }
            pieces.append(Piece(cast.rows[alike], columns, None, cast.took_us))
        return Decision(tuple(pieces), failures, cast.rows[~done], min(due, cast.wake_us))


def _labels(cast: Ballots) -> tuple[RowArray, Column, Column]:
    """Return each vote as a small number, -1 for none, its label, and the kind of that one.

    All are (members, rows).
    """
    kinds = np.full(cast.there.shape, "O")
    labels = np.empty(cast.there.shape, dtype=object)
    numbers = np.zeros(cast.there.shape)
    numeric = True
    for index, parts in enumerate(cast.parts):
        for at, column in parts:
            voted = _voted(column)
            labels[index, at] = voted.tolist()
            kinds[index, at] = voted.dtype.kind
            numeric = numeric and voted.dtype.kind in "fiu"
            if numeric:
                numbers[index, at] = voted
    codes = np.full(labels.shape, -1, np.intp)
    if numeric:
        codes[cast.there] = np.unique(numbers[cast.there], return_inverse=True)[1].reshape(-1)
    else:
        known: dict[str, int] = {}
        texts = _texts(labels[cast.there])
        codes[cast.there] = [known.setdefault(text, len(known)) for text in texts]
    return codes, labels, kinds


def _voted(column: Column) -> Column:
    """Return the labels that values stand for: a vector of scores, for where the greatest is."""
    return column if column.ndim == 1 else np.argmax(column.reshape(len(column), -1), axis=1)


def _typed(labels: Column, kind: str) -> Column:
    """Return labels as a column of the type that they were taken from."""
    return labels if kind == "O" else np.array(labels.tolist())


def _texts(labels: Column) -> list[str]:
    """Return labels as text, so that members whose labels are of unlike types can agree: 5 and "5"."""
    return [
        str(int(each)) if isinstance(each, float) and each.is_integer() else str(each)
        for each in labels.tolist()
    ]


def _counted(codes: RowArray) -> tuple[RowArray, RowArray, RowArray]:
    """Return the most votes for one label, the most for another, and who is first to have the former.

    Members are compared in pairs, so that the number of labels makes no difference.
    """
    same = (codes[:, None, :] == codes[None, :, :]) & (codes >= 0)[:, None, :]
    votes = same.sum(axis=1)
    first = votes.argmax(axis=0)
    most = np.take_along_axis(votes, first[None, :], axis=0)[0]
    winner = np.take_along_axis(codes, first[None, :], axis=0)
    second: RowArray = np.where(codes == winner, 0, votes).max(axis=0)
    return most, second, first


def _no_consensus(cast: Ballots, row: int, voters: int, few: bool) -> Failure:
    if not few:
        return Failure("no_consensus", "the votes are tied")
    why = cast.failures.get(row)
    told = f"; {why.detail}" if why else ""
    late = why is not None and why.reason == "deadline"
    return Failure("deadline" if late else "no_consensus", f"{voters} members have voted{told}")
