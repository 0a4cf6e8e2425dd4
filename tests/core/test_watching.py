"""What figures, releases and alarms leave in the fold of the registry."""

import msgspec

from modelstream.core.plan import roster_of
from modelstream.core.registry import Registry
from modelstream.core.release import check_release
from modelstream.events import ColumnProfile, Figures, RegistryEvent
from modelstream.limits import JUDGED_LABELS_MIN
from modelstream.messages import VersionId
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

ONE, TWO = VersionId("a", "1"), VersionId("a", "2")


def fold(*events: RegistryEvent) -> Registry:
    registry = Registry()
    for position, event in enumerate(events):
        registry.apply(event, position)
    return registry


def figures(version: VersionId, labels: int, auc: float) -> Figures:
    return Figures(name=version.name, version=version.version, labels=labels, metrics={"auc": auc})


def test_live_figures_are_those_of_enough_labels() -> None:
    enough, few = JUDGED_LABELS_MIN, JUDGED_LABELS_MIN - 1
    registry = fold(
        admitted("a"),
        admitted("a", "2"),
        measured(figures(ONE, enough, 0.7), figures(TWO, few, 0.9)),
        measured(figures(ONE, few, 0.1)),
    )
    assert registry.live == {ONE: {"auc": 0.7}}
    assert registry.measured["wine"].versions == (figures(ONE, few, 0.1),)


def test_a_policy_sees_the_figures_that_it_looks_at_and_no_others() -> None:
    start = (admitted("a"), admitted("b"), promoted("a"))
    told = measured(figures(ONE, 500, 0.7))
    by_live = fold(*start, planned('Best(["a", "b"], by="live:auc")'), promoted("b"), told)
    roster = roster_of(by_live, "wine")
    assert roster is not None
    assert roster.merits == {ONE: {"live:auc": 0.7}, VersionId("b", "1"): {}}
    by_none = fold(*start, planned('Best(["a", "b"])'), promoted("b"), told)
    roster = roster_of(by_none, "wine")
    assert roster is not None
    assert roster.merits == {ONE: {}, VersionId("b", "1"): {}}


def test_figures_change_no_roster_that_does_not_look_at_them() -> None:
    registry = fold(admitted("a"), promoted("a"))
    before = roster_of(registry, "wine")
    registry.apply(measured(figures(ONE, 500, 0.7)), 2)
    assert roster_of(registry, "wine") == before


def test_profiles_are_kept_by_version_and_column() -> None:
    x = ColumnProfile(column="x", records=10, shares=(1.0,))
    score = ColumnProfile(column="x", version="a@1", records=10, shares=(0.5, 0.5))
    registry = fold(
        admitted("a"),
        msgspec.structs.replace(measured(), profiles=(x,)),
        msgspec.structs.replace(measured(), profiles=(score,)),
    )
    assert registry.profiles == {"wine": {("", "x"): x, ("a@1", "x"): score}}


def test_an_alarm_lasts_until_its_end() -> None:
    registry = fold(drifted("x", alarm=True), drifted("y", alarm=True))
    assert set(registry.alarms) == {("wine", "", "x"), ("wine", "", "y")}
    registry.apply(drifted("x", alarm=False), 2)
    assert set(registry.alarms) == {("wine", "", "y")}


def test_a_release_goes_on_until_its_end() -> None:
    start, step = released("a", "2"), released("a", "2", "stepped", 1)
    registry = fold(admitted("a"), admitted("a", "2"), promoted("a"), start)
    assert registry.releases == {"wine": start}
    registry.apply(step, 4)
    assert registry.releases == {"wine": step}
    ended = released("a", "2", "rolled_back", 1)
    registry.apply(ended, 5)
    assert (registry.releases, registry.ended) == ({}, [ended])


def test_a_window_begins_with_each_change_of_who_answers() -> None:
    registry = Registry()
    events: list[tuple[RegistryEvent, int]] = [
        (admitted("a"), -1),
        (promoted("a"), 1),
        (admitted("a", "2"), 1),
        (rejected("a"), 1),
        (promoted("a", "2"), 4),
        (measured(), 4),
        (rolled_back("a", "2"), 6),
        (planned('Split({"a@1": 1, "a@2": 1})', data_type="wine"), 7),
        (released("a", "2"), 7),
        (drifted("x", alarm=True), 7),
        (retired("a", "2"), 10),
    ]
    for position, (event, window) in enumerate(events):
        registry.apply(event, position)
        assert registry.windows.get("wine", -1) == window, event


def test_a_plan_without_a_policy_ends_a_data_types_own() -> None:
    everywhere, own = planned('Model("a")'), planned('Split({"a": 1})', "2", "wine")
    registry = fold(admitted("a"), everywhere, own)
    assert registry.plan("wine") == own
    assert registry.apply(planned("", "3", "wine"), 3) == ("wine",)
    assert registry.plan("wine") == everywhere
    assert registry.plan_count == 3
    registry.apply(planned("", "4", "beer"), 4)
    assert registry.plan("beer") == everywhere


def test_a_release_that_can_be_is_not_objected_to() -> None:
    check_release((0, 0.5), 1, "auc + 0.01", "errors > 1 %")
