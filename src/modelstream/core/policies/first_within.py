"""FirstWithin: the best answer that is there by a deadline."""

from dataclasses import dataclass

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Piece,
    Policy,
    Rows,
    Single,
    check_members,
    check_ms,
    joined,
    row_array,
)
from modelstream.core.policies.single import as_policies
from modelstream.messages import Failure


@dataclass(frozen=True, slots=True)
class FirstWithin(Single):
    """All members are asked at once; the first of the preferred order that has answered wins.

    It ends early once nothing better can come. `ms` after the batch's arrival the best of those that
    are there is taken; a record that none has answered by then fails with "deadline".
    """

    ms: float
    prefer: tuple[Policy, ...]

    def __post_init__(self) -> None:
        """Check the deadline and the members."""
        check_ms("FirstWithin's deadline", self.ms)
        object.__setattr__(self, "prefer", as_policies("FirstWithin's prefer", self.prefer))
        check_members("FirstWithin", self.prefer)

    @property
    def members(self) -> tuple[Policy, ...]:
        """Those it prefers, the best first."""
        return self.prefer

    @property
    def waits(self) -> bool:
        """It weighs the time."""
        return True

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask all members from the beginning."""
        return [ask for member in self.prefer for ask in member.ask(case, rows)]

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Go down the order with the rows that have failed so far; rows of one that works wait."""
        due = self.ms * 1000
        final = final or case.elapsed_us >= due
        pieces: list[Piece] = []
        waiting: list[Rows] = []
        failures: dict[int, Failure] = {}
        wake_us = due
        left: Rows = rows
        for member in self.prefer:
            each = member.decide(case, left, final=final)
            pieces.extend(each.pieces)
            if len(each.waiting):
                waiting.append(each.waiting)
                wake_us = min(wake_us, each.wake_us)
            failures = {
                row: _heavier(failures.get(row), failure) for row, failure in each.failures.items()
            }
            if not failures:
                break
            left = row_array(sorted(failures))
        return Decision(tuple(pieces), failures, joined(waiting), wake_us)


def _heavier(before: Failure | None, failure: Failure) -> Failure:
    """Return what a row without any answer failed of: being late before all else."""
    if before is None or (failure.reason == "deadline" and before.reason != "deadline"):
        return failure
    return before
