"""Releases, drift and live quality, told by the registry: what happens, and which events come of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from modelstream import publishing
from modelstream.audit.history import read_history
from modelstream.audit.verify import verify
from modelstream.core.policies.text import parse_policy
from modelstream.engines.serve import serve
from modelstream.engines.topics import prepare
from modelstream.events import (
    Drifted,
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Released,
    version_of,
)
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, VersionId
from modelstream.monitoring import Monitoring
from tests.support.artifacts import adder
from tests.support.scenario import Scenario

pytestmark = pytest.mark.speculation


@contextmanager
def scenario(flow: Flow) -> Iterator[Scenario]:
    """Run a flow, and check the invariants at the end."""
    scene = Scenario(flow)
    try:
        yield scene
        report = verify(scene.log, flow)
        assert report.ok, report
    finally:
        scene.close()


def told(events: list[RegistryEvent]) -> list[str]:
    """Return events as short lines."""
    lines = []
    for event in events:
        match event:
            case Released():
                line = f"release {version_of(event)} {event.state} at {event.steps[event.step]:g}"
                lines.append(f"{line}: {event.because}" if event.because else line)
            case Planned():
                lines.append(f"plan {event.version}: {event.policy}")
            case Promoted():
                lines.append(f"promoted {version_of(event)}")
            case Measured():
                lines.append("measured")
            case Drifted(drift=drift):
                who = f"{drift.version} {drift.column}".strip()
                lines.append(f"{who} {'drifted' if event.alarm else 'is back'}")
            case Rejected():
                lines.append(f"rejected: {event.code}")
            case _:
                lines.append(type(event).__name__.lower())
    return lines


def test_a_canary_that_errs_is_rolled_back() -> None:
    with scenario(Flow(name="wine")) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0, field="z"), "plus", stage=True)
        scene.news()
        publishing.release(scene.log, scene.flow, "plus", "2", steps=(0.2, 0.5), every=150)
        scene.settle()
        assert told(scene.news()) == [
            "release plus@2 started at 0.2",
            'plan 1: Split({"plus@1": 0.8, "plus@2": 0.2}, salt="plus@2")',
        ]
        # One record in fifty has no z: too few to be seen by a fifth of the first thousand.
        scene.answer([{"x": 1.0, "z": 1.0} for _ in range(1000)])
        scene.measure()
        stepped = scene.news()
        found = stepped[1]
        assert isinstance(found, Released)
        asked = found.evidence[0].records
        assert told(stepped) == [
            "measured",
            f"release plus@2 stepped at 0.5: {asked} records, 150 are enough",
            'plan 2: Split({"plus@1": 0.5, "plus@2": 0.5}, salt="plus@2")',
        ]
        scene.answer([{"x": 1.0} if n % 50 == 0 else {"x": 1.0, "z": 1.0} for n in range(2000)])
        scene.measure()
        ended = scene.news()
        assert told(ended) == [
            "measured",
            "release plus@2 rolled_back at 0.5: errors > 1 %",
            "plan 3: ",
        ]
        last = ended[1]
        assert isinstance(last, Released)
        candidate, champion = last.evidence
        assert (candidate.version, champion.version) == ("2", "1")
        assert candidate.failures == len(scene.rejects())
        assert champion.failures == 0
        assert candidate.records + champion.records == 2000
        # Whoever meets the candidate at a fifth meets it at a half too; then everybody meets the first.
        scene.answer([{"x": 1.0} for _ in range(100)])
        assert {each.model.version for each in scene.results()[-100:]} == {"1"}


def test_a_shadow_that_proves_better_by_labels_is_promoted() -> None:
    flow = Flow(name="wine", labels="wine.labels")
    with scenario(flow) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0), "plus", stage=True)
        scene.news()
        publishing.release(
            scene.log, flow, "plus", steps=(0.0,), every=100, promote="mae - 0.5 over 300 labels"
        )
        scene.settle()
        assert told(scene.news()) == [
            "release plus@2 started at 0",
            'plan 1: Shadow("plus@1", also=["plus@2"])',
        ]
        scene.answer([{"x": float(n)} for n in range(400)])
        assert {each.model.version for each in scene.results()} == {"1"}
        scene.label(0, [n + 2.0 for n in range(299)])
        scene.measure()
        assert told(scene.news()) == ["measured"]
        scene.label(299, [n + 2.0 for n in range(299, 302)])
        scene.measure()
        events = scene.news()
        assert told(events) == [
            "measured",
            "release plus@2 promoted at 0: mae - 0.5 over 300 labels",
            "promoted plus@2",
            "plan 2: ",
        ]
        last = events[1]
        assert isinstance(last, Released)
        candidate, champion = last.evidence
        assert (candidate.labels, champion.labels) == (302, 302)
        assert candidate.metrics == {"mae": 0.0, "rmse": 0.0, "agreement": 0.0}
        assert champion.metrics == {"mae": 1.0, "rmse": 1.0}
        scene.answer([{"x": 1.0}])
        assert scene.results()[-1].model.version == "2"


def test_inputs_and_scores_that_move_away_raise_an_alarm_until_they_come_back() -> None:
    flow = Flow(name="wine", monitor=Monitoring(drift=True, profile_records=1000, window_s=60))
    with scenario(flow) as scene:
        scene.publish(adder(1.0), "plus")
        scene.news()
        scene.answer([{"x": float(n % 100), "same": n % 3} for n in range(1000)])
        scene.measure()
        (profiled,) = scene.news()
        assert isinstance(profiled, Measured)
        assert [(each.version, each.column) for each in profiled.profiles] == [
            ("", "x"),
            ("", "same"),
            ("plus@1", "score"),
        ]
        scene.answer([{"x": float(n % 100), "same": n % 3} for n in range(600)])
        scene.measure()
        assert told(scene.news()) == ["measured"]
        scene.answer([{"x": 50.0 + n % 100, "same": n % 3} for n in range(600)])
        scene.measure()
        alarm = scene.news()
        assert told(alarm) == ["measured", "x drifted", "plus@1 score drifted"]
        drifted = alarm[1]
        assert isinstance(drifted, Drifted)
        assert drifted.drift.ks == pytest.approx(0.5, abs=0.03)
        scene.answer([{"x": 50.0 + n % 100, "same": n % 3} for n in range(600)])
        scene.measure()
        assert told(scene.news()) == ["measured"], "an alarm is raised once"
        scene.answer([{"x": float(n % 100), "same": n % 3} for n in range(600)])
        scene.measure()
        assert told(scene.news()) == ["measured", "x is back", "plus@1 score is back"]


def test_the_better_by_live_figures_answers() -> None:
    flow = Flow(
        name="wine",
        labels="wine.labels",
        answer=parse_policy(
            'Shadow(Best(["plus", "minus"], by="live:mae"), also=["plus", "minus"])'
        ),
    )
    with scenario(flow) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(-1.0), "minus")
        scene.answer([{"x": float(n)} for n in range(200)])
        assert {each.model.name for each in scene.results()} == {"plus"}, "the first, by default"
        scene.label(0, [n - 1.0 for n in range(200)])
        scene.news()
        scene.measure()
        (measured,) = scene.news()
        assert isinstance(measured, Measured)
        assert {each.name: each.metrics["mae"] for each in measured.versions} == {
            "plus": 2.0,
            "minus": 0.0,
        }
        scene.answer([{"x": float(n)} for n in range(10)])
        assert {each.model.name for each in scene.results()[-10:]} == {"minus"}


def test_a_release_goes_on_though_the_monitor_dies() -> None:
    with scenario(Flow(name="wine")) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0), "plus", stage=True)
        publishing.release(scene.log, scene.flow, "plus", steps=(0.5,), every=400)
        scene.settle()
        scene.news()
        scene.answer([{"x": 1.0}] * 500)
        scene.measure()
        assert told(scene.news()) == ["measured"]
        scene.monitor = scene.new_monitor()
        scene.answer([{"x": 1.0}] * 500)
        scene.measure()
        events = scene.news()
        assert [line.partition(":")[0] for line in told(events)] == [
            "measured",
            "release plus@2 promoted at 0.5",
            "promoted plus@2",
            "plan 2",
        ]
        measured = events[0]
        assert isinstance(measured, Measured)
        assert sum(each.records for each in measured.versions) == 1000, "none twice, none left out"


def test_of_two_monitors_one_is_heard() -> None:
    flow = Flow(name="wine", labels="wine.labels")
    with scenario(flow) as scene:
        scene.publish(adder(1.0), "plus")
        scene.answer([{"x": 1.0}] * 10)
        scene.news()
        other = scene.new_monitor()
        scene.now_ms += 60_000
        scene.monitor.step()
        other.step()
        scene.settle()
        assert told(scene.news()) == ["measured"]


@pytest.mark.parametrize("command", ["promote", "rollback", "retire", "abort", "finish"])
def test_who_intervenes_ends_a_release(command: str) -> None:
    with scenario(Flow(name="wine")) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0), "plus")
        scene.publish(adder(3.0), "plus", stage=True)
        publishing.release(scene.log, scene.flow, "plus", steps=(0.5,), every=10)
        scene.settle()
        scene.news()
        match command:
            case "promote":
                publishing.promote(scene.log, scene.flow, "plus", "1")
                expected = ["aborted at 0.5: plus@1 was promoted", "plan 2: ", "promoted plus@1"]
            case "rollback":
                publishing.rollback(scene.log, scene.flow)
                expected = ["aborted at 0.5: plus@2 was rolled back", "plan 2: ", "rolledback"]
            case "retire":
                publishing.retire(scene.log, scene.flow, "plus", "3")
                expected = ["aborted at 0.5: plus@3 was retired", "plan 2: ", "retired"]
            case "abort":
                publishing.end_release(scene.log, scene.flow)
                expected = ["aborted at 0.5: asked to", "plan 2: "]
            case "finish":
                publishing.end_release(scene.log, scene.flow, promote=True)
                expected = ["promoted at 0.5: asked to", "promoted plus@3", "plan 2: "]
        scene.settle()
        events = told(scene.news())
        assert events == [f"release plus@3 {expected[0]}", *expected[1:]]
        assert not scene.join.shell.machine.registry.releases


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("again", "releasing"),
        ("plan", "releasing"),
        ("current", "artifact_exists"),
        ("unknown", "unknown_version"),
        ("none", "no_release"),
        ("planned", "invalid_release"),
    ],
)
def test_what_cannot_be_released_is_refused(do: str, code: str) -> None:
    with scenario(Flow(name="wine")) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0), "plus", stage=True)
        log, flow = scene.log, scene.flow
        if do in {"again", "plan"}:
            publishing.release(log, flow, "plus")
        if do == "planned":
            publishing.plan(log, flow, 'FirstWithin(20, prefer=["plus", Latest()])')
        scene.settle()
        scene.news()
        match do:
            case "plan":
                publishing.plan(log, flow, "Latest()", "wine")
            case "current":
                publishing.release(log, flow, "plus", "1")
            case "unknown":
                publishing.release(log, flow, "plus", "7")
            case "none":
                publishing.end_release(log, flow)
            case _:
                publishing.release(log, flow, "plus")
        scene.settle()
        (refused,) = scene.news()
        assert isinstance(refused, Rejected)
        assert refused.code == code, refused.reason


def test_a_plan_of_the_data_types_own_comes_back() -> None:
    with scenario(Flow(name="wine")) as scene:
        scene.publish(adder(1.0), "plus")
        scene.publish(adder(2.0), "plus", stage=True)
        publishing.plan(scene.log, scene.flow, "Latest()", "wine")
        publishing.release(scene.log, scene.flow, "plus", "2", steps=(0.5,))
        publishing.end_release(scene.log, scene.flow)
        scene.settle()
        assert told(scene.news())[-1] == "plan 3: Latest()"
        assert scene.join.shell.machine.registry.current("wine") == VersionId("plus", "1")


def test_a_release_ends_by_itself_while_records_flow() -> None:
    flow = Flow(name="wine", monitor=Monitoring(every_s=0.1))
    log, stop = MemoryLog(), threading.Event()
    server = threading.Thread(target=lambda: serve(flow, log, stop=stop))
    prepare(flow, log)
    server.start()
    try:
        for amount in (1.0, 2.0):
            position = publishing.publish(
                log, flow, adder(amount), name="plus", stage=amount > 1, data_type="wine"
            )
            assert publishing.verdict(log, flow, position, 60)
        position = publishing.release(log, flow, "plus", "2", steps=(0.0, 0.5), every=50)
        assert publishing.verdict(log, flow, position, 60)
        sent = 0
        deadline = time.monotonic() + 60
        while read_history(log, flow).releases[-1].state != "promoted":
            keys = [f"k{sent + number}".encode() for number in range(20)]
            log.append(Outgoing("wine.records", [b'{"x":1}'] * 20, keys=keys, partition=0))
            sent += 20
            time.sleep(0.01)
            assert time.monotonic() < deadline, "the release never ended"
    finally:
        stop.set()
        server.join()
    states = [each.state for each in read_history(log, flow).releases]
    assert states == ["promoted"]
    report = verify(log, flow)
    assert report.ok, report
