"""What a policy is told and what it says: the case of some rows, and a decision on them.

Rows are numbers of a batch. Nothing here knows of time but as microseconds since the batch's arrival.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from modelstream.core.effects import Outcome
from modelstream.errors import InvalidFlow
from modelstream.limits import CANDIDATES_MAX, POLICY_DEPTH_MAX
from modelstream.messages import Column, Columns, Failure, VersionId
from modelstream.messages import Rows as BatchRows

# Who is asked: "" is whatever is current for the data type, "name" what is current of that name,
# "name@version" that version.
Ref = str
RowArray = npt.NDArray[Any]
Rows = BatchRows | RowArray
Asks = Sequence[tuple[Ref, Rows]]


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer to some rows.

    `by` is the version whose answer it is; None where it is of several together, or of none.
    """

    rows: Rows
    columns: Columns
    by: VersionId | None
    took_us: float = 0.0
    served_version: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the rows that a policy was asked about; each is in one of the three.

    Those that wait are to be asked about again with the next outcome, and `wake_us` after the
    batch's arrival though none came.
    """

    pieces: tuple[Piece, ...] = ()
    failures: Mapping[int, Failure] = field(default_factory=dict)
    waiting: Rows = ()
    wake_us: float = math.inf


class Reply:
    """What one version has said of the rows of a batch so far: one outcome for each time it was asked."""

    __slots__ = ("_positions", "outcomes")

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.outcomes: list[Outcome] = list(outcomes)
        self._positions: list[RowArray] = []

    def positions(self, size: int) -> list[RowArray]:
        """Return, for each outcome, where each of `size` rows is in it; -1 where it is not."""
        for outcome in self.outcomes[len(self._positions) :]:
            places = np.full(size, -1, np.intp)
            places[row_array(outcome.rows)] = np.arange(len(outcome.rows))
            self._positions.append(places)
        return self._positions

    def failures(self, rows: RowArray) -> dict[int, Failure]:
        """Return those of some rows at which the version failed."""
        told = {row: why for each in self.outcomes for row, why in each.failures.items()}
        return {row: told[row] for row in rows.tolist() if row in told} if told else {}


@dataclass(slots=True)
class Case:
    """All that a policy decides by.

    `size` is the number of the batch's rows. `versions` are the candidates, those that can be asked;
    a reference without one is absent. `keys` and `fields` have an entry for each row of the batch.
    `merits` are figures of versions, such as "declared:auc" and "live:accuracy".
    """

    size: int
    versions: Mapping[Ref, VersionId]
    replies: dict[VersionId, Reply] = field(default_factory=dict)
    elapsed_us: float = 0.0
    keys: Sequence[bytes] = ()
    fields: Mapping[str, Column] = field(default_factory=dict)
    merits: Mapping[VersionId, Mapping[str, float]] = field(default_factory=dict)


class Policy(Protocol):
    """How candidates' answers become one.

    Two laws hold. A final decision lets nothing wait. A decision on a row stays the same when it is
    made final with the same answers: so a result that lists them can be decided again.
    """

    @property
    def members(self) -> "tuple[Policy, ...]":
        """The policies inside, in order."""
        ...

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Who is asked by this policy itself, not by its members."""
        ...

    @property
    def waits(self) -> bool:
        """Whether it may weigh several candidates, or the time, for one row."""
        ...

    @property
    def reads(self) -> Mapping[str, str]:
        """The fields of a record that it looks at itself, with their types; "" is the key."""
        ...

    @property
    def merits(self) -> frozenset[str]:
        """The figures of versions that it looks at itself, such as "declared:auc"."""
        ...

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Return what should have been asked by now, what was asked before included."""
        ...

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Decide on rows; a final decision fails those that still have no answer."""
        ...


@dataclass(frozen=True, slots=True)
class Single:
    """What all policies have in common: no members, no references, nothing to read or wait for."""

    @property
    def members(self) -> tuple[Policy, ...]:
        """No policy is inside."""
        return ()

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Nobody is asked."""
        return ()

    @property
    def waits(self) -> bool:
        """The answer is there, or not, with one score call."""
        return False

    @property
    def reads(self) -> Mapping[str, str]:
        """The record is not looked at."""
        return {}

    @property
    def merits(self) -> frozenset[str]:
        """No figure of a version is looked at."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Weighing(Single):
    """What policies have in common that ask all of their candidates at once, and weigh the answers."""

    candidates: tuple[Policy, ...]

    @property
    def members(self) -> tuple[Policy, ...]:
        """Those that are asked."""
        return self.candidates

    @property
    def waits(self) -> bool:
        """It weighs several candidates."""
        return True

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask all of them."""
        return [ask for member in self.members for ask in member.ask(case, rows)]


def walk(policy: Policy) -> Iterator[Policy]:
    """Return a policy and all inside it, outermost first."""
    yield policy
    for member in policy.members:
        yield from walk(member)


def refs_of(policy: Policy) -> tuple[Ref, ...]:
    """Return everyone whom a policy may ask, each once, in order."""
    return tuple(dict.fromkeys(ref for each in walk(policy) for ref in each.refs))


def reads_of(policy: Policy) -> dict[str, str]:
    """Return the fields of a record that a policy looks at, with their types; "" is the key."""
    return {name: kind for each in walk(policy) for name, kind in each.reads.items()}


def merits_of(policy: Policy) -> frozenset[str]:
    """Return the figures of versions that a policy looks at."""
    return frozenset().union(*(each.merits for each in walk(policy)))


def speculates(policy: Policy) -> bool:
    """Tell whether several candidates, or the time, may have a say in one row's answer."""
    return any(each.waits for each in walk(policy))


def check_members(what: str, members: Sequence[Policy], least: int = 1) -> None:
    """Raise InvalidFlow unless a policy has members, and not too many or too deep."""
    if len(members) < least:
        raise InvalidFlow(f"{what} needs at least {least} members; it has {len(members)}")
    if len({each for member in members for each in refs_of(member)}) > CANDIDATES_MAX:
        raise InvalidFlow(f"{what} asks more than {CANDIDATES_MAX} candidates; name fewer")
    if any(_depth(member) >= POLICY_DEPTH_MAX for member in members):
        raise InvalidFlow(f"{what} nests policies more than {POLICY_DEPTH_MAX} deep")


def check_ms(what: str, ms: object) -> None:
    """Raise InvalidFlow unless a duration is a positive number of milliseconds."""
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 < ms < math.inf:
        raise InvalidFlow(f"{what} is {ms!r}; it is a number of milliseconds above 0")


def _depth(policy: Policy) -> int:
    return 1 + max(map(_depth, policy.members), default=0)


def row_array(rows: Rows) -> RowArray:
    """Return rows as an array."""
    if isinstance(rows, range):
        return np.arange(rows.start, rows.stop, rows.step, dtype=np.intp)
    return np.asarray(rows, dtype=np.intp)


def present_in(column: Column) -> RowArray:
    """Return where a column of objects holds a value, not None."""
    there: RowArray = np.not_equal(column, np.array(None, dtype=object)).astype(np.bool_)
    return there


def merged(decisions: Iterable[Decision]) -> Decision:
    """Join decisions on different rows."""
    pieces: list[Piece] = []
    failures: dict[int, Failure] = {}
    waiting: list[Rows] = []
    wake_us = math.inf
    for each in decisions:
        pieces.extend(each.pieces)
        failures.update(each.failures)
        if len(each.waiting):
            waiting.append(each.waiting)
            wake_us = min(wake_us, each.wake_us)
    return Decision(tuple(pieces), failures, joined(waiting), wake_us)


def joined(parts: Sequence[Rows]) -> Rows:
    """Join sets of rows that have none in common; they come out sorted."""
    if len(parts) == 1:
        return parts[0]
    return np.sort(np.concatenate([row_array(part) for part in parts])) if parts else ()


def failed(rows: Rows, failure: Failure) -> Decision:
    """Fail all of some rows alike."""
    return Decision(failures=dict.fromkeys(row_array(rows).tolist(), failure))
