"""The end of topics, over all their partitions."""

import pytest

from modelstream.cli.tailing import Message, TopicTail
from modelstream.errors import UnknownTopic
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing


def values(messages: list[Message]) -> list[bytes]:
    return [message.value for message in messages]


def append(log: MemoryLog, *told: tuple[bytes, int, int], topic: str = "t") -> None:
    for value, partition, at in told:
        log.append(Outgoing(topic, [value], partition=partition, timestamps=[at]))


def test_the_last_of_all_partitions_stand_in_the_order_of_their_times() -> None:
    log = MemoryLog()
    log.create_topic("t", 2)
    append(log, (b"a", 0, 10), (b"b", 1, 20), (b"c", 0, 30), (b"d", 1, 15), (b"e", 1, 40))
    tail = TopicTail(log, ["t"])
    assert values(tail.last(3)) == [b"b", b"c", b"e"]
    assert values(tail.last(100)) == [b"a", b"d", b"b", b"c", b"e"]
    assert tail.last(0) == []


def test_new_messages_come_once() -> None:
    log = MemoryLog()
    log.create_topic("t", 2)
    log.create_topic("u")
    append(log, (b"old", 0, 1))
    tail = TopicTail(log, ["t", "u"])
    assert tail.new() == []
    append(log, (b"b", 1, 3), (b"a", 0, 2))
    append(log, (b"c", 0, 4), topic="u")
    assert values(tail.new()) == [b"a", b"b", b"c"]
    assert tail.new() == []


def test_what_comes_after_the_start_is_new_and_not_last() -> None:
    log = MemoryLog()
    log.create_topic("t")
    append(log, (b"a", 0, 1))
    tail = TopicTail(log, ["t"])
    append(log, (b"b", 0, 2))
    assert (values(tail.last(10)), values(tail.new())) == ([b"a"], [b"b"])


def test_deleted_messages_are_not_missed() -> None:
    log = MemoryLog()
    log.create_topic("t")
    append(log, *((b"%d" % each, 0, each) for each in range(5)))
    log.delete_before("t", 0, 4)
    assert values(TopicTail(log, ["t"]).last(3)) == [b"4"]


def test_a_topic_that_is_not_there_is_told() -> None:
    with pytest.raises(UnknownTopic, match="t"):
        TopicTail(MemoryLog(), ["t"])
