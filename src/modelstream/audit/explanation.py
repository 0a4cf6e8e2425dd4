"""What `explain` finds of one record, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelstream.audit.history import Moment
from modelstream.audit.report import Finding, to_plain
from modelstream.messages import Failure, Position, VersionId

# Why it was "not_rescored" is told by `Explanation.why_not`.
Verdict = Literal["same", "different", "not_rescored"]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the registry knows of the version that read the record. Times in ms since the epoch."""

    version: VersionId
    digest: str
    format: str
    size: int
    publisher: str
    description: str
    metrics: Mapping[str, float]
    published: Position
    created_at_ms: int | None
    admitted: Moment
    promoted: Moment | None
    retired: Moment | None


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """One version that was asked, and what it had said of the record when it was decided.

    `said` are its outputs, or why it failed; None where it was `late`.
    """

    version: VersionId
    digest: str
    took_us: float
    said: Mapping[str, Any] | Failure | None
    late: bool
    won: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """One record and everything that made its answer.

    `others` is the number of further messages with the key that was asked for. The record is None
    where it was deleted, the outcome where there is none yet; `committed` tells how far its
    partition is answered. `rescored` is what scoring it again gives now, outputs or the reason of
    a reject, and `inputs` the columns as the model saw them, a missing value as None; both need
    the record to be scored again. `findings` are what `verify` would say of this record. `policy` is
    that of the plan, if there was one, and `candidates` are those that it asked side by side.
    """

    position: Position
    others: int
    key: str | None
    timestamp: int | None
    record: Any
    committed: int
    outcome: Literal["result", "reject"] | None
    outcome_at: Position | None
    data_type: str | None
    as_of: int | None
    outputs: Any
    failure: Failure | None
    took_us: float | None
    model: ModelFacts | None
    current_then: VersionId | None
    current_now: VersionId | None
    registry_last: int
    inputs: Mapping[str, Any] | None
    rescored: Mapping[str, Any] | Failure | None
    verdict: Verdict
    why_not: str
    findings: tuple[Finding, ...]
    policy: str = ""
    candidates: tuple[CandidateFacts, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return the explanation as JSON would have it."""
        plain: dict[str, Any] = to_plain(self)
        return plain
