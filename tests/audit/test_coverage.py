"""Complete, once, in order: what is missing, twice, or out of place is found, and nothing else."""

import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.audit import verify
from modelstream.audit.coverage import Missing
from modelstream.flow import Flow
from modelstream.limits import AUDIT_FINDINGS_MAX
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, RecordBatch
from tests.support.artifacts import adder
from tests.support.audits import (
    RECORDS,
    REJECTS,
    RESULTS,
    Message,
    answer_all,
    broken,
    long_story,
    messages,
    tampered,
    verified,
    with_more,
    without,
)
from tests.support.flows import Rig


@pytest.fixture(scope="module")
def long() -> Rig:
    return long_story(5200)


# -- complete ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("index", "offset"), [(0, 0), (3, 3), (14, 16)])
def test_a_result_that_is_missing_is_found(story: Rig, index: int, offset: int) -> None:
    report = verified(story, {RESULTS: without(index)})
    assert broken(report) == [("complete", f"{RECORDS}/0/{offset}")]


def test_a_reject_that_is_missing_is_found(story: Rig) -> None:
    report = verified(story, {REJECTS: without(1)})
    assert broken(report) == [("complete", f"{RECORDS}/0/6")]


def test_a_committed_position_without_any_outcome_is_found_record_by_record(story: Rig) -> None:
    report = verified(story, {RESULTS: lambda _: [], REJECTS: lambda _: []})
    assert broken(report) == [("complete", f"{RECORDS}/0/{offset}") for offset in range(17)]


def test_results_beyond_the_committed_position_are_found(story: Rig) -> None:
    report = verified(story, {}, committed=15)
    assert broken(report) == [("complete", f"{RECORDS}/0/{offset}") for offset in (15, 16)]
    assert "only what is below 15 is committed" in report.findings[0].detail


def test_a_result_of_a_record_that_never_was_is_found(story: Rig) -> None:
    ghost = messages(story.log, RESULTS)[-1].saying(offset=400)
    report = verified(story, {RESULTS: with_more(ghost.value)})
    assert broken(report) == [("complete", f"{RECORDS}/0/400")]


class Gappy(MemoryLog):
    """A log that keeps a mark of its own at offset 3, as Kafka does after a transaction."""

    def read(
        self, topic: str, partition: int, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        batch = super().read(topic, partition, offset, max_records, max_bytes)
        if topic != RECORDS:
            return batch
        kept = [row for row, at in enumerate(batch.offsets) if at != 3]
        return replace(
            batch,
            offsets=[batch.offsets[row] for row in kept],
            values=[batch.values[row] for row in kept],
            timestamps=[batch.timestamps[row] for row in kept],
            keys=None,
        )


def gappy(log: MemoryLog) -> Gappy:
    gappy = Gappy()
    gappy._state, gappy.blobs = log._state, log.blobs
    return gappy


def test_an_offset_without_a_record_needs_no_outcome_and_may_have_none(story: Rig) -> None:
    assert verify(gappy(tampered(story, {RESULTS: without(3)})), story.flow).ok
    report = verify(gappy(tampered(story, {})), story.flow)
    assert broken(report) == [("complete", f"{RECORDS}/0/3")]
    assert "no record stands there" in report.findings[0].detail


@pytest.mark.parametrize("topic", ["beer.records", ""])
def test_a_result_of_another_flows_record_is_found(story: Rig, topic: str) -> None:
    ghost = messages(story.log, RESULTS)[-1].saying(topic=topic)
    report = verified(story, {RESULTS: with_more(ghost.value)})
    assert broken(report) == [("complete", f"{RESULTS}/0/15")]
    assert "no record of this flow" in report.findings[0].detail


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[" * 3000, b'{"offset": 1e99}'])
def test_a_message_that_is_no_outcome_is_found(story: Rig, value: bytes) -> None:
    report = verified(story, {RESULTS: with_more(value), REJECTS: with_more(value)})
    assert broken(report) == [("complete", f"{RESULTS}/0/15"), ("complete", f"{REJECTS}/0/2")]


def test_a_result_nested_too_deeply_to_be_read_is_found(story: Rig) -> None:
    depth = sys.getrecursionlimit() + 100
    said = b'"record": ' + b"[" * depth + b"]" * depth
    deep = messages(story.log, RESULTS)[-1].value.replace(b'"record":{"x": 16.0}', said)
    assert len(deep) > depth
    report = verified(story, {RESULTS: with_more(deep)})
    assert broken(report) == [("complete", f"{RESULTS}/0/15")]
    assert "recursion" in report.findings[0].detail


@pytest.mark.parametrize(
    "fields", [{"offset": 2**63}, {"offset": -1}, {"model_as_of": 2**70}, {"model_as_of": -2}]
)
def test_an_offset_that_no_log_can_have_is_no_outcome(story: Rig, fields: Any) -> None:
    ghost = messages(story.log, RESULTS)[-1].saying(**fields)
    report = verified(story, {RESULTS: with_more(ghost.value)})
    assert broken(report) == [("complete", f"{RESULTS}/0/15")]


def test_more_findings_than_a_report_tells_are_counted(long: Rig) -> None:
    report = verified(long, {RESULTS: lambda found: found[2400:]})
    assert report.counts["complete"] == 2400
    assert len(report.findings) == AUDIT_FINDINGS_MAX
    assert not report.ok


# -- once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("index", "offset"), [(0, 0), (3, 3), (14, 16)])
def test_a_result_that_stands_twice_is_found(story: Rig, index: int, offset: int) -> None:
    report = verified(story, {RESULTS: lambda found: found[: index + 1] + found[index:]})
    assert broken(report) == [("once", f"{RECORDS}/0/{offset}")]


def test_a_result_that_comes_again_at_the_end_is_found(story: Rig) -> None:
    report = verified(story, {RESULTS: lambda found: [*found, found[2]]})
    assert broken(report) == [("once", f"{RECORDS}/0/2")]


def test_a_result_that_comes_again_batches_later_is_found(long: Rig) -> None:
    report = verified(long, {RESULTS: lambda found: [*found, found[2]]})
    assert broken(report) == [("once", f"{RECORDS}/0/2")]


def test_a_record_with_a_result_and_a_reject_is_found(story: Rig) -> None:
    also = messages(story.log, REJECTS)[0].saying(offset=12, as_of=3)
    log = tampered(story, {REJECTS: with_more(also.value)})
    assert broken(verify(log, story.flow, rescore=False)) == [("once", f"{RECORDS}/0/12")]


# -- in order ------------------------------------------------------------------------------------


def test_two_results_that_changed_places_are_found(story: Rig) -> None:
    report = verified(story, {RESULTS: lambda found: [*found[:2], found[3], found[2], *found[4:]]})
    assert broken(report) == [("in_order", f"{RECORDS}/0/2")]


def test_two_rejects_that_changed_places_are_found(story: Rig) -> None:
    report = verified(story, {REJECTS: lambda found: found[::-1]})
    assert broken(report) == [("in_order", f"{RECORDS}/0/5")]


def test_a_result_that_came_late_is_out_of_order_and_not_missing(story: Rig) -> None:
    report = verified(story, {RESULTS: lambda found: [*found[1:], found[0]]})
    assert broken(report) == [("in_order", f"{RECORDS}/0/0")]


def test_a_result_that_came_batches_too_late_is_found_and_still_scored_again(long: Rig) -> None:
    def late(**fields: Any) -> list[tuple[str, str]]:
        report = verified(
            long,
            {RESULTS: lambda found: [*found[:5], *found[6:], found[5].saying(**fields)]},
        )
        assert report.figures.rescored == 5200
        return broken(report)

    assert late() == [("in_order", f"{RECORDS}/0/5")]
    assert late(outputs={"score": 0.5}) == [
        ("in_order", f"{RECORDS}/0/5"),
        ("reproducible", f"{RECORDS}/0/5"),
    ]


def test_a_result_that_came_batches_too_early_puts_those_after_it_out_of_order(long: Rig) -> None:
    report = verified(long, {RESULTS: lambda found: [found[5000], *found[:5000], *found[5001:]]})
    assert report.counts["in_order"] == sum(report.counts.values()) == 5000


def test_a_result_in_another_partition_than_its_record_is_found() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=2))
    rig.serve(adder(1.0), "plus")
    for partition in (0, 1):
        rig.send({"x": 1.0}, partition=partition)
    answer_all(rig)
    assert verify(rig.log, rig.flow).ok
    both = [*messages(rig.log, RESULTS, 0), *messages(rig.log, RESULTS, 1)]

    def all_in_one(found: list[Message]) -> list[Message]:
        return both if found[0].json()["partition"] == 0 else []

    report = verify(tampered(rig, {RESULTS: all_in_one}), rig.flow)
    assert broken(report) == [
        ("in_order", f"{RESULTS}/0/1"),
        ("complete", f"{RECORDS}/1/0"),
    ]


def test_what_stands_in_a_partition_without_records_is_found(story: Rig) -> None:
    log = MemoryLog()
    for topic in story.log.topics():
        log.create_topic(topic, 3 if topic == RESULTS else 1)
    one = messages(story.log, RESULTS)[0]
    log.append(Outgoing(RESULTS, [one.value], partition=1))
    log.append(Outgoing(RESULTS, [one.saying(partition=2).value], partition=2))
    assert broken(verify(log, story.flow)) == [
        ("in_order", f"{RESULTS}/1/0"),
        ("complete", f"{RESULTS}/2/0"),
    ]


# -- runs of missing records ---------------------------------------------------------------------


@given(
    st.lists(st.sets(st.integers(0, 30), max_size=20), max_size=4),
    st.lists(st.integers(0, 150), max_size=30),
)
def test_missing_records_are_a_set(steps: list[set[int]], taken: list[int]) -> None:
    missing, model = Missing(), set[int]()
    for index, step in enumerate(steps):
        offsets = {index * 31 + each for each in step}
        missing.add(np.array(sorted(offsets), dtype=np.int64))
        model |= offsets
    for offset in taken:
        assert missing.take(offset) == (offset in model)
        model.discard(offset)
    assert [offset for run in missing for offset in run] == sorted(model)
    runs = list(missing)
    assert all(left.stop < right.start for left, right in pairwise(runs))


def test_the_oldest_gaps_are_reported_when_there_are_too_many(
    long: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelstream.audit.coverage.AUDIT_GAPS_MAX", 10)
    report = verified(long, {RESULTS: lambda found: found[::2]})
    assert report.counts["complete"] == sum(report.counts.values()) == 2600
