"""What the embedded logs do at once, where Kafka takes its time or leaves gaps."""

from modelstream.limits import TOPIC_NAME_CHARS_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from modelstream.messages import TopicPartition as Part
from tests.support.logs import BYTES, Logs, WoundClock, covers, numbered, poll, read_all


def test_the_longest_name_is_taken(log: Log) -> None:
    name = ("aZ0._-" * 50)[:TOPIC_NAME_CHARS_MAX]
    assert log.create_topic(name).name == name


def test_offsets_have_no_gaps(log: Log) -> None:
    log.create_topic("a")
    assert log.append(Outgoing("a", numbered(3))) == {0: range(3)}
    assert log.append(Outgoing("a", numbered(2, 3))) == {0: range(3, 5)}
    batch = log.read("a", 0, 0, 100, BYTES)
    assert (list(batch.offsets), batch.next_offset) == ([0, 1, 2, 3, 4], 5)
    assert log.bounds("a", 0) == (0, 5)


def test_a_read_returns_as_much_as_its_limits_allow(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", [b"x" * 10] * 5))
    log.append(Outgoing("a", [b"x" * 10] * 5))
    assert list(log.read("a", 0, 3, 4, BYTES).offsets) == [3, 4, 5, 6]
    assert list(log.read("a", 0, 3, 100, 25).offsets) == [3, 4]
    assert list(log.read("a", 0, 3, 100, 30).offsets) == [3, 4, 5]
    one = log.read("a", 0, 9, 100, 1)
    assert (list(one.offsets), one.next_offset) == ([9], 10)


def test_a_poll_returns_as_much_as_its_limits_allow(log: Log) -> None:
    log.create_topic("a", 4)
    for partition in range(4):
        log.append(Outgoing("a", [b"x" * 100] * 10, partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    assert sum(map(len, consumer.poll(25, 0, BYTES))) == 25
    assert sum(map(len, consumer.poll(100, 0, 750))) == 7
    assert sum(map(len, consumer.poll(100, 0, 1))) == 1
    assert sum(map(len, consumer.poll(100, 0, BYTES))) == 7


def test_each_partition_has_its_turn(log: Log) -> None:
    log.create_topic("a", 3)
    log.append(Outgoing("a", numbered(1000), partition=0))
    for partition in (1, 2):
        log.append(Outgoing("a", numbered(1), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    served = [batch.partition for _ in range(3) for batch in poll(consumer, 10)]
    assert set(served) == {0, 1, 2}


def test_a_commit_is_seen_at_once(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("in")
    log.create_topic("out")
    log.append(Outgoing("in", numbered(10)))
    consumer = log.consumer("g", ["in"], instance="one")
    consumer.commit(covers(poll(consumer, 4)), [Outgoing("out", numbered(4))])
    other = logs.open()
    assert (other.committed("g", "in", 0), read_all(other, "out")) == (4, numbered(4))
    assert consumer.lag() == {Part("in", 0): 6}


def test_deleted_records_are_not_delivered(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10)))
    consumer = log.consumer("g", ["a"], instance="a")
    poll(consumer, 2)
    log.delete_before("a", 0, 10)
    assert consumer.poll(100, 0, BYTES) == []
    assert consumer.lag() == {Part("a", 0): 0}
    log.append(Outgoing("a", [b"next"]))
    (batch,) = poll(consumer)
    assert (list(batch.offsets), batch.next_offset) == ([10], 11)


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
    assert (list(batch.offsets), batch.next_offset) == ([2, 3, 4, 5], 6)
    log.append(Outgoing("a", [b"6"], [b"z"]))
    assert list(log.read("a", 0, 0, 2, BYTES).offsets) == [2, 4]
    assert list(log.read("a", 0, 3, 9, BYTES).offsets) == [4, 5, 6]
