"""Logs for tests: one way to make each kind, a clock that tests wind, and short ways to use one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

from modelstream.limits import LEASE_MS
from modelstream.log.base import Consumer, Log
from modelstream.messages import RecordBatch, TopicPartition

BYTES = 2**30  # more than any test appends


class WoundClock:
    """A log's clock, which stands still until a test winds it on."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def wind(self, ms: int) -> None:
        self.now += ms


@dataclass(frozen=True)
class Logs:
    """A log under test. `open` returns another handle on it, as another process would have.

    `lapse` lets so much time pass that every lease runs out which is not renewed meanwhile.
    """

    open: Callable[[], Log]
    clock: WoundClock

    def lapse(self) -> None:
        self.clock.wind(LEASE_MS + 1)


def read_all(log: Log, topic: str, partition: int = 0) -> list[bytes]:
    """Return every value of a partition."""
    return list(log.read(topic, partition, 0, 10**6, BYTES).values)


def poll(consumer: Consumer, records: int = 1000) -> list[RecordBatch]:
    """Return what is there now."""
    return consumer.poll(records, 0, BYTES)


def poll_values(consumer: Consumer, records: int = 1000) -> list[bytes]:
    """Return the values that are there now, partition by partition."""
    return list(chain.from_iterable(batch.values for batch in poll(consumer, records)))


def covers(batches: Sequence[RecordBatch]) -> dict[TopicPartition, int]:
    """Return what to commit once these batches are done."""
    return {batch.source: batch.next_offset for batch in batches}


def settle(*consumers: Consumer) -> None:
    """Let members share out their partitions, which takes a heartbeat of each and again."""
    for _ in range(3):
        for consumer in consumers:
            for batch in poll(consumer):
                consumer.rewind({batch.source: batch.offsets[0]})
