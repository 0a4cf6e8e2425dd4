"""What happens while a flow is served, as log lines."""

import logging
from typing import Any

import pytest

from modelstream.cli.watch import Swaps, telling_events
from modelstream.core.snapshot import PlanView
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, VersionId
from tests.support.events import admitted, promoted, rejected
from tests.support.flows import Rig


def facts(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.__dict__["facts"] for record in caplog.records]


@pytest.fixture(autouse=True)
def _every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "modelstream")


def test_every_event_from_now_on_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.event(admitted("before"))
    with telling_events(rig.log, rig.flow):
        rig.event(admitted("a"), promoted("a"))
        rig.event(rejected("b"))
    assert facts(caplog) == [
        {"event": "admitted", "name": "a", "version": "1", "data_type": "wine"},
        {"event": "promoted", "name": "a", "version": "1", "data_type": "wine"},
        {"event": "rejected", "name": "b", "data_type": "wine"},
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "WARNING"]
    assert caplog.messages[2] == "rejected b (invalid_model): not a model"


def test_many_events_are_all_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    with telling_events(rig.log, rig.flow):
        rig.event(*(admitted("a", str(each)) for each in range(2500)))
    assert len(caplog.records) == 2500


def test_a_registry_that_cannot_be_read_is_told_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    with telling_events(rig.log, rig.flow):
        rig.log.append(Outgoing(rig.flow.registry, [b"?"], partition=0))
    (line,) = caplog.messages
    assert line.startswith("the registry is not watched any longer: this is no registry event")


def test_a_swap_is_told_when_it_happens(caplog: pytest.LogCaptureFixture) -> None:
    swaps = Swaps()
    one, two = VersionId("a", "1"), VersionId("a", "2")
    swaps.note(PlanView("wine", None, one, 0))
    swaps.note(PlanView("wine", one, one, 1))
    swaps.note(PlanView("wine", one, two, 1))
    swaps.note(PlanView("wine", two, two, 3))
    swaps.note(PlanView("wine", None, None, 4))
    assert caplog.messages == [
        "a@1 serves wine as of 1",
        "a@2 serves wine as of 3",
        "nothing serves wine as of 4",
    ]
    assert facts(caplog)[1] == {
        "event": "swap",
        "data_type": "wine",
        "version": "a@2",
        "before": "a@1",
        "as_of": 3,
    }
