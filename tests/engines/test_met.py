"""Each data type to one owner: an instance holds the models of the data types that it meets, no others."""

import json
from collections.abc import Iterator

import pytest

from modelstream.audit import verify
from modelstream.engines.embedded import Embedded
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from tests.support.artifacts import adder
from tests.support.flows import Rig

FLOW = Flow(name="wine", data_type_field="kind", partitions=4, partition_by="data_type")
KINDS = [f"kind{number}" for number in range(12)]


@pytest.fixture
def rig() -> Rig:
    rig = Rig(MemoryLog(), FLOW)
    for number, kind in enumerate(KINDS):
        rig.serve(adder(float(number)), kind, data_type=kind)
    return rig


@pytest.fixture
def engines(rig: Rig) -> Iterator[list[Embedded]]:
    engines = [rig.engine("one"), rig.engine("two")]
    yield engines
    for each in engines:
        each.close()


def send(rig: Rig, count: int) -> None:
    records = [{"kind": kind, "x": float(n)} for n in range(count) for kind in KINDS]
    values = [json.dumps(each).encode() for each in records]
    keys = [str(each["kind"]).encode() for each in records]
    rig.log.append(Outgoing("wine.records", values, keys=keys))


def answer(rig: Rig, engines: list[Embedded], total: int) -> None:
    for _ in range(2000):
        for each in engines:
            each.step(1)
        if sum(len(rig.results(partition)) for partition in range(4)) == total:
            return
    raise AssertionError("not everything was answered")


def loaded(engine: Embedded) -> set[str]:
    return {version.name for version in engine.shell._loaded}


def test_an_instance_holds_the_models_of_its_own_data_types(
    rig: Rig, engines: list[Embedded]
) -> None:
    for each in engines:
        each.step(1)
    assert loaded(engines[0]) == loaded(engines[1]) == set(), "nothing was met so far"
    send(rig, 10)
    answer(rig, engines, 120)
    one, two = map(loaded, engines)
    assert one | two == set(KINDS)
    assert not one & two
    assert one
    assert two
    assert verify(rig.log, rig.flow).ok


def test_who_takes_over_loads_and_who_gives_up_releases(rig: Rig, engines: list[Embedded]) -> None:
    one, two = engines
    two.close()
    send(rig, 5)
    answer(rig, [one], 60)
    assert loaded(one) == set(KINDS)
    engines[1] = two = rig.engine("three")
    for _ in range(50):
        one.step(1)
        two.step(1)
    send(rig, 5)
    answer(rig, [one, two], 120)
    for _ in range(20):
        one.step(1)
    assert loaded(one) | loaded(two) == set(KINDS)
    assert not loaded(one) & loaded(two)
    outputs = {
        (
            json.loads(bytes(each.record))["kind"],
            each.outputs["score"] - json.loads(bytes(each.record))["x"],
        )
        for partition in range(4)
        for each in rig.results(partition)
    }
    assert outputs == {(kind, float(number)) for number, kind in enumerate(KINDS)}
    assert verify(rig.log, rig.flow).ok


def test_a_new_version_of_what_is_not_met_is_loaded_when_it_is(
    rig: Rig, engines: list[Embedded]
) -> None:
    rig.serve(adder(100.0), "kind0", version="2", data_type="kind0")
    for each in engines:
        each.step(1)
    assert loaded(engines[0]) == loaded(engines[1]) == set()
    send(rig, 1)
    answer(rig, engines, 12)
    versions = {
        result.model.version
        for partition in range(4)
        for result in rig.results(partition)
        if result.data_type == "kind0"
    }
    assert versions == {"2"}
