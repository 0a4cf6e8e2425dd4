"""Records and outcomes that a log no longer keeps are noted; what is left is checked."""

import pytest

from modelstream.audit import verify
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from tests.support.artifacts import adder
from tests.support.audits import (
    RECORDS,
    RESULTS,
    answer_all,
    broken,
    tampered,
    without,
)
from tests.support.flows import Rig


def test_records_that_retention_removed_are_noted_and_no_finding(story: Rig) -> None:
    log = tampered(story, {})
    log.delete_before(RECORDS, 0, 6)
    report = verify(log, story.flow)
    assert report.ok
    assert (report.figures.removed, report.figures.records) == (6, 11)
    assert report.figures.rescored == 11


def test_tampering_with_the_results_of_removed_records_is_still_found(story: Rig) -> None:
    log = tampered(
        story,
        {
            RESULTS: lambda found: [
                found[0],
                *found[:3],
                found[3].saying(model_name="minus"),
                *found[4:],
            ]
        },
    )
    log.delete_before(RECORDS, 0, 6)
    assert broken(verify(log, story.flow)) == [
        ("once", f"{RECORDS}/0/0"),
        ("current", f"{RECORDS}/0/3"),
    ]


@pytest.mark.parametrize("removed", [7, 15])
def test_results_that_retention_removed_are_noted_and_no_finding(story: Rig, removed: int) -> None:
    log = tampered(story, {})
    log.delete_before(RESULTS, 0, removed)
    report = verify(log, story.flow)
    assert report.ok
    assert report.figures.outcomes_removed == removed


def test_a_result_missing_after_those_that_retention_removed_is_found(story: Rig) -> None:
    log = tampered(story, {RESULTS: without(12)})
    log.delete_before(RESULTS, 0, 7)
    assert broken(verify(log, story.flow)) == [("complete", f"{RECORDS}/0/14")]


def test_records_and_results_that_retention_removed_together_are_no_finding(story: Rig) -> None:
    log = tampered(story, {})
    log.delete_before(RECORDS, 0, 17)
    log.delete_before(RESULTS, 0, 10)
    report = verify(log, story.flow)
    assert report.ok
    assert (report.figures.records, report.figures.removed) == (0, 7)


def test_records_that_compaction_removed_are_noted_and_no_finding() -> None:
    log = MemoryLog()
    log.create_topic(RECORDS, compacted=True)
    rig = Rig(log, Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    for key in (b"a", b"b", b"a"):
        log.append(Outgoing(RECORDS, [b'{"x": 1}'], [key]))
        answer_all(rig)
    report = verify(log, rig.flow)
    assert report.ok
    assert (report.figures.results, report.figures.records, report.figures.removed) == (3, 2, 1)
