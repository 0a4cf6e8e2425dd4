"""Reproducible: an outcome that scoring again does not give is found, whatever made it so."""

from typing import Any

import numpy as np
import pytest

from modelstream.audit import verify
from modelstream.engines.loaded import ready
from modelstream.flow import Flow
from modelstream.formats.base import Field
from modelstream.log.memory import MemoryBlobs, MemoryLog
from modelstream.messages import Columns
from tests.support.artifacts import adder, nothing
from tests.support.audits import (
    RECORDS,
    REGISTRY,
    REJECTS,
    RESULTS,
    Message,
    answer_all,
    broken,
    long_story,
    messages,
    saying,
    tampered,
    verified,
    without,
)
from tests.support.fake_models import FakeModel
from tests.support.flows import Rig, run_until


@pytest.mark.parametrize(
    "outputs",
    [{"score": 5.000000000000001}, {"score": -5.0}, {"score": 5.0, "more": 1}, {}, 5, None],
)
def test_a_changed_answer_is_found(story: Rig, outputs: object) -> None:
    report = verified(story, {RESULTS: saying(4, outputs=outputs)})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/4")]
    assert report.findings[0].detail.startswith('scored again with plus@1: {"score":5.0}, not')


def test_a_zero_of_the_other_sign_is_another_answer() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    rig.send({"x": -1.0})
    answer_all(rig)
    assert messages(rig.log, RESULTS)[0].json()["outputs"] == {"score": 0.0}
    report = verified(rig, {RESULTS: saying(0, outputs={"score": -0.0})})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/0")]


def test_spaces_make_no_other_answer(story: Rig) -> None:
    compact = messages(story.log, RESULTS)[4].value
    assert b'{"score":5.0}' in compact
    report = verified(story, {RESULTS: saying(4)})
    assert report.ok


def test_an_artifact_exchanged_under_a_version_is_found(story: Rig) -> None:
    def exchange(found: list[Message]) -> list[Message]:
        return [found[0].saying(lowered=found[2].json()["lowered"]), *found[1:]]

    report = verified(story, {REGISTRY: exchange})
    assert report.counts["reproducible"] == sum(report.counts.values()) == 10


def test_a_reject_of_a_record_that_can_be_answered_is_found(story: Rig) -> None:
    answered = messages(story.log, RESULTS)[4].json()
    ghost = messages(story.log, REJECTS)[0].saying(
        offset=4, timestamp=answered["timestamp"], value="eyJ4IjogNC4wfQ==", value_bytes=10
    )
    report = verified(story, {RESULTS: without(4), REJECTS: lambda found: [ghost, *found]})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/4")]
    assert "answered, not rejected as not_json" in report.findings[0].detail


def test_a_reject_for_another_reason_is_found(story: Rig) -> None:
    report = verified(story, {REJECTS: saying(0, reason="missing_field")})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/5")]
    assert "rejected as not_json, not as missing_field" in report.findings[0].detail


def test_the_words_of_a_reject_are_no_matter(story: Rig) -> None:
    assert verified(story, {REJECTS: saying(0, detail="in another parser's words")}).ok


def test_an_answer_to_a_record_that_is_none_is_found(story: Rig) -> None:
    rejected = messages(story.log, REJECTS)[0].json()
    ghost = messages(story.log, RESULTS)[4].saying(
        offset=5, timestamp=rejected["timestamp"], record=None
    )
    report = verified(
        story, {REJECTS: without(0), RESULTS: lambda found: [*found[:5], ghost, *found[5:]]}
    )
    assert broken(report) == [("reproducible", f"{RECORDS}/0/5")]
    assert "rejected as not_json" in report.findings[0].detail


@pytest.mark.parametrize(
    ("topic", "offset", "fields"),
    [
        (RESULTS, 0, {"record": {"x": 99.0}}),
        (RESULTS, 0, {"timestamp": 5}),
        (REJECTS, 5, {"value": "bm9wZXM=", "value_bytes": 5}),
        (REJECTS, 5, {"value_bytes": 5}),
        (REJECTS, 5, {"data_type": "beer"}),
        (REJECTS, 5, {"data_type": None}),
    ],
)
def test_an_outcome_that_carries_another_record_is_found(
    story: Rig, topic: str, offset: int, fields: dict[str, Any]
) -> None:
    report = verified(story, {topic: saying(0, **fields)})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/{offset}")]


def test_a_result_of_another_data_type_is_neither_current_nor_reproducible(story: Rig) -> None:
    report = verified(story, {RESULTS: saying(0, data_type="beer")})
    assert broken(report) == [
        ("current", f"{RECORDS}/0/0"),
        ("reproducible", f"{RECORDS}/0/0"),
    ]


def test_a_version_that_can_no_longer_be_had_is_one_finding(story: Rig) -> None:
    log = tampered(story, {})
    log.blobs = MemoryBlobs()
    report = verify(log, story.flow)
    assert broken(report) == [("reproducible", f"{RECORDS}/0/{offset}") for offset in (0, 12)]
    assert "plus@1 cannot be had again" in report.findings[0].detail
    assert (report.figures.rescored, report.figures.not_rescored) == (0, 17)


def test_a_version_that_can_no_longer_be_had_is_told_once_for_all_its_records() -> None:
    rig = long_story(2500)
    log = tampered(rig, {})
    log.blobs = MemoryBlobs()
    report = verify(log, rig.flow)
    assert report.counts["reproducible"] == 1
    assert report.figures.not_rescored == 2500


def test_data_types_that_the_records_name_are_told_again() -> None:
    flow = Flow(name="wine", data_type_field="kind", on_no_model="reject")
    rig = Rig(MemoryLog(), flow)
    rig.serve(adder(1.0), "r", data_type="red")
    engine = rig.engine()
    run_until(engine, lambda: not engine.shell.machine.loading())
    rig.send({"x": 1, "kind": "red"}, {"x": 1}, {"x": 1, "kind": "white"}, b"{", {"kind": "red"})
    run_until(engine, lambda: engine.lag() == 0)
    engine.close()
    reasons = [each.reason for each in rig.rejects()]
    assert reasons == ["no_data_type", "no_model", "not_json", "missing_field"]
    report = verify(rig.log, flow)
    assert report.ok
    assert report.figures.unready == 0
    report = verified(rig, {REJECTS: saying(0, reason="not_json")})
    assert broken(report) == [("reproducible", f"{RECORDS}/0/1")]
    answer = messages(rig.log, RESULTS)[0]
    ghost = answer.saying(offset=1, timestamp=messages(rig.log, REJECTS)[0].json()["timestamp"])
    report = verified(
        rig,
        {REJECTS: without(0), RESULTS: lambda found: [*found, ghost.saying(record={"x": 1})]},
    )
    assert broken(report) == [("reproducible", f"{RECORDS}/0/1")]
    assert "answered, but the record is no_data_type" in report.findings[0].detail


def test_a_refusal_while_a_version_may_have_been_loading_is_noted(story: Rig) -> None:
    report = verified(story, {REJECTS: saying(1, reason="no_model")})
    assert report.ok
    assert report.figures.unready == 1


def test_a_missing_answer_is_reproduced_where_null_is_one() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", on_missing_answer="null"))
    rig.serve(nothing(), "nan")
    rig.send({"x": 1.0})
    answer_all(rig)
    assert messages(rig.log, RESULTS)[0].json()["outputs"] == {"score": None}
    assert verify(rig.log, rig.flow).ok
    report = verify(rig.log, Flow(name="wine"))
    assert broken(report) == [("reproducible", f"{RECORDS}/0/0")]
    assert "rejected as not_finite" in report.findings[0].detail


def test_an_answer_that_a_batch_would_change_is_reproduced_alone(
    story: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_size(columns: Columns) -> Columns:
        x = columns["x"]
        return {"score": x + 1.0 + (len(x) > 1) * 1e-9}

    model = FakeModel((Field("x", "float64"),), (Field("score", "float64"),), by_size)
    monkeypatch.setattr("modelstream.audit.rescore.load", lambda *_, **__: ready(model, ()))
    edits = {RESULTS: lambda found: found[:10]}  # those of plus@1
    report = verify(tampered(story, edits, committed=12), story.flow)
    assert report.ok
    assert report.figures.alone == 10
    assert np.max(model.sizes) > 1
