"""The log in memory: the whole contract without a file, for one process, its threads and tests.

What a batch or a group is stands in `stored`, `appends` and `groups`; here is where they are kept.
"""

import hashlib
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from modelstream.log.appends import Run, split
from modelstream.log.base import TopicInfo
from modelstream.log.clock import Clock, wall_clock_ms
from modelstream.log.consumer import GroupConsumer
from modelstream.log.groups import Assignment, Group, Subscription
from modelstream.log.stored import Room, StoredBatch, first_at, gather
from modelstream.log.topics import check_partition, check_same, check_topic, unknown_topic
from modelstream.messages import Outgoing, RecordBatch, TopicPartition


class _Stored(NamedTuple):
    """One stored batch in its place."""

    first: int
    last: int
    size_bytes: int
    key: bytes | None
    batch: StoredBatch


@dataclass(slots=True)
class _Partition:
    """The records of one partition, from offset `start` up to `end`."""

    start: int = 0
    end: int = 0
    stored: list[_Stored] = field(default_factory=list)

    def append(self, run: Run, *, compacted: bool) -> range:
        if compacted:
            keys = {piece.key for piece in run.pieces}
            self.stored = [stored for stored in self.stored if stored.key not in keys]
        for row, batch, size, key in run.pieces:
            first = self.end + row
            last = first + len(batch.values) - 1
            self.stored.append(_Stored(first, last, size, key, batch))
        self.end += run.length
        return range(self.end - run.length, self.end)

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        offset = max(offset, self.start)
        room = Room(offset, max_records, max_bytes)
        batches = []
        low = bisect_left(self.stored, offset, key=lambda stored: stored.last)
        for stored in islice(self.stored, low, None):
            batches.append((stored.first, stored.batch))
            if not room.fill(stored.first, stored.last, stored.size_bytes):
                break
        return gather(source, batches, offset, max_records, max_bytes)

    def offset_at(self, timestamp_ms: int) -> int:
        for stored in self.stored:
            offset = first_at(stored.first, stored.batch, self.start, timestamp_ms)
            if offset is not None:
                return offset
        return self.end

    def delete_before(self, offset: int) -> None:
        self.start = min(max(offset, self.start), self.end)
        self.stored = [stored for stored in self.stored if stored.last >= self.start]

    def expire(self, before_ms: int) -> None:
        """Forget the first stored batches that hold nothing of that time or later."""
        kept = (s.first for s in self.stored if s.batch.max_timestamp() >= before_ms)
        self.delete_before(next(kept, self.end))


class _State:
    """Everything the log holds, under one lock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.version = 0
        self.changed = threading.Condition()
        self.topics: dict[str, TopicInfo] = {}
        self.partitions: dict[TopicPartition, _Partition] = {}
        self.groups: dict[str, Group] = {}
        self.positions: dict[tuple[str, TopicPartition], int] = {}

    @contextmanager
    def write(self) -> Iterator[None]:
        with self.changed:
            yield
            self.version += 1
            self.changed.notify_all()

    def topic(self, name: str) -> TopicInfo:
        if name not in self.topics:
            raise unknown_topic(name, self.topics)
        return self.topics[name]

    def partition(self, topic: str, partition: int) -> _Partition:
        check_partition(self.topic(topic), partition)
        return self.partitions[TopicPartition(topic, partition)]

    def cut(self, outgoing: Outgoing) -> tuple[TopicInfo, dict[int, Run]]:
        topic = self.topic(outgoing.topic)
        return topic, split(outgoing, topic, self.clock())

    def append(self, topic: TopicInfo, runs: Mapping[int, Run]) -> dict[int, range]:
        """Keep the runs; to be called in a write."""
        offsets = {}
        for number, run in runs.items():
            partition = self.partitions[TopicPartition(topic.name, number)]
            offsets[number] = partition.append(run, compacted=topic.compacted)
            if topic.retention_ms is not None:
                partition.expire(self.clock() - topic.retention_ms)
        return offsets


class _Coordinator:
    """What consumers ask of this log (`consumer.Coordinator`)."""

    def __init__(self, state: _State) -> None:
        self._state = state
        self.clock = state.clock

    def join(self, subscription: Subscription) -> Assignment:
        with self._state.write():
            group = self._state.groups.setdefault(subscription.group, Group())
            member = group.join(subscription, self.clock())
            return self._assign(group, subscription, member)

    def heartbeat(self, subscription: Subscription, member: int) -> Assignment:
        with self._state.write():
            return self._assign(self._state.groups[subscription.group], subscription, member)

    def _assign(self, group: Group, subscription: Subscription, member: int) -> Assignment:
        member = group.heartbeat(subscription, member, self.clock())
        positions = {
            partition: self._state.positions.get(
                (subscription.group, partition), self._state.partitions[partition].start
            )
            for partition in group.held(member)
        }
        return Assignment(member, group.generation, positions)

    def leave(self, subscription: Subscription, member: int) -> None:
        with self._state.write():
            self._state.groups[subscription.group].leave(member)

    def generation(self, group: str) -> int:
        with self._state.changed:
            return self._state.groups[group].generation

    def commit(
        self,
        subscription: Subscription,
        member: int,
        covers: Mapping[TopicPartition, int],
        appends: Sequence[Outgoing],
    ) -> None:
        cuts = [self._state.cut(outgoing) for outgoing in appends]
        with self._state.write():
            group = self._state.groups[subscription.group]
            group.check(member, covers)
            if covers:
                group.renew(member, self.clock())
            for topic, runs in cuts:
                self._state.append(topic, runs)
            for partition, offset in covers.items():
                self._state.positions[subscription.group, partition] = offset

    def bounds(self, subscription: Subscription) -> dict[TopicPartition, tuple[int, int]]:
        with self._state.changed:
            kept = {name: self._state.partitions[name] for name in subscription.partitions}
            return {name: (partition.start, partition.end) for name, partition in kept.items()}

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        with self._state.changed:
            partition = self._state.partition(*source)
            return partition.read(source, offset, max_records, max_bytes)

    def version(self) -> int:
        with self._state.changed:
            return self._state.version

    def wait(self, version: int, seconds: float) -> None:
        with self._state.changed:
            self._state.changed.wait_for(lambda: self._state.version != version, seconds)


class MemoryBlobs:
    """Bytes by digest, in a dictionary (`log.base.Blobs`)."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """Keep `data` and return its sha-256 in lower-case hex."""
        digest = hashlib.sha256(data).hexdigest()
        self._kept[digest] = data
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return the bytes, or None where they are not kept."""
        return self._kept.get(digest)


class MemoryLog:
    """`log.base.Log`, gone when it is let go of. `clock` stamps records and times leases."""

    url = "memory:"

    def __init__(self, clock: Clock = wall_clock_ms) -> None:
        self._state = _State(clock)
        self.blobs = MemoryBlobs()

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        compacted: bool = False,
        retention_ms: int | None = None,
    ) -> TopicInfo:
        """Make a topic, or return the one that is there. Raises LogError."""
        wanted = TopicInfo(name, partitions, compacted, retention_ms)
        check_topic(wanted)
        with self._state.write():
            there = self._state.topics.setdefault(name, wanted)
            for number in range(there.partitions):
                self._state.partitions.setdefault(TopicPartition(name, number), _Partition())
        return check_same(there, wanted)

    def topics(self) -> dict[str, TopicInfo]:
        """Return every topic by name."""
        with self._state.changed:
            return dict(sorted(self._state.topics.items()))

    def append(self, outgoing: Outgoing) -> Mapping[int, Sequence[int]]:
        """Append records, all or none. Raises UnknownTopic, InvalidRecord."""
        topic, runs = self._state.cut(outgoing)
        with self._state.write():
            return self._state.append(topic, runs)

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, one at least where there is one."""
        with self._state.changed:
            kept = self._state.partition(topic, partition)
            source = TopicPartition(topic, partition)
            return kept.read(source, offset, max_records, max_bytes)

    def arrived(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return what `read` does: everything is here."""
        return self.read(topic, partition, offset, max_records, max_bytes)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first kept offset and the offset after the last."""
        with self._state.changed:
            kept = self._state.partition(topic, partition)
            return kept.start, kept.end

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """Return the first offset whose record is of that time or later (the end if none is)."""
        with self._state.changed:
            return self._state.partition(topic, partition).offset_at(timestamp_ms)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return a group's committed position, None before its first commit."""
        with self._state.changed:
            self._state.partition(topic, partition)
            return self._state.positions.get((group, TopicPartition(topic, partition)))

    def consumer(self, group: str, topics: Sequence[str], *, instance: str) -> GroupConsumer:
        """Join a consumer group. Raises UnknownTopic, LogError (the group is full)."""
        infos = [self._state.topic(name) for name in topics]
        return GroupConsumer(_Coordinator(self._state), Subscription.of(group, instance, infos))

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget the records below `offset`; past the end, all there are."""
        with self._state.write():
            self._state.partition(topic, partition).delete_before(offset)

    def close(self) -> None:
        """Do nothing: there is no file to release, and the log lives as long as it is held."""
