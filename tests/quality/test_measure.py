"""Labels joined with results: whose label it is, who is measured, and who agrees."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.policies.text import parse_policy
from modelstream.engines.topics import prepare
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.quality.labels import Labels
from modelstream.quality.measure import measure
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until

FLOW = Flow(name="wine", labels="wine.labels")


def labelled(rig: Rig, key: str, label: object) -> None:
    value = json.dumps({"label": label}).encode()
    rig.log.append(Outgoing("wine.labels", [value], keys=[key.encode()], partition=0))


def answered(rig: Rig, **records: float) -> None:
    values = [json.dumps({"x": value}).encode() for value in records.values()]
    keys = [key.encode() for key in records]
    rig.log.append(Outgoing("wine.records", values, keys=keys, partition=0))


def test_a_version_is_measured_by_the_labels_of_its_records() -> None:
    rig = Rig(MemoryLog(), FLOW)
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    answered(rig, a=1.0, b=2.0, c=3.0)
    run_until(engine, lambda: engine.lag() == 0)
    engine.close()
    labelled(rig, "a", 2.5)
    labelled(rig, "b", 3.0)
    labelled(rig, "z", 3.0)
    report = measure(rig.log, FLOW)
    (version,) = report.versions
    assert (version.name, version.labels) == ("plus", 2)
    assert version.metrics == pytest.approx({"mae": 0.25, "rmse": (0.125) ** 0.5})
    assert (report.results, report.unlabelled, report.labels) == (3, 1, 3)


@pytest.mark.speculation
def test_a_shadow_is_measured_by_what_it_said() -> None:
    policy = parse_policy('Shadow("plus", also=["other"], within_ms=20000)')
    flow = Flow(name="wine", labels="wine.labels", answer=policy)
    rig = Rig(MemoryLog(), flow)
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "plus")
    rig.serve(adder(2.0), "other")
    machine = engine.shell.machine
    run_until(engine, lambda: sum(len(p.candidates) for p in machine.snapshot().plans) == 2)
    answered(rig, a=1.0, b=2.0)
    run_until(engine, lambda: engine.lag() == 0)
    engine.close()
    labelled(rig, "a", 3.0)
    labelled(rig, "b", 4.0)
    report = measure(rig.log, flow)
    assert {each.name: each.metrics["mae"] for each in report.versions} == {
        "plus": 1.0,
        "other": 0.0,
    }
    (agreement,) = report.agreements
    assert (agreement.first, agreement.second) == ("plus@1", "other@1")
    assert (agreement.records, agreement.agreed) == (2, 0)
    assert sorted(agreement.pairs) == [("2", "3", 1), ("3", "4", 1)]


def test_messages_that_are_no_labels_are_counted() -> None:
    rig = Rig(MemoryLog(), FLOW)
    rig.log.append(Outgoing("wine.labels", [b"nope", b'{"x": 1}'], keys=[b"a", b"b"], partition=0))
    rig.log.append(Outgoing("wine.labels", [b'{"label": 1}'], partition=0))
    report = measure(rig.log, FLOW)
    assert (report.labels, report.unreadable) == (0, 3)


def test_a_flow_without_labels_is_told_what_to_add() -> None:
    flow = Flow(name="wine")
    log = MemoryLog()
    prepare(flow, log)
    with pytest.raises(InvalidFlow, match=r'labels = "wine\.labels"'):
        measure(log, flow)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_a_label_belongs_to_the_latest_record_up_to_its_time(
    records: list[int], times: list[int]
) -> None:
    records = sorted(set(records))
    labels = Labels()
    for number, at in enumerate(times):
        labels.add(b"k", at, json.dumps({"label": number}).encode())
    if not times:
        assert b"k" not in labels
        return
    for index, start in enumerate(records):
        stop = records[index + 1] if index + 1 < len(records) else None
        mine = [
            (at, number)
            for number, at in enumerate(times)
            if (index == 0 or at >= start) and (stop is None or at < stop)
        ]
        wanted = max(mine)[1] if mine else None
        assert labels.of(b"k", None if index == 0 else start, stop) == wanted
