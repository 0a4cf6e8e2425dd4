"""The log on disk: SQLite and plain files, for any number of threads and local processes.

One directory holds it: `log.db` (topics, groups, and which records lie where), `records/`,
`artifacts/`, and `LOCK`. Results and the positions they cover are one transaction, which is what
exactly once rests on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from modelstream.log.base import TopicInfo
from modelstream.log.clock import Clock, wall_clock_ms
from modelstream.log.consumer import GroupConsumer
from modelstream.log.disk.batches import Batches
from modelstream.log.disk.blobs import DiskBlobs
from modelstream.log.disk.groups import Groups
from modelstream.log.disk.schema import Durability
from modelstream.log.disk.segments import Segments
from modelstream.log.disk.store import Store
from modelstream.log.disk.topics import Topics
from modelstream.log.groups import Subscription
from modelstream.messages import Outgoing, RecordBatch, TopicPartition


class DiskLog:
    """`log.base.Log` in one directory, which is made when its parent is there.

    With durability "process" a commit survives the death of any process, and with "power" that of
    the machine too, for an fsync each. `clock` stamps records and times leases. The directory must
    be on a local file system. Raises LogError.
    """

    def __init__(
        self,
        directory: Path,
        durability: Durability = "process",
        clock: Clock = wall_clock_ms,
    ) -> None:
        directory = directory.absolute()
        self.url = f"file:{directory}"
        self.blobs = DiskBlobs(directory / "artifacts")
        self._store = Store(directory, durability)
        self._topics = Topics(self._store)
        self._segments = Segments(directory / "records", durable=durability == "power")
        self._batches = Batches(self._store, self._segments, self._topics, clock)
        self._groups = Groups(self._store, self._topics, self._batches, clock)

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        compacted: bool = False,
        retention_ms: int | None = None,
    ) -> TopicInfo:
        """Make a topic, or return the one that is there. Raises LogError.

        Retention takes place as the topic is written to, by whole stored batches.
        """
        return self._topics.create(TopicInfo(name, partitions, compacted, retention_ms))

    def topics(self) -> dict[str, TopicInfo]:
        """Return every topic by name."""
        return self._topics.all()

    def append(self, outgoing: Outgoing) -> Mapping[int, Sequence[int]]:
        """Append records, all or none. Raises UnknownTopic, InvalidRecord, LogError."""
        cut = self._batches.cut(outgoing)
        with self._store.write() as db:
            return self._batches.append(db, cut)

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, one at least where there is one."""
        source = TopicPartition(topic, partition)
        return self._batches.read(source, offset, max_records, max_bytes)

    def arrived(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return what `read` does: everything is here."""
        return self.read(topic, partition, offset, max_records, max_bytes)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first kept offset and the offset after the last."""
        return self._batches.bounds(self._topics.find(topic).row(partition))

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """Return the first offset whose record is of that time or later (the end if none is)."""
        return self._batches.offset_at(TopicPartition(topic, partition), timestamp_ms)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return a group's committed position, None before its first commit."""
        return self._groups.committed(group, TopicPartition(topic, partition))

    def consumer(self, group: str, topics: Sequence[str], *, instance: str) -> GroupConsumer:
        """Join a consumer group. Raises UnknownTopic, LogError (the group is full)."""
        infos = [self._topics.find(name).info for name in topics]
        return GroupConsumer(self._groups, Subscription.of(group, instance, infos))

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget the records below `offset`; past the end, all there are."""
        self._batches.delete_before(TopicPartition(topic, partition), offset)

    def close(self) -> None:
        """Release the files; the log itself stays. Closing twice is harmless."""
        self._store.close()
        self._segments.close()
