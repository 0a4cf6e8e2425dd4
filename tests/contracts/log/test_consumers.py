"""What every log must do for one consumer: what it is given, and what it commits."""

import random
import threading

import pytest

from modelstream.errors import Fenced, InvalidRecord, LogError, UnknownTopic
from modelstream.limits import RECORD_BYTES_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing, RecordBatch
from modelstream.messages import TopicPartition as Part
from tests.support.logs import (
    BYTES,
    Logs,
    await_values,
    caught_up,
    covers,
    numbered,
    offsets_of,
    poll,
    quiet,
    read_all,
    take,
    take_values,
    values_of,
)


def test_a_consumer_reads_every_partition_from_the_first_record(log: Log) -> None:
    log.create_topic("a", 3)
    log.create_topic("b")
    for topic, partition in (("a", 0), ("a", 2), ("b", 0)):
        log.append(Outgoing(topic, numbered(5), partition=partition))
    consumer = log.consumer("g", ["a", "b"], instance="one")
    assert values_of(take(consumer, 15)) == {
        Part("a", 0): numbered(5),
        Part("a", 2): numbered(5),
        Part("b", 0): numbered(5),
    }
    assert consumer.assignment() == {Part("a", 0), Part("a", 1), Part("a", 2), Part("b", 0)}
    quiet(consumer)


@pytest.mark.parametrize(
    ("records", "size_bytes", "most"), [(25, BYTES, 25), (100, 750, 7), (100, 1, 1)]
)
def test_a_poll_keeps_to_its_limits_in_total(
    log: Log, records: int, size_bytes: int, most: int
) -> None:
    log.create_topic("a", 4)
    for partition in range(4):
        log.append(Outgoing("a", [b"x" * 100] * 10, partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    left = 40
    while left:
        count = sum(map(len, consumer.poll(records, 30_000, size_bytes)))
        assert 1 <= count <= most
        left -= count
    quiet(consumer)


def test_no_partition_starves_behind_a_full_one(log: Log) -> None:
    log.create_topic("a", 3)
    noise = random.Random(0)  # which does not become small on its way
    for _ in range(4):
        log.append(Outgoing("a", [noise.randbytes(1000) for _ in range(1000)], partition=0))
    for partition in (1, 2):
        log.append(Outgoing("a", numbered(1), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    served = set(offsets_of(take(consumer, 3000, 100)))
    assert {partition.partition for partition in served} == {0, 1, 2}


def test_a_partition_is_delivered_in_order_and_without_a_gap(log: Log) -> None:
    log.create_topic("a", 2)
    offsets: dict[int, list[int]] = {0: [], 1: []}
    for start in range(0, 50, 5):
        for partition in range(2):
            outgoing = Outgoing("a", numbered(5, start), partition=partition)
            offsets[partition] += log.append(outgoing)[partition]
    consumer = log.consumer("g", ["a"], instance="one")
    batches = take(consumer, 100, 7)
    assert offsets_of(batches) == {Part("a", 0): offsets[0], Part("a", 1): offsets[1]}
    assert values_of(batches) == {Part("a", 0): numbered(50), Part("a", 1): numbered(50)}
    quiet(consumer)


def test_a_commit_appends_and_moves_in_one_step(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("in", 2)
    log.create_topic("out", 2)
    offsets = log.append(Outgoing("in", numbered(10), partition=1))[1]
    consumer = log.consumer("g", ["in"], instance="one")
    assert log.committed("g", "in", 1) is None
    batches = take(consumer, 4)
    position = batches[-1].next_offset
    consumer.commit(covers(batches), [Outgoing("out", numbered(4), partition=1)])
    other = logs.open()
    assert await_values(other, "out", 4, 1) == numbered(4)
    assert other.committed("g", "in", 1) == position
    assert offsets[3] < position <= offsets[4]
    assert other.committed("g", "in", 0) is None
    assert other.committed("h", "in", 1) is None
    left = log.bounds("in", 1)[1] - position
    assert consumer.lag() == {Part("in", 0): 0, Part("in", 1): left}
    assert left >= 6


def test_who_has_done_everything_has_no_lag(log: Log) -> None:
    log.create_topic("in", 2)
    log.append(Outgoing("in", numbered(10), partition=1))
    consumer = log.consumer("g", ["in"], instance="one")
    consumer.commit(covers(take(consumer, 10)))
    caught_up(consumer)
    assert consumer.lag() == {Part("in", 0): 0, Part("in", 1): 0}
    assert log.committed("g", "in", 1) == log.bounds("in", 1)[1]


def test_a_part_of_a_batch_can_be_committed(log: Log) -> None:
    log.create_topic("in")
    offsets = log.append(Outgoing("in", numbered(10)))[0]
    consumer = log.consumer("g", ["in"], instance="one")
    take(consumer, 10)
    consumer.commit({Part("in", 0): offsets[3]})
    consumer.commit({Part("in", 0): offsets[7]})
    assert log.committed("g", "in", 0) == offsets[7]
    quiet(consumer)


@pytest.mark.parametrize(
    "bad",
    [Outgoing("gone", [b"x"]), Outgoing("out", [b"x" * (RECORD_BYTES_MAX + 1)])],
    ids=["unknown topic", "too large"],
)
def test_a_commit_that_cannot_be_written_changes_nothing(log: Log, bad: Outgoing) -> None:
    log.create_topic("in")
    log.create_topic("out")
    log.append(Outgoing("in", numbered(3)))
    consumer = log.consumer("g", ["in"], instance="one")
    batches = take(consumer, 3)
    with pytest.raises((UnknownTopic, InvalidRecord)):
        consumer.commit(covers(batches), [Outgoing("out", [b"good"]), bad])
    assert log.bounds("out", 0) == (0, 0)
    assert log.committed("g", "in", 0) is None
    consumer.commit(covers(batches), [Outgoing("out", [b"good"])])
    assert await_values(log, "out", 1) == [b"good"]


def test_a_commit_without_positions_is_an_atomic_append(log: Log) -> None:
    log.create_topic("a")
    log.create_topic("b")
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.commit({}, [Outgoing("a", [b"1"]), Outgoing("b", [b"2"])])
    assert (await_values(log, "a", 1), await_values(log, "b", 1)) == ([b"1"], [b"2"])


def test_a_commit_of_nothing_does_nothing(log: Log) -> None:
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.commit({})
    assert log.committed("g", "a", 0) is None
    assert log.bounds("a", 0) == (0, 0)


def test_a_successor_goes_on_at_the_committed_position(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10)))
    first = log.consumer("g", ["a"], instance="one")
    first.commit(covers(take(first, 4)))
    take(first, 4)
    first.close()
    second = log.consumer("g", ["a"], instance="two")
    assert take_values(second, 6) == numbered(6, 4)


def test_groups_know_nothing_of_each_other(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3)))
    for group in ("g", "h"):
        consumer = log.consumer(group, ["a"], instance="one")
        assert take_values(consumer, 3) == numbered(3)


def test_rewound_partitions_are_delivered_again(log: Log) -> None:
    log.create_topic("a", 2)
    offsets = [
        log.append(Outgoing("a", numbered(5), partition=partition))[partition]
        for partition in range(2)
    ]
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.commit(covers(take(consumer, 10)))
    caught_up(consumer)
    done = log.committed("g", "a", 1)
    consumer.rewind({Part("a", 1): offsets[1][3]})
    assert offsets_of(take(consumer, 2)) == {Part("a", 1): list(offsets[1][3:])}
    assert log.committed("g", "a", 1) == done == log.bounds("a", 1)[1]
    assert consumer.lag() == {Part("a", 0): 0, Part("a", 1): 0}
    consumer.rewind({Part("a", 0): -1})
    consumer.rewind({Part("a", 1): log.bounds("a", 1)[1]})
    assert offsets_of(take(consumer, 5)) == {Part("a", 0): list(offsets[0])}
    quiet(consumer)


def test_a_rewind_to_where_nothing_can_be_is_refused(log: Log) -> None:
    log.create_topic("a")
    log.create_topic("b")
    log.append(Outgoing("a", [b"x"]))
    consumer = log.consumer("g", ["a"], instance="one")
    take(consumer, 1)
    end = log.bounds("a", 0)[1]
    with pytest.raises(LogError, match=f"it ends at {end}"):
        consumer.rewind({Part("a", 0): end + 1})
    with pytest.raises(LogError, match="b/0 was not subscribed to"):
        consumer.rewind({Part("b", 0): 0})


def test_paused_partitions_wait_until_they_are_resumed(log: Log) -> None:
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(2), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.pause([Part("a", 0)])
    assert values_of(take(consumer, 2)) == {Part("a", 1): numbered(2)}
    quiet(consumer)
    consumer.resume([Part("a", 0)])
    assert values_of(take(consumer, 2)) == {Part("a", 0): numbered(2)}
    with pytest.raises(LogError, match="not subscribed"):
        consumer.pause([Part("a", 2)])


def test_a_partition_that_is_paused_with_records_fetched_waits_too(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10)))
    consumer = log.consumer("g", ["a"], instance="one")
    assert take_values(consumer, 2) == numbered(2)
    consumer.pause([Part("a", 0)])
    quiet(consumer)
    consumer.rewind({Part("a", 0): 0})
    quiet(consumer)
    consumer.resume([Part("a", 0)])
    assert take_values(consumer, 10) == numbered(10)


def test_a_closed_consumer_says_so(log: Log) -> None:
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.close()
    consumer.close()
    with pytest.raises(LogError, match="closed"):
        poll(consumer)
    with pytest.raises(LogError, match="closed"):
        consumer.commit({})


def test_a_waiting_poll_wakes_for_another_threads_record(logs: Logs) -> None:
    log, other = logs.open(), logs.open()
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    found: list[RecordBatch] = []
    waiter = threading.Thread(target=lambda: found.extend(consumer.poll(10, 30_000, BYTES)))
    waiter.start()
    other.append(Outgoing("a", [b"x"]))
    waiter.join()
    assert [list(batch.values) for batch in found] == [[b"x"]]


def test_a_poll_waits_no_longer_than_it_was_told(log: Log) -> None:
    log.create_topic("a")
    consumer = log.consumer("g", ["a"], instance="one")
    assert consumer.poll(10, 5, BYTES) == []


def test_only_what_was_delivered_can_be_committed(log: Log) -> None:
    log.create_topic("a", 2)
    offsets = log.append(Outgoing("a", numbered(5)))[0]
    consumer = log.consumer("g", ["a"], instance="one")
    take(consumer, 2)
    with pytest.raises(Fenced, match="a/0"):
        consumer.commit({Part("a", 0): offsets[3]})
    assert log.committed("g", "a", 0) is None
    assert take_values(consumer, 5) == numbered(5)
    assert read_all(log, "a") == numbered(5)
