"""The fold of the registry."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.registry import Registry, without_repeats
from modelstream.events import RegistryEvent
from modelstream.limits import ROLLBACK_DEPTH_MAX
from modelstream.messages import VersionId
from tests.support.events import admitted, promoted, rejected, retired, rolled_back


def fold(*events: RegistryEvent) -> Registry:
    registry = Registry()
    for position, event in enumerate(events):
        registry.apply(event, position)
    return registry


def test_an_admitted_version_is_not_current() -> None:
    registry = fold(admitted("a"))
    assert registry.current("wine") is None
    assert registry.state(VersionId("a", "1")) == "admitted"
    assert registry.position == 0


def test_a_promoted_version_is_current_since_its_promotion() -> None:
    registry = fold(admitted("a"), promoted("a"))
    assert registry.current("wine") == VersionId("a", "1")
    assert registry.state(VersionId("a", "1")) == "current"
    assert registry.versions[VersionId("a", "1")].since_ms == 2000
    assert registry.data_types() == ("wine",)


def test_apply_tells_which_data_type_changed() -> None:
    registry = Registry()
    assert registry.apply(admitted("a"), 0) == ("wine",)
    assert registry.apply(promoted("a"), 1) == ("wine",)
    assert registry.apply(promoted("a"), 2) == ("wine",)
    assert registry.apply(rejected("b"), 3) == ()
    assert registry.apply(admitted("b"), 4) == ("wine",)
    assert registry.apply(retired("b"), 5) == ("wine",)
    assert registry.apply(retired("a"), 6) == ("wine",)


def test_a_rollback_goes_back_to_the_version_before() -> None:
    registry = fold(admitted("a"), admitted("b"), promoted("a"), promoted("b"), rolled_back("b"))
    assert registry.current("wine") == VersionId("a", "1")
    assert registry.previous("wine") is None
    assert registry.state(VersionId("b", "1")) == "admitted", "it may be promoted again"


def test_the_previous_version_is_the_one_below_the_current() -> None:
    registry = fold(admitted("a"), admitted("b"), promoted("a"), promoted("b"))
    assert registry.previous("wine") == VersionId("a", "1")
    assert registry.recent("wine", 5) == (VersionId("b", "1"), VersionId("a", "1"))
    assert registry.recent("beer", 5) == ()


def test_a_retired_version_leaves_its_place_to_its_predecessor() -> None:
    registry = fold(admitted("a"), admitted("b"), promoted("a"), promoted("b"), retired("b"))
    assert registry.current("wine") == VersionId("a", "1")
    assert registry.state(VersionId("b", "1")) == "retired"


def test_retiring_the_only_version_leaves_none() -> None:
    registry = fold(admitted("a"), promoted("a"), retired("a"))
    assert registry.current("wine") is None


def test_a_retired_version_between_two_uses_of_another_leaves_one_use() -> None:
    registry = fold(
        admitted("a"),
        admitted("b"),
        promoted("a"),
        promoted("b"),
        promoted("a"),
        retired("b"),
    )
    assert registry.current("wine") == VersionId("a", "1")
    assert registry.previous("wine") is None


def test_a_retired_version_is_never_promoted() -> None:
    with pytest.raises(AssertionError, match="never promoted"):
        fold(admitted("a"), retired("a"), promoted("a"))


def test_rejections_are_kept_with_their_position() -> None:
    registry = fold(rejected("a"))
    assert [(position, event.name) for position, event in registry.rejections] == [(0, "a")]
    assert registry.versions == {}


def test_unnumbered_versions_are_numbered_by_name() -> None:
    registry = fold(admitted("a", "1"), admitted("b", "7"))
    assert registry.next_version("a") == "2"
    assert registry.next_version("c") == "1"


def test_numbering_steps_over_a_number_that_a_publisher_gave() -> None:
    registry = fold(admitted("a", "2"))
    assert registry.next_version("a") == "3"


def test_a_version_is_found_by_its_artifact() -> None:
    registry = fold(admitted("a", "1", digest="d1"), admitted("a", "2", digest="d2"))
    assert registry.with_digest("a", "d2") == (VersionId("a", "2"),)
    assert registry.with_digest("b", "d2") == ()
    assert registry.of_name("a") == (VersionId("a", "1"), VersionId("a", "2"))


def test_data_types_do_not_touch_each_other() -> None:
    registry = fold(
        admitted("a"),
        promoted("a"),
        admitted("h", data_type="beer"),
        promoted("h", data_type="beer"),
    )
    assert registry.current("wine") == VersionId("a", "1")
    assert registry.current("beer") == VersionId("h", "1")


def test_events_are_applied_in_order_and_once() -> None:
    registry = fold(admitted("a"))
    with pytest.raises(AssertionError, match="in order"):
        registry.apply(promoted("a"), 0)


def test_the_way_back_is_bounded() -> None:
    events: list[RegistryEvent] = [admitted("a"), admitted("b")]
    for _ in range(ROLLBACK_DEPTH_MAX):
        events += [promoted("a"), promoted("b")]
    registry = fold(*events)
    assert len(registry.recent("wine", 10**6)) == ROLLBACK_DEPTH_MAX


@given(st.lists(st.sampled_from("abc")))
def test_without_repeats_keeps_order_and_drops_neighbours(names: list[str]) -> None:
    kept = without_repeats(VersionId(name, "1") for name in names)
    assert all(left != right for left, right in pairwise(kept))
    position = 0
    for version in kept:
        position = names.index(version.name, position)
