"""Hedge: a second candidate is asked only about what the first one is slow at."""

from dataclasses import dataclass

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Policy,
    Rows,
    Single,
    check_members,
    check_ms,
    joined,
    row_array,
)
from modelstream.core.policies.single import as_policy


@dataclass(frozen=True, slots=True)
class Hedge(Single):
    """`model` is asked; `fallback` too once `after_ms` have passed since arrival, or where it failed.

    From then on the first of the two that answers wins, `model` where both have.
    """

    model: Policy
    after_ms: float
    fallback: Policy

    def __post_init__(self) -> None:
        """Check the pause and the members."""
        check_ms("Hedge's after_ms", self.after_ms)
        object.__setattr__(self, "model", as_policy(self.model))
        object.__setattr__(self, "fallback", as_policy(self.fallback))
        check_members("Hedge", self.members)

    @property
    def members(self) -> tuple[Policy, ...]:
        """The model and the fallback."""
        return (self.model, self.fallback)

    @property
    def waits(self) -> bool:
        """It weighs the time."""
        return True

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask the model; after the pause, the fallback about what is open."""
        first = self.model.decide(case, rows)
        late = first.waiting if case.elapsed_us >= self.after_ms * 1000 else ()
        parts = [part for part in (late, sorted(first.failures)) if len(part)]
        asks = list(self.model.ask(case, rows))
        return asks + list(self.fallback.ask(case, joined(parts))) if parts else asks

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Take the model's answer or, where it is slow or failed, the fallback's."""
        first = self.model.decide(case, rows, final=final)
        slow = first.waiting
        if len(slow) and case.elapsed_us < self.after_ms * 1000:
            wake_us = min(first.wake_us, self.after_ms * 1000)
            second = self.fallback.decide(case, row_array(sorted(first.failures)), final=final)
            waiting = joined([slow, *([second.waiting] if len(second.waiting) else [])])
            return Decision(
                first.pieces + second.pieces,
                second.failures,
                waiting,
                min(wake_us, second.wake_us),
            )
        open_rows = [part for part in (slow, row_array(sorted(first.failures))) if len(part)]
        if not open_rows:
            return first
        second = self.fallback.decide(case, joined(open_rows), final=final)
        hopeful = set(row_array(slow).tolist())
        failures = {row: why for row, why in second.failures.items() if row not in hopeful}
        back = row_array([row for row in second.failures if row in hopeful])
        waiting = joined([part for part in (second.waiting, back) if len(part)])
        return Decision(
            first.pieces + second.pieces,
            failures,
            waiting,
            min(first.wake_us, second.wake_us),
        )
