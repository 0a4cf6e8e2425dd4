"""Which version answers, and up to which registry offset that is true."""

from modelstream.core.plan import Plan
from modelstream.messages import VersionId

A, B = VersionId("a", "1"), VersionId("b", "1")


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
    plan.want(VersionId("c", "1"), 12)
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
    plan.loads[A] = "loading"
    assert not plan.ready()
    plan.loads[A] = "ready"
    assert plan.ready()


def test_wanting_nothing_is_ready() -> None:
    assert Plan("wine", serving=A, wanted=None).ready()
