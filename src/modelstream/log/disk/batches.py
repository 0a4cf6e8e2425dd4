"""Stored batches in the database: written within a transaction, read without one.

A partition is known here by its row number (`topics.Topic.row`).
"""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from modelstream.errors import LogError
from modelstream.log.appends import Piece, split
from modelstream.log.clock import Clock
from modelstream.log.disk.store import Store
from modelstream.log.disk.topics import Topic, Topics
from modelstream.log.stored import Room, StoredBatch, first_at, gather
from modelstream.messages import Outgoing, RecordBatch, TopicPartition

_PUT = """insert into batch (partition, first, last, size_bytes, max_timestamp, key, records)
    values (?, ?, ?, ?, ?, ?, ?)"""
_FROM = "from batch where partition = ? and last >= ?"


class _Coded(NamedTuple):
    """A piece of a run, encoded before the lock is taken."""

    piece: Piece
    records: bytes


class Cut(NamedTuple):
    """An append that was checked, cut and encoded: all that can be done outside the lock."""

    topic: Topic
    runs: Mapping[int, tuple[int, list[_Coded]]]  # by partition: how many records, and the pieces
    expire_before_ms: int | None


class Batches:
    """The records of all partitions."""

    def __init__(self, store: Store, topics: Topics, clock: Clock) -> None:
        self._store = store
        self._topics = topics
        self._clock = clock
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(StoredBatch).decode

    def cut(self, outgoing: Outgoing) -> Cut:
        """Prepare an append. Raises UnknownTopic, InvalidRecord."""
        topic = self._topics.find(outgoing.topic)
        now = self._clock()
        runs = {
            number: (count, [_Coded(piece, self._encode(piece.batch)) for piece in pieces])
            for number, (count, pieces) in split(outgoing, topic.info, now).items()
        }
        retention = topic.info.retention_ms
        return Cut(topic, runs, None if retention is None else now - retention)

    def append(self, db: sqlite3.Connection, cut: Cut) -> dict[int, range]:
        """Write what was prepared, within a transaction; return the offsets by partition."""
        offsets = {}
        for number, (count, pieces) in cut.runs.items():
            row = cut.topic.row(number)
            (base,) = db.execute("select next from partition where id = ?", (row,)).fetchone()
            db.execute("update partition set next = ? where id = ?", (base + count, row))
            if cut.topic.info.compacted:
                replaced = [(row, piece.key) for piece, _ in pieces]
                db.executemany("delete from batch where partition = ? and key = ?", replaced)
            db.executemany(_PUT, [_values(row, base, piece, coded) for piece, coded in pieces])
            if cut.expire_before_ms is not None:
                _expire(db, row, cut.expire_before_ms)
            offsets[number] = range(base, base + count)
        return offsets

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, one at least where there is one."""
        row = self._topics.find(source.topic).row(source.partition)
        start, _ = self.bounds(row)
        offset = max(offset, start)
        room = Room(offset, max_records, max_bytes)
        query = f"select first, last, size_bytes, records {_FROM} order by last"
        found = self._store.rows_while(lambda found: room.fill(*found[:3]), query, (row, offset))
        stored = [(first, self._stored(source, first, records)) for first, _, _, records in found]
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
        query = f"select first, last, records {_FROM} and max_timestamp >= ? order by last limit 1"
        while found := self._store.rows(query, (row, after, timestamp_ms)):
            ((first, last, records),) = found
            batch = self._stored(source, first, records)
            offset = first_at(first, batch, start, timestamp_ms)
            if offset is not None:
                return offset
            after = last + 1
        return end

    def delete_before(self, source: TopicPartition, offset: int) -> None:
        """Forget the records below `offset`; past the end, all there are."""
        row = self._topics.find(source.topic).row(source.partition)
        with self._store.write() as db:
            _delete_before(db, row, offset)

    def _stored(self, source: TopicPartition, first: int, records: bytes) -> StoredBatch:
        try:
            return self._decode(records)
        except msgspec.MsgspecError as error:
            raise LogError(
                f"the records of {source.topic}/{source.partition} from offset {first} on are"
                f" damaged ({error}): restore {self._store.directory} from a copy, or go on behind"
                " them with delete_before"
            ) from error


def _values(row: int, base: int, piece: Piece, records: bytes) -> tuple[object, ...]:
    first = base + piece.row
    last = first + len(piece.batch.values) - 1
    latest = piece.batch.max_timestamp()
    return row, first, last, piece.size_bytes, latest, piece.key, records


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
