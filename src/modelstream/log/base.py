"""What a log is: the one interface behind the in-memory, the embedded and the Kafka log.

Terms and meanings are Kafka's. Nothing but `Consumer.commit` moves a group's positions, and it
does so in one atomic step with the records it appends: that step is what makes a flow exactly once.

Offsets rise by one from record to record on the embedded logs alone: Kafka keeps marks of its
transactions in between, and at the end. So one goes on at `next_offset`, and compares no counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from modelstream.limits import RECORD_BYTES_MAX
from modelstream.messages import Outgoing, RecordBatch, TopicPartition


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """How a topic was made. `retention_ms` None keeps records for ever.

    `record_bytes_max` counts value, key and headers; a topic that somebody else made may take less.
    """

    name: str
    partitions: int
    compacted: bool = False
    retention_ms: int | None = None
    record_bytes_max: int = RECORD_BYTES_MAX


class Blobs(Protocol):
    """Bytes kept by their sha-256 digest (lower-case hex), beside the topics."""

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; keeping it twice is harmless. Raises LogError."""
        ...

    def get(self, digest: str) -> bytes | None:
        """Return the bytes, checked against the digest; None where they are not kept.

        Raises LogError when the bytes on disk are no longer those of the digest.
        """
        ...


class Consumer(Protocol):
    """One member of a consumer group."""

    def poll(self, max_records: int, max_wait_ms: int, max_bytes: int) -> list[RecordBatch]:
        """Return what is there, oldest first in each partition; wait only while nothing is.

        Never returns a batch of a partition that is paused or another member's. An empty list
        after `max_wait_ms`.
        """
        ...

    def commit(
        self, covers: Mapping[TopicPartition, int], appends: Sequence[Outgoing] = ()
    ) -> None:
        """Append records and move positions in one atomic step.

        `covers` maps a partition to the next offset to read. Raises Fenced when one of them is no
        longer this member's: then nothing was appended and nothing moved. Readers see the records
        at once on the embedded logs, and a moment later on Kafka.
        """
        ...

    def rewind(self, positions: Mapping[TopicPartition, int]) -> None:
        """Deliver these partitions again from the given offsets (commits are left alone)."""
        ...

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these partitions until they are resumed."""
        ...

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these partitions again."""
        ...

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions that are this member's now."""
        ...

    def lag(self) -> dict[TopicPartition, int]:
        """Return how far the committed position is from the end, in offsets; 0 when all is done."""
        ...

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        ...


class Log(Protocol):
    """Topics of records, safe to use from several threads (and processes, where it is on disk)."""

    url: str

    @property
    def blobs(self) -> Blobs:
        """The artifacts that are kept beside the topics."""
        ...

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        compacted: bool = False,
        retention_ms: int | None = None,
    ) -> TopicInfo:
        """Make a topic, or return the one that is there.

        A compacted topic keeps, for every key, the last record alone. Raises LogError for a bad
        name, or when the topic is there with another number of partitions or kind.
        """
        ...

    def topics(self) -> dict[str, TopicInfo]:
        """Return every topic by name."""
        ...

    def append(self, outgoing: Outgoing) -> Mapping[int, Sequence[int]]:
        """Append records, all or none; return their offsets by partition. Readers see them now.

        Raises UnknownTopic, InvalidRecord (a record over RECORD_BYTES_MAX), LogError.
        """
        ...

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, or an empty batch at the end; never waits.

        At least one where there is one, and not always as many as there are. A start below the first kept record reads from that record. Raises UnknownTopic.
        """
        ...

    def arrived(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return of what `read` does that which is here already: for one who follows a topic.

        It asks nobody. What was committed a moment ago may come with a later call.
        """
        ...

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first kept offset and the offset after the last. Raises UnknownTopic."""
        ...

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """Return the first offset whose record is of that time or later (the end if none is)."""
        ...

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return a group's committed position, None before its first commit."""
        ...

    def consumer(self, group: str, topics: Sequence[str], *, instance: str) -> Consumer:
        """Join a consumer group; positions start at the first kept record. Raises UnknownTopic."""
        ...

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget the records below `offset` (retention by hand)."""
        ...

    def close(self) -> None:
        """Release files and threads; the log itself stays."""
        ...
