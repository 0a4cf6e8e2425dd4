"""What every log must do with topics."""

import pytest

from modelstream.errors import LogError, UnknownTopic
from modelstream.limits import PARTITIONS_MAX, TOPIC_NAME_CHARS_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from tests.support.logs import Logs, read_all


def test_a_topic_is_made_once_and_listed(log: Log) -> None:
    made = log.create_topic("wine.records", 3, retention_ms=1000)
    assert (made.name, made.partitions, made.compacted, made.retention_ms) == (
        "wine.records",
        3,
        False,
        1000,
    )
    assert log.create_topic("wine.records", 3, retention_ms=1000) == made
    compacted = log.create_topic("a", compacted=True)
    assert compacted.compacted
    assert log.topics() == {"a": compacted, "wine.records": made}


@pytest.mark.parametrize("name", ["a b", "a/b", "é", "a\n", "x" * (TOPIC_NAME_CHARS_MAX + 1)])
def test_a_name_that_kafka_refuses_is_refused(log: Log, name: str) -> None:
    with pytest.raises(LogError, match=r"use "):
        log.create_topic(name)
    assert log.topics() == {}


def test_every_allowed_character_is_taken(log: Log) -> None:
    name = "aZ0._-" * 30
    assert log.create_topic(name).name == name
    assert list(log.topics()) == [name]


@pytest.mark.parametrize("partitions", [0, -1, PARTITIONS_MAX + 1])
def test_a_topic_needs_a_possible_number_of_partitions(log: Log, partitions: int) -> None:
    with pytest.raises(LogError, match="ask for 1 to"):
        log.create_topic("a", partitions)


def test_a_retention_must_be_a_time(log: Log) -> None:
    with pytest.raises(LogError, match="ask for 1 or more"):
        log.create_topic("a", retention_ms=0)


def test_a_topic_that_is_there_otherwise_is_not_taken_for_the_one_wanted(log: Log) -> None:
    log.create_topic("a", 2)
    for partitions, compacted in ((3, False), (2, True)):
        with pytest.raises(LogError, match="is there with 2 partition"):
            log.create_topic("a", partitions, compacted=compacted)


def test_a_topic_made_through_one_handle_is_there_for_the_other(logs: Logs) -> None:
    one, other = logs.open(), logs.open()
    one.create_topic("a", 2)
    other.append(Outgoing("a", [b"x"], partition=1))
    assert read_all(one, "a", 1) == [b"x"]


def test_an_unknown_topic_is_named_with_what_to_do(log: Log) -> None:
    log.create_topic("there")
    for call in (
        lambda: log.append(Outgoing("gone", [b"x"])),
        lambda: log.read("gone", 0, 0, 1, 1),
        lambda: log.bounds("gone", 0),
        lambda: log.offset_at("gone", 0, 0),
        lambda: log.committed("group", "gone", 0),
        lambda: log.consumer("group", ["gone"], instance="a"),
        lambda: log.delete_before("gone", 0, 0),
    ):
        with pytest.raises(UnknownTopic, match=r"gone'.*create it.*topics of this log"):
            call()


def test_an_unknown_partition_is_told(log: Log) -> None:
    log.create_topic("a", 2)
    for partition in (-1, 2):
        with pytest.raises(UnknownTopic, match="0 to 1"):
            log.read("a", partition, 0, 1, 1)
        with pytest.raises(UnknownTopic, match="0 to 1"):
            log.append(Outgoing("a", [b"x"], partition=partition))
