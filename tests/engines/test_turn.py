"""Record batches to rows and back to partitions."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.effects import Answer, Refusal
from modelstream.engines.turn import as_core_batch, begin, messages_of
from modelstream.limits import RECORD_BYTES_MAX, REJECT_VALUE_BYTES_MAX
from modelstream.messages import Failure, ModelStamp, RecordBatch, Reject, Result, Rows, VersionId
from modelstream.wire.json import read_field
from modelstream.wire.results import ResultWriter

STAMP = ModelStamp("m", "1", "d" * 64, 7, 1.5)
WRITER = ResultWriter(["y"])


def batch(topic: str, partition: int, start: int, values: list[bytes]) -> RecordBatch:
    offsets = range(start, start + len(values))
    stamps = [1000 + offset for offset in offsets]
    return RecordBatch(topic, partition, offsets, values, stamps, next_offset=offsets.stop)


def answer(rows: Rows) -> Answer:
    return Answer("wine", rows, {"y": np.array(rows, dtype=float)}, STAMP, VersionId("a", "1"))


def test_rows_are_numbered_through_all_batches() -> None:
    turn = begin(4, [batch("a", 0, 5, [b"1", b"2"]), batch("b", 1, 9, [b"3"])])
    assert turn.slices == (range(2), range(2, 3))
    assert list(turn.values) == [b"1", b"2", b"3"]
    assert list(turn.positions()) == [("a", 0, 5), ("a", 0, 6), ("b", 1, 9)]


def test_batches_of_one_data_type_are_one_range() -> None:
    turn = begin(4, [batch("a", 0, 0, [b"1", b"2"]), batch("a", 1, 0, [b"3"])])
    core = as_core_batch(turn, lambda _: "wine", {})
    (group,) = core.groups
    assert group.rows == range(3)
    assert (core.id, core.slices) == (4, turn.slices)


def test_batches_of_two_data_types_are_two_groups() -> None:
    turn = begin(4, [batch("a", 0, 0, [b"1"]), batch("b", 0, 0, [b"2"]), batch("a", 1, 0, [b"3"])])
    core = as_core_batch(turn, {"a": "wine", "b": "beer"}.__getitem__, {})
    assert {group.data_type: list(group.rows) for group in core.groups} == {
        "wine": [0, 2],
        "beer": [1],
    }


def test_records_name_their_data_type() -> None:
    values = [b'{"k":"wine"}', b'{"k":"beer"}', b'{"k":"wine"}', b"?", b'{"z":1}', b'{"k":1}']
    core = as_core_batch(begin(4, [batch("a", 0, 0, values)]), lambda _: read_field("k"), {})
    assert {group.data_type: list(group.rows) for group in core.groups} == {
        "wine": [0, 2],
        "beer": [1],
    }
    assert {row: failure.reason for row, failure in core.failures.items()} == {
        3: "not_json",
        4: "no_data_type",
        5: "no_data_type",
    }


def test_a_record_over_the_limit_is_taken_out() -> None:
    values = [b"{}", b" " * (RECORD_BYTES_MAX + 1), b"{}"]
    core = as_core_batch(begin(4, [batch("a", 0, 0, values)]), lambda _: "wine", {})
    assert list(core.groups[0].rows) == [0, 2]
    assert core.failures[1].reason == "too_large"


def test_a_record_that_is_nested_too_deep_is_taken_out() -> None:
    deep = b'{"x":1,"z":' + b"[" * 600 + b"]" * 600 + b"}"
    core = as_core_batch(begin(4, [batch("a", 0, 0, [b"{}", deep])]), lambda _: "wine", {})
    assert list(core.groups[0].rows) == [0]
    assert core.failures[1].reason == "not_json"


def test_an_answer_to_all_rows_is_the_outcome() -> None:
    turn = begin(4, [batch("a", 3, 5, [b'{"x":1}', b'{"x":2}'])])
    turn.answer(answer(range(2)), WRITER, echo=True)
    results, rejects = messages_of(turn, range(2))
    assert rejects == []
    assert [result.offset for result in results] == [5, 6]
    assert results[1].outputs["y"] == 1.0
    assert msgspec.json.decode(msgspec.json.encode(results[0])) == {
        "outputs": {"y": 0.0},
        "model": {"name": "m", "version": "1", "digest": "d" * 64, "as_of": 7, "took_us": 1.5},
        "data_type": "wine",
        "topic": "a",
        "partition": 3,
        "offset": 5,
        "timestamp": 1005,
        "record": {"x": 1},
    }


def test_without_echo_the_record_is_left_out() -> None:
    turn = begin(4, [batch("a", 0, 0, [b"{}"])])
    turn.answer(answer(range(1)), WRITER, echo=False)
    assert turn.outcomes[0].record is None


def test_results_and_rejects_stand_in_their_records_order() -> None:
    turn = begin(4, [batch("a", 0, 0, [b"0", b"1", b"2"]), batch("a", 1, 0, [b"3"])])
    turn.answer(answer([0, 2, 3]), WRITER, echo=False)
    turn.refuse(1, Refusal("wine", 7, Failure("wrong_type", "text")))
    results, rejects = messages_of(turn, turn.slices[0])
    assert [result.offset for result in results] == [0, 2]
    assert [(reject.offset, reject.reason, reject.value) for reject in rejects] == [
        (1, "wrong_type", b"1")
    ]
    assert [result.partition for result in messages_of(turn, turn.slices[1])[0]] == [1]


def test_a_reject_keeps_the_record_up_to_a_limit() -> None:
    value = b"x" * (REJECT_VALUE_BYTES_MAX + 10)
    turn = begin(4, [batch("a", 0, 0, [value])])
    turn.refuse(0, Refusal(None, 3, Failure("not_json", "no")))
    reject = turn.outcomes[0]
    assert isinstance(reject, Reject)
    assert (len(reject.value), reject.value_bytes) == (REJECT_VALUE_BYTES_MAX, len(value))
    assert (reject.as_of, reject.data_type, reject.timestamp) == (3, None, 1000)


@pytest.mark.parametrize(
    ("value", "kept"), [({"x": 1}, b'{"x":1}'), ({"x": object}, b"<class 'object'>")]
)
def test_a_reject_of_an_object_keeps_its_text(value: object, kept: bytes) -> None:
    turn = begin(4, [RecordBatch("a", 0, range(1), [value], [0], next_offset=1)])  # type: ignore[list-item]
    turn.refuse(0, Refusal(None, 3, Failure("wrong_type", "no")))
    assert kept in turn.outcomes[0].value


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=4))
def test_whatever_fails_every_partition_gets_its_own_in_order(fails: list[list[bool]]) -> None:
    turn = begin(4, [batch("a", part, 0, [b"{}"] * len(rows)) for part, rows in enumerate(fails)])
    flat = [failed for rows in fails for failed in rows]
    good = [row for row, failed in enumerate(flat) if not failed]
    rows: Rows = range(len(flat)) if len(good) == len(flat) else good
    if good:
        turn.answer(answer(rows), WRITER, echo=True)
    for row, failed in enumerate(flat):
        if failed:
            turn.refuse(row, Refusal("wine", 0, Failure("not_json", "no")))
    for part, part_rows in enumerate(turn.slices):
        results, rejects = messages_of(turn, part_rows)
        assert all(isinstance(result, Result) for result in results)
        assert [result.offset for result in results] == [
            offset for offset, failed in enumerate(fails[part]) if not failed
        ]
        ends: list[Result | Reject] = [*results, *rejects]
        assert {each.partition for each in ends} == {part}
        assert len(results) + len(rejects) == len(part_rows)
