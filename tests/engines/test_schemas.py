"""Records and results that are not JSON, through the join and every audit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelstream.audit import explain, replay, verify
from modelstream.engines.serve import serve
from modelstream.errors import InvalidFlow, SchemasUnavailable
from modelstream.events import Admitted, decode_events
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Failure
from modelstream.publishing import publish
from modelstream.query.figures import read_figures
from modelstream.schemas import RecordsFormat, Schemas
from modelstream.wire.results import decode_result
from modelstream.wire.writing import result_format
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until
from tests.support.schema_registry import SchemaRegistryServer, schema_registry
from tests.support.schemas import avro, framed, record_schema, text

OLD = record_schema(("x", "double"), ("kind", "string"))
NEW = record_schema(("kind", "string"), ("more", ["null", "string"]), ("x", "float"))
WITHOUT = record_schema(("kind", "string"))


@pytest.fixture
def server() -> Iterator[SchemaRegistryServer]:
    with schema_registry() as server:
        for schema in (OLD, NEW, WITHOUT):
            server.does.add("wine.records-value", text(schema))
        yield server


def rig_of(server: SchemaRegistryServer, results: RecordsFormat = "json", **more: Any) -> Rig:
    schemas = Schemas(records="avro", results=results, registry=server.url)
    return Rig(MemoryLog(), Flow(name="wine", schemas=schemas, **more))


def old(x: float, kind: str = "wine") -> bytes:
    return framed(1, avro(OLD, {"x": x, "kind": kind}))


def new(x: float, kind: str = "wine") -> bytes:
    return framed(2, avro(NEW, {"x": x, "kind": kind, "more": None}))


def values(rig: Rig, topic: str) -> list[bytes]:
    return list(rig.log.read(topic, 0, 0, 1000, 1 << 24).values)


def answers(rig: Rig) -> list[Any]:
    written = result_format(rig.flow).as_json(values(rig, rig.flow.results))
    return [decode_result(each).outputs["score"] for each in written]


def run(rig: Rig, *records: bytes) -> None:
    engine = rig.engine()
    try:
        rig.send(*records)
        run_until(engine, lambda: engine.lag() == 0)
    finally:
        engine.close()


@pytest.mark.parametrize("results", ["json", "avro", "protobuf"])
def test_records_of_several_schemas_are_bound_by_name(
    server: SchemaRegistryServer, results: RecordsFormat
) -> None:
    rig = rig_of(server, results)
    rig.serve(adder(1.0), "plus")
    without = framed(3, avro(WITHOUT, {"kind": "wine"}))
    run(rig, old(1.0), new(2.0), without, b"nonsense", framed(99, b""), old(3.0))
    assert answers(rig) == [2.0, 3.0, 4.0]
    assert [(each.offset, each.reason) for each in rig.rejects()] == [
        (2, "missing_field"),
        (3, "malformed"),
        (4, "unknown_schema"),
    ]
    assert rig.rejects()[1].value == b"nonsense", "a reject keeps the bytes as they came"
    written = result_format(rig.flow).as_json(values(rig, rig.flow.results))
    assert json.loads(written[1])["record"] == {"kind": "wine", "more": None, "x": 2.0}


@pytest.mark.parametrize("results", ["json", "avro", "protobuf"])
def test_every_audit_reads_what_the_join_has_read(
    server: SchemaRegistryServer, results: RecordsFormat
) -> None:
    rig = rig_of(server, results, data_type_field="kind")
    rig.serve(adder(1.0), "plus")
    run(rig, old(1.0), new(2.0), framed(99, b"?"), b"?", old(3.0))
    report = verify(rig.log, rig.flow)
    assert report.ok, report.findings
    assert (report.figures.results, report.figures.rescored) == (3, 3)
    assert replay(rig.log, rig.flow).changes["equal"] == 3
    told = explain(rig.log, rig.flow, "wine.records/0/1")
    assert told.record == {"kind": "wine", "more": None, "x": 2.0}
    assert (told.inputs, told.rescored, told.verdict) == ({"x": 2.0}, {"score": 3.0}, "same")
    told = explain(rig.log, rig.flow, "wine.results/0/2")
    assert told.position.offset == 4
    told = explain(rig.log, rig.flow, "wine.records/0/2")
    assert isinstance(told.rescored, Failure)
    assert told.rescored.reason == "unknown_schema"
    assert read_figures(rig.log, rig.flow).results == 3


def test_an_audit_finds_a_result_that_was_tampered_with(server: SchemaRegistryServer) -> None:
    rig = rig_of(server, "avro")
    rig.serve(adder(1.0), "plus")
    run(rig, old(1.0))
    other = Rig(MemoryLog(), rig.flow)
    other.serve(adder(1.0), "plus")
    run(other, old(1.5))
    rig.log.append(_outgoing(rig, values(other, rig.flow.results)))
    assert not verify(rig.log, rig.flow).ok


def _outgoing(rig: Rig, written: list[bytes]) -> Any:
    from modelstream.messages import Outgoing

    return Outgoing(rig.flow.results, written, partition=0)


def test_an_audit_forgives_a_schema_that_was_registered_later(
    server: SchemaRegistryServer,
) -> None:
    rig = rig_of(server)
    rig.serve(adder(1.0), "plus")
    run(rig, framed(4, avro(OLD, {"x": 1.0, "kind": "w"})))
    assert [each.reason for each in rig.rejects()] == ["unknown_schema"]
    server.does.add("late", text(OLD), note="later")
    report = verify(rig.log, rig.flow)
    assert report.ok
    assert report.figures.unready == 1


def test_records_wait_while_the_registry_is_away(server: SchemaRegistryServer) -> None:
    rig = rig_of(server)
    rig.serve(adder(1.0), "plus")
    server.stop()
    engine = rig.engine()
    rig.send(old(1.0), b"nonsense")
    run_until(engine, engine.held)
    assert "the schema registry" in engine.shell.absences.reasons
    assert engine.lag() == 2
    assert not rig.rejects()
    with pytest.raises(SchemasUnavailable):
        explain(rig.log, rig.flow, "wine.records/0/0")
    server.start()
    run_until(engine, lambda: engine.lag() == 0)
    assert answers(rig) == [2.0]
    assert not engine.shell.absences.reasons
    engine.close()


def test_records_wait_while_results_cannot_be_registered(server: SchemaRegistryServer) -> None:
    schemas = Schemas(results="avro", registry=server.url)
    rig = Rig(MemoryLog(), Flow(name="wine", schemas=schemas))
    rig.serve(adder(1.0), "plus")
    server.does.status = 503
    engine = rig.engine()
    rig.send({"x": 1.0})
    run_until(engine, engine.held)
    server.does.status = 0
    run_until(engine, lambda: engine.lag() == 0)
    assert answers(rig) == [2.0]
    engine.close()


def test_known_partitions_go_on_while_a_new_schema_waits(server: SchemaRegistryServer) -> None:
    rig = rig_of(server, partitions=2)
    rig.serve(adder(1.0), "plus")
    run(rig, old(1.0))
    engine = rig.engine()
    rig.send(old(1.0))
    run_until(engine, lambda: engine.lag() == 0)
    server.stop()
    rig.send(old(2.0), partition=0)
    rig.send(new(3.0), partition=1)
    run_until(engine, lambda: len(rig.results(0)) == 3 and engine.held())
    assert engine.lag() == 1
    server.start()
    run_until(engine, lambda: len(rig.results(1)) == 1)
    engine.close()


def test_a_registry_that_refuses_ends_the_join_and_loses_nothing(
    server: SchemaRegistryServer,
) -> None:
    rig = rig_of(server)
    rig.serve(adder(1.0), "plus")
    server.does.authorization = "Basic x"
    engine = rig.engine()
    rig.send(old(1.0))
    with pytest.raises(InvalidFlow, match="Unauthorized"):
        run_until(engine, lambda: engine.lag() == 0)
    assert engine.lag() == 1
    engine.close()


def test_a_model_is_rehearsed_on_records_that_are_not_json(server: SchemaRegistryServer) -> None:
    rig = rig_of(server)
    rig.send(old(1.0))
    publish(rig.log, rig.flow, adder(1.0, "alcohol"), name="wrong", format="onnx")
    publish(rig.log, rig.flow, adder(1.0), name="right", format="onnx")
    serve(rig.flow, rig.log, once=True)
    events = decode_events(values(rig, rig.flow.registry))
    assert getattr(events[0], "code", "") == "fields_missing"
    assert "it has" not in getattr(events[0], "reason", "")
    assert isinstance(events[1], Admitted)
    assert answers(rig) == [2.0]


def test_a_model_is_admitted_while_the_registry_is_away(
    server: SchemaRegistryServer, caplog: pytest.LogCaptureFixture
) -> None:
    rig = rig_of(server)
    rig.send(old(1.0))
    publish(rig.log, rig.flow, adder(1.0), name="plus", format="onnx")
    server.stop()
    serve(rig.flow, rig.log, once=True)
    server.start()
    assert "admitted without a rehearsal" in caplog.text
    assert isinstance(decode_events(values(rig, rig.flow.registry))[0], Admitted)


def test_inputs_are_bound_by_the_flow_in_the_join_the_rehearsal_and_the_audits(
    tmp_path: Path,
) -> None:
    rule = tmp_path / "rule.json"
    rule.write_text('{"properties": {"grape": {"minimum": 0}}}')
    flow = Flow(name="wine", bind={"x": "grape"}, schemas=Schemas(json_schema=str(rule)))
    rig = Rig(MemoryLog(), flow)
    rig.send({"grape": 1.0}, {"x": 1.0}, {"grape": -1.0})
    publish(rig.log, rig.flow, adder(1.0), name="plus", format="onnx")
    serve(rig.flow, rig.log, once=True)
    assert answers(rig) == [2.0]
    assert [each.reason for each in rig.rejects()] == ["missing_field", "schema_violation"]
    assert verify(rig.log, rig.flow).ok
