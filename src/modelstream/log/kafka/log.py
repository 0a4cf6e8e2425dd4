"""The log on Kafka: `log.base.Log` in Kafka's own terms. Each part of it is a file beside this one."""

import socket
import threading
import uuid
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException, Message

from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.appends import split
from modelstream.log.base import Blobs, Consumer, TopicInfo
from modelstream.log.clock import wall_clock_ms
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.blobs import TopicBlobs
from modelstream.log.kafka.cluster import Cluster
from modelstream.log.kafka.consumer import KafkaConsumer
from modelstream.log.kafka.errors import log_error
from modelstream.log.kafka.reader import Readers
from modelstream.log.kafka.transactions import Runs, Transactions
from modelstream.messages import Outgoing, RecordBatch, TopicPartition


class KafkaLog:
    """One handle on a cluster, for any number of threads. Raises LogError when nobody answers."""

    def __init__(self, address: KafkaAddress) -> None:
        self.url = address.url
        self._address = address
        self._cluster = Cluster(address)
        self._cluster.reach()
        self._readers = Readers(address, self._cluster.end)
        self._append_lock = threading.Lock()
        self._appends: Transactions | None = None
        self._blobs = TopicBlobs(self, address.blobs)

    @property
    def blobs(self) -> Blobs:
        """The artifacts that are kept beside the topics."""
        return self._blobs

    def create_topic(
        self,
        name: str,
        partitions: int = 1,
        *,
        compacted: bool = False,
        retention_ms: int | None = None,
    ) -> TopicInfo:
        """Make a topic, or return the one that is there."""
        return self._cluster.create(TopicInfo(name, partitions, compacted, retention_ms))

    def topics(self) -> dict[str, TopicInfo]:
        """Return every topic by name."""
        return self._cluster.topics()

    def append(self, outgoing: Outgoing) -> Mapping[int, Sequence[int]]:
        """Append records in one transaction, and wait until readers see them."""
        runs = self._split([outgoing])
        offsets: dict[int, list[int]] = {partition: [] for _, each in runs for partition in each}
        if not offsets:
            return {}

        def delivered(error: object, message: Message) -> None:
            if error is None:
                offsets[message.partition()].append(message.offset())

        with self._append_lock:
            if self._appends is None:
                name = f"modelstream-{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
                self._appends = Transactions(self._address, name, told_offsets=True)
            try:
                self._appends.run(runs, on_delivery=delivered)
            except KafkaException as error:
                self._appends.close()
                self._cluster.forget(outgoing.topic)
                raise log_error(f"cannot write to {outgoing.topic!r}", error.args[0]) from error
        self._cluster.await_readable(
            {TopicPartition(outgoing.topic, each): max(found) for each, found in offsets.items()}
        )
        return {partition: sorted(found) for partition, found in offsets.items()}

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, or an empty batch at the end; never waits."""
        source = TopicPartition(topic, partition)
        self._cluster.check_partition(source)
        return self._readers.read(source, offset, max_records, max_bytes)

    def arrived(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records that were fetched already, from `offset` on; never waits, asks nobody."""
        source = TopicPartition(topic, partition)
        self._cluster.check_partition(source)
        return self._readers.read(source, offset, max_records, max_bytes, asks=False)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first kept offset and the offset after the last."""
        source = TopicPartition(topic, partition)
        self._cluster.check_partition(source)
        return self._cluster.bounds([source])[source]

    def offset_at(self, topic: str, partition: int, timestamp_ms: int) -> int:
        """Return the first offset whose record is of that time or later (the end if none is)."""
        source = TopicPartition(topic, partition)
        self._cluster.check_partition(source)
        end = self._cluster.end(source)
        offset = self._cluster.offset_at(source, timestamp_ms)
        while offset is not None and offset < end:
            batch = self._readers.read(source, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
            for each, stamp in zip(batch.offsets, batch.timestamps, strict=True):
                if stamp >= timestamp_ms:
                    return each
            offset = batch.next_offset if len(batch) else None
        return end

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return a group's committed position, None before its first commit."""
        source = TopicPartition(topic, partition)
        self._cluster.check_partition(source)
        return self._cluster.committed(group, source)

    def consumer(self, group: str, topics: Sequence[str], *, instance: str) -> Consumer:
        """Join a consumer group; positions start at the first kept record."""
        return KafkaConsumer(
            self._address,
            self._cluster,
            self._split,
            group=group,
            topics=[self._cluster.topic(name) for name in topics],
            instance=instance,
        )

    def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """Forget the records below `offset`."""
        first, end = self.bounds(topic, partition)
        if offset > first:
            self._cluster.delete_before(TopicPartition(topic, partition), min(offset, end))

    def close(self) -> None:
        """Release connections and threads; the log itself stays."""
        self._readers.close()
        with self._append_lock:
            if self._appends is not None:
                self._appends.close()

    def _split(self, outgoing: Sequence[Outgoing]) -> Runs:
        """Check records, and say which partition each goes to. Raises InvalidRecord."""
        now = wall_clock_ms()
        return [
            (each.topic, split(each, self._cluster.topic(each.topic), now))
            for each in outgoing
            if each.values
        ]
