"""What one partition's answers become on the log: results, rejects, their keys and headers."""

from collections.abc import Sequence

from modelstream.core.effects import Refusal
from modelstream.engines.turn import Turn, messages_of
from modelstream.flow import Flow
from modelstream.limits import HEADERS_BYTES_MAX
from modelstream.log.base import TopicInfo
from modelstream.messages import Failure, Outgoing, Position, RecordBatch, Reject, Result
from modelstream.wire.headers import HeaderWriter, header_writer
from modelstream.wire.results import encode_all, make_reject
from modelstream.wire.writing import ResultFormat


class Outbox:
    """Writes results and rejects as the flow says. `results` is the topic as it was made."""

    def __init__(self, flow: Flow, written: ResultFormat, results: TopicInfo) -> None:
        self._flow, self._written = flow, written
        self._headers: HeaderWriter | None = header_writer(flow)
        self._bytes_max = results.record_bytes_max - (HEADERS_BYTES_MAX if self._headers else 0)

    def outgoing(self, batch: RecordBatch, turn: Turn, rows: range) -> list[Outgoing]:
        """Return one partition's results and rejects; each has its record's key."""
        results, rejects = messages_of(turn, rows)
        values = self._written.encode(results)
        room = self._bytes_max - max((len(key) for key in batch.keys or () if key), default=0)
        if values and max(map(len, values)) > room:
            results, values, late = _without_large(results, values, room, batch)
            rejects = sorted([*rejects, *late], key=lambda reject: reject.offset)
        written = (
            (self._flow.results, results, values),
            (self._flow.rejects, rejects, encode_all(rejects)),
        )
        return [
            Outgoing(
                topic,
                those,
                _keys(batch, messages),
                batch.partition,
                headers=self._headers(messages) if self._headers else None,
            )
            for topic, messages, those in written
            if messages
        ]


def _keys(
    batch: RecordBatch, messages: Sequence[Result] | Sequence[Reject]
) -> Sequence[bytes | None] | None:
    """Return the keys of the records that messages are about."""
    if batch.keys is None or len(messages) == len(batch):
        return batch.keys
    by_offset = dict(zip(batch.offsets, batch.keys, strict=True))
    return [by_offset[message.offset] for message in messages]


def _without_large(
    results: Sequence[Result], values: Sequence[bytes], room: int, batch: RecordBatch
) -> tuple[list[Result], list[bytes], list[Reject]]:
    """Take out results that their topic does not take; their records are rejected."""
    fit = [index for index, value in enumerate(values) if len(value) <= room]
    records = dict(zip(batch.offsets, batch.values, strict=True))
    rejects = []
    for result, value in zip(results, values, strict=True):
        if len(value) > room:
            detail = (
                f"the result has {len(value)} bytes and its topic takes {room}: set echo = false,"
                " or raise the topic's max.message.bytes"
            )
            failure = Failure("result_too_large", detail)
            at = Position(result.topic, result.partition, result.offset)
            refusal = Refusal(result.data_type, result.model.as_of, failure)
            rejects.append(make_reject(refusal, at, result.timestamp, records[result.offset]))
    return [results[index] for index in fit], [values[index] for index in fit], rejects
