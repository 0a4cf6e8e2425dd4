"""`explain` tells all there is to know of one record, and scores it again."""

import json

import pytest

from modelstream.audit import explain
from modelstream.audit.history import Moment
from modelstream.errors import UnknownModel
from modelstream.events import Retired, encode_event
from modelstream.flow import Flow
from modelstream.log.memory import MemoryBlobs, MemoryLog
from modelstream.messages import Failure, Position, VersionId
from tests.support.artifacts import adder, nothing
from tests.support.audits import (
    RECORDS,
    REGISTRY,
    REJECTS,
    RESULTS,
    answer_all,
    messages,
    saying,
    tampered,
    with_more,
    without,
)
from tests.support.flows import Rig


def test_a_result_is_explained(story: Rig) -> None:
    told = explain(story.log, story.flow, f"{RECORDS}/0/4")
    result = messages(story.log, RESULTS)[4].json()
    assert told.position == Position(RECORDS, 0, 4)
    assert (told.key, told.record, told.timestamp) == ("k4", {"x": 4.0}, result["timestamp"])
    assert (told.outcome, told.outcome_at) == ("result", Position(RESULTS, 0, 4))
    assert (told.outputs, told.failure, told.data_type) == ({"score": 5.0}, None, "wine")
    assert (told.as_of, told.took_us) == (1, result["model"]["took_us"])
    assert told.model is not None
    assert told.model.version == VersionId("plus", "1")
    assert told.model.digest == result["model"]["digest"]
    assert (told.model.format, told.model.admitted) == ("onnx", Moment(0, 0))
    assert (told.model.promoted, told.model.retired) == (Moment(1, 0), None)
    assert told.current_then == VersionId("plus", "1")
    assert told.current_now == VersionId("plus", "2")
    assert (told.registry_last, told.committed, told.others) == (3, 17, 0)
    assert (told.inputs, told.rescored, told.verdict) == ({"x": 4.0}, {"score": 5.0}, "same")
    assert (told.why_not, told.findings) == ("", ())


def test_a_reject_by_a_model_is_explained(story: Rig) -> None:
    told = explain(story.log, story.flow, "k6")
    assert (told.outcome, told.outcome_at) == ("reject", Position(REJECTS, 0, 1))
    assert told.failure is not None
    assert told.failure.reason == "missing_field"
    assert told.model is not None
    assert told.model.version == VersionId("plus", "1")
    assert (told.outputs, told.took_us, told.inputs) == (None, None, None)
    assert isinstance(told.rescored, Failure)
    assert told.rescored.reason == "missing_field"
    assert told.verdict == "same"


def test_a_record_that_is_no_json_is_shown_as_text(story: Rig) -> None:
    assert explain(story.log, story.flow, "k5").record == "nope"


def test_a_record_without_a_data_type_is_explained() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", data_type_field="kind"))
    rig.serve(adder(1.0), "plus", data_type="red")
    rig.send({"x": 1})
    answer_all(rig)
    told = explain(rig.log, rig.flow, f"{RECORDS}/0/0")
    assert (told.data_type, told.model, told.current_then) == (None, None, None)
    assert isinstance(told.rescored, Failure)
    assert told.rescored.reason == "no_data_type"
    assert told.verdict == "same"


def test_a_record_that_no_model_was_for_is_explained() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", on_no_model="reject"))
    rig.send({"x": 1})
    answer_all(rig)
    told = explain(rig.log, rig.flow, f"{RECORDS}/0/0")
    assert told.failure is not None
    assert told.failure.reason == "no_model"
    assert (told.model, told.verdict) == (None, "same")


def test_a_missing_value_is_shown_as_none() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", on_missing_answer="null"))
    rig.serve(nothing(), "nan")
    rig.send({"x": 1})
    answer_all(rig)
    told = explain(rig.log, rig.flow, f"{RECORDS}/0/0")
    assert told.outputs == told.rescored == {"score": None}


def test_an_answer_that_is_not_given_again_is_different(story: Rig) -> None:
    log = tampered(story, {RESULTS: saying(4, outputs={"score": 7.0})})
    told = explain(log, story.flow, "k4")
    assert (told.outputs, told.rescored) == ({"score": 7.0}, {"score": 5.0})
    assert told.verdict == "different"
    assert [each.invariant for each in told.findings] == ["reproducible"]


def test_an_answer_that_was_not_current_is_told(story: Rig) -> None:
    log = tampered(story, {RESULTS: saying(4, model_digest="0" * 64)})
    told = explain(log, story.flow, "k4")
    assert told.verdict == "same"
    assert [each.invariant for each in told.findings] == ["current"]


def test_a_record_may_be_explained_without_scoring_it_again(story: Rig) -> None:
    told = explain(story.log, story.flow, "k4", rescore=False)
    assert (told.verdict, told.rescored, told.inputs) == ("not_rescored", None, None)
    assert told.why_not == "it was not asked for"
    assert told.outputs == {"score": 5.0}


def test_a_record_that_is_not_answered_yet_is_explained(story: Rig) -> None:
    log = tampered(story, {RESULTS: without(14)}, committed=16)
    told = explain(log, story.flow, "k16")
    assert (told.outcome, told.outcome_at, told.as_of, told.model) == (None, None, None, None)
    assert (told.data_type, told.committed) == ("wine", 16)
    assert told.current_now == VersionId("plus", "2")
    assert (told.verdict, told.why_not) == ("not_rescored", "the record has no outcome yet")


def test_a_record_that_was_deleted_is_explained_by_its_outcome(story: Rig) -> None:
    log = tampered(story, {})
    log.delete_before(RECORDS, 0, 10)
    told = explain(log, story.flow, f"{RECORDS}/0/4")
    assert (told.record, told.key, told.timestamp) == (None, None, None)
    assert told.outputs == {"score": 5.0}
    assert told.why_not == "the record was deleted"
    log.delete_before(RESULTS, 0, 10)
    with pytest.raises(UnknownModel, match="give a position from 10 on"):
        explain(log, story.flow, f"{RECORDS}/0/4")


def test_a_version_that_the_registry_does_not_know_is_told(story: Rig) -> None:
    log = tampered(story, {RESULTS: saying(4, model_name="minus")})
    told = explain(log, story.flow, "k4")
    assert (told.model, told.why_not) == (None, "minus@1 is not on the registry")
    assert [each.invariant for each in told.findings] == ["current"]


def test_a_version_that_can_no_longer_be_had_is_told(story: Rig) -> None:
    log = tampered(story, {})
    log.blobs = MemoryBlobs()
    told = explain(log, story.flow, "k4")
    assert told.verdict == "not_rescored"
    assert told.why_not.startswith("plus@1 cannot be had again")


def test_a_reject_while_a_version_may_have_been_loading_is_not_scored_again(story: Rig) -> None:
    log = tampered(story, {REJECTS: saying(1, reason="no_model")})
    told = explain(log, story.flow, "k6")
    assert told.why_not == "a version was current, and may still have been loading"


def test_the_end_of_a_version_since_is_told(story: Rig) -> None:
    retired = encode_event(Retired(name="plus", version="1", source=0, at_ms=77))
    told = explain(tampered(story, {REGISTRY: with_more(retired)}), story.flow, "k4")
    assert told.model is not None
    assert told.model.retired == Moment(4, 77)
    assert told.findings == ()


@pytest.mark.parametrize("where", ["k4", "k6", "k16"])
def test_an_explanation_is_json(story: Rig, where: str) -> None:
    plain = explain(story.log, story.flow, where).to_plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["position"].startswith(f"{RECORDS}/0/")
    assert plain["model"]["admitted"].keys() == {"position", "at_ms"}
