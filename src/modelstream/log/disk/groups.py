"""Consumer groups in the database: each change of one is a transaction, or part of a commit."""

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from modelstream.log.clock import Clock
from modelstream.log.disk.batches import Batches
from modelstream.log.disk.store import Store
from modelstream.log.disk.topics import Topics
from modelstream.log.groups import Assignment, Group, Subscription
from modelstream.messages import Outgoing, RecordBatch, TopicPartition

_DECODE_GROUP = msgspec.msgpack.Decoder(Group).decode

_SAVE = """insert into consumer_group (name, generation, state) values (?, ?, ?)
    on conflict (name) do update set generation = excluded.generation, state = excluded.state"""
_MOVE = """insert into position (consumer_group, partition, next) values (?, ?, ?)
    on conflict (consumer_group, partition) do update set next = excluded.next"""
_NEXT = """select coalesce(position.next, partition.start) from partition
    left join position on position.partition = partition.id and position.consumer_group = ?
    where partition.id = ?"""
_BOUNDS = """select topic.name, number, start, next from partition
    join topic on topic.id = partition.topic where topic.name in ({})"""


class Groups:
    """What consumers ask of this log (`consumer.Coordinator`)."""

    def __init__(self, store: Store, topics: Topics, batches: Batches, clock: Clock) -> None:
        self._store = store
        self._topics = topics
        self._batches = batches
        self.clock: Clock = clock

    def join(self, subscription: Subscription) -> Assignment:
        """Become a member and take a first share. Raises LogError when the group is full."""
        with self._store.write() as db:
            group = _load(db, subscription.group)
            member = group.join(subscription, self.clock())
            return self._assign(db, group, subscription, member)

    def heartbeat(self, subscription: Subscription, member: int) -> Assignment:
        """Renew the leases, then take or let go of partitions."""
        with self._store.write() as db:
            return self._assign(db, _load(db, subscription.group), subscription, member)

    def _assign(
        self, db: sqlite3.Connection, group: Group, subscription: Subscription, member: int
    ) -> Assignment:
        member = group.heartbeat(subscription, member, self.clock())
        _save(db, subscription.group, group)
        positions = {}
        for partition in group.held(member):
            values = (subscription.group, self._row(partition))
            (positions[partition],) = db.execute(_NEXT, values).fetchone()
        return Assignment(member, group.generation, positions)

    def leave(self, subscription: Subscription, member: int) -> None:
        """Free what the member holds."""
        with self._store.write() as db:
            group = _load(db, subscription.group)
            group.leave(member)
            _save(db, subscription.group, group)

    def generation(self, group: str) -> int:
        """Return a number that rises whenever the group changes."""
        query = "select generation from consumer_group where name = ?"
        ((generation,),) = self._store.rows(query, (group,))
        return int(generation)

    def commit(
        self,
        subscription: Subscription,
        member: int,
        covers: Mapping[TopicPartition, int],
        appends: Sequence[Outgoing],
    ) -> None:
        """Append, move positions and check the leases in one transaction, or raise Fenced."""
        cuts = [self._batches.cut(outgoing) for outgoing in appends]
        name = subscription.group
        moves = [(name, self._row(partition), offset) for partition, offset in covers.items()]
        with self._store.write() as db:
            group = _load(db, name)
            group.check(member, covers)
            if covers and group.renew(member, self.clock()):
                _save(db, name, group)
            for cut in cuts:
                self._batches.append(db, cut)
            db.executemany(_MOVE, moves)

    def bounds(self, subscription: Subscription) -> dict[TopicPartition, tuple[int, int]]:
        """Return the first kept offset and the end of every partition subscribed to."""
        query = _BOUNDS.format(", ".join("?" * len(subscription.topics)))
        found = self._store.rows(query, subscription.topics)
        return {TopicPartition(topic, number): (start, end) for topic, number, start, end in found}

    def committed(self, group: str, partition: TopicPartition) -> int | None:
        """Return a group's committed position, None before its first commit."""
        query = "select next from position where consumer_group = ? and partition = ?"
        found = self._store.rows(query, (group, self._row(partition)))
        return int(found[0][0]) if found else None

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, one at least where there is one."""
        return self._batches.read(source, offset, max_records, max_bytes)

    def version(self) -> int:
        """Return a number that changes with every write to the log."""
        return self._store.version()

    def wait(self, version: int, seconds: float) -> None:
        """Return when the log's version is another, or after so many seconds."""
        self._store.wait(version, seconds)

    def _row(self, partition: TopicPartition) -> int:
        return self._topics.find(partition.topic).row(partition.partition)


def _load(db: sqlite3.Connection, name: str) -> Group:
    found = db.execute("select state from consumer_group where name = ?", (name,)).fetchone()
    return Group() if found is None else _DECODE_GROUP(found[0])


def _save(db: sqlite3.Connection, name: str, group: Group) -> None:
    db.execute(_SAVE, (name, group.generation, msgspec.msgpack.encode(group)))
