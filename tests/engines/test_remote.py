"""Remote models in a flow: admitted by their location, asked at their server, waited for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import modelstream as ms
from modelstream.audit import explain, replay, verify
from modelstream.cli import main
from modelstream.errors import ModelUnavailable, UnknownModel
from modelstream.events import Admitted, RegistryEvent, Rejected
from modelstream.flow import Flow
from modelstream.formats import load_model
from modelstream.formats.base import Remote
from modelstream.log.memory import MemoryBlobs, MemoryLog
from modelstream.messages import Outgoing, Position, VersionId
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail
from modelstream.wire.descriptor import GoldenRecord, ModelDescriptor, encode_descriptor
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until
from tests.support.model_server import ModelServer, model_server
from tests.support.serving import Serving

FEATURES = ("a", "b")


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
    flow = Flow(name="wine", partitions=2, remote=Remote((server.host,), 1000))
    made = Serving(Rig(MemoryLog(), flow), jail)
    yield made
    made.close()


def publish(serving: Serving, url: str, *golden: GoldenRecord) -> list[RegistryEvent]:
    """Publish a location; return the verdict."""
    rig = serving.rig
    position = ms.publish(
        rig.log, rig.flow, url, name="line", feature_names=FEATURES, golden=golden
    )
    serving.settle()
    return ms.verdict(rig.log, rig.flow, position, 0) or []


def send(serving: Serving, count: int, partition: int = 0) -> None:
    start = serving.rig.log.bounds("wine.records", partition)[1]
    serving.rig.send(
        *({"a": float(start + at), "b": 1.0} for at in range(count)), partition=partition
    )


def test_a_location_is_admitted_and_its_server_answers(
    serving: Serving, server: ModelServer
) -> None:
    send(serving, 3)
    golden = GoldenRecord('{"a": 1, "b": 2}', '{"y": 9}')
    admitted, _ = publish(serving, server.oip, golden)
    assert isinstance(admitted, Admitted)
    assert (admitted.format, [each.name for each in admitted.inputs]) == ("remote", ["a", "b"])
    serving.answer()
    assert [result.outputs["y"] for result in serving.rig.results()] == [4.0, 6.0, 8.0]
    assert serving.rig.results()[0].model.served_version == "7"
    assert (
        b'"served_version":"7"' in serving.rig.log.read("wine.results", 0, 0, 1, 1 << 20).values[0]
    )


def test_the_same_location_with_another_signature_is_another_version(
    serving: Serving, server: ModelServer
) -> None:
    assert len(publish(serving, server.oip)) == 2
    assert publish(serving, server.oip) == []
    server.does.inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    admitted, _ = publish(serving, server.oip)
    assert isinstance(admitted, Admitted)
    assert admitted.version == "2"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/v2/models/line", "location_refused"),
        ("http://169.254.169.254/v2/models/line", "location_refused"),
        ("http://HOST/latest/meta-data", "location_refused"),
        ("http://HOST/v2/models/other", "unavailable"),
    ],
)
def test_other_hosts_and_paths_are_refused(
    serving: Serving, server: ModelServer, url: str, code: str
) -> None:
    rig = serving.rig
    descriptor = ModelDescriptor(
        name="line", format="remote", location=url.replace("HOST", server.host)
    )
    rig.log.append(Outgoing("wine.models", [encode_descriptor(descriptor)], partition=0))
    serving.settle()
    (told,) = ms.verdict(rig.log, rig.flow, Position("wine.models", 0, 0), 0) or []
    assert isinstance(told, Rejected)
    assert told.code == code


def test_a_flow_that_names_no_server_asks_none(server: ModelServer, jail: Jail) -> None:
    serving = Serving(Rig(MemoryLog(), Flow(name="wine")), jail)
    (told,) = publish(serving, server.oip)
    assert isinstance(told, Rejected)
    assert "add it to hosts in the flow's table [remote]" in told.reason
    assert server.does.requests == []
    serving.close()


def test_metadata_in_the_message_is_no_way_around_the_hosts(
    serving: Serving, server: ModelServer
) -> None:
    rig = serving.rig
    data = b'{"remote":1,"location":"http://10.0.0.1/v2/models/m","inputs":[],"outputs":[]}'
    descriptor = ModelDescriptor(name="line", format="remote", data=data)
    rig.log.append(Outgoing("wine.models", [encode_descriptor(descriptor)], partition=0))
    serving.settle()
    (told,) = ms.verdict(rig.log, rig.flow, Position("wine.models", 0, 0), 0) or []
    assert isinstance(told, Rejected)
    assert "published by its location alone" in told.reason


def test_a_wrong_golden_record_is_found_through_the_server(
    serving: Serving, server: ModelServer
) -> None:
    (told,) = publish(serving, server.oip, GoldenRecord('{"a": 1, "b": 2}', '{"y": 10}'))
    assert isinstance(told, Rejected)
    assert told.code == "golden_mismatch"


def test_while_the_server_is_away_records_wait_and_then_are_answered_in_order(
    serving: Serving, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    publish(serving, server.oip)
    for partition in (0, 1):
        send(serving, 20, partition)
    serving.answer()
    server.stop()
    for partition in (0, 1):
        send(serving, 30, partition)
    engine, absences = serving.engine, serving.engine.shell.absences
    run_until(engine, lambda: absences.batch_records < 500)  # several attempts
    assert engine.held()
    assert engine.lag() == 60
    assert serving.rig.rejects() == []
    assert sum("does not answer" in each.message for each in caplog.records) == 1
    server.start()
    serving.answer()
    for partition in (0, 1):
        results = serving.rig.results(partition)
        assert [each.offset for each in results] == list(range(50))
        assert [each.outputs["y"] for each in results] == [2.0 * at + 4 for at in range(50)]
    assert absences.reasons == {}
    assert sum("answers again" in each.message for each in caplog.records) == 1


def test_promoting_another_version_gets_the_stream_going_again(
    serving: Serving, server: ModelServer
) -> None:
    publish(serving, server.oip)
    send(serving, 5)
    serving.answer()
    server.stop()
    send(serving, 5)
    run_until(serving.engine, serving.engine.held)
    serving.publish(adder(1.0, "a"), "plus")
    serving.answer()
    assert [each.model.name for each in serving.rig.results()] == ["line"] * 5 + ["plus"] * 5
    assert serving.engine.shell.absences.reasons == {}
    server.start()


def test_a_version_whose_server_is_away_does_not_take_over(
    serving: Serving, server: ModelServer
) -> None:
    serving.publish(adder(1.0, "a"), "plus")
    ms.publish(serving.rig.log, serving.rig.flow, server.oip, name="line", feature_names=FEATURES)
    while serving.admitter.step(0):
        pass
    server.stop()
    send(serving, 3)
    run_until(serving.engine, lambda: bool(serving.engine.shell.failed.reasons))
    serving.answer()
    assert {each.model.name for each in serving.rig.results()} == {"plus"}
    server.start()


def test_a_batch_that_a_server_refuses_whole_is_asked_for_by_halves(
    serving: Serving, server: ModelServer
) -> None:
    publish(serving, server.oip)
    send(serving, 64)
    server.does.largest = 10
    serving.answer()
    assert [each.offset for each in serving.rig.results()] == list(range(64))


def test_a_record_that_the_server_refuses_is_rejected_alone(
    serving: Serving, server: ModelServer
) -> None:
    publish(serving, server.oip)
    serving.rig.send({"a": 1.0, "b": 1.0}, {"a": -1.0, "b": 1.0}, {"a": 2.0, "b": 1.0})
    serving.answer()
    assert [each.offset for each in serving.rig.results()] == [0, 2]
    (reject,) = serving.rig.rejects()
    assert (reject.offset, reject.reason) == (1, "invalid_value")
    assert "a must not be negative" in reject.detail


def test_audits_count_apart_what_a_server_answered(serving: Serving, server: ModelServer) -> None:
    publish(serving, server.oip)
    send(serving, 4)
    serving.answer()
    log, flow = serving.rig.log, serving.rig.flow
    asked = len(server.does.requests)
    report = verify(log, flow)
    assert report.ok
    assert (report.figures.remote, report.figures.rescored) == (4, 0)
    replayed = replay(log, flow)
    assert (replayed.records, replayed.not_rescored) == (0, 4)
    assert "asked at a server" in replayed.unavailable[VersionId("line", "1")]
    with pytest.raises(UnknownModel, match="asked at a server"):
        replay(log, flow, version=VersionId("line", "1"))
    explained = explain(log, flow, "wine.records/0/2")
    assert explained.verdict == "not_rescored"
    assert "a server answered it" in explained.why_not
    assert len(server.does.requests) == asked, "no audit asks a server"


def test_a_lost_lowered_form_is_asked_for_again_while_the_signature_is_the_same(
    serving: Serving, server: ModelServer, jail: Jail
) -> None:
    admitted, _ = publish(serving, server.oip)
    assert isinstance(admitted, Admitted)
    log, flow = serving.rig.log, serving.rig.flow
    kept = log.blobs.get(admitted.lowered)
    log.blobs = MemoryBlobs()  # type: ignore[misc]
    assert lowered_bytes(admitted, log, flow, jail) == kept
    log.blobs = MemoryBlobs()  # type: ignore[misc]
    server.does.outputs = [{"name": "y", "datatype": "FP32", "shape": [-1]}]
    with pytest.raises(UnknownModel, match="another artifact than the one that was admitted"):
        lowered_bytes(admitted, log, flow, jail)
    server.stop()
    with pytest.raises(UnknownModel, match="cannot be fetched again"):
        lowered_bytes(admitted, log, flow, jail)
    server.start()


def test_the_command_line_takes_a_url_for_a_file(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "records.jsonl"
    records.write_text('{"a": 1, "b": 2}\n')
    assert main(["show", server.oip, "--features", "a,b"]) == 0
    shown = capsys.readouterr().out
    assert f"{server.oip}: remote Open Inference Protocol v2, HTTP" in shown
    assert server.host in shown
    assert main(["score", server.oip, str(records), "--features", "a,b"]) == 0
    assert '"y":9.0' in capsys.readouterr().out
    flow = tmp_path / "flow.toml"
    flow.write_text('name = "wine"\n')
    assert main(["publish", str(flow), server.oip, "--name", "line", "--wait", "0"]) == 0
    assert "on the log at wine.models/0/0" in capsys.readouterr().out


def test_a_join_of_iterables_waits_for_a_server_too(server: ModelServer) -> None:
    records = [{"a": float(at), "b": 1.0} for at in range(300)]
    model = ms.load_model(server.oip)
    assert model.score({"x": np.ones((1, 2))})["y"].tolist() == [6.0]
    model.close()
    joined = iter(
        ms.join(
            [{"x": [each["a"], each["b"]]} for each in records],
            [("line", server.oip)],
            remote=Remote((server.host,)),
        )
    )
    first = next(joined)
    server.does.drop = 6
    rest = list(joined)
    assert isinstance(first, ms.Result)
    answers = [each.outputs["y"] for each in [first, *rest] if isinstance(each, ms.Result)]
    assert answers == [2 * each["a"] + 4 for each in records]


def test_a_join_asks_no_server_that_it_was_not_told_of(server: ModelServer) -> None:
    with pytest.raises(UnknownModel, match="is not one that models may be asked at"):
        list(ms.join([{"x": [1, 2]}], [server.oip]))
    assert server.does.requests == []


def test_a_server_that_is_away_is_told_to_whom_loads_a_model(server: ModelServer) -> None:
    server.stop()
    with pytest.raises(ModelUnavailable, match="cannot be asked"):
        load_model(server.oip)
    server.start()
