"""Retention and compaction on the logs that do both at once."""

from modelstream.limits import TOPIC_NAME_CHARS_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from tests.support.logs import BYTES, Logs, WoundClock, numbered, read_all


def test_records_past_their_retention_go_when_the_topic_is_written_to(
    logs: Logs, clock: WoundClock
) -> None:
    log = logs.open()
    log.create_topic("a", retention_ms=1000)
    log.append(Outgoing("a", numbered(3)))
    clock.wind(1000)
    log.append(Outgoing("a", numbered(1, 3)))
    assert read_all(log, "a") == numbered(4)
    clock.wind(1)
    log.append(Outgoing("a", numbered(1, 4)))
    assert log.bounds("a", 0) == (3, 5)
    assert read_all(log, "a") == numbered(2, 3)


def test_a_compacted_topic_keeps_the_last_record_of_each_key(log: Log) -> None:
    log.create_topic("a", compacted=True)
    first = log.append(Outgoing("a", numbered(4), [b"x", b"y", b"x", b"z"]))
    assert first == {0: range(4)}
    assert list(log.read("a", 0, 0, 100, BYTES).offsets) == [1, 2, 3]
    log.append(Outgoing("a", [b"", b"5"], [b"y", b"new"]))
    batch = log.read("a", 0, 0, 100, BYTES)
    assert batch.keys is not None
    assert dict(zip(batch.keys, batch.values, strict=True)) == {
        b"x": b"2",
        b"z": b"3",
        b"y": b"",
        b"new": b"5",
    }
    assert (list(batch.offsets), batch.next_offset) == ([2, 3, 4, 5], 6)
    log.append(Outgoing("a", [b"6"], [b"z"]))
    assert list(log.read("a", 0, 0, 2, BYTES).offsets) == [2, 4]
    assert list(log.read("a", 0, 3, 9, BYTES).offsets) == [4, 5, 6]


def test_the_longest_name_and_every_allowed_character_are_taken(log: Log) -> None:
    name = ("aZ0._-" * 50)[:TOPIC_NAME_CHARS_MAX]
    assert log.create_topic(name).name == name
