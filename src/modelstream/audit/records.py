"""The records that an audit goes through: which partitions there are, and their records in steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelstream.core.effects import Group
from modelstream.engines.turn import as_core_batch, begin, read
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Failure, RecordBatch, TopicPartition
from modelstream.wire.json import read_field
from modelstream.wire.reading import record_reader

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Source:
    """One partition of records at the moment when an audit began.

    `start` is the first record that is kept, `committed` the first that is not answered for.
    `home`: of the record topics that share this partition number, this is the first. A topic that
    is `compacted` loses records in its midst.
    """

    id: TopicPartition
    start: int = 0
    committed: int = 0
    home: bool = True
    compacted: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Neighbouring records, and the offset of the first record after them.

    Without a batch the records were deleted: then `offsets` are those that they may have had.
    """

    offsets: Offsets
    batch: RecordBatch | None
    limit: int


def sources(log: Log, flow: Flow) -> list[Source]:
    """Return every partition of a flow's records. Raises UnknownTopic."""
    found: list[Source] = []
    numbers: set[int] = set()
    for topic in flow.record_topics:
        log.bounds(topic, 0)  # raises UnknownTopic
        info = log.topics()[topic]
        for partition in range(info.partitions):
            source = TopicPartition(topic, partition)
            committed = committed_now(log, flow, source)
            start, _ = log.bounds(*source)
            home = partition not in numbers
            numbers.add(partition)
            found.append(Source(source, start, committed, home, info.compacted))
    return found


def stray_sources(log: Log, flow: Flow, found: Sequence[Source]) -> list[Source]:
    """Return the partitions of results and rejects that no partition of records belongs to."""
    known = log.topics()
    widest = max(known[topic].partitions for topic in (flow.results, flow.rejects))
    taken = {source.id.partition for source in found}
    return [
        Source(TopicPartition("", partition))
        for partition in range(widest)
        if partition not in taken
    ]


def committed_now(log: Log, flow: Flow, source: TopicPartition) -> int:
    """Return the position up to which the flow has answered a partition."""
    return log.committed(flow.group, *source) or 0


def steps(log: Log, source: Source, first: int) -> Iterator[Step]:
    """Go through the records below the committed position.

    It begins at offset `first` where the records from there on were deleted.
    """
    deleted = min(source.start, source.committed)
    for low in range(first, deleted, BATCH_RECORDS_MAX):
        high = min(low + BATCH_RECORDS_MAX, deleted)
        yield Step(np.arange(low, high, dtype=np.int64), None, high)
    offset = source.start
    for batch in read_range(log, source.id, source.start, source.committed):
        offset = batch.next_offset
        yield Step(np.asarray(batch.offsets, dtype=np.int64), batch, offset)
    if offset < source.committed:
        yield Step(np.empty(0, np.int64), None, source.committed)


def read_range(log: Log, source: TopicPartition, start: int, end: int) -> Iterator[RecordBatch]:
    """Read the records from offset `start` up to, not including, `end`."""
    offset = start
    while offset < end:
        batch = log.read(*source, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
        if not len(batch) or batch.offsets[0] >= end:
            return
        offset = batch.next_offset
        yield batch if offset <= end else _below(batch, end)


def read_one(log: Log, source: TopicPartition, offset: int) -> RecordBatch | None:
    """Return the batch of the one record at an offset, None where there is none."""
    return next(read_range(log, source, offset, offset + 1), None)


def _below(batch: RecordBatch, end: int) -> RecordBatch:
    """Return the first records of a batch, those below an offset."""
    count = int(np.searchsorted(np.asarray(batch.offsets), end))
    return RecordBatch(
        topic=batch.topic,
        partition=batch.partition,
        offsets=batch.offsets[:count],
        values=batch.values[:count],
        timestamps=batch.timestamps[:count],
        keys=None if batch.keys is None else batch.keys[:count],
        headers=None if batch.headers is None else batch.headers[:count],
        next_offset=end,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a batch of records says: its rows by data type, and those that have none.

    `records` are the records as JSON; one that cannot be read is empty, and among the failures.
    """

    groups: Sequence[Group]
    failures: Mapping[int, Failure]
    records: Sequence[bytes]


class DataTypes:
    """Reads records and tells their data types, as the join does."""

    def __init__(self, flow: Flow) -> None:
        self._by_topic = flow.record_topics
        self._reader = record_reader(flow.schemas)
        self._read = read_field(flow.data_type_field) if flow.data_type_field else None

    def of(self, batch: RecordBatch) -> Told:
        """Read a batch. Raises SchemasUnavailable where its schemas cannot be asked for."""
        turn = begin(0, [batch])
        away = [] if self._reader is None else read(turn, self._reader)
        if away:
            raise away[0]
        core = as_core_batch(turn, self._data_type_of, {})
        return Told(core.groups, core.failures, turn.records)

    def _data_type_of(self, topic: str) -> str | Callable[[bytes], str]:
        return self._read or self._by_topic[topic]
