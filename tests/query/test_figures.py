"""The figures of a flow are what its results and rejects add up to."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidMessage
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import ModelStamp, Outgoing, Reject, Result, TopicPartition, stamp_json
from modelstream.query.figures import FlowFigures, outcomes, read_figures, waiting
from modelstream.wire.results import encode_all
from tests.support.artifacts import adder
from tests.support.events import admitted, promoted
from tests.support.flows import Rig, run_until


@pytest.fixture
def rig() -> Rig:
    return Rig(MemoryLog(), Flow(name="wine"))


def figures(rig: Rig) -> FlowFigures:
    return read_figures(rig.log, rig.flow)


def result(name: str = "a", took_us: float = 100.0, timestamp: int = 0, **more: Any) -> Result:
    stamp = ModelStamp(name, "1", "", more.pop("as_of", 1), took_us)
    return Result({"y": 1.0}, stamp_json(stamp), "wine", "wine.records", 0, 0, timestamp, **more)


def reject(reason: Any = "not_json", as_of: int = 1, **more: Any) -> Reject:
    told: dict[str, Any] = {"data_type": "wine", "timestamp": 0} | more
    return Reject(
        reason=reason,
        detail="",
        as_of=as_of,
        topic="wine.records",
        partition=0,
        offset=0,
        value=b"?" * 10,
        value_bytes=10,
        **told,
    )


def write(rig: Rig, *outcomes: Result | Reject, partition: int = 0) -> None:
    for topic, kind in ((rig.flow.results, Result), (rig.flow.rejects, Reject)):
        values = encode_all(each for each in outcomes if isinstance(each, kind))
        rig.log.append(Outgoing(topic, values, partition=partition))


def test_a_flow_that_has_done_nothing_has_zeros(rig: Rig) -> None:
    found = figures(rig)
    assert (found.results, found.rejects, found.waiting, found.as_of) == (0, 0, 0, -1)
    assert (found.first_ms, found.per_second, found.versions) == (None, None, [])


def test_a_run_of_the_engine_adds_up(rig: Rig) -> None:
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"?", {"x": 2.0}, {"y": 1})
    engine = rig.engine()
    run_until(engine, lambda: not waiting(rig.log, rig.flow))
    rig.send({"x": 3.0})
    found = figures(rig)
    engine.close()
    assert (found.results, found.rejects, found.waiting) == (2, 2, 1)
    assert found.rejects_by_reason == {"not_json": 1, "missing_field": 1}
    (version,) = found.versions
    assert (version.name, version.version, version.data_type) == ("plus", "1", "wine")
    assert (version.state, version.uses, version.errors) == ("current", 2, 2)
    assert 0 < version.p50_us <= version.p95_us <= version.p99_us <= version.max_us


def test_percentiles_count_records_not_calls(rig: Rig) -> None:
    rig.event(admitted("a"), promoted("a"))
    write(rig, *[result(took_us=100.0)] * 90, *[result(took_us=5000.0)] * 10)
    (version,) = figures(rig).versions
    assert version.uses == 100
    assert version.p50_us == pytest.approx(100, rel=1 / 16)
    assert version.p95_us == pytest.approx(5000, rel=1 / 16)
    assert version.max_us == 5000.0
    assert version.mean_us == pytest.approx(590)


def test_the_rate_is_that_of_the_records_own_times(rig: Rig) -> None:
    rig.event(admitted("a"), promoted("a"), admitted("b"))
    write(rig, result(timestamp=1000), result(timestamp=3000), result("b", timestamp=2000))
    write(rig, reject(timestamp=5000))
    found = figures(rig)
    assert (found.first_ms, found.last_ms) == (1000, 5000)
    assert found.per_second == 1.0
    assert [version.per_second for version in found.versions] == [1.0, None]


def test_an_error_counts_for_the_version_that_was_current_then(rig: Rig) -> None:
    rig.event(admitted("a"), admitted("b"), promoted("a"), promoted("b"))
    write(rig, reject(as_of=1), reject(as_of=2), reject(as_of=2), reject(as_of=3))
    write(rig, reject("no_model", as_of=3), reject("no_data_type", as_of=3, data_type=None))
    found = figures(rig)
    assert [(version.name, version.errors) for version in found.versions] == [("a", 2), ("b", 1)]
    assert found.rejects == 6
    assert found.rejects_by_reason == {"not_json": 4, "no_model": 1, "no_data_type": 1}


def test_a_version_that_the_registry_does_not_know_is_listed_all_the_same(rig: Rig) -> None:
    write(rig, result("ghost"))
    (version,) = figures(rig).versions
    assert (version.name, version.uses) == ("ghost", 1)
    assert (version.state, version.data_type) == (None, None)


def test_all_partitions_count(rig: Rig) -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=3))
    for partition in range(3):
        write(rig, result(), reject(), partition=partition)
        rig.send({"x": 1}, {"x": 2}, partition=partition)
    consumer = rig.log.consumer("wine.join", ["wine.records"], instance="one")
    consumer.poll(10, 0, 1000)
    consumer.commit({TopicPartition("wine.records", 1): 1})
    found = figures(rig)
    consumer.close()
    assert (found.results, found.rejects, found.waiting) == (3, 3, 5)
    assert outcomes(rig.log, rig.flow) == 6
    assert waiting(rig.log, rig.flow) == 5


def test_records_that_were_deleted_unanswered_do_not_wait(rig: Rig) -> None:
    rig.send({}, {}, {})
    rig.log.delete_before("wine.records", 0, 2)
    assert waiting(rig.log, rig.flow) == 1


def test_progress_is_told_of_every_outcome(rig: Rig) -> None:
    write(rig, *[result()] * 1500, reject())
    told: list[int] = []
    read_figures(rig.log, rig.flow, told.append)
    assert sum(told) == outcomes(rig.log, rig.flow) == 1501
    assert len(told) > 2


def test_a_message_that_is_no_result_is_told_with_its_place(rig: Rig) -> None:
    rig.log.append(Outgoing(rig.flow.results, [b'{"x":1}'], partition=0))
    with pytest.raises(InvalidMessage, match=r"wine\.results/0/0"):
        figures(rig)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(1, 1e6), st.integers(0, 10**12))))
def test_the_versions_share_the_results_out(told: Sequence[tuple[str, float, int]]) -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    if told:
        write(rig, *(result(name, took_us, at) for name, took_us, at in told))
    found = figures(rig)
    assert found.results == sum(version.uses for version in found.versions) == len(told)
    assert {version.name for version in found.versions} == {name for name, *_ in told}
    for version in found.versions:
        mine = [took_us for name, took_us, _ in told if name == version.name]
        assert version.max_us == max(mine)
        assert version.mean_us == pytest.approx(sum(mine) / len(mine))
