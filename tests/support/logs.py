"""Logs for tests: a clock that tests wind, and short ways to use a log, whichever it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelstream.limits import LEASE_MS
from modelstream.log.base import Consumer, Log
from modelstream.log.clock import Clock
from modelstream.messages import Headers, RecordBatch, TopicPartition

BYTES = 2**30  # more than any test appends
# What is known to come is waited for so long; nobody waits where it is there.
PATIENCE_SECONDS = 30.0
# Where nothing is to come, it is looked for so long.
QUIET_MS = 100
# One turn of many, between two looks at the others.
TURN_MS = 20


class WoundClock:
    """A log's clock, which stands still until a test winds it on."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def wind(self, ms: int) -> None:
        self.now += ms

    def lapse(self) -> None:
        """Let so much time pass that every lease runs out which is not renewed meanwhile."""
        self.wind(LEASE_MS + 1)


@dataclass(frozen=True)
class Logs:
    """A log under test. `open` returns another handle on it, as another process would have.

    `clock` is the one that stamps records.
    """

    open: Callable[[], Log]
    clock: Clock


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Return values that tell their place."""
    return [b"%d" % number for number in range(start, start + count)]


def window(
    log: Log, topic: str, partition: int = 0, offset: int = 0, count: int = 10**6
) -> RecordBatch:
    """Return so many records of a partition, or those up to its end, in one batch."""
    first = batch = log.read(topic, partition, offset, count, BYTES)
    while (left := count - len(first)) and len(batch):
        batch = log.read(topic, partition, first.next_offset, left, BYTES)
        if len(batch):
            first = _joined(first, batch)
    return first


def _joined(one: RecordBatch, other: RecordBatch) -> RecordBatch:
    """Return the records of two batches, in one."""

    def keys(batch: RecordBatch) -> list[bytes | None]:
        return [None] * len(batch) if batch.keys is None else list(batch.keys)

    def headers(batch: RecordBatch) -> list[Headers]:
        return [[]] * len(batch) if batch.headers is None else list(batch.headers)

    keyed = one.keys is not None or other.keys is not None
    headed = one.headers is not None or other.headers is not None
    return RecordBatch(
        one.topic,
        one.partition,
        [*one.offsets, *other.offsets],
        [*one.values, *other.values],
        [*one.timestamps, *other.timestamps],
        keys(one) + keys(other) if keyed else None,
        headers(one) + headers(other) if headed else None,
        other.next_offset,
    )


def read_all(log: Log, topic: str, partition: int = 0) -> list[bytes]:
    """Return every value of a partition."""
    return list(window(log, topic, partition).values)


def poll(consumer: Consumer, records: int = 1000) -> list[RecordBatch]:
    """Return some of what is there; something is."""
    batches = consumer.poll(records, int(PATIENCE_SECONDS * 1000), BYTES)
    assert batches, f"nothing came within {PATIENCE_SECONDS:g} s"
    return batches


def take(consumer: Consumer, count: int, records: int = 1000) -> list[RecordBatch]:
    """Poll until so many records have come; return all the batches, and no more than that."""
    batches: list[RecordBatch] = []
    while (left := count - sum(map(len, batches))) > 0:
        batches += poll(consumer, min(left, records))
    return batches


def take_values(consumer: Consumer, count: int) -> list[bytes]:
    """Poll until so many records have come; return their values as they came."""
    return [value for batch in take(consumer, count) for value in batch.values]


def quiet(*consumers: Consumer) -> None:
    """Nothing is there for these consumers."""
    for consumer in consumers:
        assert consumer.poll(1000, QUIET_MS, BYTES) == []


def values_of(batches: Sequence[RecordBatch]) -> dict[TopicPartition, list[bytes]]:
    """Return the values of each partition."""
    found: dict[TopicPartition, list[bytes]] = {}
    for batch in batches:
        found.setdefault(batch.source, []).extend(batch.values)
    return found


def offsets_of(batches: Sequence[RecordBatch]) -> dict[TopicPartition, list[int]]:
    """Return the offsets of each partition."""
    found: dict[TopicPartition, list[int]] = {}
    for batch in batches:
        found.setdefault(batch.source, []).extend(batch.offsets)
    return found


def covers(batches: Sequence[RecordBatch]) -> dict[TopicPartition, int]:
    """Return what to commit once these batches are done."""
    return {batch.source: batch.next_offset for batch in batches}


def share_out(*consumers: Consumer, sizes: Sequence[int]) -> None:
    """Let members share out their partitions, in whichever order, until nobody has another's.

    What comes meanwhile is handed back, so that it comes again.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while sorted(len(consumer.assignment()) for consumer in consumers) != sorted(sizes):
        assert time.monotonic() < give_up, f"{[each.assignment() for each in consumers]}"
        for consumer in consumers:
            for batch in consumer.poll(1000, TURN_MS, BYTES):
                consumer.rewind({batch.source: batch.offsets[0]})


def caught_up(consumer: Consumer) -> None:
    """Nothing is left for this consumer, and it comes to know."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while any(consumer.lag().values()):
        assert time.monotonic() < give_up, f"{consumer.lag()}"
        quiet(consumer)


def await_values(log: Log, topic: str, count: int, partition: int = 0) -> list[bytes]:
    """Return every value of a partition once so many are there, which a commit has written."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(values := read_all(log, topic, partition)) < count:
        assert time.monotonic() < give_up, f"{len(values)} of {count} records came"
    return values
