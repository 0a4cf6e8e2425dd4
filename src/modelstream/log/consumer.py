"""One member of a consumer group, on any log that keeps groups as `groups.Group`.

What is in here is the reader's side: where it has read up to, what is paused, when to renew its
lease. What must be atomic is asked of the log, through `Coordinator`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from modelstream import limits
from modelstream.errors import Fenced, LogError
from modelstream.log.clock import Clock
from modelstream.log.groups import Assignment, Subscription, fenced
from modelstream.log.stored import record_bytes
from modelstream.messages import Outgoing, RecordBatch, TopicPartition


class Coordinator(Protocol):
    """What a log does for its consumers; each call is atomic."""

    clock: Clock

    def join(self, subscription: Subscription) -> Assignment:
        """Become a member and take a first share."""
        ...

    def heartbeat(self, subscription: Subscription, member: int) -> Assignment:
        """Renew the leases, then take or let go of partitions."""
        ...

    def leave(self, subscription: Subscription, member: int) -> None:
        """Free what the member holds."""
        ...

    def generation(self, group: str) -> int:
        """Return a number that rises whenever the group changes."""
        ...

    def commit(
        self,
        subscription: Subscription,
        member: int,
        covers: Mapping[TopicPartition, int],
        appends: Sequence[Outgoing],
    ) -> None:
        """Append, move positions and check the leases, or raise Fenced and do nothing."""
        ...

    def bounds(self, subscription: Subscription) -> dict[TopicPartition, tuple[int, int]]:
        """Return the first kept offset and the end of every partition subscribed to."""
        ...

    def read(
        self, source: TopicPartition, offset: int, max_records: int, max_bytes: int
    ) -> RecordBatch:
        """Return records from `offset` on, as `Log.read` does."""
        ...

    def version(self) -> int:
        """Return a number that changes with every write to the log."""
        ...

    def wait(self, version: int, seconds: float) -> None:
        """Return when the log's version is another, or after so many seconds."""
        ...


@dataclass(slots=True)
class _Tenure:
    """One partition while it is this member's."""

    position: int  # next to be delivered
    committed: int
    earliest: int  # that a commit may name: below lies what was delivered under an earlier lease


class GroupConsumer:
    """A consumer for one thread at a time (`log.base.Consumer`).

    The order of `_held` is whose turn it is: a partition that delivered goes to the end.
    """

    def __init__(self, coordinator: Coordinator, subscription: Subscription) -> None:
        self._coordinator = coordinator
        self._subscription = subscription
        self._held: dict[TopicPartition, _Tenure] = {}
        self._paused: set[TopicPartition] = set()
        self._closed = False
        self._renewed: int | None = coordinator.clock()
        self._assignment = coordinator.join(subscription)
        self._hold(self._assignment)

    def poll(self, max_records: int, max_wait_ms: int, max_bytes: int) -> list[RecordBatch]:
        """Return what is there, oldest first in each partition; wait only while nothing is.

        Raises LogError when another consumer joined under the same instance name.
        """
        self._check_open()
        give_up = time.monotonic() + max_wait_ms / 1000
        while True:
            version = self._coordinator.version()
            self._keep_leases()
            batches = self._fetch(max_records, max_bytes)
            left = give_up - time.monotonic()
            if batches or left <= 0:
                return batches
            self._coordinator.wait(version, min(left, limits.HEARTBEAT_MS / 1000))

    def commit(
        self, covers: Mapping[TopicPartition, int], appends: Sequence[Outgoing] = ()
    ) -> None:
        """Append records and move positions in one atomic step.

        Fenced is raised too for what this member was given before it lost and regained a
        partition: the lease is good again, but another member may have done those records.
        """
        self._check_open()
        try:
            self._check_delivered(covers)
            self._coordinator.commit(self._subscription, self._assignment.member, covers, appends)
        except Fenced:
            self._held.clear()
            self._renewed = None
            raise
        for partition, offset in covers.items():
            self._held[partition].committed = self._held[partition].earliest = offset

    def rewind(self, positions: Mapping[TopicPartition, int]) -> None:
        """Deliver again from these offsets; partitions that are another member's are left to it.

        Raises LogError for an offset past the end, or a partition that was not subscribed to.
        """
        self._check_subscribed(positions)
        bounds = self._coordinator.bounds(self._subscription)
        for partition in positions.keys() & self._held.keys():
            start, end = bounds[partition]
            if positions[partition] > end:
                raise LogError(
                    f"cannot read {partition.topic}/{partition.partition} from"
                    f" {positions[partition]}: it ends at {end}"
                )
            tenure = self._held[partition]
            tenure.position = max(start, positions[partition])
            tenure.earliest = min(tenure.earliest, tenure.position)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these partitions until they are resumed."""
        self._check_subscribed(partitions)
        self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these partitions again."""
        self._check_subscribed(partitions)
        self._paused.difference_update(partitions)

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions that are this member's, as of its last poll."""
        return frozenset(self._held)

    def lag(self) -> dict[TopicPartition, int]:
        """Return the number of records between the committed position and the end."""
        bounds = self._coordinator.bounds(self._subscription)
        return {
            partition: bounds[partition][1] - max(bounds[partition][0], tenure.committed)
            for partition, tenure in self._held.items()
        }

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        if not self._closed:
            self._closed = True
            self._held.clear()
            self._coordinator.leave(self._subscription, self._assignment.member)

    def _keep_leases(self) -> None:
        now = self._coordinator.clock()
        generation = self._coordinator.generation(self._subscription.group)
        fresh = self._renewed is not None and 0 <= now - self._renewed < limits.HEARTBEAT_MS
        if fresh and generation == self._assignment.generation:
            return
        self._hold(self._coordinator.heartbeat(self._subscription, self._assignment.member))
        self._renewed = now

    def _hold(self, assignment: Assignment) -> None:
        """Start what is newly this member's at its committed position, and drop what is not."""
        if assignment.member != self._assignment.member:
            self._held.clear()
        for lost in self._held.keys() - assignment.positions.keys():
            del self._held[lost]
        for partition, position in assignment.positions.items():
            self._held.setdefault(partition, _Tenure(position, position, position))
        self._assignment = assignment

    def _fetch(self, max_records: int, max_bytes: int) -> list[RecordBatch]:
        bounds = self._coordinator.bounds(self._subscription)
        batches: list[RecordBatch] = []
        for partition, tenure in list(self._held.items()):
            if partition in self._paused or tenure.position >= bounds[partition][1]:
                continue
            batch = self._coordinator.read(partition, tenure.position, max_records, max_bytes)
            size = sum(record_bytes(batch.values, batch.keys, batch.headers))
            if batches and size > max_bytes:
                break
            tenure.position = batch.next_offset
            if not batch.values:
                continue  # what lay ahead was deleted
            batches.append(batch)
            self._held[partition] = self._held.pop(partition)
            max_records -= len(batch)
            max_bytes -= size
            if max_records <= 0 or max_bytes <= 0:
                break
        return batches

    def _check_delivered(self, covers: Mapping[TopicPartition, int]) -> None:
        stale = []
        for partition, offset in covers.items():
            tenure = self._held.get(partition)
            if tenure is None or not tenure.earliest < offset <= tenure.position:
                stale.append(partition)
        if stale:
            raise fenced(stale)

    def _check_subscribed(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            if partition not in self._subscription.partitions:
                raise LogError(
                    f"{partition[0]}/{partition[1]} was not subscribed to:"
                    f" the topics are {', '.join(self._subscription.topics)}"
                )

    def _check_open(self) -> None:
        if self._closed:
            raise LogError("this consumer was closed: ask the log for another")
