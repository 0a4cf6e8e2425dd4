"""Results and rejects as they stand on their topics, and where on a topic they stand.

What may be anything stays raw JSON; what is an offset is checked to be one.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from modelstream.flow import Flow
from modelstream.limits import AUDIT_SCAN_RECORDS, BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import ModelStamp, Position, RecordBatch, Reject, VersionId
from modelstream.wire.writing import JSON_RESULTS, ResultFormat, result_format

_Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_AsOf = Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)]


class StoredStamp(ModelStamp, frozen=True, gc=False):
    """A stamp whose `as_of` can be an offset."""

    as_of: _AsOf


class StoredResult(msgspec.Struct, gc=False):
    """A `messages.Result` whose outputs and record are the bytes that stand on the topic."""

    outputs: msgspec.Raw
    model: StoredStamp
    data_type: str
    topic: str
    partition: int
    offset: _Offset
    timestamp: int
    record: msgspec.Raw = msgspec.Raw(b"null")
    decided: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class StoredReject(Reject, gc=False, kw_only=True):
    """A reject whose positions can be offsets."""

    as_of: _AsOf
    offset: _Offset


Stored = StoredResult | StoredReject
# What decoding raises at bytes that are no outcome; the last one where they are nested too deeply.
UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
_RESULT = msgspec.json.Decoder(StoredResult)
_REJECT = msgspec.json.Decoder(StoredReject)


def as_of(outcome: Stored) -> int:
    """Return the registry offset up to which the join had read."""
    return outcome.as_of if isinstance(outcome, StoredReject) else outcome.model.as_of


def decode_stored(kind: type[Stored], data: bytes) -> Stored:
    """Read an outcome. Raises one of UNREADABLE."""
    decoder = _RESULT if kind is StoredResult else _REJECT
    stored: Stored = decoder.decode(data)
    return stored


def version_named(outcome: StoredResult) -> VersionId:
    """Return the version that a result names."""
    return VersionId(outcome.model.name, outcome.model.version)


def record_of(outcome: Stored) -> Position:
    """Return the position of an outcome's record."""
    return Position(outcome.topic, outcome.partition, outcome.offset)


@dataclass(frozen=True, slots=True)
class OutcomeTopic:
    """The results or the rejects of a flow."""

    log: Log
    name: str
    kind: type[Stored]
    format: ResultFormat

    def bounds(self, partition: int) -> tuple[int, int]:
        """Return the first kept offset and the end; nothing where there is no such partition."""
        if partition >= self.log.topics()[self.name].partitions:
            return 0, 0
        return self.log.bounds(self.name, partition)

    def read(
        self, partition: int, offset: int, max_records: int = BATCH_RECORDS_MAX
    ) -> RecordBatch:
        """Return the next messages, as JSON."""
        batch = self.log.read(self.name, partition, offset, max_records, BATCH_BYTES_MAX)
        return replace(batch, values=self.format.as_json(batch.values))

    def decode(self, data: bytes) -> Stored | None:
        """Read an outcome from JSON; None where these bytes are none."""
        try:
            return decode_stored(self.kind, data)
        except UNREADABLE:
            return None

    def seek(self, record: Position) -> int:
        """Return where to begin to read for the outcomes of a record and of those after it.

        It is found by halving, as the outcomes of a partition stand in their records' order.
        """
        low, high = self.bounds(record.partition)
        while high - low > AUDIT_SCAN_RECORDS:
            middle = (low + high) // 2
            found = self._next_of(record, middle, high)
            if found is None or found[1] >= record.offset:
                high = middle
            else:
                low = found[0]
        return low

    def _next_of(self, record: Position, start: int, stop: int) -> tuple[int, int] | None:
        """Return the offset of the first outcome of the same partition, and of its record."""
        while start < stop:
            batch = self.read(record.partition, start, AUDIT_SCAN_RECORDS)
            if not len(batch):
                return None
            for at, value in zip(batch.offsets, batch.values, strict=True):
                outcome = self.decode(value)
                if outcome is not None and record_of(outcome)[:2] == record[:2]:
                    return (at, outcome.offset) if at < stop else None
            start = batch.next_offset
        return None


def outcome_topics(log: Log, flow: Flow) -> tuple[OutcomeTopic, OutcomeTopic]:
    """Return the results and the rejects of a flow."""
    return (
        OutcomeTopic(log, flow.results, StoredResult, result_format(flow)),
        OutcomeTopic(log, flow.rejects, StoredReject, JSON_RESULTS),
    )
