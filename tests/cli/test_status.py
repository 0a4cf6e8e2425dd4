"""The live status of a running join, drawn on a made-up terminal."""

import io
import logging

import pytest
from rich.console import Console, RenderableType

from modelstream.cli.status import Status, watching_turns
from modelstream.flow import Flow
from modelstream.limits import STATUS_SECONDS
from modelstream.log.memory import MemoryLog
from modelstream.messages import VersionId
from tests.support.artifacts import adder
from tests.support.flows import Rig, run_until


class WoundClock:
    """A clock that stands still until it is wound."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rig() -> Rig:
    return Rig(MemoryLog(), Flow(name="wine"))


def drawn(picture: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=120)
    with console.capture() as captured:
        console.print(picture)
    return captured.get()


def test_the_status_tells_what_serves_and_how_fast(rig: Rig) -> None:
    clock = WoundClock()
    status = Status(rig.log, rig.flow, clock)
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0}, b"?", {"x": 2.0})
    run_until(engine, lambda: engine.reached(engine.ends()) and not engine.shell.machine.loading())
    clock.now = 2.0
    assert status.turn(3)
    text = drawn(status.picture(engine))
    assert "wine        plus@1   -          1" in text
    assert "1.5/s  3 records answered, 0 behind, 1 reject on wine.rejects" in text
    assert "last event: promoted plus@1: current for wine" in text
    engine.close()


def test_the_rate_is_that_since_the_last_picture(rig: Rig) -> None:
    clock = WoundClock()
    status = Status(rig.log, rig.flow, clock)
    engine = rig.engine()
    assert not status.turn(100), "no time has passed"
    clock.now = 1.0
    assert "100/s" in drawn(status.picture(engine))
    assert not status.turn(0)
    clock.now = 1.0 + STATUS_SECONDS
    assert status.turn(0)
    assert "0/s  100 records answered" in drawn(status.picture(engine))
    engine.close()


def test_a_flow_that_waits_for_a_model_says_so(rig: Rig) -> None:
    status = Status(rig.log, rig.flow, WoundClock())
    engine = rig.engine()
    rig.send({"x": 1.0})
    run_until(engine, engine.held)
    text = drawn(status.picture(engine))
    assert "1 behind (held: no model)" in text
    assert "last event: none yet" in text
    engine.close()


def test_a_flow_that_waits_for_a_server_says_which(rig: Rig) -> None:
    status = Status(rig.log, rig.flow)
    engine = rig.engine()
    rig.serve(adder(1.0), "plus")
    engine.shell.absences.began(VersionId("plus", "1"), "the server of http://m:1 is away")
    assert "plus@1: the server of http://m:1 is away" in drawn(status.picture(engine))
    engine.close()


@pytest.mark.parametrize("terminal", [True, False])
def test_swaps_are_logged_and_a_terminal_has_the_status(
    rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("modelstream.cli.status.STATUS_SECONDS", 0.0)
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=100)
    rig.serve(adder(1.0), "plus")
    engine = rig.engine()
    with (
        caplog.at_level(logging.INFO, "modelstream"),
        watching_turns(rig.log, rig.flow, console) as on_turn,
    ):
        run_until(engine, lambda: not engine.shell.machine.loading())
        on_turn(engine, 7)
        on_turn(engine, 0)
    engine.close()
    assert caplog.messages == ["plus@1 serves wine as of 1"]
    assert ("7 records answered" in screen.getvalue()) is terminal
