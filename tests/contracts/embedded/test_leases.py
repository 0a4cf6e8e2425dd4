"""What the embedded logs must do about members that are silent, by a clock that is wound by hand.

The rules by themselves are in tests/log/test_groups.py, Kafka's own in tests/log/kafka.
"""

import pytest

from modelstream.errors import Fenced, LogError
from modelstream.messages import Outgoing
from modelstream.messages import TopicPartition as Part
from tests.support.logs import (
    Logs,
    WoundClock,
    covers,
    numbered,
    poll,
    quiet,
    share_out,
    take,
    take_values,
)


def test_a_silent_member_loses_its_partitions_and_is_fenced(logs: Logs, clock: WoundClock) -> None:
    log = logs.open()
    log.create_topic("in")
    log.create_topic("out")
    log.append(Outgoing("in", numbered(10)))
    silent = log.consumer("g", ["in"], instance="silent")
    silent.commit(covers(take(silent, 2)))
    late = take(silent, 3)
    heir = logs.open().consumer("g", ["in"], instance="heir")
    quiet(heir)
    clock.lapse()
    taken = take(heir, 4)
    assert list(taken[0].values) == numbered(4, 2)
    with pytest.raises(Fenced, match="in/0"):
        silent.commit(covers(late), [Outgoing("out", [b"twice"])])
    assert log.bounds("out", 0) == (0, 0)
    assert log.committed("g", "in", 0) == 2
    heir.commit(covers(taken))
    assert log.committed("g", "in", 0) == 6
    quiet(silent)
    heir.close()
    assert take_values(silent, 4) == numbered(4, 6)


def test_a_lease_that_ran_out_and_was_not_taken_over_still_commits(
    logs: Logs, clock: WoundClock
) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    slow = log.consumer("g", ["a"], instance="slow")
    batches = take(slow, 3)
    clock.lapse()
    slow.commit(covers(batches))
    other = logs.open().consumer("g", ["a"], instance="other")
    quiet(other)  # the commit renewed the lease
    assert take_values(slow, 2) == numbered(2, 3)


def test_a_member_that_heartbeats_keeps_its_lease(logs: Logs, clock: WoundClock) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(3)))
    busy = log.consumer("g", ["a"], instance="busy")
    batches = poll(busy)
    other = logs.open().consumer("g", ["a"], instance="other")
    for _ in range(20):
        clock.wind(1000)
        assert busy.poll(9, 0, 9) == other.poll(9, 0, 9) == []
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
    share_out(one, two, sizes=[1, 1])
    batches = poll(one)
    clock.wind(-3_600_000)
    one.commit(covers(batches))
    two.commit(covers(poll(two)))
    quiet(one, two)
    assert len(one.assignment()) == len(two.assignment()) == 1


def test_a_commit_under_an_instance_name_that_another_took_is_fenced(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    zombie = log.consumer("g", ["a"], instance="one")
    batches = take(zombie, 5)
    logs.open().consumer("g", ["a"], instance="one")
    with pytest.raises(Fenced):
        zombie.commit(covers(batches))
    with pytest.raises(LogError, match="an instance name of its own"):
        poll(zombie)


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
    quiet(one)
    assert one.assignment() == {Part("a", 0)}
    log.append(Outgoing("a", numbered(3, 5)))
    with pytest.raises(Fenced, match="earlier lease"):
        one.commit({stale[0].source: 4})
    assert log.committed("g", "a", 0) == 5
    assert take_values(one, 3) == numbered(3, 5)
