"""What every log must do for the members of a group among each other."""

import threading

import pytest

from modelstream.errors import Fenced, LogError
from modelstream.messages import Outgoing
from modelstream.messages import TopicPartition as Part
from tests.support.logs import (
    BYTES,
    TURN_MS,
    Logs,
    await_values,
    covers,
    numbered,
    poll,
    quiet,
    share_out,
    take,
    take_values,
)


def test_members_share_the_partitions(logs: Logs) -> None:
    logs.open().create_topic("a", 7)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    share_out(*members, sizes=[2, 2, 3])
    assert len(frozenset().union(*(member.assignment() for member in members))) == 7


def test_more_members_than_partitions_leave_some_without(logs: Logs) -> None:
    logs.open().create_topic("a", 2)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    share_out(*members, sizes=[0, 1, 1])


def test_who_stays_keeps_what_it_can(logs: Logs) -> None:
    logs.open().create_topic("a", 6)
    members = [logs.open().consumer("g", ["a"], instance=name) for name in ("x", "y", "z")]
    share_out(*members, sizes=[2, 2, 2])
    before = [member.assignment() for member in members]
    members.pop(1).close()
    share_out(*members, sizes=[3, 3])
    assert members[0].assignment() >= before[0]
    assert members[1].assignment() >= before[2]
    assert len(members[0].assignment() | members[1].assignment()) == 6


def test_a_partition_moves_between_two_batches_of_a_living_member(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = take(one, 10)
    two = logs.open().consumer("g", ["a"], instance="two")
    quiet(two)
    one.commit(covers(batches))
    share_out(one, two, sizes=[1, 1])
    assert one.assignment() | two.assignment() == {Part("a", 0), Part("a", 1)}
    quiet(one, two)


def test_what_a_member_let_go_of_it_commits_no_more_and_is_given_the_rest_again(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    for partition in range(2):
        log.append(Outgoing("a", numbered(5), partition=partition))
    one = log.consumer("g", ["a"], instance="one")
    batches = take(one, 10)
    two = logs.open().consumer("g", ["a"], instance="two")
    share_out(one, two, sizes=[1, 1])
    with pytest.raises(Fenced):
        one.commit(covers(batches))
    kept = take(one, 5)
    assert kept[0].source in one.assignment()
    assert [value for batch in kept for value in batch.values] == numbered(5)
    one.commit(covers(kept))


def test_members_of_other_topics_do_not_take_a_share(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a", 2)
    log.create_topic("b", 2)
    one = log.consumer("g", ["a"], instance="one")
    two = log.consumer("g", ["b"], instance="two")
    share_out(one, two, sizes=[2, 2])
    assert one.assignment() == {Part("a", 0), Part("a", 1)}
    assert two.assignment() == {Part("b", 0), Part("b", 1)}


def test_a_consumer_of_the_same_instance_takes_over_at_once(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    zombie = log.consumer("g", ["a"], instance="one")
    batches = take(zombie, 5)
    restarted = logs.open().consumer("g", ["a"], instance="one")
    mine = take(restarted, 5)
    assert [value for batch in mine for value in batch.values] == numbered(5)
    with pytest.raises(LogError):
        zombie.commit(covers(batches))
    with pytest.raises(LogError, match="name of its own") as error:
        poll(zombie)
    assert not isinstance(error.value, Fenced)
    assert log.committed("g", "a", 0) is None
    restarted.commit(covers(mine))
    assert log.committed("g", "a", 0) == mine[-1].next_offset


def test_who_leaves_and_comes_back_goes_on(logs: Logs) -> None:
    log = logs.open()
    log.create_topic("a")
    log.append(Outgoing("a", numbered(5)))
    first = log.consumer("g", ["a"], instance="one")
    first.commit(covers(take(first, 2)))
    first.close()
    again = logs.open().consumer("g", ["a"], instance="one")
    assert take_values(again, 3) == numbered(3, 2)


def test_threads_that_produce_consume_and_come_and_go_lose_and_double_nothing(
    logs: Logs,
) -> None:
    log = logs.open()
    log.create_topic("in", 4)
    log.create_topic("out", 4)
    done = Countdown(4 * 250)

    def produce(partition: int) -> None:
        own = logs.open()
        for start in range(0, 250, 10):
            own.append(Outgoing("in", numbered(10, start), partition=partition))

    def consume(name: str, turns: int) -> None:
        consumer = logs.open().consumer("g", ["in"], instance=name)
        while turns > 0 and done.left > 0:
            batches = consumer.poll(17, TURN_MS, BYTES)
            results = [
                Outgoing("out", batch.values, partition=batch.partition) for batch in batches
            ]
            try:
                consumer.commit(covers(batches), results)
            except Fenced:
                continue
            done.count(sum(map(len, batches)))
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
        assert await_values(log, "out", 250, partition) == numbered(250)


class Countdown:
    """Records that are left to do, for several threads."""

    def __init__(self, left: int) -> None:
        self.left = left
        self._lock = threading.Lock()

    def count(self, done: int) -> None:
        with self._lock:
            self.left -= done
