"""One member of a consumer group on Kafka (`log.base.Consumer`).

No transaction is open while the consumer asks for records, so a partition always leaves between
two batches: what was answered is committed, what was not goes to whoever has the partition next.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from confluent_kafka import KafkaException

from modelstream.errors import Fenced, LogError
from modelstream.log.base import TopicInfo
from modelstream.log.groups import fenced
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.clients import member_options
from modelstream.log.kafka.cluster import Cluster
from modelstream.log.kafka.commits import Commits
from modelstream.log.kafka.errors import told
from modelstream.log.kafka.member import Member, Tenure
from modelstream.log.kafka.messages import record_batch, size_of
from modelstream.log.kafka.transactions import Runs
from modelstream.messages import Outgoing, RecordBatch, TopicPartition

_log = logging.getLogger("modelstream.kafka")


class KafkaConsumer:
    """A consumer for one thread at a time."""

    def __init__(
        self,
        address: KafkaAddress,
        cluster: Cluster,
        split: Callable[[Sequence[Outgoing]], Runs],
        *,
        group: str,
        topics: Sequence[TopicInfo],
        instance: str,
    ) -> None:
        self._cluster, self._split = cluster, split
        self._subscribed = {
            TopicPartition(topic.name, number)
            for topic in topics
            for number in range(topic.partitions)
        }
        self._closed = False
        self._commits = Commits(address, f"{group}-{instance}")
        self._join = partial(
            Member,
            member_options(address, group, instance),
            [topic.name for topic in topics],
            cluster.bounds,
        )
        self._member = self._join()

    def poll(self, max_records: int, max_wait_ms: int, max_bytes: int) -> list[RecordBatch]:
        """Return what is there, oldest first in each partition; wait only while nothing is.

        Raises LogUnavailable while the brokers are away, LogError when another consumer joined
        under the same instance name.
        """
        self._check_open()
        if self._member.put_out:
            self._rejoin()
        if self._commits.unsettled:
            self._commits.settle()
            self._member.forget_positions()
        give_up = time.monotonic() + max_wait_ms / 1000
        while True:
            waiting = self._waiting()
            left = max(0.0, give_up - time.monotonic())
            if waiting < max_records:
                self._member.fetch(max_records - waiting, 0.0 if waiting else left)
            batches = self._deliver(max_records, max_bytes)
            if batches:
                return batches
            self._skip_marks()
            if time.monotonic() >= give_up:
                return []

    def commit(
        self, covers: Mapping[TopicPartition, int], appends: Sequence[Outgoing] = ()
    ) -> None:
        """Append records and move positions in one atomic step.

        With delivery "at_least_once" records come first, positions after them. Raises Fenced, and
        LogUnavailable: then the next poll finds out what was done, and goes on from there.
        """
        self._check_open()
        runs = self._split(appends)
        try:
            self._check_delivered(covers)
            self._commits.write(self._member, runs, dict(covers))
        except Fenced:
            self._restart()
            raise
        with self._member.lock:
            for source, offset in covers.items():
                tenure = self._member.held.get(source)
                if tenure is not None:
                    tenure.committed = tenure.earliest = offset

    def rewind(self, positions: Mapping[TopicPartition, int]) -> None:
        """Deliver again from these offsets; partitions that are another member's are left to it.

        Raises LogError for an offset past the end, or a partition that was not subscribed to.
        """
        self._check_subscribed(positions)
        with self._member.lock:
            held = {source: self._member.held.get(source) for source in positions}
        # What was delivered is there; only of another place the brokers are asked.
        bounds = self._cluster.bounds(
            source
            for source, tenure in held.items()
            if tenure is not None and not tenure.earliest <= positions[source] <= tenure.position
        )
        for source, (_, end) in bounds.items():
            if positions[source] > end:
                raise LogError(
                    f"cannot read {source.topic}/{source.partition} from {positions[source]}:"
                    f" it ends at {end}"
                )
        with self._member.lock:
            for source in positions.keys() & self._member.held.keys():
                first, _ = bounds.get(source, (0, 0))
                tenure = self._member.held[source]
                self._member.seek(source, max(first, positions[source]))
                tenure.earliest = min(tenure.earliest, tenure.position)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing of these partitions until they are resumed."""
        self._check_subscribed(partitions)
        with self._member.lock:
            self._member.pause(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver these partitions again."""
        self._check_subscribed(partitions)
        with self._member.lock:
            self._member.resume(partitions)

    def assignment(self) -> frozenset[TopicPartition]:
        """Return the partitions that are this member's, as of its last poll."""
        with self._member.lock:
            return frozenset(self._member.held)

    def lag(self) -> dict[TopicPartition, int]:
        """Return how far the committed position is from the end, in offsets; 0 when all is done."""
        with self._member.lock:
            committed = {source: held.committed for source, held in self._member.held.items()}
        bounds = self._cluster.bounds(committed)
        return {
            source: bounds[source][1] - max(bounds[source][0], offset)
            for source, offset in committed.items()
        }

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        if not self._closed:
            self._closed = True
            self._member.close()
            self._commits.close()

    # -- reading ---------------------------------------------------------------------------------

    def _rejoin(self) -> None:
        """Begin anew after an outage, for which the brokers took this member for two."""
        _log.warning("the group put this member out during an outage; it joins again")
        paused = self._member.paused
        self._member.abandon()
        self._member = self._join()
        self._member.paused.update(paused)

    def _waiting(self) -> int:
        """Return how many fetched records can be delivered."""
        with self._member.lock:
            return sum(len(tenure.ahead) for _, tenure in self._deliverable())

    def _deliverable(self) -> list[tuple[TopicPartition, Tenure]]:
        held, paused = self._member.held, self._member.paused
        return [(each, held[each]) for each in held if each not in paused and held[each].ahead]

    def _deliver(self, max_records: int, max_bytes: int) -> list[RecordBatch]:
        """Hand out what was fetched; a partition that had its turn goes to the end of the line."""
        batches: list[RecordBatch] = []
        with self._member.lock:
            for source, tenure in self._deliverable():
                count, size = _fitting(tenure, max_records, max_bytes)
                if batches and size > max_bytes:
                    break
                messages, tenure.ahead = tenure.ahead[:count], tenure.ahead[count:]
                last = messages[-1].offset()
                # At the end lie marks of transactions, which are passed over with their records.
                tenure.position = tenure.end if not tenure.ahead and tenure.end > last else last + 1
                batches.append(record_batch(source, messages, tenure.position))
                self._member.held[source] = self._member.held.pop(source)
                max_records -= count
                max_bytes -= size
                if max_records <= 0 or max_bytes <= 0:
                    break
        return batches

    def _skip_marks(self) -> None:
        """Move over marks of transactions at a partition's end, where all before them is done."""
        with self._member.lock, told("cannot commit positions"):
            passed = {
                source: tenure.end
                for source, tenure in self._member.held.items()
                if not tenure.ahead
                and tenure.committed == tenure.position < tenure.end
                and source not in self._member.paused
            }
            if not passed:
                return
            try:
                self._member.commit(passed)
            except KafkaException as error:
                _log.warning("cannot commit positions: %s; it is tried again", error.args[0].str())
                return
            for source, offset in passed.items():
                tenure = self._member.held[source]
                tenure.position = tenure.committed = tenure.earliest = offset

    def _restart(self) -> None:
        """Deliver what is still this member's from its committed position."""
        with self._member.lock:
            for source, tenure in list(self._member.held.items()):
                tenure.earliest = tenure.committed
                self._member.seek(source, tenure.committed)

    # -- checks ----------------------------------------------------------------------------------

    def _check_delivered(self, covers: Mapping[TopicPartition, int]) -> None:
        with self._member.lock:
            held = self._member.held
            stale = [
                source
                for source, offset in covers.items()
                if self._commits.unsettled
                or source not in held
                or not held[source].earliest < offset <= held[source].position
            ]
        if stale:
            raise fenced(stale)

    def _check_subscribed(self, partitions: Iterable[TopicPartition]) -> None:
        for each in partitions:
            if each not in self._subscribed:
                raise LogError(f"{each[0]}/{each[1]} was not subscribed to")

    def _check_open(self) -> None:
        if self._closed:
            raise LogError("this consumer was closed: ask the log for another")


def _fitting(tenure: Tenure, max_records: int, max_bytes: int) -> tuple[int, int]:
    """Return how many records fit, one at least, and their bytes."""
    total = 0
    for count, message in enumerate(tenure.ahead[:max_records]):
        size = size_of(message)
        if count and total + size > max_bytes:
            return count, total
        total += size
    return min(len(tenure.ahead), max_records), total
