"""The last records of a data type, from the ends of its topics: what a new model rehearses with."""

import logging
from collections.abc import Callable, Sequence

import msgspec

from modelstream.errors import SchemasUnavailable, UnknownTopic
from modelstream.flow import Flow
from modelstream.limits import (
    BATCH_BYTES_MAX,
    REHEARSAL_RECORDS_MAX,
    REHEARSAL_SCAN_RECORDS_MAX,
)
from modelstream.log.base import Log
from modelstream.messages import RecordBatch
from modelstream.wire.json import read_field
from modelstream.wire.reading import RecordReader, record_reader

_log = logging.getLogger("modelstream")


def recent_records(log: Log, flow: Flow, data_type: str) -> tuple[bytes, ...]:
    """Return the last REHEARSAL_RECORDS_MAX records of a data type, oldest first.

    There may be fewer, or none. Where a field of the record names its data type, only the last
    REHEARSAL_SCAN_RECORDS_MAX records of each partition are looked through. While a registry of
    schemas is away there are none: a rehearsal is no reason to keep a model waiting. Raises
    LogError, InvalidFlow.
    """
    reader = record_reader(flow.schemas)
    if flow.data_type_field:
        topics, count = list(flow.record_topics), REHEARSAL_SCAN_RECORDS_MAX
        fits = _names(flow.data_type_field, data_type)
    else:
        topics = [topic for topic, each in flow.record_topics.items() if each == data_type]
        count, fits = REHEARSAL_RECORDS_MAX, _is_record
    found = [
        (timestamp, value)
        for topic in topics
        for batch in _ends(log, topic, count)
        for timestamp, value in zip(batch.timestamps, _read(reader, batch.values), strict=True)
        if fits(value)
    ]
    found.sort(key=lambda each: each[0])
    return tuple(value for _, value in found[-REHEARSAL_RECORDS_MAX:])


def _ends(log: Log, topic: str, count: int) -> list[RecordBatch]:
    """Read the last records of each partition of a topic; none where nobody made it yet."""
    try:
        partitions = log.topics()[topic].partitions
        ends = [log.bounds(topic, partition)[1] for partition in range(partitions)]
    except (KeyError, UnknownTopic):
        return []
    return [
        log.read(topic, partition, max(0, end - count), count, BATCH_BYTES_MAX)
        for partition, end in enumerate(ends)
    ]


def _read(reader: RecordReader | None, values: Sequence[bytes]) -> Sequence[bytes]:
    """Return records as JSON; those that cannot be read are empty."""
    if reader is None:
        return values
    try:
        return reader.read(values).records
    except SchemasUnavailable as error:
        _log.warning("a model is admitted without a rehearsal: %s", error)
        return [b""] * len(values)


def _is_record(value: bytes) -> bool:
    """Tell a record from a tombstone."""
    return bool(value)


def _names(field: str, data_type: str) -> Callable[[bytes], bool]:
    """Return a test of whether a record's field holds this data type."""
    read = read_field(field)

    def fits(value: bytes) -> bool:
        try:
            return read(value) == data_type
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return False

    return fits
