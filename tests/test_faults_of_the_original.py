"""Nine faults of the tutorial code that this system grew out of, each by its name."""

import ast
import dataclasses
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from modelstream.engines.serve import serve
from modelstream.events import Rejected, decode_events
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import ModelStamp, VersionId
from modelstream.publishing import publish
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until

CORE = Path(__file__).resolve().parents[1] / "src/modelstream/core"


@pytest.fixture
def rig() -> Rig:
    return Rig(MemoryLog(), Flow(name="wine"))


def test_fault_1_a_record_without_a_model_is_not_dropped(rig: Rig) -> None:
    engine = rig.engine()
    rig.send({"x": 1.0}, b"?", {"x": 2.0})
    run_until(engine, engine.held)
    rig.serve(adder(1.0), "plus")
    run_until(engine, lambda: engine.lag() == 0)
    ends = [each.offset for each in rig.results()] + [each.offset for each in rig.rejects()]
    assert sorted(ends) == [0, 1, 2], "every record has one outcome"
    engine.close()


def test_fault_2_a_result_has_version_digest_and_as_of(rig: Rig) -> None:
    required = {field.name for field in msgspec.structs.fields(ModelStamp) if field.required}
    assert required >= {"name", "version", "digest", "as_of"}
    engine = rig.engine()
    admitted = rig.admit(adder(1.0), "plus", "7")
    rig.promote("plus", "7")
    rig.send({"x": 1.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    stamp = rig.results()[0].model
    assert (stamp.name, stamp.version, stamp.digest) == ("plus", "7", admitted.digest)
    assert stamp.as_of == 1
    engine.close()


def test_fault_3_a_model_that_fails_to_load_is_a_rejected_event_with_the_reason(rig: Rig) -> None:
    publish(rig.log, rig.flow, adder(1.0)[:-20], name="broken", format="onnx")
    serve(rig.flow, rig.log, once=True)
    (event,) = decode_events(rig.log.read("wine.registry", 0, 0, 10, 1 << 20).values)
    assert isinstance(event, Rejected)
    assert event.name == "broken"
    assert event.reason


def test_fault_4_a_bad_record_is_a_dead_letter_with_position_and_bytes(rig: Rig) -> None:
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    rig.send(b"BAD DATA")
    run_until(engine, lambda: len(rig.rejects()) == 1)
    (reject,) = rig.rejects()
    assert (reject.topic, reject.partition, reject.offset) == ("wine.records", 0, 0)
    assert reject.value == b"BAD DATA"
    engine.close()


def test_fault_5_records_in_flight_are_not_lost_at_a_restart(rig: Rig) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, {"x": 2.0})
    first = rig.engine("first")
    run_until(first, lambda: first.shell.machine.snapshot().loads != ())
    batches = first._consumer.poll(100, 100, 1 << 20)
    first.shell.join(batches, lambda _: "wine")  # scored, and never committed
    first._consumer.close()
    second = rig.engine("second")
    run_until(second, lambda: second.lag() == 0)
    assert [result.offset for result in rig.results()] == [0, 1]
    first.shell.close(1.0)
    second.close()


def test_fault_6_a_stop_reaches_a_loop_that_has_nothing_to_do(rig: Rig) -> None:
    # The original's timer could miss its own firing, and a record then waited for ever.
    stop = threading.Event()
    running = threading.Thread(target=serve, args=(rig.flow, rig.log), kwargs={"stop": stop})
    running.start()
    stop.set()
    running.join(20)
    assert not running.is_alive()


def test_fault_7_what_is_pending_is_not_changed_while_it_is_walked(rig: Rig) -> None:
    # One effect leads to others; they are queued, never performed inside one another.
    flow = Flow(name="drinks", data_type_field="kind")
    rig = Rig(MemoryLog(), flow)
    kinds = [f"kind-{number}" for number in range(50)]
    for kind in kinds:
        rig.serve(adder(1.0), kind, data_type=kind)
    engine = rig.engine()
    rig.send(*[{"x": 0, "kind": kind} for kind in reversed(kinds)])
    run_until(engine, lambda: engine.lag() == 0)
    assert [result.model.name for result in rig.results()] == list(reversed(kinds))
    engine.close()


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: path.name)
def test_fault_8_the_core_has_no_clock_and_no_globals(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {
        (getattr(node, "module", None) or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not imported & {"time", "datetime", "random", "threading", "asyncio", "os", "socket"}
    assert imported <= sys.stdlib_module_names | {"modelstream", "numpy"}
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Global)


def test_fault_9_an_answer_names_the_version_that_gave_it(rig: Rig) -> None:
    # The vote's answer was called "voter model". An answer cannot be made without saying whose it is.
    from modelstream.core.policies.base import Piece

    (by,) = [field for field in dataclasses.fields(Piece) if field.name == "by"]
    assert by.default is dataclasses.MISSING
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    stamp = rig.results()[0].model
    assert VersionId(stamp.name, stamp.version) in engine.shell.machine.stats
    engine.close()
