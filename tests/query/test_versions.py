"""The list of versions and refusals, from the registry alone."""

import pytest

from modelstream.errors import InvalidMessage, UnknownTopic
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.query.versions import ListedVersion, read_versions
from tests.support.events import admitted, promoted, rejected, retired, rolled_back
from tests.support.flows import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig(MemoryLog(), Flow(name="wine"))


def listed(rig: Rig) -> list[ListedVersion]:
    return read_versions(rig.log, rig.flow)


def states(rig: Rig) -> dict[str, str]:
    return {f"{each.name}@{each.version}": each.state for each in listed(rig)}


def test_a_registry_without_events_has_no_versions(rig: Rig) -> None:
    assert listed(rig) == []


def test_a_log_without_the_flow_is_told() -> None:
    with pytest.raises(UnknownTopic, match="wine"):
        read_versions(MemoryLog(), Flow(name="wine"))


def test_each_version_has_the_state_it_came_to(rig: Rig) -> None:
    rig.event(admitted("a"), admitted("a", "2"), admitted("b"), promoted("a"))
    rig.event(promoted("a", "2"), promoted("b"), rolled_back("b"), retired("a"))
    assert states(rig) == {"a@1": "retired", "a@2": "current", "b@1": "admitted"}


def test_a_state_has_the_time_it_began(rig: Rig) -> None:
    rig.event(admitted("a"), admitted("b"), admitted("c"), promoted("b"), retired("c"))
    assert [each.since_ms for each in listed(rig)] == [1000, 2000, 4000]


def test_each_data_type_has_a_current_version(rig: Rig) -> None:
    rig.event(admitted("a", data_type="red"), admitted("b", data_type="white"))
    rig.event(promoted("a", data_type="red"), promoted("b", data_type="white"))
    assert states(rig) == {"a@1": "current", "b@1": "current"}


def test_refusals_stand_among_the_versions_with_their_reason(rig: Rig) -> None:
    rig.event(admitted("a"), rejected("b"), admitted("c"))
    first, refused, last = listed(rig)
    assert (first.position, refused.position, last.position) == (0, 1, 2)
    assert (refused.state, refused.version, refused.size) == ("rejected", None, None)
    assert (refused.code, refused.reason) == ("invalid_model", "not a model")
    assert refused.since_ms == 5000


def test_a_version_tells_what_its_publisher_told(rig: Rig) -> None:
    rig.event(admitted("a", digest="f" * 64))
    (version,) = listed(rig)
    assert (version.digest, version.format, version.size) == ("f" * 64, "fake", 1)
    assert (version.data_type, version.publisher) == ("wine", "")


def test_what_is_no_event_is_told(rig: Rig) -> None:
    rig.log.append(Outgoing(rig.flow.registry, [b"?"], partition=0))
    with pytest.raises(InvalidMessage, match="no registry event"):
        listed(rig)
