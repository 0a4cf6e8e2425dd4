"""Answer policies: who is asked for an answer (starter), and who decides (collector).

`Latest` is the policy of a flow that says nothing: the data type's current version answers alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from modelstream.core.effects import Outcome
from modelstream.messages import Columns, Failure, Rows, VersionId


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to some rows: the columns, and the version whose answer they are."""

    version: VersionId
    rows: Rows
    columns: Columns
    took_us: float
    served_version: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of all rows of one group."""

    verdicts: tuple[Verdict, ...]
    failures: Mapping[int, Failure]


class Policy(Protocol):
    """How the candidates' scores become one answer."""

    def ask(self, serving: VersionId) -> tuple[VersionId, ...]:
        """Return the versions that score the rows, given the one that is current."""
        ...

    def decide(
        self, asked: tuple[VersionId, ...], outcomes: Mapping[VersionId, Outcome]
    ) -> Decision | None:
        """Decide from the outcomes so far; None asks to wait for more of them."""
        ...


@dataclass(frozen=True, slots=True)
class Latest:
    """The current version answers alone."""

    def ask(self, serving: VersionId) -> tuple[VersionId, ...]:
        """Ask the current version."""
        return (serving,)

    def decide(
        self, asked: tuple[VersionId, ...], outcomes: Mapping[VersionId, Outcome]
    ) -> Decision | None:
        """Take the one outcome as it is."""
        outcome = outcomes.get(asked[0])
        if outcome is None:
            return None
        verdict = Verdict(
            asked[0], outcome.rows, outcome.columns, outcome.took_us, outcome.served_version
        )
        return Decision((verdict,) if len(outcome.rows) else (), outcome.failures)
