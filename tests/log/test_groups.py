"""Who holds which partition: the laws of sharing, whatever members do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import Fenced, LogError
from modelstream.limits import GROUP_MEMBERS_MAX, HEARTBEAT_MS, LEASE_MS
from modelstream.log.base import TopicInfo
from modelstream.log.groups import Group, Subscription
from modelstream.messages import TopicPartition as Part


def subscription(instance: str, partitions: int = 6) -> Subscription:
    return Subscription.of("g", instance, [TopicInfo("a", partitions)])


def join(group: Group, instance: str, partitions: int = 6, now: int = 0) -> int:
    wanted = subscription(instance, partitions)
    return group.heartbeat(wanted, group.join(wanted, now), now)


def test_a_subscription_begins_with_partition_0_of_every_topic() -> None:
    wanted = Subscription.of("g", "x", [TopicInfo("b", 1), TopicInfo("a", 2), TopicInfo("b", 1)])
    assert wanted.topics == ("a", "b")
    assert wanted.partitions == (Part("a", 0), Part("b", 0), Part("a", 1))


@given(
    partitions=st.integers(1, 12),
    steps=st.lists(
        st.tuples(st.sampled_from(["join", "beat", "leave"]), st.integers(0, 4)), max_size=40
    ),
)
def test_every_partition_has_one_holder_and_shares_are_even_once_all_have_beaten(
    partitions: int, steps: list[tuple[str, int]]
) -> None:
    group = Group()
    members: dict[int, int] = {}
    for step, who in steps:
        wanted = subscription(str(who), partitions)
        if step == "join":
            members[who] = group.join(wanted, 0)
        elif who in members and step == "beat":
            members[who] = group.heartbeat(wanted, members[who], 0)
        elif who in members:
            group.leave(members.pop(who))
        assert set(group.leases.values()) <= set(group.members)
    for _ in range(2):
        for who, number in members.items():
            group.heartbeat(subscription(str(who), partitions), number, 0)
    shares = sorted(len(group.held(number)) for number in members.values())
    if shares:
        assert sum(shares) == partitions == len(group.leases)
        assert shares[-1] - shares[0] <= 1
    settled = group.generation
    for who, number in members.items():
        group.heartbeat(subscription(str(who), partitions), number, 0)
    assert group.generation == settled


def test_a_newcomer_takes_nothing_that_is_held() -> None:
    group = Group()
    first = join(group, "x")
    second = join(group, "y")
    assert (len(group.held(first)), group.held(second)) == (6, [])
    group.heartbeat(subscription("x"), first, 0)
    assert len(group.held(first)) == 3
    group.heartbeat(subscription("y"), second, 0)
    assert len(group.held(second)) == 3


def test_a_dead_members_partitions_go_to_the_next_that_beats() -> None:
    group = Group()
    dead = join(group, "x")
    heir = join(group, "y", now=LEASE_MS)
    assert group.held(heir) == []
    group.heartbeat(subscription("y"), heir, LEASE_MS + 1)
    assert len(group.held(heir)) == 6
    with pytest.raises(Fenced, match="a/0"):
        group.check(dead, [Part("a", 0)])
    group.check(heir, [Part("a", 0)])


def test_a_member_that_was_given_up_comes_back_under_another_number() -> None:
    group = Group()
    first = join(group, "x")
    join(group, "y", now=LEASE_MS + 1)
    again = group.heartbeat(subscription("x"), first, LEASE_MS + 1)
    assert again > first


def test_a_replaced_member_is_told_and_its_leases_are_its_successors() -> None:
    group = Group()
    first = join(group, "x")
    second = join(group, "x")
    assert len(group.held(second)) == 6
    with pytest.raises(LogError, match="instance name of its own"):
        group.heartbeat(subscription("x"), first, 0)


def test_renewing_is_put_off_until_it_is_worth_a_write() -> None:
    group = Group()
    member = join(group, "x")
    assert not group.renew(member, HEARTBEAT_MS - 1)
    assert group.renew(member, HEARTBEAT_MS)
    assert group.members[member].deadline == HEARTBEAT_MS + LEASE_MS


def test_a_deadline_that_a_clock_set_back_left_behind_does_not_hold_for_ever() -> None:
    group = Group()
    join(group, "x", now=10**9)
    heir = join(group, "y", now=0)
    assert len(group.held(heir)) == 6


def test_a_group_has_a_limit_to_its_members() -> None:
    group = Group()
    for number in range(GROUP_MEMBERS_MAX):
        group.join(subscription(str(number)), 0)
    with pytest.raises(LogError, match="no more may join"):
        group.join(subscription("one more"), 0)
