"""The loop over a log: every record one outcome, committed with its position."""

import threading
from collections.abc import Iterator

import pytest

from modelstream.engines.embedded import Embedded
from modelstream.errors import Fenced
from modelstream.events import Admitted, Retired, RolledBack
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, TopicPartition, VersionId
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until


@pytest.fixture
def rig() -> Rig:
    return Rig(MemoryLog(), Flow(name="wine"))


@pytest.fixture
def engine(rig: Rig) -> Iterator[Embedded]:
    engine = rig.engine()
    yield engine
    engine.close()


def serving(engine: Embedded) -> VersionId | None:
    return engine.shell.machine.snapshot().plans[0].serving


def test_a_record_is_scored_and_its_position_committed(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0, "id": "r1"})
    run_until(engine, lambda: len(rig.results()) == 1)
    (result,) = rig.results()
    assert result.outputs == {"score": 2.0}
    assert bytes(result.record) == b'{"x": 1.0, "id": "r1"}'
    assert (result.topic, result.partition, result.offset) == ("wine.records", 0, 0)
    assert (result.model.name, result.model.version, result.model.as_of) == ("plus", "1", 1)
    assert len(result.model.digest) == 64
    assert rig.log.committed("wine.join", "wine.records", 0) == 1
    assert engine.lag() == 0


def test_records_before_the_first_model_wait_and_are_answered_later(
    rig: Rig, engine: Embedded
) -> None:
    rig.send({"x": 1.0}, {"x": 2.0})
    run_until(engine, engine.held)
    assert engine.reached(engine.ends())
    assert rig.results() == []
    assert rig.log.committed("wine.join", "wine.records", 0) is None
    rig.serve(adder(1.0), "plus")
    run_until(engine, lambda: len(rig.results()) == 2)
    assert not engine.held()


def test_records_without_a_model_are_rejected_where_the_flow_says_so() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", on_no_model="reject"))
    engine = rig.engine()
    rig.send({"x": 1.0})
    run_until(engine, lambda: len(rig.rejects()) == 1)
    assert rig.rejects()[0].reason == "no_model"
    engine.close()


def test_a_new_model_takes_over_between_two_batches(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    rig.serve(adder(5.0), "plus", "2")
    run_until(engine, lambda: engine.shell.machine.snapshot().plans[0].as_of == 3)
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 2)
    assert [(r.outputs["score"], r.model.version, r.model.as_of) for r in rig.results()] == [
        (1.0, "1", 1),
        (5.0, "2", 3),
    ]


def test_a_rollback_and_a_retirement_go_back(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus", "1")
    rig.serve(adder(2.0), "plus", "2")
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    rig.event(RolledBack(data_type="wine", name="plus", version="2", source=0, at_ms=0))
    run_until(engine, lambda: serving(engine) == ("plus", "1"))
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 2)
    rig.promote("plus", "2")
    run_until(engine, lambda: serving(engine) == ("plus", "2"))
    rig.event(Retired(name="plus", version="2", source=0, at_ms=0))
    run_until(engine, lambda: serving(engine) == ("plus", "1"))
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 3)
    assert [result.model.version for result in rig.results()] == ["2", "1", "1"]


def test_bad_records_are_rejected_alone_with_position_and_bytes(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"nonsense", {"z": 1}, {"x": "text"}, {"x": 2.0})
    run_until(engine, lambda: engine.lag() == 0)
    assert [result.offset for result in rig.results()] == [0, 4]
    assert [(r.offset, r.reason, r.value) for r in rig.rejects()] == [
        (1, "not_json", b"nonsense"),
        (2, "missing_field", b'{"z": 1}'),
        (3, "wrong_type", b'{"x": "text"}'),
    ]
    assert {reject.as_of for reject in rig.rejects()} == {1}


def test_results_and_rejects_have_their_records_keys(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus")
    values = [b'{"x":1}', b"?", b'{"x":2}']
    rig.log.append(Outgoing("wine.records", values, [b"a", b"b", None], partition=0))
    run_until(engine, lambda: engine.lag() == 0)
    assert rig.log.read("wine.results", 0, 0, 10, 1 << 20).keys == [b"a", None]
    assert rig.log.read("wine.rejects", 0, 0, 10, 1 << 20).keys == [b"b"]


def test_a_partitions_answers_stand_in_the_same_partition() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=3))
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    for partition in range(3):
        rig.send(*[{"x": float(number)} for number in range(5)], partition=partition)
    run_until(engine, lambda: engine.lag() == 0)
    for partition in range(3):
        assert [result.offset for result in rig.results(partition)] == [0, 1, 2, 3, 4]
        assert {result.partition for result in rig.results(partition)} == {partition}
    engine.close()


def test_each_topic_has_the_model_of_its_data_type() -> None:
    flow = Flow(name="drinks", records={"wine.records": "wine", "beer.records": "beer"})
    rig = Rig(MemoryLog(), flow)
    engine = rig.engine()
    rig.serve(adder(1.0), "plus", data_type="wine")
    rig.send({"x": 0.0}, topic="wine.records")
    rig.send({"x": 0.0}, topic="beer.records")
    run_until(engine, lambda: len(rig.results()) == 1 and engine.held())
    assert rig.results()[0].data_type == "wine", "wine does not wait for beer's model"
    rig.serve(adder(9.0), "plus nine", data_type="beer")
    run_until(engine, lambda: len(rig.results()) == 2)
    assert rig.results()[1].outputs == {"score": 9.0}
    engine.close()


def test_a_field_of_the_record_names_its_data_type() -> None:
    rig = Rig(MemoryLog(), Flow(name="drinks", data_type_field="kind"))
    engine = rig.engine()
    rig.serve(adder(1.0), "one", data_type="wine")
    rig.serve(adder(2.0), "two", data_type="beer")
    rig.send({"x": 0, "kind": "beer"}, {"x": 0, "kind": "wine"}, {"x": 0}, {"x": 0, "kind": "beer"})
    run_until(engine, lambda: engine.lag() == 0)
    assert [result.outputs["score"] for result in rig.results()] == [2.0, 1.0, 2.0]
    assert rig.rejects()[0].reason == "no_data_type"
    engine.close()


def test_a_stopped_instance_goes_on_where_its_commit_was(rig: Rig) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 0.0})
    first = rig.engine("first")
    run_until(first, lambda: len(rig.results()) == 1)
    first.close()
    rig.send({"x": 1.0})
    second = rig.engine("second")
    run_until(second, lambda: len(rig.results()) == 2)
    assert [result.offset for result in rig.results()] == [0, 1]
    second.close()


def test_an_instance_that_takes_over_never_answers_with_an_older_version(rig: Rig) -> None:
    rig.serve(adder(1.0), "plus", "1")
    first = rig.engine("first")
    rig.send({"x": 0.0})
    run_until(first, lambda: len(rig.results()) == 1)
    may_load = threading.Event()

    def slow(admitted: Admitted) -> bytes:
        assert admitted.version == "1" or may_load.wait(20)
        return rig.lowered(admitted)

    second = Embedded(rig.flow, rig.log, slow, "second")
    run_until(second, lambda: serving(second) == ("plus", "1"))
    rig.serve(adder(2.0), "plus", "2")
    run_until(first, lambda: serving(first) == ("plus", "2"))
    rig.send({"x": 0.0})
    run_until(first, lambda: len(rig.results()) == 2)
    first.close()
    rig.send({"x": 0.0})
    for _ in range(20):
        second.step(1)
    assert len(rig.results()) == 2, "it has the partition, and waits for the version"
    may_load.set()
    run_until(second, lambda: len(rig.results()) == 3)
    assert [(r.model.version, r.model.as_of) for r in rig.results()] == [
        ("1", 1),
        ("2", 3),
        ("2", 3),
    ]
    second.close()


def test_a_commit_that_is_fenced_off_writes_nothing(
    rig: Rig, engine: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 9.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    rig.send({"x": 0.0})
    commit = engine._consumer.commit

    def fenced(*_: object) -> None:
        monkeypatch.setattr(engine._consumer, "commit", commit)
        engine._consumer.rewind({TopicPartition("wine.records", 0): 1})
        raise Fenced("another instance has the partition")

    monkeypatch.setattr(engine._consumer, "commit", fenced)
    assert engine.step() == 0
    assert len(rig.results()) == 1
    run_until(engine, lambda: len(rig.results()) == 2)


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_serving(
    rig: Rig, engine: Embedded
) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    broken = rig.log.blobs.put(b"not a lowered model")
    admitted = rig.admit(adder(7.0), "broken")
    rig.event(
        type(admitted)(
            **{
                **{name: getattr(admitted, name) for name in admitted.__struct_fields__},
                "version": "2",
                "lowered": broken,
            }
        )
    )
    rig.promote("broken", "2")
    run_until(engine, lambda: bool(engine.shell.failed.reasons))
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 2)
    last = rig.results()[1]
    assert (last.model.name, last.model.as_of) == ("plus", 3)
    assert not engine.shell.machine.loading(), "it is not on its way"
    assert engine.reached(engine.ends())


def test_figures_of_each_version_are_kept(rig: Rig, engine: Embedded) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, {"x": 2.0}, b"?")
    run_until(engine, lambda: engine.lag() == 0)
    (stats,) = engine.shell.machine.stats.values()
    summary = stats.summary()
    assert (summary.uses, summary.errors) == (2, 1)
    assert summary.max_us >= summary.p50_us > 0


def test_a_loaded_version_is_closed_with_its_engine(rig: Rig) -> None:
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    run_until(engine, lambda: engine.shell.machine.snapshot().plans != ())
    engine.close()
    assert engine.shell._loaded == {}
