"""What a replay finds: what became of each record, counts of that, and a few of those that changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelstream.audit.compare import OutputChange
from modelstream.audit.report import to_plain
from modelstream.audit.reproduce import compare
from modelstream.audit.rescore import Answer, plain_answer, plain_json
from modelstream.messages import Failure, Position, VersionId
from modelstream.stored import Stored, StoredResult, version_named

Change = Literal["equal", "different", "rejected", "answered", "reason"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A record whose outcome is another one now: outputs by name, or a Failure."""

    position: Position
    change: Change
    recorded_version: VersionId | None
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay gave. `version` None: every record with the version that answered it.

    `records` were scored again; `changes` says what became of them. `without_outcome` are records
    that have none, `not_rescored` those that no version had read, or one that is `unavailable`
    (with the reason). `sample` shows the first that are not equal.
    """

    flow: str
    version: VersionId | None
    data_type: str | None
    records: int
    changes: Mapping[Change, int]
    without_outcome: int
    not_rescored: int
    unavailable: Mapping[VersionId, str]
    outputs: tuple[OutputChange, ...]
    sample: tuple[Difference, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return the report as JSON would have it."""
        plain: dict[str, Any] = to_plain(self)
        return plain


def change_of(outcome: Stored, answer: Answer) -> Change:
    """Tell what became of one record."""
    if not compare(outcome, answer):
        return "equal"
    before, after = isinstance(outcome, StoredResult), isinstance(answer, bytes)
    if before:
        return "different" if after else "rejected"
    return "answered" if after else "reason"


def difference_of(position: Position, outcome: Stored, answer: Answer) -> Difference:
    """Show a record whose outcome is another one now."""
    change, replayed = change_of(outcome, answer), plain_answer(answer)
    if isinstance(outcome, StoredResult):
        recorded = plain_json(bytes(outcome.outputs))
        return Difference(position, change, version_named(outcome), recorded, replayed)
    failure = Failure(outcome.reason, outcome.detail)
    return Difference(position, change, None, failure, replayed)
