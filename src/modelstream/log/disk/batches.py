"""Stored batches: their bytes in segment files, where these lie in the database.

A partition is known here by its row number (`topics.Topic.row`). What is appended within a
transaction is there for readers once that is committed, and never was where it is not.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zlib import crc32

import msgspec

from modelstream import limits
from modelstream.errors import LogError
from modelstream.log.appends import Piece, split
from modelstream.log.clock import Clock
from modelstream.log.disk.segments import Segments
from modelstream.log.disk.store import Row, Store
from modelstream.log.disk.topics import Topic, Topics
from modelstream.log.stored import Room, StoredBatch, first_at, gather
from modelstream.messages import Outgoing, RecordBatch, TopicPartition

_PUT = """insert into batch (partition, first, last, size_bytes, max_timestamp, checksum,
    segment, at, stored_bytes, key, records) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_GET = """select first, last, size_bytes, checksum, segment, at, stored_bytes, records
    from batch where partition = ? and last >= ?"""
_LOWEST = "select segment from batch where partition = ? order by last limit 1"


class _Coded(NamedTuple):
    """A piece of a run, encoded before the lock is taken."""

    piece: Piece
    records: bytes
    checksum: int


class Cut(NamedTuple):
    """An append that was checked, cut and encoded: all that can be done outside the lock."""

    topic: Topic
    runs: Mapping[int, tuple[int, list[_Coded]]]  # by partition: how many records, and the pieces
    expire_before_ms: int | None


class Batches:
    """The records of all partitions."""

    def __init__(self, store: Store, segments: Segments, topics: Topics, clock: Clock) -> None:
        self._store = store
        self._segments = segments
        self._topics = topics
        self._clock = clock
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(StoredBatch).decode

    def cut(self, outgoing: Outgoing) -> Cut:
        """Prepare an append. Raises UnknownTopic, InvalidRecord."""
        topic = self._topics.find(outgoing.topic)
        now = self._clock()
        runs = {
            number: (count, [self._coded(piece) for piece in pieces])
            for number, (count, pieces) in split(outgoing, topic.info, now).items()
        }
        retention = topic.info.retention_ms
        return Cut(topic, runs, None if retention is None else now - retention)

    def append(self, db: sqlite3.Connection, cut: Cut) -> dict[int, range]:
        """Write what was prepared, within a transaction; return the offsets by partition."""
        offsets = {}
        for number, (count, coded) in cut.runs.items():
            row = cut.topic.row(number)
            if cut.topic.info.compacted:
                base = _put_in_database(db, row, count, coded)
            else:
                base = self._put_in_segment(db, row, count, coded)
            if cut.expire_before_ms is not None:
                _expire(db, row, cut.expire_before_ms)
            offsets[number] = range(base, base + count)
        return offsets

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, one at least where there is one."""
        row = self._topics.find(source.topic).row(source.partition)
        stored = None
        while stored is None:
            offset = max(offset, self.bounds(row)[0])
            stored = self._stored(source, row, self._find(row, offset, max_records, max_bytes))
        return gather(source, stored, offset, max_records, max_bytes)

    def bounds(self, row: int) -> tuple[int, int]:
        """Return the first kept offset of a partition and the offset after the last."""
        ((start, end),) = self._store.rows("select start, next from partition where id = ?", (row,))
        return start, end

    def offset_at(self, source: TopicPartition, timestamp_ms: int) -> int:
        """Return the first offset of that time or later, the end where there is none."""
        row = self._topics.find(source.topic).row(source.partition)
        start, end = self.bounds(row)
        after = start
        query = f"{_GET} and max_timestamp >= ? order by last limit 1"
        while found := self._store.rows(query, (row, after, timestamp_ms)):
            stored = self._stored(source, row, found)
            if stored is None:
                return self.offset_at(source, timestamp_ms)
            ((first, batch),) = stored
            offset = first_at(first, batch, start, timestamp_ms)
            if offset is not None:
                return offset
            after = first + len(batch.values)
        return end

    def delete_before(self, source: TopicPartition, offset: int) -> None:
        """Forget the records below `offset`; past the end, all there are."""
        row = self._topics.find(source.topic).row(source.partition)
        with self._store.write() as db:
            _delete_before(db, row, offset)
        with self._store.write() as db:
            self._segments.drop_before(row, _lowest_segment(db, row))

    def _coded(self, piece: Piece) -> _Coded:
        records = self._encode(piece.batch)
        return _Coded(piece, records, crc32(records))

    def _put_in_segment(
        self, db: sqlite3.Connection, row: int, count: int, coded: list[_Coded]
    ) -> int:
        """Append to a partition's segment; return the first offset."""
        query = "select next, segment, segment_bytes from partition where id = ?"
        base, segment, at = db.execute(query, (row,)).fetchone()
        if at >= limits.SEGMENT_BYTES_MAX:
            # Only now are files removed that hold nothing any more: what made them useless is
            # committed by now, and could have failed to be where it was done.
            self._segments.drop_before(row, _lowest_segment(db, row))
            segment, at = base, 0
        self._segments.write(row, segment, at, b"".join(each.records for each in coded))
        placed = []
        for each in coded:
            placed.append((*_facts(row, base, each), segment, at, len(each.records), None, None))
            at += len(each.records)
        db.executemany(_PUT, placed)
        db.execute(
            "update partition set next = ?, segment = ?, segment_bytes = ? where id = ?",
            (base + count, segment, at, row),
        )
        return int(base)

    def _find(self, row: int, offset: int, max_records: int, max_bytes: int) -> list[Row]:
        """Look up the batches that a reader wants, in their order."""
        room = Room(offset, max_records, max_bytes)
        return self._store.rows_while(
            lambda found: room.fill(*found[:3]), f"{_GET} order by last", (row, offset)
        )

    def _stored(
        self, source: TopicPartition, row: int, found: Sequence[Row]
    ) -> list[tuple[int, StoredBatch]] | None:
        """Bring batches from where they lie, with their first offsets; None where some are gone.

        Those that a retention or a delete_before has removed since they were looked up are gone.
        """
        stored = []
        for first, last, _, checksum, segment, at, size, records in found:
            try:
                data = records or self._segments.read(row, segment, at, size)
                if crc32(data) != checksum:
                    raise _damaged(self._store, source, first, "their checksum differs")
                stored.append((first, self._decode(data)))
            except FileNotFoundError as error:
                if self.bounds(row)[0] > last:
                    return None
                raise _damaged(self._store, source, first, str(error)) from error
            except msgspec.MsgspecError as error:
                raise _damaged(self._store, source, first, str(error)) from error
        return stored


def _damaged(store: Store, source: TopicPartition, first: int, reason: str) -> LogError:
    return LogError(
        f"the records of {source.topic}/{source.partition} from offset {first} on are"
        f" damaged ({reason}): restore {store.directory} from a copy, or go on behind"
        " them with delete_before"
    )


def _put_in_database(db: sqlite3.Connection, row: int, count: int, coded: list[_Coded]) -> int:
    """Append to a compacted partition, whose records are replaced one by one."""
    (base,) = db.execute("select next from partition where id = ?", (row,)).fetchone()
    db.execute("update partition set next = ? where id = ?", (base + count, row))
    replaced = [(row, each.piece.key) for each in coded]
    db.executemany("delete from batch where partition = ? and key = ?", replaced)
    placed = [
        (*_facts(row, base, each), 0, 0, len(each.records), each.piece.key, each.records)
        for each in coded
    ]
    db.executemany(_PUT, placed)
    return int(base)


def _facts(row: int, base: int, coded: _Coded) -> tuple[int, ...]:
    piece = coded.piece
    first = base + piece.row
    last = first + len(piece.batch.values) - 1
    return row, first, last, piece.size_bytes, piece.batch.max_timestamp(), coded.checksum


def _lowest_segment(db: sqlite3.Connection, row: int) -> int:
    """Return the first segment that holds something, or that the next append goes to."""
    found = db.execute(_LOWEST, (row,)).fetchone()
    if found is None:
        found = db.execute("select segment from partition where id = ?", (row,)).fetchone()
    return int(found[0])


def _expire(db: sqlite3.Connection, row: int, before_ms: int) -> None:
    """Forget the first stored batches that hold nothing of that time or later."""
    kept = db.execute(
        "select first from batch where partition = ? and max_timestamp >= ? order by last limit 1",
        (row, before_ms),
    ).fetchone()
    start, end = db.execute("select start, next from partition where id = ?", (row,)).fetchone()
    first = end if kept is None else kept[0]
    if first > start:
        _delete_before(db, row, first)


def _delete_before(db: sqlite3.Connection, row: int, offset: int) -> None:
    db.execute("update partition set start = min(max(start, ?), next) where id = ?", (offset, row))
    db.execute(
        "delete from batch where partition = ? and last < (select start from partition where id = ?)",
        (row, row),
    )
