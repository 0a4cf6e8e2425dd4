"""How far a flow is in each partition of its records, from the log alone."""

from collections.abc import Iterator

import msgspec

from modelstream.audit.records import committed_now
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import TopicPartition


class PartitionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of the records: the next to be answered, the end, and what lies between.

    `lag` counts offsets; on Kafka marks of transactions have some of them, so that it can be a
    little more than the records that wait. It is 0 when none waits. `oldest_ms` is the time of the
    oldest record that waits.
    """

    topic: str
    partition: int
    committed: int
    end: int
    lag: int
    oldest_ms: int | None


def read_positions(log: Log, flow: Flow) -> list[PartitionFigures]:
    """Return the figures of every partition. Raises UnknownTopic, LogError."""
    return list(_read(log, flow))


def _read(log: Log, flow: Flow) -> Iterator[PartitionFigures]:
    known = log.topics()
    for topic in flow.record_topics:
        for partition in range(known[topic].partitions if topic in known else 0):
            source = TopicPartition(topic, partition)
            start, end = log.bounds(*source)
            committed = max(start, committed_now(log, flow, source))
            # One record tells the oldest's time, and whether there is any behind the marks.
            waits = log.read(topic, partition, committed, 1, 1) if committed < end else ()
            yield PartitionFigures(
                topic=topic,
                partition=partition,
                committed=committed,
                end=end,
                lag=end - committed if waits else 0,
                oldest_ms=waits.timestamps[0] if waits else None,
            )
