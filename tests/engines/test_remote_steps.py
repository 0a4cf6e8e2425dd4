"""A pipeline with a step at a server: admitted by the version's name, waited for, told by audits."""

from collections.abc import Iterator

import pytest

import modelstream as ms
from modelstream.audit import explain, replay, verify
from modelstream.errors import InvalidModel, UnknownModel
from modelstream.events import Admitted, Rejected
from modelstream.flow import Flow
from modelstream.formats import format_named
from modelstream.formats.base import Remote
from modelstream.log.memory import MemoryLog
from modelstream.messages import VersionId
from modelstream.models.jail import Jail
from modelstream.wire.descriptor import GoldenRecord
from tests.support.flows import Rig, run_until
from tests.support.grpc_server import grpc_server
from tests.support.model_server import ModelServer, model_server
from tests.support.owner_functions import registered
from tests.support.pipelines import document, inline
from tests.support.serving import Serving

# The server answers y = 2a + 3b + 1.
TWICE = document(
    {"expression": {"b": "p + q"}}, {"model": "line@1"}, {"expression": {"z": "y * 2"}}
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as made:
        yield made


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        yield made


@pytest.fixture
def serving(server: ModelServer, jail: Jail) -> Iterator[Serving]:
    flow = Flow(name="wine", remote=Remote((server.host,), 1000), functions=registered("ratio"))
    made = Serving(Rig(MemoryLog(), flow), jail)
    publish(made, server.oip, name="line")
    yield made
    made.close()


def publish(
    serving: Serving, source: str | bytes, *golden: GoldenRecord, name: str
) -> Admitted | Rejected:
    rig = serving.rig
    features = ("a", "b") if isinstance(source, str) else ()
    position = ms.publish(
        rig.log, rig.flow, source, name=name, feature_names=features, golden=golden
    )
    serving.settle()
    told = (ms.verdict(rig.log, rig.flow, position, 0) or [])[0]
    assert isinstance(told, Admitted | Rejected)
    return told


def send(serving: Serving, count: int) -> None:
    serving.rig.send(*({"a": float(at), "p": 1.0, "q": 0.0} for at in range(count)))


def test_a_version_at_a_server_is_a_step(serving: Serving) -> None:
    golden = GoldenRecord('{"a": 1, "p": 1, "q": 1}', '{"z": 18}')
    told = publish(serving, TWICE, golden, name="pipe")
    assert isinstance(told, Admitted)
    assert [each.name for each in told.inputs] == ["p", "q", "a"]
    send(serving, 3)
    serving.answer()
    results = serving.rig.results()
    assert [each.outputs["z"] for each in results] == [8.0, 12.0, 16.0]
    assert {(each.model.name, each.model.served_version) for each in results} == {("pipe", "7")}


def test_records_wait_while_the_server_of_a_step_is_away(
    serving: Serving, server: ModelServer
) -> None:
    publish(serving, TWICE, name="pipe")
    server.stop()
    send(serving, 20)
    run_until(serving.engine, serving.engine.held)
    assert serving.rig.rejects() == []
    server.start()
    serving.answer()
    assert [each.offset for each in serving.rig.results()] == list(range(20))


def test_a_record_that_the_server_refuses_is_rejected_with_its_step(serving: Serving) -> None:
    publish(serving, TWICE, name="pipe")
    serving.rig.send({"a": 1, "p": 1, "q": 1}, {"a": -1, "p": 1, "q": 1})
    serving.answer()
    assert len(serving.rig.results()) == 1
    (reject,) = serving.rig.rejects()
    assert reject.detail.startswith("step 2 (model): ")
    assert "a must not be negative" in reject.detail


def test_audits_count_apart_what_a_step_asked_a_server(
    serving: Serving, server: ModelServer
) -> None:
    publish(serving, TWICE, name="pipe")
    send(serving, 4)
    serving.answer()
    log, flow = serving.rig.log, serving.rig.flow
    asked = len(server.does.requests)
    report = verify(log, flow)
    assert report.ok
    assert (report.figures.remote, report.figures.rescored) == (4, 0)
    with pytest.raises(UnknownModel, match="asked at a server"):
        replay(log, flow, version=VersionId("pipe", "1"))
    assert "a server answered it" in explain(log, flow, "wine.records/0/2").why_not
    assert len(server.does.requests) == asked, "no audit asks a server"


def test_a_pipeline_of_that_pipeline_is_asked_at_the_server_too(serving: Serving) -> None:
    publish(serving, TWICE, name="pipe")
    ratio = {"python": {"function": "ratio", "columns": ["a", "b"], "as": {"ratio": "float64"}}}
    outer = document({"model": "pipe@1"}, {"rename": {"z": "b"}}, ratio)
    assert isinstance(publish(serving, outer, name="outer"), Admitted)
    serving.rig.send({"a": 4, "p": 1, "q": 1})
    serving.answer()
    assert [each.outputs["ratio"] for each in serving.rig.results()] == [4 / 30]


@pytest.mark.parametrize("nested", [False, True])
def test_a_pipeline_asks_one_server_at_most(serving: Serving, nested: bool) -> None:
    second = {"model": "line@1", "outputs": {"y": "y2"}}
    more = inline(document(second).decode()) if nested else second
    told = publish(serving, document({"model": "line@1"}, more), name="pipe")
    assert isinstance(told, Rejected)
    assert told.code == "unsupported_model"
    assert "asks servers 2 times (line@1, line@1); one step may" in told.reason


def test_a_host_taken_out_of_the_flow_is_asked_no_more(serving: Serving) -> None:
    told = publish(serving, TWICE, name="pipe")
    assert isinstance(told, Admitted)
    lowered = serving.rig.lowered(told)
    with pytest.raises(InvalidModel, match=r"step 2 \(model\): the host .* is not one that"):
        format_named("pipeline", Remote(("elsewhere:1",))).load(lowered)


def test_a_step_asks_over_grpc(jail: Jail) -> None:
    with grpc_server() as server:
        flow = Flow(name="wine", remote=Remote((server.host,), 1000))
        serving = Serving(Rig(MemoryLog(), flow), jail)
        publish(serving, f"grpc://{server.host}/line", name="line")
        assert isinstance(publish(serving, TWICE, name="pipe"), Admitted)
        send(serving, 2)
        serving.answer()
        assert [each.outputs["z"] for each in serving.rig.results()] == [8.0, 12.0]
        serving.close()
