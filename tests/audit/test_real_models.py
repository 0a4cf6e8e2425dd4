"""Models that were trained, admitted in the jail and served from a disk: their answers verify.

The batches are of many sizes, because the last bits of a matrix product can depend on that.
"""

import json
from collections.abc import Iterator

import pytest

from modelstream import publish
from modelstream.audit import explain, replay, verify
from modelstream.engines.embedded import Embedded
from modelstream.events import Admitted, Promoted, Rejected, decode_event
from modelstream.flow import Flow
from modelstream.log import open_log
from modelstream.log.memory import MemoryBlobs
from modelstream.messages import VersionId
from modelstream.models.admit import Admitter
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail
from tests.support import trained
from tests.support.audits import messages, send_keyed, tampered
from tests.support.flows import Rig, run_until

SIZES = (1, 2, 3, 1, 7, 33, 5, 64)
MODELS = {
    "logistic": trained.logistic,
    "forest": trained.forest,
    "network": trained.network,
}
PMML = b"""<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>
<DataDictionary><DataField name="f0" optype="continuous" dataType="double"/>
<DataField name="y" optype="continuous" dataType="double"/></DataDictionary>
<RegressionModel functionName="regression"><MiningSchema><MiningField name="f0"/>
<MiningField name="y" usageType="target"/></MiningSchema><RegressionTable intercept="0.1">
<NumericPredictor name="f0" coefficient="0.7"/></RegressionTable></RegressionModel></PMML>"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A flow on disk on which four models took turns, each with batches of every size."""
    log = open_log(f"file:{tmp_path_factory.mktemp('log')}")
    rig = Rig(log, Flow(name="wine"))
    with Jail() as jail:
        serve_all(rig, jail)
    yield rig
    log.close()


def serve_all(rig: Rig, jail: Jail) -> None:
    log, flow = rig.log, rig.flow
    admitter = Admitter(flow, log, jail)
    engine = Embedded(
        flow, log, lambda event: lowered_bytes(event, log=log, flow=flow, jail=jail), "one"
    )
    for name, make in MODELS.items():
        model = make()
        publish(log, flow, model.onnx, name=name, feature_names=model.feature_names)
        take_turns(rig, admitter, engine)
    publish(log, flow, PMML, name="pmml", description="by hand", publisher="me")
    take_turns(rig, admitter, engine)
    engine.close()
    admitter.close()


def take_turns(rig: Rig, admitter: Admitter, engine: Embedded) -> None:
    """Admit what was published, and answer records in batches of every size."""
    while admitter.step(0):
        pass
    _, end = rig.log.bounds(rig.flow.registry, 0)
    machine = engine.shell.machine
    run_until(
        engine,
        lambda: machine.snapshot().position == end - 1 and not engine.shell.machine.loading(),
    )
    columns = trained.logistic().columns
    at = 0
    for size in SIZES:
        rows = [
            {name: float(column[row]) for name, column in columns.items()}
            for row in range(at, at + size)
        ]
        send_keyed(rig, *rows, b'{"f0": "?"}')
        run_until(engine, lambda: engine.lag() == 0)
        at += size


def test_the_models_were_admitted_and_took_turns(rig: Rig) -> None:
    events = [decode_event(each.value) for each in messages(rig.log, rig.flow.registry)]
    assert [each for each in events if isinstance(each, Rejected)] == []
    assert [each.name for each in events if isinstance(each, Promoted)] == [*MODELS, "pmml"]


def test_what_they_answered_verifies_whatever_batch_it_was_in(rig: Rig) -> None:
    report = verify(rig.log, rig.flow)
    assert report.findings == ()
    each = sum(SIZES)
    assert (report.figures.results, report.figures.rejects) == (4 * each, 4 * len(SIZES))
    assert (report.figures.versions, report.figures.rescored) == (4, 4 * each + 4 * len(SIZES))
    assert report.figures.alone == 0


def test_a_back_test_counts_the_labels_that_change(rig: Rig) -> None:
    told = replay(rig.log, rig.flow, version=VersionId("network", "1"))
    assert told.records == 4 * (sum(SIZES) + len(SIZES))
    label = next(each for each in told.outputs if each.kind == "label")
    assert sum(pair.count for pair in label.pairs) == label.compared == 4 * sum(SIZES)
    again = replay(rig.log, rig.flow, version=VersionId("network", "1"), start=told.records // 2)
    assert again.changes["equal"] < again.records


def test_an_answer_is_explained_with_its_publisher(rig: Rig) -> None:
    _, end = rig.log.bounds(rig.flow.results, 0)
    told = explain(rig.log, rig.flow, f"{rig.flow.results}/0/{end - 1}")
    assert told.model is not None
    assert (told.model.publisher, told.model.description) == ("me", "by hand")
    assert (told.model.format, told.verdict) == ("pmml", "same")
    assert told.inputs is not None
    assert told.inputs.keys() == {"f0"}
    assert json.loads(json.dumps(told.to_plain())) == told.to_plain()


def test_lost_lowered_forms_are_made_again_in_the_jail(rig: Rig) -> None:
    """The artifacts are in the models topic still."""
    log = tampered(rig, {})
    log.blobs = MemoryBlobs()
    report = verify(log, rig.flow)
    assert report.ok
    assert report.figures.not_rescored == 0
    events = [decode_event(each.value) for each in messages(rig.log, rig.flow.registry)]
    for event in events:
        if isinstance(event, Admitted):
            assert log.blobs.get(event.lowered) is not None
