"""What an outcome tells of each version that was asked about its record."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from modelstream.messages import VersionId
from modelstream.stored import Stored, StoredReject, StoredResult, version_named
from modelstream.wire.lineage import Decided, decided_of

# Rejects that are no version's doing.
_OF_RECORDS = frozenset(
    {"not_json", "malformed", "unknown_schema", "schema_violation", "too_large"}
)


class Told(NamedTuple):
    """What one version said of a record: `outputs`, or that it failed, or (neither) nothing in time."""

    version: VersionId
    outputs: dict[str, Any] | None
    failed: bool
    took_us: float


def told_by(outcome: Stored) -> list[Told]:
    """Return what each version said; the plan is one where the answer is its own.

    A reject tells of a version alone where it failed; of one that no version could read, nothing.
    """
    told: list[Told] = []
    if isinstance(outcome.decided, msgspec.Raw):
        told.extend(_candidates(decided_of(outcome.decided)))
    elif isinstance(outcome, StoredReject):
        return _failed(outcome)
    if isinstance(outcome, StoredResult):
        by = version_named(outcome)
        if all(each.version != by for each in told):
            outputs = msgspec.json.decode(outcome.outputs)
            told.append(Told(by, outputs, failed=False, took_us=outcome.model.took_us))
    return told


def said_of(result: StoredResult) -> dict[VersionId, dict[str, Any]]:
    """Return the outputs of each version that answered."""
    return {each.version: each.outputs for each in told_by(result) if each.outputs is not None}


def _candidates(how: Decided) -> Iterator[Told]:
    for each in how.candidates:
        answered = isinstance(each.outputs, msgspec.Raw)
        outputs = msgspec.json.decode(each.outputs) if answered else None  # type: ignore[arg-type]
        yield Told(each.id, outputs, failed=each.failure is not None, took_us=each.took_us)


def _failed(reject: StoredReject) -> list[Told]:
    if reject.model is msgspec.UNSET or reject.reason in _OF_RECORDS:
        return []
    version = VersionId(reject.model.name, reject.model.version)
    return [Told(version, None, failed=True, took_us=0.0)]
