"""Finds the record that a person means, and its outcome.

A person says a position on the records, results or rejects, or a record's key.
"""

from dataclasses import dataclass

from modelstream.audit.records import committed_now, read_one, read_range
from modelstream.errors import InvalidMessage, UnknownModel
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import Position, RecordBatch, TopicPartition
from modelstream.stored import OutcomeTopic, Stored, outcome_topics, record_of


@dataclass(frozen=True, slots=True)
class Found:
    """A record's position, and how many other messages have the key by which it was found."""

    record: Position
    others: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """An outcome and where it stands."""

    outcome: Stored
    at: Position


def find_record(log: Log, flow: Flow, where: Position | str) -> Found:
    """Return the record that is meant: by its position, that of its outcome, or its key.

    Of the outcomes of one key the newest counts, or the newest record where there is no outcome.
    Raises UnknownModel where there is none, UnknownTopic for a partition that is not there.
    """
    position = where if isinstance(where, Position) else _position_of(log, where)
    if position is not None:
        return Found(_record_at(log, flow, position))
    key = str(where).encode()
    topics = outcome_topics(log, flow)
    found = _newest(log, [topic.name for topic in topics], key)
    if found is not None:
        return Found(_record_at(log, flow, found.record), found.others)
    found = _newest(log, list(flow.record_topics), key)
    if found is None:
        raise UnknownModel(
            f"no record of flow {flow.name!r} has the key {where!r}; give a key as it stands on "
            f"the log, or a position such as {next(iter(flow.record_topics))}/0/0"
        )
    return found


def find_outcome(log: Log, flow: Flow, record: Position) -> Placed | None:
    """Return the first outcome of a record, None where it has none."""
    topics = outcome_topics(log, flow)
    for topic in topics:
        if (placed := _scan(topic, record, topic.seek(record), in_order=True)) is not None:
            return placed
    if record.offset >= committed_now(log, flow, TopicPartition(*record[:2])):
        return None  # the rule for a record that is yet to be answered
    for topic in topics:
        if (placed := _scan(topic, record, 0, in_order=False)) is not None:
            return placed
    return None


def _scan(topic: OutcomeTopic, record: Position, start: int, *, in_order: bool) -> Placed | None:
    """Look for a record's outcome from `start` on; in order, up to that of a later record."""
    partition = record.partition
    first, end = topic.bounds(partition)
    offset = max(first, start)
    while offset < end and len(batch := topic.read(partition, offset)):
        for at, value in zip(batch.offsets, batch.values, strict=True):
            outcome = topic.decode(value)
            if outcome is None or record_of(outcome)[:2] != record[:2]:
                continue
            if outcome.offset == record.offset:
                return Placed(outcome, Position(topic.name, partition, at))
            if in_order and outcome.offset > record.offset:
                return None
        offset = batch.next_offset
    return None


def _position_of(log: Log, text: str) -> Position | None:
    """Read `topic/partition/offset`; None where it is none, and then may be a key."""
    parts = text.rsplit("/", 2)
    if len(parts) != 3 or parts[0] not in log.topics():
        return None
    topic, partition, offset = parts
    if not (partition.isdecimal() and offset.isdecimal()):
        return None
    return Position(topic, int(partition), int(offset))


def _record_at(log: Log, flow: Flow, position: Position) -> Position:
    """Return the position itself if it is a record's, or that of the record it is an outcome of."""
    if position.topic in flow.record_topics:
        _check_there(log, position)
        return position
    for topic in outcome_topics(log, flow):
        if position.topic == topic.name:
            _check_there(log, position)
            (value,) = topic.format.as_json([_value_at(log, position)])
            outcome = topic.decode(value)
            if outcome is None:
                raise InvalidMessage(f"{position} is no outcome of a record; verify says more")
            return record_of(outcome)
    known = ", ".join([*flow.record_topics, flow.results, flow.rejects])
    raise UnknownModel(f"{position} is not of flow {flow.name!r}; give a position on {known}")


def _value_at(log: Log, position: Position) -> bytes:
    """Return a message that stands before the end of its partition, if it is kept."""
    source = TopicPartition(position.topic, position.partition)
    batch = read_one(log, source, position.offset)
    if batch is None:
        raise UnknownModel(f"there is no message at {position}; give the offset of one")
    return batch.values[0]


def _check_there(log: Log, position: Position) -> None:
    start, end = log.bounds(position.topic, position.partition)
    if position.offset >= end:
        there = f"has the offsets {start} to {end - 1}" if end > start else "is empty"
        where = f"{position.topic}/{position.partition}"
        raise UnknownModel(f"{position} is not there; {where} {there}; give one that is")


def _newest(log: Log, topics: list[str], key: bytes) -> Found | None:
    """Return the newest message with a key, by its time stamp, and the number of the others."""
    newest: tuple[int, int, Position] | None = None
    count = 0
    for topic in topics:
        for partition in range(log.topics()[topic].partitions):
            source = TopicPartition(topic, partition)
            for batch in read_range(log, source, *log.bounds(*source)):
                for row in _rows_with(batch, key):
                    count += 1
                    at = batch.offsets[row]
                    found = (batch.timestamps[row], at, Position(topic, partition, at))
                    newest = found if newest is None else max(newest, found)
    return None if newest is None else Found(newest[2], count - 1)


def _rows_with(batch: RecordBatch, key: bytes) -> list[int]:
    keys = batch.keys
    if keys is None or key not in keys:
        return []
    return [row for row, each in enumerate(keys) if each == key]
