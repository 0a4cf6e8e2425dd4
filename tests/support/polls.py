"""Polls that do not wait: for the logs where what was appended is there at once."""

from itertools import chain

from modelstream.log.base import Consumer
from modelstream.messages import RecordBatch
from tests.support.logs import BYTES


def poll(consumer: Consumer, records: int = 1000) -> list[RecordBatch]:
    """Return what is there now."""
    return consumer.poll(records, 0, BYTES)


def poll_values(consumer: Consumer, records: int = 1000) -> list[bytes]:
    """Return the values that are there now, partition by partition."""
    return list(chain.from_iterable(batch.values for batch in poll(consumer, records)))


def settle(*consumers: Consumer) -> None:
    """Let members share out their partitions, which takes a heartbeat of each and again."""
    for _ in range(3):
        for consumer in consumers:
            for batch in poll(consumer):
                consumer.rewind({batch.source: batch.offsets[0]})
