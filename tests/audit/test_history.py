"""The registry as a function of position is the registry's own fold, stopped there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.audit.history import Moment, read_history
from modelstream.core.registry import Registry
from modelstream.engines.topics import prepare
from modelstream.events import Figures, RegistryEvent, decode_event, encode_event
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, VersionId
from tests.support.events import (
    admitted,
    drifted,
    measured,
    planned,
    promoted,
    rejected,
    released,
    retired,
    rolled_back,
)

FLOW = Flow(name="wine", data_type_field="kind")
EVENTS = st.one_of(
    st.builds(
        admitted, st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from(("wine", "x"))
    ),
    st.builds(
        promoted, st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from(("wine", "x"))
    ),
    st.builds(
        rolled_back, st.sampled_from("ab"), st.sampled_from("12"), st.sampled_from(("wine", "x"))
    ),
    st.builds(retired, st.sampled_from("ab"), st.sampled_from("12")),
    st.builds(rejected, st.just("a")),
    st.builds(
        released,
        st.sampled_from("ab"),
        st.sampled_from("12"),
        st.sampled_from(("started", "stepped", "promoted", "aborted")),
        st.sampled_from((0, 1)),
    ),
    st.builds(drifted, st.just("x"), alarm=st.booleans()),
    st.builds(measured, st.builds(Figures, name=st.just("a"), version=st.sampled_from("12"))),
)


def log_of(*values: bytes) -> MemoryLog:
    log = MemoryLog()
    prepare(FLOW, log)
    if values:
        log.append(Outgoing(FLOW.registry, values, partition=0))
    return log


def of_events(*events: RegistryEvent) -> MemoryLog:
    return log_of(*map(encode_event, events))


def test_an_empty_registry_has_no_history() -> None:
    history = read_history(log_of(), FLOW)
    assert (history.last, history.versions, history.damages) == (-1, {}, ())
    assert history.current("wine", 5) is None


def test_what_was_current_is_told_for_every_position() -> None:
    log = of_events(
        admitted("a"),
        admitted("b"),
        promoted("a"),
        rejected("c"),
        promoted("b"),
        rolled_back("b"),
        promoted("b"),
        retired("b"),
    )
    history = read_history(log, FLOW)
    a, b = VersionId("a", "1"), VersionId("b", "1")
    current = [history.current("wine", position) for position in range(-1, 9)]
    assert current == [None, None, None, a, a, b, a, b, a, a]
    assert history.last == 7
    assert history.retired == {b: Moment(7, 4000)}
    assert not history.retired_at(b, 6)
    assert history.retired_at(b, 7)
    assert not history.retired_at(a, 7)
    assert history.promotion(b, 5) == Moment(4, 2000)
    assert history.promotion(b, 7) == Moment(6, 2000)
    assert history.promotion(b, 3) is None
    assert history.promotion(a, 7) == Moment(2, 2000)


def test_what_cannot_follow_is_a_damage_and_changes_nothing() -> None:
    log = of_events(
        admitted("a"),
        admitted("a"),
        promoted("b"),
        promoted("a", data_type="x"),
        rolled_back("a"),
        promoted("a"),
        rolled_back("a"),
        retired("a"),
        promoted("a"),
        retired("c"),
    )
    history = read_history(log, FLOW)
    assert [(each.position, each.detail) for each in history.damages] == [
        (1, "admitted: a@1 was admitted before"),
        (2, "promoted: b@1 was never admitted"),
        (3, "promoted: a@1 is of data type 'wine', not 'x'"),
        (4, "rolled_back: a@1 is not current for 'wine'"),
        (6, "rolled_back: no version was current for 'wine' before a@1"),
        (8, "promoted: a@1 is retired"),
        (9, "retired: c@1 was never admitted"),
    ]
    assert history.current("wine", 6) == VersionId("a", "1")
    assert history.current("wine", 9) is None
    assert history.last == 9


def test_what_is_no_event_is_a_damage() -> None:
    history = read_history(log_of(b"{", encode_event(admitted("a")), b'{"event":"sold"}'), FLOW)
    assert [each.position for each in history.damages] == [0, 2]
    assert list(history.versions) == [VersionId("a", "1")]


@given(st.lists(EVENTS, max_size=25))
def test_history_is_the_fold_stopped_at_a_position(events: list[RegistryEvent]) -> None:
    log = of_events(*events)
    history = read_history(log, FLOW)
    damaged = {each.position for each in history.damages}
    registry = Registry()
    for position, value in enumerate(log.read(FLOW.registry, 0, 0, 1000, 1 << 20).values):
        if position not in damaged:
            registry.apply(decode_event(value), position)
        for data_type in ("wine", "x"):
            assert history.current(data_type, position) == registry.current(data_type)
        for version, known in registry.versions.items():
            assert history.retired_at(version, position) == known.retired
            promotion = history.promotion(version, position)
            assert (promotion is None) == (known.promotions == 0)
    assert history.versions == registry.versions


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((measured(Figures(name="z", version="1")),), "measured: z@1 was never admitted"),
        ((released("z", "2"),), "released: z@2 was never admitted"),
        ((released("a", "2", "stepped"),), "released: a@2 is not being released"),
        ((released("a", "2"), released("a", "1")), "released: a@2 is being released"),
        ((released("a", "2"), released("a", "1", "aborted")), "a@1 is not being released"),
        ((released("a", "2"), released("a", "2", "stepped", 0)), "step 0 does not follow step 0"),
        ((planned("", "1"),), "planned: answer '' cannot be read"),
    ],
)
def test_a_release_that_cannot_have_gone_so_is_a_damage(
    events: tuple[RegistryEvent, ...], told: str
) -> None:
    log = of_events(admitted("a"), admitted("a", "2"), promoted("a"), *events)
    history = read_history(log, FLOW)
    (damage,) = history.damages
    assert told in damage.detail


def test_a_history_tells_how_releases_went_and_what_is_so_now() -> None:
    told = measured(Figures(name="a", version="2"))
    start, end = released("a", "2"), released("a", "2", "aborted")
    alarm = drifted("x", alarm=True)
    log = of_events(
        admitted("a"), admitted("a", "2"), promoted("a"), start, told, end, start, alarm
    )
    history = read_history(log, FLOW)
    assert history.damages == ()
    assert history.releases == (end, start)
    assert history.measured == {"wine": told}
    assert history.alarms == (alarm,)
