"""Which version answers, and up to which registry offset that is true."""

from modelstream.core.plan import Plan, Roster, roster_of
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.single import Latest, Model
from modelstream.core.policies.text import policy_text
from modelstream.core.registry import Registry
from modelstream.events import RegistryEvent
from modelstream.messages import VersionId
from tests.support.events import admitted, planned, promoted, retired


def alone(name: str) -> Roster:
    """Return a roster of one version."""
    return Roster(Latest(), None, {"": VersionId(name, "1")}, {}, apart=False)


A, B = alone("a"), alone("b")
V, W = VersionId("a", "1"), VersionId("b", "1")
BOTH = Roster(FirstWithin(20, (Model("a"), Model("b"))), None, {"a": V, "b": W}, {}, apart=True)


def test_as_of_is_the_position_read_while_nothing_is_awaited() -> None:
    assert Plan("wine", serving=A, wanted=A).as_of(17) == 17


def test_as_of_stays_before_the_promotion_that_is_awaited() -> None:
    plan = Plan("wine", serving=A, wanted=A)
    plan.want(B, 10)
    assert plan.as_of(10) == 9
    assert plan.as_of(25) == 9, "whatever else is read meanwhile"


def test_as_of_stays_at_the_first_of_several_awaited_promotions() -> None:
    plan = Plan("wine", serving=A, wanted=A)
    plan.want(B, 10)
    plan.want(alone("c"), 12)
    assert plan.as_of(12) == 9


def test_as_of_follows_again_after_the_flip() -> None:
    plan = Plan("wine", serving=A, wanted=A)
    plan.want(B, 10)
    plan.flip()
    assert plan.serving == B
    assert plan.as_of(11) == 11


def test_going_back_to_what_serves_needs_no_flip() -> None:
    plan = Plan("wine", serving=A, wanted=A)
    plan.want(B, 10)
    plan.want(A, 11)
    assert plan.as_of(11) == 11


def test_a_plan_is_ready_when_its_version_is_loaded() -> None:
    plan = Plan("wine", wanted=A)
    assert not plan.ready()
    plan.loads[V] = "loading"
    assert not plan.ready()
    plan.loads[V] = "ready"
    assert plan.ready()


def test_wanting_nothing_is_ready() -> None:
    assert Plan("wine", serving=A, wanted=None).ready()


def test_the_first_to_answer_may_begin_without_one_that_cannot_be_loaded() -> None:
    plan = Plan("wine", wanted=BOTH, loads={V: "ready", W: "loading"})
    assert not plan.ready()
    assert plan.loading()
    plan.loads[W] = "failed"
    assert plan.ready()
    assert not plan.loading()


def test_those_that_serve_are_left_only_for_a_roster_that_is_all_there() -> None:
    plan = Plan("wine", serving=A, wanted=BOTH, loads={V: "ready", W: "failed"})
    assert not plan.ready()


def test_nobody_begins_where_nothing_could_be_loaded() -> None:
    assert not Plan("wine", wanted=BOTH, loads={V: "failed", W: "failed"}).ready()


def test_a_roster_follows_the_registry() -> None:
    registry = Registry()
    assert roster_of(registry, "wine") is None
    text = policy_text(FirstWithin(20, (Model("a"), Model("b"))))
    events: list[RegistryEvent] = [
        admitted("a"),
        promoted("a"),
        admitted("b"),
        planned(text),
        promoted("b"),
    ]
    found = []
    for position, event in enumerate(events):
        registry.apply(event, position)
        roster = roster_of(registry, "wine")
        found.append(None if roster is None else (roster.versions, roster.apart))
    assert found == [
        None,
        ({"": V}, False),
        ({"": V}, False),
        ({"a": V}, True),
        ({"a": V, "b": W}, True),
    ]
    registry.apply(retired("b"), 5)
    after = roster_of(registry, "wine")
    assert after is not None
    assert after.versions == {"a": V}
