"""Reads of one partition from any offset on, outside every group."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import TopicPartition as KafkaPartition

from modelstream.errors import LogUnavailable
from modelstream.limits import KAFKA_CALL_SECONDS, KAFKA_READERS_MAX
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.clients import reader_options
from modelstream.log.kafka.errors import log_error, passes, told
from modelstream.log.kafka.messages import record_batch, size_of
from modelstream.messages import RecordBatch, TopicPartition


class PartitionReader:
    """A reader of one partition; for one thread at a time. It is cheap to go on where it stopped.

    `end_of` asks the cluster where a partition ends, on a connection of its own: on the reader's
    the question would wait behind the fetch that waits for records.
    """

    def __init__(
        self, address: KafkaAddress, source: TopicPartition, end_of: Callable[[TopicPartition], int]
    ) -> None:
        self._source, self._end_of = source, end_of
        self._what = f"cannot read {source.topic}/{source.partition}"
        with told(self._what):
            self._consumer = Consumer(reader_options(address))
        self._position = (
            -1
        )  # of the next message that the consumer gives, or that waits in `_ahead`
        self._ahead: list[Message] = []
        self._end = -1  # where the partition was last seen to end

    def read(
        self, offset: int, max_records: int, max_bytes: int, *, asks: bool = True
    ) -> RecordBatch:
        """Return records from `offset` on, or an empty batch at the end.

        At the end means: of all that was committed before the call; where it does not ask, of
        what has arrived. Raises LogError.
        """
        if offset != self._position:
            if asks and offset >= self._end_of(self._source):
                return record_batch(self._source, (), offset)
            self._seek(offset)
        messages = self._take(max_records, 0.0)
        if asks and not messages:
            messages = self._await(offset, max_records)
        fit = _fitting(messages, max_bytes)
        self._ahead = messages[fit:]
        if fit == 0:
            self._position = max(offset, self._end)
        elif self._ahead:
            self._position = self._ahead[0].offset()
        else:
            self._position = self._after(messages[-1].offset())
        return record_batch(self._source, messages[:fit], self._position)

    def close(self) -> None:
        """Release the threads and buffers."""
        with told(self._what):
            self._consumer.close()

    def _await(self, offset: int, max_records: int) -> list[Message]:
        """Wait for messages that are known to be there."""
        end = self._end_of(self._source)
        give_up = time.monotonic() + KAFKA_CALL_SECONDS
        while offset < end and self._end < end:
            messages = self._take(max_records, 0.05)
            if messages:
                return messages
            if time.monotonic() > give_up:
                raise LogUnavailable(
                    f"{self._what}: nothing came within {KAFKA_CALL_SECONDS:g} s, though it ends"
                    f" at {end}: is the broker well?"
                )
        return []

    def _take(self, max_records: int, seconds: float) -> list[Message]:
        """Return what has arrived, at most so many; wait for a first message alone."""
        messages, self._ahead = self._ahead[:max_records], self._ahead[max_records:]
        if self._ahead or len(messages) == max_records:
            return messages
        with told(self._what):
            came = self._consumer.consume(1, seconds) if seconds and not messages else []
            room = max_records - len(messages) - len(came)
            came += self._consumer.consume(room, 0) if room else []
        for message in came:
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._end = message.offset()
            elif not passes(error):
                raise log_error(self._what, error)
        return messages

    def _seek(self, offset: int) -> None:
        self._ahead, self._position, self._end = [], offset, -1
        with told(self._what):
            self._consumer.assign([KafkaPartition(*self._source, offset)])

    def _after(self, last: int) -> int:
        """Return the position after the last message: past the marks of transactions at the end."""
        return self._end if self._end > last else last + 1


class Readers:
    """The readers of a log, a few of them kept open. Safe to use from several threads."""

    def __init__(self, address: KafkaAddress, end_of: Callable[[TopicPartition], int]) -> None:
        self._address, self._end_of = address, end_of
        self._lock = threading.Lock()
        self._idle: OrderedDict[TopicPartition, PartitionReader] = OrderedDict()

    def read(
        self,
        source: TopicPartition,
        offset: int,
        max_records: int,
        max_bytes: int,
        *,
        asks: bool = True,
    ) -> RecordBatch:
        """Read as `Log.read` does, or as `Log.arrived`, which does not ask."""
        with self._lock:
            reader = self._idle.pop(source, None)
        reader = reader or PartitionReader(self._address, source, self._end_of)
        try:
            batch = reader.read(offset, max_records, max_bytes, asks=asks)
        except BaseException:
            reader.close()
            raise
        self._keep(source, reader)
        return batch

    def close(self) -> None:
        """Close every reader."""
        with self._lock:
            readers = list(self._idle.values())
            self._idle.clear()
        for reader in readers:
            reader.close()

    def _keep(self, source: TopicPartition, reader: PartitionReader) -> None:
        """Keep a reader for the next read, and close the one that was not used for longest."""
        with self._lock:
            surplus = [reader] if source in self._idle else []
            self._idle.setdefault(source, reader)
            self._idle.move_to_end(source)
            while len(self._idle) > KAFKA_READERS_MAX:
                surplus.append(self._idle.popitem(last=False)[1])
        for each in surplus:
            each.close()


def _fitting(messages: Sequence[Message], max_bytes: int) -> int:
    """Return how many messages fit, one at least where there is one."""
    total = 0
    for count, message in enumerate(messages):
        total += size_of(message)
        if count and total > max_bytes:
            return count
    return len(messages)
