"""Members of a group on the logs whose leases run by a clock of their own (`log/groups.py`)."""

import threading

import pytest

from modelstream.errors import Fenced, LogError
from modelstream.messages import Outgoing
from modelstream.messages import TopicPartition as Part
from tests.support.logs import BYTES, Logs, WoundClock, covers, numbered, read_all
from tests.support.polls import poll, poll_values, settle


def test_members_share_the_partitions(logs: Logs) -> None:
    logs.open().create_topic("a", 7)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    shares = [member.assignment() for member in members]
    assert sorted(map(len, shares)) == [2, 2, 3]
    assert len(frozenset().union(*shares)) == 7


def test_more_members_than_partitions_leave_some_without(logs: Logs) -> None:
    logs.open().create_topic("a", 2)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    assert sorted(len(member.assignment()) for member in members) == [0, 1, 1]


def test_who_stays_keeps_what_it_can(logs: Logs) -> None:
    logs.open().create_topic("a", 6)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    settle(*members)
    before = [member.assignment() for member in members]
    members.pop(1).close()
    settle(*members)
    assert members[0].assignment() >= before[0]
    assert members[1].assignment() >= before[2]
    assert len(members[0].assignment() | members[1].assignment()) == 6


def test_a_partition_moves_between_two_batches_of_a_living_member(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = poll(one)
    two = logs.open().consumer("g", ["a"], instance="two")
    assert poll(two) == []
    one.commit(covers(batches))
    settle(one, two)
    assert (len(one.assignment()), len(two.assignment())) == (1, 1)
    assert poll(one) == poll(two) == []


def test_a_silent_member_loses_its_partitions_and_is_fenced(logs: Logs, clock: WoundClock) -> None:
    log = logs.open()
    log.create_topic("in")
    log.create_topic("out")
    log.append(Outgoing("in", numbered(10)))
    silent = log.consumer("g", ["in"], instance="silent")
    silent.commit(covers(poll(silent, 2)))
    late = poll(silent, 3)
    heir = logs.open().consumer("g", ["in"], instance="heir")
    assert poll(heir) == []
    clock.lapse()
    taken = poll(heir, 4)
    assert list(taken[0].values) == numbered(4, 2)
    with pytest.raises(Fenced, match="in/0"):
        silent.commit(covers(late), [Outgoing("out", [b"twice"])])
    assert log.bounds("out", 0) == (0, 0)
    assert log.committed("g", "in", 0) == 2
    heir.commit(covers(taken))
    assert log.committed("g", "in", 0) == 6
    assert poll(silent) == []
    heir.close()
    assert poll_values(silent) == numbered(4, 6)


def test_a_fenced_member_is_given_what_it_still_has_from_the_committed_position(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = poll(one)
    two = logs.open().consumer("g", ["a"], instance="two")
    poll(one)  # lets go of a partition with a batch in hand
    settle(two)
    with pytest.raises(Fenced):
        one.commit(covers(batches))
    (kept,) = poll(one)
    assert list(kept.values) == numbered(5)
    one.commit(covers([kept]))


def test_a_lease_that_ran_out_and_was_not_taken_over_still_commits(
    logs: Logs, clock: WoundClock
) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    slow = log.consumer("g", ["a"], instance="slow")
    batches = poll(slow, 3)
    clock.lapse()
    slow.commit(covers(batches))
    other = logs.open().consumer("g", ["a"], instance="other")
    assert poll(other) == []  # the commit renewed the lease
    assert poll_values(slow) == numbered(2, 3)


def test_a_member_that_heartbeats_keeps_its_lease(logs: Logs, clock: WoundClock) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3)))
    busy = log.consumer("g", ["a"], instance="busy")
    batches = poll(busy)
    other = logs.open().consumer("g", ["a"], instance="other")
    for _ in range(20):
        clock.wind(1000)
        assert poll(busy) == poll(other) == []
    busy.commit(covers(batches))
    assert log.committed("g", "a", 0) == 3


def test_a_clock_that_is_set_back_takes_nothing_from_living_members(
    logs: Logs, clock: WoundClock
) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(3), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    two = log.consumer("g", ["a"], instance="two")
    settle(one, two)
    batches = poll(one)
    clock.wind(-3_600_000)
    one.commit(covers(batches))
    settle(one, two)
    assert len(one.assignment()) == len(two.assignment()) == 1


def test_a_consumer_of_the_same_instance_takes_over_at_once(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    zombie = log.consumer("g", ["a"], instance="one")
    batches = poll(zombie)
    restarted = logs.open().consumer("g", ["a"], instance="one")
    assert poll_values(restarted) == numbered(5)
    with pytest.raises(Fenced):
        zombie.commit(covers(batches))
    with pytest.raises(LogError, match="an instance name of its own") as error:
        poll(zombie)
    assert not isinstance(error.value, Fenced)
    restarted.commit({Part("a", 0): 5})


def test_a_batch_from_an_earlier_lease_cannot_be_committed_under_a_later_one(
    logs: Logs, clock: WoundClock
) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    one = log.consumer("g", ["a"], instance="one")
    stale = poll(one)
    clock.lapse()
    two = logs.open().consumer("g", ["a"], instance="two")
    two.commit(covers(poll(two)))
    two.close()
    settle(one)
    assert one.assignment() == {Part("a", 0)}
    log.append(Outgoing("a", numbered(3, 5)))
    with pytest.raises(Fenced, match="earlier lease"):
        one.commit({stale[0].source: 4})
    assert log.committed("g", "a", 0) == 5
    assert poll_values(one) == numbered(3, 5)


def test_members_of_other_topics_do_not_take_a_share(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    log.create_topic("b", 2)
    one = log.consumer("g", ["a"], instance="one")
    two = log.consumer("g", ["b"], instance="two")
    settle(one, two)
    assert one.assignment() == {Part("a", 0), Part("a", 1)}
    assert two.assignment() == {Part("b", 0), Part("b", 1)}


def test_threads_that_produce_consume_and_come_and_go_lose_and_double_nothing(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("in", 4)
    log.create_topic("out", 4)
    total = 4 * 250

    def produce(partition: int) -> None:
        own = logs.open()
        for start in range(0, 250, 10):
            own.append(Outgoing("in", numbered(10, start), partition=partition))

    def consume(name: str, turns: int) -> None:
        consumer = logs.open().consumer("g", ["in"], instance=name)
        while turns > 0 and sum(log.bounds("out", part)[1] for part in range(4)) < total:
            batches = consumer.poll(17, 20, BYTES)
            results = [
                Outgoing("out", batch.values, partition=batch.partition) for batch in batches
            ]
            try:
                consumer.commit(covers(batches), results)
            except Fenced:
                continue
            turns -= 1
        consumer.close()

    threads = [threading.Thread(target=produce, args=(part,)) for part in range(4)]
    threads += [threading.Thread(target=consume, args=(f"brief{n}", 5)) for n in range(3)]
    threads += [threading.Thread(target=consume, args=(f"long{n}", 10**6)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for partition in range(4):
        assert read_all(log, "out", partition) == numbered(250)
