"""`verify` as a whole: nothing is found in what the join wrote, whatever the flow's shape."""

import json

import pytest

from modelstream.audit import verify
from modelstream.errors import UnknownTopic
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from tests.support.artifacts import adder
from tests.support.audits import (
    RECORDS,
    RESULTS,
    answer_all,
    broken,
    saying,
    tampered,
    verified,
    with_more,
    without,
)
from tests.support.flows import Rig


def test_what_the_join_wrote_keeps_every_invariant(story: Rig) -> None:
    report = verify(story.log, story.flow)
    assert report.ok
    assert report.findings == ()
    figures = report.figures
    assert (figures.partitions, figures.records) == (1, 17)
    assert (figures.results, figures.rejects, figures.rescored) == (15, 2, 17)
    assert (figures.versions, figures.alone, figures.not_rescored) == (2, 0, 0)


def test_a_copy_of_the_log_is_as_good(story: Rig) -> None:
    assert verified(story, {}) == verify(story.log, story.flow)


def test_without_scoring_again_the_rest_is_checked(story: Rig) -> None:
    log = tampered(story, {RESULTS: saying(0, outputs={"score": 7.0})})
    assert verify(log, story.flow, rescore=False).ok
    log = tampered(story, {RESULTS: without(0)})
    assert broken(verify(log, story.flow, rescore=False)) == [("complete", f"{RECORDS}/0/0")]


def test_progress_is_told_up_to_the_last_record(story: Rig) -> None:
    seen: list[tuple[int, int]] = []
    verify(story.log, story.flow, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (17, 17)


def test_a_flow_that_never_ran_has_nothing_to_find() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.send({"x": 1.0})
    report = verify(rig.log, rig.flow)
    assert report.ok
    assert report.figures.records == 0


def test_a_log_without_the_flows_topics_says_so() -> None:
    with pytest.raises(UnknownTopic, match=r"wine\.records"):
        verify(MemoryLog(), Flow(name="wine"))


def test_several_topics_that_share_the_partitions_of_the_results_are_told_apart() -> None:
    flow = Flow(name="shop", records={"red": "red", "white": "white"}, partitions=2)
    rig = Rig(MemoryLog(), flow)
    rig.serve(adder(1.0), "r", data_type="red")
    rig.serve(adder(2.0), "w", data_type="white")
    for turn in range(3):
        for topic in ("red", "white"):
            for partition in (0, 1):
                rig.send({"x": turn}, b"nope", topic=topic, partition=partition)
        answer_all(rig)
    report = verify(rig.log, flow)
    assert report.ok
    assert report.figures.partitions == 4
    assert (report.figures.results, report.figures.rejects) == (12, 12)
    report = verified(rig, {"shop.results": with_more(b"?")})
    assert broken(report) == [("complete", f"shop.results/{partition}/6") for partition in (0, 1)]
    report = verified(
        rig,
        {
            "shop.rejects": lambda found: [
                each
                for each in found
                if (each.json()["topic"], each.json()["offset"]) != ("red", 3)
            ]
        },
    )
    assert broken(report) == [("complete", f"red/{partition}/3") for partition in (0, 1)]


def test_topics_of_different_width_share_the_results() -> None:
    flow = Flow(name="shop", records={"red": "red", "white": "white"})
    log = MemoryLog()
    log.create_topic("red", 3)
    rig = Rig(log, flow)
    rig.serve(adder(1.0), "r", data_type="red")
    rig.serve(adder(2.0), "w", data_type="white")
    rig.send({"x": 1}, topic="red", partition=2)
    rig.send({"x": 1}, topic="white", partition=0)
    answer_all(rig)
    report = verify(log, flow)
    assert report.ok
    assert (report.figures.partitions, report.figures.results) == (4, 2)


def test_what_is_committed_meanwhile_is_left_for_the_next_time() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=2))
    rig.serve(adder(1.0), "plus")
    for partition in (0, 1):
        rig.send({"x": 1.0}, partition=partition)
    answer_all(rig)
    grown: list[int] = []

    def grow(done: int, _total: int) -> None:
        if not grown:
            grown.append(done)
            rig.send({"x": 1.0}, partition=1)
            answer_all(rig)

    report = verify(rig.log, rig.flow, progress=grow)
    assert grown == [1]
    assert report.ok
    assert report.figures.results == 2
    assert verify(rig.log, rig.flow).figures.results == 3


def test_a_report_is_json(story: Rig) -> None:
    plain = verified(story, {RESULTS: without(3)}).to_plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["ok"] is False
    assert plain["findings"][0]["position"] == f"{RECORDS}/0/3"
    assert plain["counts"] == {
        "complete": 1,
        "once": 0,
        "in_order": 0,
        "current": 0,
        "reproducible": 0,
    }
