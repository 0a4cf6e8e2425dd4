"""What every log must do. Another log joins by a line in MAKERS; no test here may know which it is."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import Fenced, InvalidRecord, LogError, UnknownTopic
from modelstream.limits import (
    PARTITIONS_MAX,
    RECORD_BYTES_MAX,
    STORED_BATCH_BYTES_MAX,
    STORED_BATCH_RECORDS_MAX,
    TOPIC_NAME_CHARS_MAX,
)
from modelstream.log.base import Log
from modelstream.log.disk import DiskLog
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, RecordBatch
from modelstream.messages import TopicPartition as Part
from tests.support.logs import (
    BYTES,
    Logs,
    WoundClock,
    covers,
    poll,
    poll_values,
    read_all,
    settle,
)

Maker = Callable[[Path, WoundClock, ExitStack], Callable[[], Log]]


def memory(path: Path, clock: WoundClock, stack: ExitStack) -> Callable[[], Log]:
    log = MemoryLog(clock)
    return lambda: log


def disk(path: Path, clock: WoundClock, stack: ExitStack) -> Callable[[], Log]:
    return lambda: stack.enter_context(closing(DiskLog(path / "log", clock=clock)))


MAKERS: list[Maker] = [memory, disk]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logs]:
    clock = WoundClock()
    with ExitStack() as stack:
        yield Logs(request.param(tmp_path, clock, stack), clock)


@pytest.fixture
def log(logs: Logs) -> Log:
    return logs.open()


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [b"%d" % number for number in range(start, start + count)]


# -- topics ---------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a b", "a/b", "é", "a\n", "x" * (TOPIC_NAME_CHARS_MAX + 1)]
)
def test_a_name_that_kafka_refuses_is_refused(log: Log, name: str) -> None:
    with pytest.raises(LogError, match=r"use "):
        log.create_topic(name)
    assert log.topics() == {}


def test_the_longest_name_and_every_allowed_character_are_taken(log: Log) -> None:
    name = ("aZ0._-" * 50)[:TOPIC_NAME_CHARS_MAX]
    assert log.create_topic(name).name == name


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


def test_an_unknown_topic_is_named_with_those_that_are_there(log: Log) -> None:
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
        with pytest.raises(UnknownTopic, match=r"'gone'.*there"):
            call()


def test_an_unknown_partition_is_told(log: Log) -> None:
    log.create_topic("a", 2)
    for partition in (-1, 2):
        with pytest.raises(UnknownTopic, match="0 to 1"):
            log.read("a", partition, 0, 1, 1)
        with pytest.raises(UnknownTopic, match="0 to 1"):
            log.append(Outgoing("a", [b"x"], partition=partition))


# -- append and read ------------------------------------------------------------------------------


def test_records_come_back_in_order_with_their_offsets(log: Log) -> None:
    log.create_topic("a")
    assert log.append(Outgoing("a", numbered(3))) == {0: range(3)}
    assert log.append(Outgoing("a", numbered(2, 3))) == {0: range(3, 5)}
    batch = log.read("a", 0, 0, 100, BYTES)
    assert list(batch.values) == numbered(5)
    assert list(batch.offsets) == list(range(5))
    assert (batch.topic, batch.partition, batch.next_offset) == ("a", 0, 5)
    assert log.bounds("a", 0) == (0, 5)


def test_an_empty_append_writes_nothing(log: Log) -> None:
    log.create_topic("a")
    assert log.append(Outgoing("a", [])) == {}
    assert log.append(Outgoing("a", [], keys=[], timestamps=[], headers=[], partition=0)) == {}
    assert log.bounds("a", 0) == (0, 0)


def test_keys_timestamps_and_headers_come_back(log: Log) -> None:
    log.create_topic("a")
    headers = [[("trace", b"1"), ("trace", b"2")], [], [("empty", b"")]]
    log.append(
        Outgoing("a", numbered(3), [b"k", None, b""], timestamps=[30, 10, 20], headers=headers)
    )
    batch = log.read("a", 0, 0, 100, BYTES)
    assert batch.keys is not None
    assert batch.headers is not None
    assert list(batch.keys) == [b"k", None, b""]
    assert list(batch.timestamps) == [30, 10, 20]
    assert [list(pairs) for pairs in batch.headers] == headers


def test_a_record_without_a_time_has_the_clocks(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(2)))
    assert list(log.read("a", 0, 0, 2, BYTES).timestamps) == [logs.clock.now] * 2


def test_records_with_and_without_keys_and_headers_can_be_read_together(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", [b"0"]))
    log.append(Outgoing("a", [b"1"], [b"k"]))
    log.append(Outgoing("a", [b"2"], headers=[[("h", b"v")]]))
    batch = log.read("a", 0, 0, 100, BYTES)
    assert list(batch.values) == numbered(3)
    assert batch.keys is not None
    assert batch.headers is not None
    assert list(batch.keys) == [None, b"k", None]
    assert [list(pairs) for pairs in batch.headers] == [[], [], [("h", b"v")]]


def test_a_key_decides_the_partition_as_librdkafka_does(log: Log) -> None:
    log.create_topic("a", 4)
    keys: list[bytes | None] = [b"k%d" % (number % 10) for number in range(100)]
    keys[7] = None
    offsets = log.append(Outgoing("a", numbered(100), keys))
    assert sum(map(len, offsets.values())) == 100
    for partition in range(4):
        rows = [
            row
            for row, key in enumerate(keys)
            if (0 if key is None else crc32(key) % 4) == partition
        ]
        batch = log.read("a", partition, 0, 1000, BYTES)
        assert list(batch.values) == [b"%d" % row for row in rows]
        assert offsets.get(partition, range(0)) == range(len(rows))


def test_without_a_key_records_go_to_partition_0_and_a_named_partition_beats_the_key(
    log: Log,
) -> None:
    log.create_topic("a", 4)
    assert log.append(Outgoing("a", [b"x"])) == {0: range(1)}
    assert log.append(Outgoing("a", [b"x"] * 9, keys=numbered(9), partition=3)) == {3: range(9)}


def test_a_record_that_is_too_large_is_named_and_nothing_is_written(log: Log) -> None:
    log.create_topic("a", 2)
    fits = b"x" * (RECORD_BYTES_MAX - 1)
    log.append(Outgoing("a", [fits], [b"k"], partition=0))
    for outgoing in (
        Outgoing("a", [b"", b"x" * (RECORD_BYTES_MAX + 1)]),
        Outgoing("a", [b"", fits], [b"k", b"kk"]),
        Outgoing("a", [b"", fits], headers=[[], [("n", b"v")]]),
    ):
        with pytest.raises(InvalidRecord, match=r"record 1 .*make it smaller"):
            log.append(outgoing)
    assert (log.bounds("a", 0), log.bounds("a", 1)) == ((0, 1), (0, 0))


@pytest.mark.parametrize(
    "outgoing",
    [
        Outgoing("a", [b"", "text"]),  # type: ignore[list-item]
        Outgoing("a", [b"", b""], [b"k", 1]),  # type: ignore[list-item]
        Outgoing("a", [b"", b""], timestamps=[1, 1.5]),  # type: ignore[list-item]
        Outgoing("a", [b"", b""], timestamps=[1, -1]),
        Outgoing("a", [b"", b""], timestamps=[1, 2**63]),
        Outgoing("a", [b"", b""], headers=[[], [("n", "v")]]),  # type: ignore[list-item]
        Outgoing("a", [b"", b""], [b"k"]),
        Outgoing("a", [b"", b""], timestamps=[1]),
        Outgoing("a", [b"", b""], headers=[[]]),
    ],
)
def test_a_column_that_nobody_could_read_is_refused(log: Log, outgoing: Outgoing) -> None:
    log.create_topic("a")
    with pytest.raises(InvalidRecord, match=r"record 1|give|timestamp"):
        log.append(outgoing)
    assert log.bounds("a", 0) == (0, 0)


def test_what_the_caller_changes_afterwards_is_not_changed_on_the_log(log: Log) -> None:
    log.create_topic("a")
    values, keys = numbered(2), [b"k", b"l"]
    log.append(Outgoing("a", values, list(keys)))
    values[0] = keys[0] = b"changed"
    batch = log.read("a", 0, 0, 10, BYTES)
    assert list(batch.values) == numbered(2)


def test_a_read_keeps_to_its_limits_but_returns_one_record_at_least(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", [b"x" * 10] * 10, timestamps=list(range(10))))
    assert list(log.read("a", 0, 3, 4, BYTES).offsets) == [3, 4, 5, 6]
    assert list(log.read("a", 0, 3, 100, 25).timestamps) == [3, 4]
    assert list(log.read("a", 0, 3, 100, 30).offsets) == [3, 4, 5]
    one = log.read("a", 0, 9, 100, 1)
    assert (list(one.offsets), one.next_offset) == ([9], 10)


def test_a_read_at_the_end_is_empty(log: Log) -> None:
    log.create_topic("a")
    empty = log.read("a", 0, 0, 10, BYTES)
    assert (len(empty), list(empty.offsets), empty.next_offset) == (0, [], 0)
    log.append(Outgoing("a", numbered(3)))
    assert log.read("a", 0, 3, 10, BYTES).next_offset == 3
    assert len(log.read("a", 0, 3, 10, BYTES)) == 0


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(st.integers(1, 2 * STORED_BATCH_RECORDS_MAX + 1), min_size=1, max_size=4),
    data=st.data(),
)
def test_any_window_on_a_partition_is_what_was_appended(
    logs: Logs, sizes: list[int], data: st.DataObject
) -> None:
    log = logs.open()
    topic = f"t{len(log.topics())}"
    log.create_topic(topic)
    for size in sizes:
        start = log.bounds(topic, 0)[1]
        log.append(Outgoing(topic, numbered(size, start), timestamps=range(start, start + size)))
    offset = data.draw(st.integers(0, sum(sizes) - 1))
    count = data.draw(st.integers(1, sum(sizes)))
    wanted = range(offset, min(offset + count, sum(sizes)))
    batch = log.read(topic, 0, offset, count, BYTES)
    assert list(batch.offsets) == list(wanted)
    assert list(batch.values) == [b"%d" % number for number in wanted]
    assert list(batch.timestamps) == list(wanted)
    assert batch.next_offset == wanted.stop


def test_large_records_come_back_whole(log: Log) -> None:
    log.create_topic("a")
    values = [bytes([number]) * (STORED_BATCH_BYTES_MAX // 3) for number in range(8)]
    log.append(Outgoing("a", values))
    assert read_all(log, "a") == values
    assert list(log.read("a", 0, 2, 100, 2 * len(values[0])).values) == values[2:4]


# -- time, retention, compaction ------------------------------------------------------------------


def test_a_time_is_found_by_the_first_record_of_it_or_later(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3), timestamps=[100, 300, 200]))
    log.append(Outgoing("a", numbered(2), timestamps=[250, 400]))
    found = [log.offset_at("a", 0, time) for time in (0, 100, 101, 300, 301, 400, 401)]
    assert found == [0, 0, 1, 1, 4, 4, 5]


def test_deleted_records_are_gone_and_reading_goes_on_behind_them(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10), timestamps=list(range(10))))
    log.delete_before("a", 0, 4)
    assert log.bounds("a", 0) == (4, 10)
    assert list(log.read("a", 0, 0, 3, BYTES).offsets) == [4, 5, 6]
    assert log.offset_at("a", 0, 2) == 4
    log.delete_before("a", 0, 2)
    assert log.bounds("a", 0) == (4, 10)
    log.delete_before("a", 0, 99)
    assert log.bounds("a", 0) == (10, 10)
    assert log.append(Outgoing("a", [b"next"])) == {0: range(10, 11)}
    assert read_all(log, "a") == [b"next"]


def test_a_time_is_not_found_among_deleted_records(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3), timestamps=[100, 300, 200]))
    log.append(Outgoing("a", numbered(3), timestamps=[210, 250, 260]))
    log.delete_before("a", 0, 2)
    assert [log.offset_at("a", 0, time) for time in (150, 205, 250, 300)] == [2, 3, 4, 6]


def test_a_consumer_goes_on_behind_deleted_records(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10)))
    consumer = log.consumer("g", ["a"], instance="a")
    assert poll_values(consumer, 2) == numbered(2)
    log.delete_before("a", 0, 10)
    assert poll(consumer) == []
    assert consumer.lag() == {Part("a", 0): 0}
    log.append(Outgoing("a", [b"next"]))
    (batch,) = poll(consumer)
    assert (list(batch.offsets), batch.next_offset) == ([10], 11)


def test_records_past_their_retention_go_when_the_topic_is_written_to(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", retention_ms=1000)
    log.append(Outgoing("a", numbered(3)))
    logs.clock.wind(1000)
    log.append(Outgoing("a", numbered(1, 3)))
    assert read_all(log, "a") == numbered(4)
    logs.clock.wind(1)
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


def test_a_compacted_topic_refuses_a_record_without_a_key(log: Log) -> None:
    log.create_topic("a", compacted=True)
    for keys in (None, [b"k", None]):
        with pytest.raises(InvalidRecord, match=r"record [01] .*has no key"):
            log.append(Outgoing("a", numbered(2), keys))
    assert log.bounds("a", 0) == (0, 0)


# -- consumers ------------------------------------------------------------------------------------


def test_a_consumer_reads_every_partition_from_the_first_record(log: Log) -> None:
    log.create_topic("a", 3)
    log.create_topic("b")
    for topic, partition in (("a", 0), ("a", 2), ("b", 0)):
        log.append(Outgoing(topic, numbered(5), partition=partition))
    consumer = log.consumer("g", ["a", "b"], instance="one")
    batches = poll(consumer)
    assert {batch.source: list(batch.values) for batch in batches} == {
        Part("a", 0): numbered(5),
        Part("a", 2): numbered(5),
        Part("b", 0): numbered(5),
    }
    assert consumer.assignment() == {Part("a", 0), Part("a", 1), Part("a", 2), Part("b", 0)}
    assert poll(consumer) == []


def test_a_poll_keeps_to_its_limits_in_total(log: Log) -> None:
    log.create_topic("a", 4)
    for partition in range(4):
        log.append(Outgoing("a", [b"x" * 100] * 10, partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    assert sum(map(len, consumer.poll(25, 0, BYTES))) == 25
    assert sum(map(len, consumer.poll(100, 0, 750))) == 7
    assert sum(map(len, consumer.poll(100, 0, 1))) == 1
    assert sum(map(len, consumer.poll(100, 0, BYTES))) == 7


def test_no_partition_starves_behind_a_full_one(log: Log) -> None:
    log.create_topic("a", 3)
    log.append(Outgoing("a", numbered(1000), partition=0))
    for partition in (1, 2):
        log.append(Outgoing("a", numbered(1), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    served = [batch.partition for _ in range(3) for batch in poll(consumer, 10)]
    assert set(served) == {0, 1, 2}


def test_a_partition_is_delivered_in_order_and_without_a_gap(log: Log) -> None:
    log.create_topic("a", 2)
    for start in range(0, 50, 5):
        for partition in range(2):
            log.append(Outgoing("a", numbered(5, start), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    seen: dict[int, list[int]] = {0: [], 1: []}
    while batches := poll(consumer, 7):
        for batch in batches:
            seen[batch.partition].extend(batch.offsets)
    assert seen == {0: list(range(50)), 1: list(range(50))}


def test_a_commit_appends_and_moves_in_one_step(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("in", 2)
    log.create_topic("out", 2)
    log.append(Outgoing("in", numbered(10), partition=1))
    consumer = log.consumer("g", ["in"], instance="one")
    assert log.committed("g", "in", 1) is None
    batches = poll(consumer, 4)
    consumer.commit(covers(batches), [Outgoing("out", batches[0].values, partition=1)])
    other = logs.open()
    assert other.committed("g", "in", 1) == 4
    assert other.committed("g", "in", 0) is None
    assert other.committed("h", "in", 1) is None
    assert read_all(other, "out", 1) == numbered(4)
    assert consumer.lag() == {Part("in", 0): 0, Part("in", 1): 6}


def test_a_part_of_a_batch_can_be_committed(log: Log) -> None:
    log.create_topic("in")
    log.append(Outgoing("in", numbered(10)))
    consumer = log.consumer("g", ["in"], instance="one")
    poll(consumer)
    consumer.commit({Part("in", 0): 3})
    consumer.commit({Part("in", 0): 7})
    assert log.committed("g", "in", 0) == 7
    assert poll(consumer) == []


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
    batches = poll(consumer)
    with pytest.raises((UnknownTopic, InvalidRecord)):
        consumer.commit(covers(batches), [Outgoing("out", [b"good"]), bad])
    assert log.bounds("out", 0) == (0, 0)
    assert log.committed("g", "in", 0) is None
    consumer.commit(covers(batches), [Outgoing("out", [b"good"])])
    assert read_all(log, "out") == [b"good"]


def test_a_commit_without_positions_is_an_atomic_append(log: Log) -> None:
    log.create_topic("a")
    log.create_topic("b")
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.commit({}, [Outgoing("a", [b"1"]), Outgoing("b", [b"2"])])
    assert (read_all(log, "a"), read_all(log, "b")) == ([b"1"], [b"2"])


def test_a_successor_goes_on_at_the_committed_position(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(10)))
    first = log.consumer("g", ["a"], instance="one")
    first.commit(covers(poll(first, 4)))
    poll(first, 4)
    first.close()
    second = log.consumer("g", ["a"], instance="two")
    assert poll_values(second) == numbered(6, 4)


def test_groups_know_nothing_of_each_other(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3)))
    for group in ("g", "h"):
        consumer = log.consumer(group, ["a"], instance="one")
        assert poll_values(consumer) == numbered(3)


def test_rewound_partitions_are_delivered_again(log: Log) -> None:
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.commit(covers(poll(consumer)))
    consumer.rewind({Part("a", 1): 3})
    (batch,) = poll(consumer)
    assert (batch.partition, list(batch.offsets)) == (1, [3, 4])
    assert log.committed("g", "a", 1) == 5
    assert consumer.lag() == {Part("a", 0): 0, Part("a", 1): 0}
    consumer.rewind({Part("a", 0): -1})
    consumer.rewind({Part("a", 1): 5})
    (batch,) = poll(consumer)
    assert (batch.partition, list(batch.offsets)) == (0, [0, 1, 2, 3, 4])


def test_a_rewind_to_where_nothing_can_be_is_refused(log: Log) -> None:
    log.create_topic("a")
    log.create_topic("b")
    consumer = log.consumer("g", ["a"], instance="one")
    with pytest.raises(LogError, match="it ends at 0"):
        consumer.rewind({Part("a", 0): 1})
    with pytest.raises(LogError, match="b/0 was not subscribed to"):
        consumer.rewind({Part("b", 0): 0})


def test_paused_partitions_wait_until_they_are_resumed(log: Log) -> None:
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(2), partition=partition))
    consumer = log.consumer("g", ["a"], instance="one")
    consumer.pause([Part("a", 0)])
    assert [batch.partition for batch in poll(consumer)] == [1]
    assert poll(consumer) == []
    consumer.resume([Part("a", 0)])
    assert [batch.partition for batch in poll(consumer)] == [0]
    with pytest.raises(LogError, match="not subscribed"):
        consumer.pause([Part("a", 2)])


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


# -- members --------------------------------------------------------------------------------------


def test_members_share_the_partitions(logs: Logs) -> None:
    logs.open().create_topic("a", 7)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    shares = [member.assignment() for member in members]
    assert sorted(map(len, shares)) == [2, 2, 3]
    assert len(frozenset().union(*shares)) == 7


def test_more_members_than_partitions_leave_some_without(logs: Logs) -> None:
    logs.open().create_topic("a", 2)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    assert sorted(len(member.assignment()) for member in members) == [0, 1, 1]


def test_who_stays_keeps_what_it_can(logs: Logs) -> None:
    logs.open().create_topic("a", 6)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    before = [member.assignment() for member in members]
    members.pop(1).close()
    settle(*members)
    assert members[0].assignment() >= before[0]
    assert members[1].assignment() >= before[2]
    assert len(members[0].assignment() | members[1].assignment()) == 6


def test_a_partition_moves_between_two_batches_of_a_living_member(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = poll(one)
    two = logs.open().consumer("g", ["a"], instance="two")
    assert poll(two) == []
    one.commit(covers(batches))
    settle(one, two)
    assert (len(one.assignment()), len(two.assignment())) == (1, 1)
    assert poll(one) == poll(two) == []


def test_a_silent_member_loses_its_partitions_and_is_fenced(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("in")
    log.create_topic("out")
    log.append(Outgoing("in", numbered(10)))
    silent = log.consumer("g", ["in"], instance="silent")
    silent.commit(covers(poll(silent, 2)))
    late = poll(silent, 3)
    heir = logs.open().consumer("g", ["in"], instance="heir")
    assert poll(heir) == []
    logs.lapse()
    taken = poll(heir, 4)
    assert list(taken[0].values) == numbered(4, 2)
    with pytest.raises(Fenced, match="in/0"):
        silent.commit(covers(late), [Outgoing("out", [b"twice"])])
    assert log.bounds("out", 0) == (0, 0)
    assert log.committed("g", "in", 0) == 2
    heir.commit(covers(taken))
    assert log.committed("g", "in", 0) == 6
    assert poll(silent) == []
    heir.close()
    assert poll_values(silent) == numbered(4, 6)


def test_a_fenced_member_is_given_what_it_still_has_from_the_committed_position(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = poll(one)
    two = logs.open().consumer("g", ["a"], instance="two")
    poll(one)  # lets go of a partition with a batch in hand
    settle(two)
    with pytest.raises(Fenced):
        one.commit(covers(batches))
    (kept,) = poll(one)
    assert list(kept.values) == numbered(5)
    one.commit(covers([kept]))


def test_a_lease_that_ran_out_and_was_not_taken_over_still_commits(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    slow = log.consumer("g", ["a"], instance="slow")
    batches = poll(slow, 3)
    logs.lapse()
    slow.commit(covers(batches))
    other = logs.open().consumer("g", ["a"], instance="other")
    assert poll(other) == []  # the commit renewed the lease
    assert poll_values(slow) == numbered(2, 3)


def test_a_member_that_heartbeats_keeps_its_lease(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3)))
    busy = log.consumer("g", ["a"], instance="busy")
    batches = poll(busy)
    other = logs.open().consumer("g", ["a"], instance="other")
    for _ in range(20):
        logs.clock.wind(1000)
        assert poll(busy) == poll(other) == []
    busy.commit(covers(batches))
    assert log.committed("g", "a", 0) == 3


def test_a_clock_that_is_set_back_takes_nothing_from_living_members(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(3), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    two = log.consumer("g", ["a"], instance="two")
    settle(one, two)
    batches = poll(one)
    logs.clock.wind(-3_600_000)
    one.commit(covers(batches))
    settle(one, two)
    assert len(one.assignment()) == len(two.assignment()) == 1


def test_a_consumer_of_the_same_instance_takes_over_at_once(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    zombie = log.consumer("g", ["a"], instance="one")
    batches = poll(zombie)
    restarted = logs.open().consumer("g", ["a"], instance="one")
    assert poll_values(restarted) == numbered(5)
    with pytest.raises(Fenced):
        zombie.commit(covers(batches))
    with pytest.raises(LogError, match="an instance name of its own") as error:
        poll(zombie)
    assert not isinstance(error.value, Fenced)
    restarted.commit({Part("a", 0): 5})


def test_a_batch_from_an_earlier_lease_cannot_be_committed_under_a_later_one(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    one = log.consumer("g", ["a"], instance="one")
    stale = poll(one)
    logs.lapse()
    two = logs.open().consumer("g", ["a"], instance="two")
    two.commit(covers(poll(two)))
    two.close()
    settle(one)
    assert one.assignment() == {Part("a", 0)}
    log.append(Outgoing("a", numbered(3, 5)))
    with pytest.raises(Fenced, match="earlier lease"):
        one.commit({stale[0].source: 4})
    assert log.committed("g", "a", 0) == 5
    assert poll_values(one) == numbered(3, 5)


def test_only_what_was_delivered_can_be_committed(log: Log) -> None:
    log.create_topic("a", 2)
    log.append(Outgoing("a", numbered(5)))
    consumer = log.consumer("g", ["a"], instance="one")
    poll(consumer, 2)
    with pytest.raises(Fenced, match="a/0"):
        consumer.commit({Part("a", 0): 3})
    assert log.committed("g", "a", 0) is None
    assert poll_values(consumer) == numbered(5)


def test_members_of_other_topics_do_not_take_a_share(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    log.create_topic("b", 2)
    one = log.consumer("g", ["a"], instance="one")
    two = log.consumer("g", ["b"], instance="two")
    settle(one, two)
    assert one.assignment() == {Part("a", 0), Part("a", 1)}
    assert two.assignment() == {Part("b", 0), Part("b", 1)}


def test_threads_that_produce_consume_and_come_and_go_lose_and_double_nothing(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("in", 4)
    log.create_topic("out", 4)
    total = 4 * 250

    def produce(partition: int) -> None:
        own = logs.open()
        for start in range(0, 250, 10):
            own.append(Outgoing("in", numbered(10, start), partition=partition))

    def consume(name: str, turns: int) -> None:
        consumer = logs.open().consumer("g", ["in"], instance=name)
        while turns > 0 and sum(log.bounds("out", part)[1] for part in range(4)) < total:
            batches = consumer.poll(17, 20, BYTES)
            results = [
                Outgoing("out", batch.values, partition=batch.partition) for batch in batches
            ]
            try:
                consumer.commit(covers(batches), results)
            except Fenced:
                continue
            turns -= 1
        consumer.close()

    threads = [threading.Thread(target=produce, args=(part,)) for part in range(4)]
    threads += [threading.Thread(target=consume, args=(f"brief{n}", 5)) for n in range(3)]
    threads += [threading.Thread(target=consume, args=(f"long{n}", 10**6)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for partition in range(4):
        assert read_all(log, "out", partition) == numbered(250)


# -- artifacts ------------------------------------------------------------------------------------


def test_artifacts_are_kept_by_their_digest(logs: Logs) -> None:
    log = logs.open()
    digest = log.blobs.put(b"model")
    assert digest == "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    assert log.blobs.put(b"model") == digest
    assert logs.open().blobs.get(digest) == b"model"
    assert log.blobs.get("0" * 64) is None
