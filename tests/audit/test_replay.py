"""`replay` scores answered records again and tells what another version would have changed."""

import json

import numpy as np
import pytest

from modelstream.audit import replay
from modelstream.audit.compare import LabelPair
from modelstream.errors import UnknownModel
from modelstream.flow import Flow
from modelstream.log.memory import MemoryBlobs, MemoryLog
from modelstream.messages import Failure, Outgoing, Position, VersionId
from tests.support.artifacts import adder, nothing
from tests.support.audits import (
    RECORDS,
    REJECTS,
    RESULTS,
    answer_all,
    long_story,
    saying,
    tampered,
    without,
)
from tests.support.flows import Rig
from tests.support.graphs import INT64, STRING, constant, model, node, to_bytes, value

FIRST, SECOND = VersionId("plus", "1"), VersionId("plus", "2")
NOTHING = {"equal": 0, "different": 0, "rejected": 0, "answered": 0, "reason": 0}


def test_with_the_recorded_versions_everything_is_equal(story: Rig) -> None:
    told = replay(story.log, story.flow)
    assert (told.version, told.data_type, told.records) == (None, None, 17)
    assert told.changes == {**NOTHING, "equal": 17}
    assert (told.without_outcome, told.not_rescored, told.unavailable) == (0, 0, {})
    assert told.sample == ()
    (score,) = told.outputs
    assert (score.compared, score.changed, score.largest) == (15, 0, 0.0)


def test_another_version_is_compared_with_what_was_recorded(story: Rig) -> None:
    told = replay(story.log, story.flow, version=SECOND)
    assert (told.version, told.data_type, told.records) == (SECOND, "wine", 17)
    assert told.changes == {**NOTHING, "equal": 7, "different": 10}
    (score,) = told.outputs
    assert (score.compared, score.changed, score.largest) == (15, 10, 4.0)
    assert score.mean == pytest.approx(40 / 15)
    first = told.sample[0]
    assert (first.position, first.change) == (Position(RECORDS, 0, 0), "different")
    assert (first.recorded_version, first.recorded, first.replayed) == (
        FIRST,
        {"score": 1.0},
        {"score": 5.0},
    )
    assert len(told.sample) == 10


def test_a_change_from_answer_to_reject_and_back_is_told() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    rig.serve(nothing(), "none")
    rig.admit(adder(1.0, field="z"), "z")
    rig.promote("plus")
    rig.send({"x": 1.0}, {"z": 1.0}, {"x": 1.0, "z": 2.0}, {}, {"x": "a", "z": "a"})
    answer_all(rig)
    told = replay(rig.log, rig.flow, version=VersionId("z", "1"))
    assert told.changes == {
        "equal": 2,
        "different": 1,
        "rejected": 1,
        "answered": 1,
        "reason": 0,
    }
    rejected, answered, _ = told.sample
    assert rejected.change == "rejected"
    assert isinstance(rejected.replayed, Failure)
    assert (answered.change, answered.recorded_version) == ("answered", None)
    assert isinstance(answered.recorded, Failure)
    told = replay(rig.log, rig.flow, version=VersionId("none", "1"))
    assert told.changes == {**NOTHING, "equal": 3, "rejected": 2}


def test_labels_are_told_by_what_became_of_them() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(labels("low", "high"), "words")
    rig.send({"x": 0.0}, {"x": 1.0}, {"x": 1.0})
    answer_all(rig)
    rig.admit(labels("low", "top"), "words", "2")
    (label,) = replay(rig.log, rig.flow, version=VersionId("words", "2")).outputs
    assert label.kind == "label"
    assert label.pairs == (LabelPair("high", "top", 2), LabelPair("low", "low", 1))


def test_a_range_of_offsets_is_replayed(story: Rig) -> None:
    told = replay(story.log, story.flow, start=3, end=8, version=SECOND)
    assert told.records == 5
    assert told.changes["different"] == 3
    assert [each.position.offset for each in told.sample] == [3, 4, 7]
    assert replay(story.log, story.flow, start=99).records == 0
    assert replay(story.log, story.flow, end=0).records == 0


def test_a_range_deep_in_a_long_log_is_replayed() -> None:
    rig = long_story(5200)
    told = replay(rig.log, rig.flow, start=3100, end=5100)
    assert told.changes == {**NOTHING, "equal": 2000}


def test_a_range_of_times_is_replayed() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    times = [1000, 2000, 3000, 4000]
    rig.log.append(Outgoing(RECORDS, [b'{"x": 1}'] * 4, timestamps=times))
    answer_all(rig)
    assert replay(rig.log, rig.flow, since_ms=2000, until_ms=4000).records == 2
    assert replay(rig.log, rig.flow, since_ms=2001).records == 2
    assert replay(rig.log, rig.flow, until_ms=1000).records == 0


def test_a_limit_ends_a_replay() -> None:
    rig = long_story(2500)
    seen: list[tuple[int, int]] = []
    told = replay(
        rig.log, rig.flow, limit=1500, progress=lambda done, total: seen.append((done, total))
    )
    assert told.records == 1500
    assert seen == [(1000, 2500), (2000, 2500)]


def test_records_of_one_data_type_are_replayed() -> None:
    flow = Flow(name="wine", data_type_field="kind")
    rig = Rig(MemoryLog(), flow)
    rig.serve(adder(1.0), "r", data_type="red")
    rig.serve(adder(2.0), "w", data_type="white")
    rig.send({"x": 1, "kind": "red"}, {"x": 1, "kind": "white"}, {"x": 1}, {"x": 2, "kind": "red"})
    answer_all(rig)
    assert replay(rig.log, flow).records == 3
    assert replay(rig.log, flow, data_type="red").records == 2
    told = replay(rig.log, flow, version=VersionId("w", "1"))
    assert (told.records, told.data_type, told.changes["equal"]) == (1, "white", 1)
    told = replay(rig.log, flow, version=VersionId("w", "1"), data_type="red")
    assert (told.records, told.changes["different"]) == (2, 2)


def test_records_without_an_outcome_are_counted(story: Rig) -> None:
    told = replay(tampered(story, {RESULTS: without(3)}), story.flow)
    assert (told.records, told.without_outcome) == (16, 1)


def test_records_that_no_version_had_read_are_counted(story: Rig) -> None:
    log = tampered(story, {REJECTS: saying(1, reason="no_model")})
    told = replay(log, story.flow)
    assert (told.records, told.not_rescored) == (16, 1)
    assert replay(log, story.flow, version=FIRST).records == 17


def test_versions_that_cannot_be_had_are_told_with_the_reason(story: Rig) -> None:
    log = tampered(story, {RESULTS: saying(4, model_name="minus")})
    told = replay(log, story.flow)
    assert (told.records, told.not_rescored) == (16, 1)
    assert told.unavailable == {VersionId("minus", "1"): "it was never admitted"}
    log.blobs = MemoryBlobs()
    told = replay(log, story.flow)
    assert (told.records, told.not_rescored) == (0, 17)
    assert "no longer has offset 0" in told.unavailable[FIRST]
    with pytest.raises(UnknownModel, match="no longer has offset 0"):
        replay(log, story.flow, version=FIRST)


def test_a_version_that_was_never_admitted_is_told(story: Rig) -> None:
    with pytest.raises(UnknownModel, match=r"plus@9 was never admitted; .* are plus@1, plus@2"):
        replay(story.log, story.flow, version=VersionId("plus", "9"))


def test_what_is_amiss_on_the_topics_does_not_end_a_replay(story: Rig) -> None:
    log = tampered(
        story,
        {
            RESULTS: lambda found: [
                found[0]._replace(value=b"?"),
                found[1].saying(outputs=5),
                *found[2:],
                found[2],
            ]
        },
    )
    told = replay(log, story.flow)
    assert (told.records, told.without_outcome, told.changes["different"]) == (16, 1, 1)
    assert told.sample[0].recorded == 5


def test_a_replay_is_json(story: Rig) -> None:
    plain = replay(story.log, story.flow, version=SECOND).to_plain()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["version"] == "plus@2"
    assert plain["sample"][0]["recorded_version"] == "plus@1"


def labels(low: str, high: str) -> bytes:
    """Return a model that says `low` for x = 0 and `high` for x = 1."""
    return to_bytes(
        model(
            [node("Cast", ["x"], ["at"], to=INT64), node("Gather", ["table", "at"], ["label"])],
            [value("x")],
            [value("label", STRING)],
            [constant("table", np.array([low, high], dtype=object))],
        )
    )
