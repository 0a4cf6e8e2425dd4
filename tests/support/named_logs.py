"""A log for one test among others on the same cluster: its names are the test's own.

Every topic and group is given a prefix on the way in, and loses it on the way out; errors tell the
names as the cluster has them. What a test opens is closed with `close`.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from modelstream.log.base import Blobs, Consumer, Log, TopicInfo
from modelstream.messages import Outgoing, RecordBatch, TopicPartition

Positions = Mapping[TopicPartition, int]


class NamedConsumer:
    """A consumer of prefixed topics (`log.base.Consumer`)."""

    def __init__(self, consumer: Consumer, prefix: str) -> None:
        self._consumer, self._prefix = consumer, prefix

    def poll(self, max_records: int, max_wait_ms: int, max_bytes: int) -> list[RecordBatch]:
        batches = self._consumer.poll(max_records, max_wait_ms, max_bytes)
        return [replace(batch, topic=self._short(batch.topic)) for batch in batches]

    def commit(self, covers: Positions, appends: Sequence[Outgoing] = ()) -> None:
        there = [replace(each, topic=self._prefix + each.topic) for each in appends]
        self._consumer.commit(self._long(covers), there)

    def rewind(self, positions: Positions) -> None:
        self._consumer.rewind(self._long(positions))

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self._consumer.pause(list(self._long(dict.fromkeys(partitions, 0))))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self._consumer.resume(list(self._long(dict.fromkeys(partitions, 0))))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(
            TopicPartition(self._short(topic), number)
            for topic, number in self._consumer.assignment()
        )

    def lag(self) -> dict[TopicPartition, int]:
        return {
            TopicPartition(self._short(topic), number): left
            for (topic, number), left in self._consumer.lag().items()
        }

    def close(self) -> None:
        self._consumer.close()

    def _short(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

    def _long(self, positions: Positions) -> dict[TopicPartition, int]:
        return {
            TopicPartition(self._prefix + topic, number): offset
            for (topic, number), offset in positions.items()
        }


class NamedLog:
    """A log whose topics and groups are prefixed (`log.base.Log`)."""

    def __init__(self, log: Log, prefix: str) -> None:
        self.url = log.url
        self._log, self._prefix = log, prefix
        self._opened = ExitStack()
        self._opened.enter_context(closing(log))

    @property
    def blobs(self) -> Blobs:
        return self._log.blobs

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        compacted: bool = False,
        retention_ms: int | None = None,
    ) -> TopicInfo:
        made = self._log.create_topic(
            self._prefix + name, partitions, compacted=compacted, retention_ms=retention_ms
        )
        return replace(made, name=name)

    def topics(self) -> dict[str, TopicInfo]:
        return {
            name.removeprefix(self._prefix): replace(topic, name=name.removeprefix(self._prefix))
            for name, topic in self._log.topics().items()
            if name.startswith(self._prefix)
        }

    def append(self, outgoing: Outgoing) -> Mapping[int, Sequence[int]]:
        return self._log.append(replace(outgoing, topic=self._prefix + outgoing.topic))

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        batch = self._log.read(self._prefix + topic, partition, offset, max_records, max_bytes)
        return replace(batch, topic=topic)

    def arrived(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        batch = self._log.arrived(self._prefix + topic, partition, offset, max_records, max_bytes)
        return replace(batch, topic=topic)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return self._log.bounds(self._prefix + topic, partition)

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        return self._log.offset_at(self._prefix + topic, partition, timestamp_ms)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        return self._log.committed(self._prefix + group, self._prefix + topic, partition)

    def consumer(self, group: str, topics: Sequence[str], *, instance: str) -> Consumer:
        names = [self._prefix + topic for topic in topics]
        consumer = self._log.consumer(self._prefix + group, names, instance=instance)
        self._opened.enter_context(closing(consumer))
        return NamedConsumer(consumer, self._prefix)

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        self._log.delete_before(self._prefix + topic, partition, offset)

    def close(self) -> None:
        self._opened.close()
