"""Candidates in processes of their own, through the engine: the same answers, and nothing lost by a kill."""

import os
import signal
import threading
import time

import pytest

from modelstream.audit import verify
from modelstream.core.policies.text import parse_policy
from modelstream.engines.embedded import Embedded
from modelstream.engines.isolated import choice
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import VersionId
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until
from tests.support.waiting import eventually

pytestmark = [pytest.mark.speculation, pytest.mark.faults]
SMART = VersionId("smart", "1")


def rig_of(policy: str, isolation: str = "process") -> Rig:
    answer = parse_policy(policy)
    return Rig(MemoryLog(), Flow(name="wine", answer=answer, isolation=isolation))  # type: ignore[arg-type]


def started(rig: Rig) -> Embedded:
    engine = rig.engine()
    rig.plan()
    rig.serve(adder(1.0), "fast")
    rig.serve(adder(5.0), "smart")
    plans = engine.shell.machine.snapshot
    run_until(engine, lambda: sum(len(each.candidates) for each in plans().plans) == 2)
    return engine


def handle_of(engine: Embedded, version: VersionId) -> int | None:
    executor = engine.shell._executors.get(version)
    scorer = executor._isolated if executor else None
    return scorer.process() if scorer else None


def isolated(engine: Embedded, rig: Rig) -> None:
    """Ask for an answer, so that executors begin, and wait for their processes."""
    rig.send({"x": 0.0})
    run_until(engine, lambda: len(rig.results()) == 1)
    names = (SMART, VersionId("fast", "1"))
    eventually(lambda: all(handle_of(engine, each) is not None for each in names))


def test_answers_of_processes_are_those_of_threads() -> None:
    outputs = []
    for isolation in ("thread", "process"):
        rig = rig_of('Average(["smart", "fast"])', isolation)
        engine = started(rig)
        rig.send({"x": 0.0})
        run_until(engine, lambda: len(rig.results()) == 1)  # noqa: B023 - used in this turn
        if isolation == "process":
            eventually(lambda: handle_of(engine, SMART) is not None)  # noqa: B023
        assert (handle_of(engine, SMART) is not None) == (isolation == "process")
        rig.send(*({"x": float(n)} for n in range(100)), {"x": "no"}, {}, b"?")
        run_until(engine, lambda: engine.lag() == 0)  # noqa: B023
        engine.close()
        assert verify(rig.log, rig.flow).ok
        rejects = [(each.reason, each.detail) for each in rig.rejects()]
        outputs.append(([each.outputs for each in rig.results()], rejects))
    assert outputs[0] == outputs[1]
    assert len(outputs[0][0]) == 101


def test_a_process_killed_a_hundred_times_loses_nothing_and_delays_nobody() -> None:
    rig = rig_of('FirstWithin(50, prefer=["smart", "fast"])')
    engine = started(rig)
    isolated(engine, rig)
    before = len(rig.results())
    done, kills = threading.Event(), 0

    def kill() -> None:
        nonlocal kills
        while kills < 100 and not done.is_set():
            handle = handle_of(engine, SMART)
            if handle is not None:
                try:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    kills += 1
                except OSError:  # it has just been replaced
                    pass
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    sent = 0
    try:
        while killer.is_alive():
            rig.send(*({"x": float(sent + n)} for n in range(20)))
            sent += 20
            run_until(engine, lambda: engine.lag() == 0)
    finally:
        done.set()
        killer.join()
    engine.close()
    assert kills == 100
    assert rig.rejects() == []
    results = rig.results()[before:]
    assert len(results) == sent
    assert {each.model.name for each in results} <= {"smart", "fast"}
    report = verify(rig.log, rig.flow)
    assert report.ok, report


def test_a_process_that_is_stopped_hangs_and_the_other_answers() -> None:
    rig = rig_of('FirstWithin(20, prefer=["smart", "fast"])')
    engine = started(rig)
    isolated(engine, rig)
    handle = handle_of(engine, SMART)
    assert handle is not None
    signal.pidfd_send_signal(handle, signal.SIGSTOP)
    rig.send(*({"x": float(n)} for n in range(50)))
    run_until(engine, lambda: len(rig.results()) == 51)
    assert {each.model.name for each in rig.results()[1:]} == {"fast"}
    engine.close()
    assert verify(rig.log, rig.flow).ok


def test_processes_end_with_their_engine() -> None:
    rig = rig_of('FirstWithin(50, prefer=["smart", "fast"])')
    engine = started(rig)
    isolated(engine, rig)
    handle = handle_of(engine, SMART)
    assert handle is not None
    own = os.dup(handle)
    engine.close()
    with pytest.raises(ProcessLookupError):
        eventually(lambda: signal.pidfd_send_signal(own, 0))
    os.close(own)


@pytest.mark.parametrize(
    ("isolation", "form", "asked"),
    [
        ("thread", "pmml", False),
        ("auto", "onnx", False),
        ("auto", "pmml", True),
        ("process", "onnx", True),
        ("process", "remote", False),
    ],
)
def test_who_is_isolated(isolation: str, form: str, asked: bool) -> None:
    flow = Flow(name="wine", isolation=isolation)  # type: ignore[arg-type]
    seen: list[str] = []

    def lowered(admitted: object) -> bytes:
        seen.append(str(admitted))
        return b"nothing that can be loaded"

    rig = Rig(MemoryLog(), flow)
    admitted = rig.admit(adder(), "plus")
    other = type(admitted)(
        **{**{f: getattr(admitted, f) for f in admitted.__struct_fields__}, "format": form}
    )
    assert choice.isolate(other, flow, lowered) is None
    assert bool(seen) == asked
