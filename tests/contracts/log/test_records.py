"""What every log must do with records that are appended and read.

Offsets rise, and are not without gaps on every log: a test names those that `append` returned.
"""

from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidRecord
from modelstream.limits import (
    RECORD_BYTES_MAX,
    STORED_BATCH_BYTES_MAX,
    STORED_BATCH_RECORDS_MAX,
)
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from tests.support.logs import BYTES, Logs, numbered, read_all, window
from tests.support.waiting import eventually


def test_records_come_back_in_order_with_their_offsets(log: Log) -> None:
    log.create_topic("a")
    assert log.bounds("a", 0) == (0, 0)
    first = log.append(Outgoing("a", numbered(3)))
    second = log.append(Outgoing("a", numbered(2, 3)))
    offsets = [*first[0], *second[0]]
    assert (set(first), set(second), len(offsets)) == ({0}, {0}, 5)
    assert offsets == sorted(set(offsets))
    batch = window(log, "a")
    assert list(batch.values) == numbered(5)
    assert list(batch.offsets) == offsets
    assert (batch.topic, batch.partition) == ("a", 0)
    start, end = log.bounds("a", 0)
    assert start == offsets[0] == 0
    assert offsets[-1] < batch.next_offset <= end


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
    batch = window(log, "a")
    assert batch.keys is not None
    assert batch.headers is not None
    assert list(batch.keys) == [b"k", None, b""]
    assert list(batch.timestamps) == [30, 10, 20]
    assert [list(pairs) for pairs in batch.headers] == headers


def test_a_record_without_a_time_has_the_clocks(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    before = logs.clock()
    log.append(Outgoing("a", numbered(2)))
    one, other = window(log, "a").timestamps
    assert before <= one == other <= logs.clock()


def test_an_empty_value_comes_back(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", [b"", b"x"], [b"k", None]))
    assert list(window(log, "a").values) == [b"", b"x"]


def test_records_with_and_without_keys_and_headers_can_be_read_together(log: Log) -> None:
    log.create_topic("a")
    log.append(Outgoing("a", [b"0"]))
    log.append(Outgoing("a", [b"1"], [b"k"]))
    log.append(Outgoing("a", [b"2"], headers=[[("h", b"v")]]))
    batch = window(log, "a")
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
        batch = window(log, "a", partition)
        assert list(batch.values) == [b"%d" % row for row in rows]
        assert list(batch.offsets) == list(offsets.get(partition, ()))


def test_without_a_key_records_go_to_partition_0_and_a_named_partition_beats_the_key(
    log: Log,
) -> None:
    log.create_topic("a", 4)
    assert log.append(Outgoing("a", [b"x"])).keys() == {0}
    named = log.append(Outgoing("a", [b"x"] * 9, keys=numbered(9), partition=3))
    assert {partition: len(offsets) for partition, offsets in named.items()} == {3: 9}


def test_a_record_that_is_too_large_is_named_and_nothing_is_written(log: Log) -> None:
    log.create_topic("a", 2)
    fits = b"x" * (RECORD_BYTES_MAX - 1)
    log.append(Outgoing("a", [fits], [b"k"], partition=0))
    before = log.bounds("a", 0)
    for outgoing in (
        Outgoing("a", [b"", b"x" * (RECORD_BYTES_MAX + 1)]),
        Outgoing("a", [b"", fits], [b"k", b"kk"]),
        Outgoing("a", [b"", fits], headers=[[], [("n", b"v")]]),
    ):
        with pytest.raises(InvalidRecord, match=r"record 1 .*make it smaller"):
            log.append(outgoing)
    assert (log.bounds("a", 0), log.bounds("a", 1)) == (before, (0, 0))
    assert read_all(log, "a") == [fits]


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
    batch = window(log, "a")
    assert list(batch.values) == numbered(2)


def test_a_read_keeps_to_its_limits_but_returns_one_record_at_least(log: Log) -> None:
    log.create_topic("a")
    offsets = log.append(Outgoing("a", [b"x" * 10] * 10, timestamps=list(range(1, 11))))[0]
    assert list(window(log, "a", 0, offsets[3], 4).offsets) == list(offsets[3:7])
    assert list(log.read("a", 0, offsets[3], 100, 25).timestamps) in ([4], [4, 5])
    assert len(log.read("a", 0, offsets[3], 100, 30)) in {1, 2, 3}
    one = log.read("a", 0, offsets[9], 100, 1)
    assert list(one.offsets) == [offsets[9]]
    assert offsets[9] < one.next_offset <= log.bounds("a", 0)[1]


def test_what_was_appended_arrives_by_itself(log: Log) -> None:
    log.create_topic("a")
    seen: list[bytes] = []
    offset = 0

    def follow() -> int:
        nonlocal offset
        batch = log.arrived("a", 0, offset, 2, BYTES)
        assert len(batch) <= 2
        seen.extend(batch.values)
        offset = batch.next_offset
        return len(seen)

    assert follow() == 0
    log.append(Outgoing("a", numbered(3)))
    eventually(lambda: follow() == 3)
    log.append(Outgoing("a", numbered(2, 3)))
    eventually(lambda: follow() == 5)
    assert seen == numbered(5)
    assert offset <= log.bounds("a", 0)[1]


def test_a_read_at_the_end_is_empty(log: Log) -> None:
    log.create_topic("a")
    empty = log.read("a", 0, 0, 10, BYTES)
    assert (len(empty), list(empty.offsets), empty.next_offset) == (0, [], 0)
    log.append(Outgoing("a", numbered(3)))
    end = log.bounds("a", 0)[1]
    at_end = log.read("a", 0, end, 10, BYTES)
    assert (len(at_end), at_end.next_offset) == (0, end)
    log.append(Outgoing("a", [b"next"]))
    assert list(log.read("a", 0, end, 10, BYTES).values) == [b"next"]


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
    log: Log, sizes: list[int], data: st.DataObject
) -> None:
    topic = f"t{len(log.topics())}"
    log.create_topic(topic)
    offsets: list[int] = []
    for size in sizes:
        low = len(offsets)
        outgoing = Outgoing(topic, numbered(size, low), timestamps=range(low + 1, low + size + 1))
        offsets += log.append(outgoing)[0]
    first = data.draw(st.integers(0, sum(sizes) - 1))
    count = data.draw(st.integers(1, sum(sizes)))
    wanted = range(first, min(first + count, sum(sizes)))
    batch = window(log, topic, 0, offsets[first], count)
    assert list(batch.offsets) == offsets[first : wanted.stop]
    assert list(batch.values) == [b"%d" % number for number in wanted]
    assert list(batch.timestamps) == [number + 1 for number in wanted]
    beyond = [*offsets, log.bounds(topic, 0)[1]][wanted.stop]
    assert batch.offsets[-1] < batch.next_offset <= beyond


def test_large_records_come_back_whole(log: Log) -> None:
    log.create_topic("a")
    values = [bytes([number]) * (STORED_BATCH_BYTES_MAX // 3) for number in range(8)]
    offsets = log.append(Outgoing("a", values))[0]
    assert read_all(log, "a") == values
    some = list(log.read("a", 0, offsets[2], 100, 2 * len(values[0])).values)
    assert some in (values[2:3], values[2:4])
