"""A consumer group as a value: its members, their leases, and who may hold which partition.

Pure: the clock is an argument, and each log keeps the value in its own way. Every member acts for
itself alone: it takes free partitions up to its fair share and lets go of what is above it. So a
partition changes hands between two batches of a living member, and at once from a dead one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from modelstream import limits
from modelstream.errors import Fenced, LogError
from modelstream.log.base import TopicInfo
from modelstream.messages import TopicPartition


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a consumer asked for: a place in a group under its instance name."""

    group: str
    instance: str
    topics: tuple[str, ...]
    partitions: tuple[TopicPartition, ...]

    @classmethod
    def of(cls, group: str, instance: str, topics: Iterable[TopicInfo]) -> "Subscription":
        """Subscribe to all partitions of these topics.

        Partition 0 of each topic comes first, then 1: what is keyed alike tends to one member.
        """
        counts = {topic.name: topic.partitions for topic in topics}
        partitions = sorted(
            (TopicPartition(name, number) for name in counts for number in range(counts[name])),
            key=lambda partition: (partition.partition, partition.topic),
        )
        return cls(group, instance, tuple(sorted(counts)), tuple(partitions))


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a member holds, with the committed position of each partition."""

    member: int
    generation: int
    positions: Mapping[TopicPartition, int]


class Member(msgspec.Struct, array_like=True):
    """One living consumer. Its lease on all that it holds ends at `deadline` (log clock, ms)."""

    instance: str
    topics: tuple[str, ...]
    deadline: int


class Group(msgspec.Struct, array_like=True):
    """The state of one group.

    A member's number is its fencing epoch: given once, in rising order, and lost with its leases.
    `generation` rises whenever a member or a lease changes.
    """

    generation: int = 0
    last_member: int = 0
    members: dict[int, Member] = {}
    leases: dict[TopicPartition, int] = {}

    def join(self, subscription: Subscription, now: int) -> int:
        """Admit a consumer and return its number; an earlier one of its instance is put out.

        Raises LogError when the group is full.
        """
        self._expire(now)
        for number, member in list(self.members.items()):
            if member.instance == subscription.instance:
                self.leave(number)
        if len(self.members) >= limits.GROUP_MEMBERS_MAX:
            raise LogError(
                f"group {subscription.group!r} has {len(self.members)} members, and no more may"
                " join: close some, or use another group"
            )
        self.last_member += 1
        self.generation += 1
        deadline = now + limits.LEASE_MS
        self.members[self.last_member] = Member(
            subscription.instance, subscription.topics, deadline
        )
        return self.last_member

    def heartbeat(self, subscription: Subscription, number: int, now: int) -> int:
        """Renew a member's leases, then take or let go of partitions; return its number.

        One whose leases had been taken over comes back under a new number. Raises LogError when
        another consumer of the same instance name took its place.
        """
        if number not in self.members:
            self._check_not_replaced(subscription)
            number = self.join(subscription, now)
        self.renew(number, now)
        self._expire(now)
        self._share(subscription, number)
        return number

    def renew(self, number: int, now: int) -> bool:
        """Put off the end of a member's leases; False when that was done a moment ago."""
        member = self.members[number]
        renewed = member.deadline - limits.LEASE_MS
        if 0 <= now - renewed < limits.HEARTBEAT_MS:
            return False
        member.deadline = now + limits.LEASE_MS
        return True

    def check(self, number: int, partitions: Iterable[TopicPartition]) -> None:
        """Raise Fenced unless the member holds all of these partitions."""
        lost = [partition for partition in partitions if self.leases.get(partition) != number]
        if lost:
            raise fenced(lost)

    def held(self, number: int) -> list[TopicPartition]:
        """Return the partitions of a member."""
        return [partition for partition, holder in self.leases.items() if holder == number]

    def leave(self, number: int) -> None:
        """Forget a member and free what it held; harmless when it is gone."""
        if self.members.pop(number, None) is not None:
            self._free(self.held(number))
            self.generation += 1

    def _expire(self, now: int) -> None:
        # A deadline far ahead means that the clock was set back: it would keep a dead member.
        latest = now + 2 * limits.LEASE_MS
        for number, member in list(self.members.items()):
            if not now <= member.deadline <= latest:
                self.leave(number)

    def _check_not_replaced(self, subscription: Subscription) -> None:
        if any(member.instance == subscription.instance for member in self.members.values()):
            raise LogError(
                f"another consumer joined group {subscription.group!r} as"
                f" {subscription.instance!r} and took this one's place:"
                " give every consumer an instance name of its own"
            )

    def _share(self, subscription: Subscription, number: int) -> None:
        """Bring a member to its fair share among those that subscribe to the same topics.

        Those that hold the most keep what does not divide evenly, so that few leases move.
        """
        topics = self.members[number].topics
        peers = [n for n, member in self.members.items() if member.topics == topics]
        counts = dict.fromkeys(peers, 0)
        free: list[TopicPartition] = []
        for partition in subscription.partitions:
            holder = self.leases.get(partition)
            if holder is None:
                free.append(partition)
            elif holder in counts:
                counts[holder] += 1
        each, over = divmod(sum(counts.values()) + len(free), len(peers))
        rank = sorted(peers, key=lambda n: (-counts[n], n)).index(number)
        wanted = each + (rank < over) - counts[number]
        if wanted < 0:
            self._free(self.held(number)[wanted:])
        else:
            self.leases.update(dict.fromkeys(free[:wanted], number))
        if wanted < 0 or free[:wanted]:
            self.generation += 1

    def _free(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            del self.leases[partition]


def fenced(lost: Sequence[TopicPartition]) -> Fenced:
    """Return the error for a commit of partitions that are not the member's."""
    names = ", ".join(f"{topic}/{partition}" for topic, partition in lost)
    return Fenced(
        f"nothing was committed: {names} went to another member, or was polled under an earlier"
        " lease; poll again, which delivers what is still this member's from its committed position"
    )
