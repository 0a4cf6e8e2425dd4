"""Shadow: others are asked beside a policy; what they say is kept, and never the answer."""

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
    merged,
    row_array,
)
from modelstream.core.policies.single import as_policies, as_policy


@dataclass(frozen=True, slots=True)
class Shadow(Single):
    """`policy` decides; `also` are asked about the same records, and the result tells what they said.

    A result waits for them until `within_ms` after the batch's arrival, and no longer.
    """

    policy: Policy
    also: tuple[Policy, ...]
    within_ms: float = 50

    def __post_init__(self) -> None:
        """Check the members."""
        check_ms("Shadow's within_ms", self.within_ms)
        object.__setattr__(self, "policy", as_policy(self.policy))
        object.__setattr__(self, "also", as_policies("Shadow's also", self.also))
        check_members("Shadow", self.members, least=2)

    @property
    def members(self) -> tuple[Policy, ...]:
        """The policy, then its shadows."""
        return (self.policy, *self.also)

    @property
    def waits(self) -> bool:
        """It weighs the time."""
        return True

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Ask all of them."""
        return [ask for member in self.members for ask in member.ask(case, rows)]

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Decide as the policy does; for a while, rows wait for the shadows too."""
        decision = self.policy.decide(case, rows, final=final)
        due = self.within_ms * 1000
        if final or case.elapsed_us >= due:
            return decision
        others = merged(_lagging(each.decide(case, rows)) for each in self.also)
        lagging = np_union(decision.waiting, others.waiting)
        if not len(lagging):
            return decision
        if len(lagging) == len(rows):
            return Decision(waiting=rows, wake_us=min(due, decision.wake_us, others.wake_us))
        held = set(lagging)
        kept = row_array([row for row in row_array(rows).tolist() if row not in held])
        settled = self.policy.decide(case, kept)
        wake_us = min(due, decision.wake_us, others.wake_us)
        return Decision(settled.pieces, settled.failures, row_array(lagging), wake_us)


def _lagging(decision: Decision) -> Decision:
    return Decision(waiting=decision.waiting, wake_us=decision.wake_us)


def np_union(first: Rows, second: Rows) -> list[int]:
    """Return rows that are in either, sorted."""
    return sorted({*row_array(first).tolist(), *row_array(second).tolist()})
