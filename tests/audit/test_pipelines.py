"""A pipeline of published models, served from a disk as any other version: its answers verify."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from modelstream.audit import explain, replay, verify
from modelstream.events import Admitted, Promoted, RegistryEvent, Rejected, decode_event
from modelstream.flow import Flow
from modelstream.log import open_log
from modelstream.log.memory import MemoryBlobs
from modelstream.messages import VersionId
from modelstream.models.jail import Jail
from modelstream.publishing import retire
from tests.support.artifacts import adder
from tests.support.audits import messages, send_keyed, tampered
from tests.support.flows import Rig
from tests.support.pipelines import TREE, document, inline
from tests.support.serving import Serving

RISK = {"name": "risk", "model": "tree@1", "outputs": {"chance": "chance"}}
TOWN = {"one_hot": {"column": "town", "categories": ["Bonn", "Ulm"]}}
FIRST = document(
    RISK,
    TOWN,
    inline(adder(1.0), format="onnx", name="plus", inputs={"x": "chance"}),
    {"expression": {"cost": "score * age + `town(Ulm)`"}},
    outputs=["cost", "chance"],
)
SECOND = document({"model": "pipe@1"}, {"expression": {"cost": "cost * 2"}}, outputs=["cost"])
AGES = (20, 40, 60)


def answer(serving: Serving) -> None:
    """Send a few records, one of a town that no step knows, and answer them."""
    rows = [{"age": age, "town": town} for age in AGES for town in ("Bonn", "Ulm")]
    send_keyed(serving.rig, *rows, {"age": 30, "town": "Köln"})
    serving.answer()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Two models, a pipeline of one of them, a pipeline of that, and one that refers to nothing."""
    log = open_log(f"file:{tmp_path_factory.mktemp('log')}")
    rig = Rig(log, Flow(name="wine"))
    with Jail() as jail:
        serving = Serving(rig, jail)
        serving.publish(TREE.encode(), "tree")
        serving.publish(adder(5.0, "age"), "other", stage=True)
        serving.publish(FIRST, "pipe")
        answer(serving)
        retire(log, rig.flow, "tree", "1")
        serving.publish(SECOND, "pipe")
        answer(serving)
        serving.publish(document({"model": "nobody@1"}), "pipe")
        serving.publish(document({"model": "other@1"}), "late", stage=True)
        serving.close()
    yield rig
    log.close()


def events(rig: Rig) -> list[RegistryEvent]:
    return [decode_event(each.value) for each in messages(rig.log, rig.flow.registry)]


def test_a_pipeline_is_admitted_with_what_it_refers_to(rig: Rig) -> None:
    promoted = [(e.name, e.version) for e in events(rig) if isinstance(e, Promoted)]
    assert promoted == [("tree", "1"), ("pipe", "1"), ("pipe", "2")]
    admitted = {(e.name, e.version): e for e in events(rig) if isinstance(e, Admitted)}
    first = admitted["pipe", "1"]
    assert (first.format, first.digest) == ("pipeline", hashlib.sha256(FIRST).hexdigest())
    assert [each.name for each in first.inputs] == ["age", "town"]
    assert [each.name for each in first.outputs] == ["cost", "chance"]
    assert ("late", "1") in admitted, "a version that was but staged can be referred to"


def test_what_refers_to_nothing_is_rejected_with_that_reason(rig: Rig) -> None:
    (rejected,) = [each for each in events(rig) if isinstance(each, Rejected)]
    assert (rejected.name, rejected.code) == ("pipe", "unknown_version")
    assert "refers to 'nobody@1', and no such version was admitted" in rejected.reason


def test_results_bear_the_stamp_of_the_pipeline(rig: Rig) -> None:
    results = rig.results()
    assert [str(VersionId(each.model.name, each.model.version)) for each in results] == [
        *["pipe@1"] * 6, *["pipe@2"] * 6,
    ]  # fmt: skip
    assert results[0].model.digest == hashlib.sha256(FIRST).hexdigest()
    assert results[6].model.digest == hashlib.sha256(SECOND).hexdigest()
    chances = [5 / 30, 0.75, 0.75]
    by_hand = [(1 + chances[at // 2]) * AGES[at // 2] + at % 2 for at in range(6)]
    assert [each.outputs["cost"] for each in results[:6]] == pytest.approx(by_hand)
    assert [each.outputs["cost"] for each in results[6:]] == pytest.approx([2 * x for x in by_hand])


def test_a_row_that_a_step_fails_is_rejected_with_the_step(rig: Rig) -> None:
    first, second = rig.rejects()
    told = "step 2 (one_hot): column 'town': 'Köln' is none of its categories"
    assert (first.reason, first.detail) == ("invalid_value", told)
    assert second.detail == f"step 1 (model): {told}"


def test_the_answers_verify_though_a_version_inside_is_retired(rig: Rig) -> None:
    report = verify(rig.log, rig.flow)
    assert report.findings == ()
    assert (report.figures.results, report.figures.rejects) == (12, 2)
    assert (report.figures.versions, report.figures.rescored) == (2, 14)


def test_an_answer_is_explained_by_scoring_it_again(rig: Rig) -> None:
    told = explain(rig.log, rig.flow, f"{rig.flow.results}/0/0")
    assert told.model is not None
    assert (told.model.format, told.verdict) == ("pipeline", "same")
    assert told.inputs is not None
    assert told.inputs.keys() == {"age", "town"}
    assert json.loads(json.dumps(told.to_plain())) == told.to_plain()


def test_records_are_replayed_with_the_other_version(rig: Rig) -> None:
    told = replay(rig.log, rig.flow, version=VersionId("pipe", "1"))
    assert told.records == 14
    cost = next(each for each in told.outputs if each.name == "cost")
    assert cost.compared == 12


def test_lost_lowered_forms_are_made_again_with_all_that_they_refer_to(rig: Rig) -> None:
    log = tampered(rig, {})
    log.blobs = MemoryBlobs()
    report = verify(log, rig.flow)
    assert report.ok
    assert report.figures.not_rescored == 0
    made = {
        (e.name, e.version)
        for e in events(rig)
        if isinstance(e, Admitted) and log.blobs.get(e.lowered)
    }
    assert made == {("tree", "1"), ("pipe", "1"), ("pipe", "2")}, "other@1 was not asked for"
