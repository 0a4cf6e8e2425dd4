"""When: a condition on the record chooses between two policies."""

from collections.abc import Mapping
from dataclasses import dataclass

from modelstream.core.policies.base import (
    Asks,
    Case,
    Decision,
    Policy,
    RowArray,
    Rows,
    Single,
    check_members,
    merged,
    row_array,
)
from modelstream.core.policies.predicate import fields_of, parse_predicate
from modelstream.core.policies.single import as_policy


@dataclass(frozen=True, slots=True)
class When(Single):
    """`policy` answers the records for which `condition` holds, `otherwise` the others.

    The condition is written as `predicate` says: `When("amount > 1000", "careful", "quick")`.
    """

    condition: str
    policy: Policy
    otherwise: Policy

    def __post_init__(self) -> None:
        """Check the condition and the members."""
        parse_predicate(self.condition)
        object.__setattr__(self, "policy", as_policy(self.policy))
        object.__setattr__(self, "otherwise", as_policy(self.otherwise))
        check_members("When", self.members)

    @property
    def members(self) -> tuple[Policy, ...]:
        """The two policies."""
        return (self.policy, self.otherwise)

    @property
    def reads(self) -> Mapping[str, str]:
        """The fields of the condition."""
        return fields_of(parse_predicate(self.condition))

    def ask(self, case: Case, rows: Rows) -> Asks:
        """Let each ask about its own records."""
        parts = zip(self.members, self._parted(case, rows), strict=True)
        return [ask for member, part in parts if len(part) for ask in member.ask(case, part)]

    def decide(self, case: Case, rows: Rows, *, final: bool = False) -> Decision:
        """Let each decide on its own records."""
        parts = zip(self.members, self._parted(case, rows), strict=True)
        return merged(member.decide(case, part, final=final) for member, part in parts if len(part))

    def _parted(self, case: Case, rows: Rows) -> tuple[RowArray, RowArray]:
        array = row_array(rows)
        held = parse_predicate(self.condition).holds(case.fields)[array]
        return array[held], array[~held]
