"""What every log must do with time, with records that are deleted, and with those of one key."""

import pytest

from modelstream.errors import InvalidRecord
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from modelstream.messages import TopicPartition as Part
from tests.support.logs import numbered, poll, read_all, take_values, window


def test_a_time_is_found_by_the_first_record_of_it_or_later(log: Log) -> None:
    log.create_topic("a")
    first = log.append(Outgoing("a", numbered(3), timestamps=[100, 300, 200]))[0]
    second = log.append(Outgoing("a", numbered(2), timestamps=[250, 400]))[0]
    found = [log.offset_at("a", 0, time) for time in (0, 100, 101, 300, 301, 400, 401)]
    end = log.bounds("a", 0)[1]
    assert found == [first[0], first[0], first[1], first[1], second[1], second[1], end]


def test_deleted_records_are_gone_and_reading_goes_on_behind_them(log: Log) -> None:
    log.create_topic("a")
    offsets = log.append(Outgoing("a", numbered(10), timestamps=list(range(1, 11))))[0]
    end = log.bounds("a", 0)[1]
    log.delete_before("a", 0, offsets[4])
    assert log.bounds("a", 0) == (offsets[4], end)
    assert list(window(log, "a", 0, 0, 3).offsets) == list(offsets[4:7])
    assert log.offset_at("a", 0, 2) == offsets[4]
    log.delete_before("a", 0, offsets[2])
    assert log.bounds("a", 0) == (offsets[4], end)
    log.delete_before("a", 0, 99)
    assert log.bounds("a", 0) == (end, end)
    assert log.append(Outgoing("a", [b"next"]))[0][0] >= end
    assert read_all(log, "a") == [b"next"]


def test_a_time_is_not_found_among_deleted_records(log: Log) -> None:
    log.create_topic("a")
    first = log.append(Outgoing("a", numbered(3), timestamps=[100, 300, 200]))[0]
    second = log.append(Outgoing("a", numbered(3), timestamps=[210, 250, 260]))[0]
    log.delete_before("a", 0, first[2])
    found = [log.offset_at("a", 0, time) for time in (150, 205, 250, 300)]
    assert found == [first[2], second[0], second[1], log.bounds("a", 0)[1]]


def test_a_consumer_goes_on_behind_deleted_records(log: Log) -> None:
    log.create_topic("a")
    end = log.append(Outgoing("a", numbered(10)))[0][-1] + 1
    consumer = log.consumer("g", ["a"], instance="a")
    assert take_values(consumer, 2) == numbered(2)
    log.delete_before("a", 0, log.bounds("a", 0)[1])
    assert consumer.lag() == {Part("a", 0): 0}
    log.append(Outgoing("a", [b"next"]))
    # What was fetched before it was deleted may still come.
    while (batch := poll(consumer)[-1]).values[-1] != b"next":
        assert set(batch.values) <= set(numbered(10))
    assert batch.offsets[-1] >= end
    assert batch.next_offset > batch.offsets[-1]


def test_a_consumer_that_comes_later_begins_behind_deleted_records(log: Log) -> None:
    log.create_topic("a")
    offsets = log.append(Outgoing("a", numbered(10)))[0]
    log.delete_before("a", 0, offsets[6])
    assert take_values(log.consumer("g", ["a"], instance="a"), 4) == numbered(4, 6)


def test_of_each_key_of_a_compacted_topic_the_last_record_is_read_last(log: Log) -> None:
    log.create_topic("a", compacted=True)
    log.append(Outgoing("a", numbered(4), [b"x", b"y", b"x", b"z"]))
    log.append(Outgoing("a", [b"", b"5"], [b"y", b"new"]))
    batch = window(log, "a")
    assert batch.keys is not None
    assert dict(zip(batch.keys, batch.values, strict=True)) == {
        b"x": b"2",
        b"z": b"3",
        b"y": b"",
        b"new": b"5",
    }
    assert list(batch.offsets) == sorted(set(batch.offsets))
    log.append(Outgoing("a", [b"6"], [b"z"]))
    assert list(window(log, "a", 0, batch.next_offset).values) == [b"6"]


def test_a_compacted_topic_refuses_a_record_without_a_key(log: Log) -> None:
    log.create_topic("a", compacted=True)
    for keys in (None, [b"k", None]):
        with pytest.raises(InvalidRecord, match=r"record [01] .*has no key"):
            log.append(Outgoing("a", numbered(2), keys))
    assert log.bounds("a", 0) == (0, 0)
