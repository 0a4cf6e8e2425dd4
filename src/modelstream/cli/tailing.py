"""The end of topics: the last messages of all their partitions, and those that follow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Position, RecordBatch, TopicPartition

AsJson = Callable[[Sequence[bytes]], Sequence[bytes]]


class Message(NamedTuple):
    """One message as it stands on the log; `timestamp` in milliseconds since the epoch."""

    position: Position
    timestamp: int
    key: bytes | None
    value: bytes


class TopicTail:
    """The end of some topics, their messages as JSON. Raises UnknownTopic."""

    def __init__(self, log: Log, topics: Sequence[str], as_json: AsJson = list) -> None:
        self._log, self._as_json = log, as_json
        known = log.topics()
        self._next: dict[TopicPartition, int] = {}
        for topic in topics:
            _, first_end = log.bounds(topic, 0)
            self._next[TopicPartition(topic, 0)] = first_end
            for partition in range(1, known[topic].partitions):
                self._next[TopicPartition(topic, partition)] = log.bounds(topic, partition)[1]

    def last(self, count: int) -> list[Message]:
        """Return the last messages before this was made, by time."""
        if not count:
            return []
        found: list[Message] = []
        for source, end in self._next.items():
            offset = max(0, end - count)
            while offset < end:
                batch = self._log.read(*source, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
                if not len(batch):
                    break
                found.extend(each for each in self._messages(batch) if each.position.offset < end)
                offset = batch.next_offset
        return _by_time(found)[-count:]

    def new(self) -> list[Message]:
        """Return messages that were appended since, by time; some of them where they are many."""
        found: list[Message] = []
        for source, offset in self._next.items():
            batch = self._log.read(*source, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
            if len(batch):
                found.extend(self._messages(batch))
                self._next[source] = batch.next_offset
        return _by_time(found)

    def _messages(self, batch: RecordBatch) -> list[Message]:
        keys = batch.keys or [None] * len(batch)
        values = self._as_json(batch.values)
        return [
            Message(Position(batch.topic, batch.partition, offset), timestamp, key, value)
            for offset, timestamp, key, value in zip(
                batch.offsets, batch.timestamps, keys, values, strict=True
            )
        ]


def record_line(message: Message) -> bytes:
    """Return a record as a JSON document: `record`, or `value` in base64 where it is no JSON."""
    line = {
        "topic": message.position.topic,
        "partition": message.position.partition,
        "offset": message.position.offset,
        "timestamp": message.timestamp,
        "key": None if message.key is None else message.key.decode("utf-8", "replace"),
    }
    try:
        msgspec.json.decode(message.value)
        line["record"] = msgspec.Raw(message.value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        line["value"] = message.value
    return msgspec.json.encode(line)


def _by_time(messages: list[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: message.timestamp)
