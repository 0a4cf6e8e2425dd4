"""Artifacts on Kafka: cut into records of one topic, and found by an index of their digests.

The entry of the index is written last: who sees it finds every chunk.
"""

import hashlib
import threading

import msgspec

from modelstream.errors import LogError
from modelstream.limits import (
    BATCH_BYTES_MAX,
    KAFKA_CHUNK_BYTES,
    LOWERED_BYTES_MAX,
    RECORD_BYTES_MAX,
    REGISTRY_READ_RECORDS,
)
from modelstream.log.base import Log
from modelstream.messages import Outgoing


class _Entry(msgspec.Struct, frozen=True):
    """Where an artifact is: its size in bytes, and the offsets of its chunks in order."""

    digest: str
    size: int
    offsets: tuple[int, ...]


_DECODE_ENTRY = msgspec.json.Decoder(_Entry).decode


class TopicBlobs:
    """Blobs in two topics of a log, `topic` and `<topic>.index` (`log.base.Blobs`)."""

    def __init__(self, log: Log, topic: str) -> None:
        self._log, self._topic, self._index = log, topic, f"{topic}.index"
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._read = 0

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            if len(data) > LOWERED_BYTES_MAX:
                raise LogError(
                    f"{len(data)} bytes are too many to keep: the most is {LOWERED_BYTES_MAX}"
                )
            for topic in (self._topic, self._index):
                self._log.create_topic(topic)
            if self._find(digest) is None:
                chunks = [
                    data[low : low + KAFKA_CHUNK_BYTES]
                    for low in range(0, len(data), KAFKA_CHUNK_BYTES)
                ]
                offsets = self._log.append(Outgoing(self._topic, chunks, partition=0))
                entry = _Entry(digest, len(data), tuple(offsets.get(0, ())))
                self._log.append(Outgoing(self._index, [msgspec.json.encode(entry)], partition=0))
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return the bytes, checked against the digest; None where they are not kept."""
        with self._lock:
            if self._index not in self._log.topics():
                return None
            entry = self._find(digest)
            if entry is None:
                return None
            data = b"".join(map(self._chunk, entry.offsets))
        if hashlib.sha256(data).hexdigest() != digest:
            raise LogError(
                f"the artifact sha256:{digest} in topic {self._topic!r} is not what was kept:"
                " publish the model again, under another version"
            )
        return data

    def _chunk(self, offset: int) -> bytes:
        batch = self._log.read(self._topic, 0, offset, 1, RECORD_BYTES_MAX)
        if not len(batch) or batch.offsets[0] != offset:
            raise LogError(
                f"a part of an artifact is gone from topic {self._topic!r} (offset {offset}):"
                " its records must be kept for ever; publish the model again"
            )
        return batch.values[0]

    def _find(self, digest: str) -> _Entry | None:
        """Look a digest up; what is new in the index is read first where it is not known."""
        while digest not in self._entries:
            batch = self._log.read(
                self._index, 0, self._read, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX
            )
            if not len(batch):
                return None
            for value in batch.values:
                entry = _DECODE_ENTRY(value)
                self._entries[entry.digest] = entry
            self._read = batch.next_offset
        return self._entries[digest]
