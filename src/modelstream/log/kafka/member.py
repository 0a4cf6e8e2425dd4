"""A member of a group as Kafka sees it: which partitions are its own, and what it has fetched.

Kafka puts out a member that asks for nothing for too long. While a batch takes its time a thread,
the keeper, asks instead; it takes part in rebalances, and what it is given waits for the next poll.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as KafkaPartition

from modelstream.errors import LogError, LogUnavailable
from modelstream.limits import KAFKA_CALL_SECONDS
from modelstream.log.groups import fenced
from modelstream.log.kafka.clients import Options
from modelstream.log.kafka.errors import LASTING, log_error, told
from modelstream.log.kafka.messages import by_partition
from modelstream.messages import TopicPartition

_log = logging.getLogger("modelstream.kafka")

Sources = Iterable[TopicPartition]
# The first kept offset and the end of each partition.
Bounds = dict[TopicPartition, tuple[int, int]]


@dataclass(slots=True)
class Tenure:
    """One partition while it is this member's."""

    position: int  # next to be delivered
    committed: int
    earliest: int  # that a commit may name: below lies what was delivered under an earlier tenure
    ahead: list[Message] = field(default_factory=list)  # fetched and not delivered
    end: int = -1  # where the partition was last seen to end


class Member:
    """A consumer of a group, with a lock around it: the caller's thread and the keeper share it."""

    def __init__(
        self, options: Options, topics: Sequence[str], bounds: Callable[[Sources], Bounds]
    ) -> None:
        self.lock = threading.RLock()
        self.held: dict[TopicPartition, Tenure] = {}
        self.paused: set[TopicPartition] = set()
        self._what = f"cannot read {', '.join(topics)}"
        self._bounds = bounds
        with told(self._what):
            self._consumer = Consumer(options)
        self._classic = options.get("group.protocol") != "consumer"
        self._idle_seconds_max = float(options["max.poll.interval.ms"]) / 3000
        self._asked = time.monotonic()
        self._kept = False  # the keeper has paused what is held
        self._failure: LogError | None = None  # of the client as a whole: it does nothing any more
        self._strayed = False  # the group was out of reach for too long, and gave nothing since
        self.put_out = False  # when it had strayed: another member may take this one's place
        # Assigned while the brokers did not tell its position: the next fetch asks again.
        self._unplaced: set[TopicPartition] = set()
        self._stop = threading.Event()
        with told(self._what):
            self._consumer.subscribe(
                list(topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._lose
            )
        self._keeper = threading.Thread(target=self._keep, name="kafka-keeper", daemon=True)
        self._keeper.start()

    def fetch(self, max_records: int, seconds: float) -> None:
        """Bring what has arrived into `held`; wait for a first message alone."""
        with self.lock, told(self._what):
            if self._failure is not None:
                raise self._failure
            self._asked = time.monotonic()
            self._place()
            if self._kept:
                self._kept = False
                self._consumer.resume(_kafka(self.held.keys() - self.paused))
            messages = self._consumer.consume(1, seconds)
            if messages and max_records > 1:
                messages += self._consumer.consume(max_records - 1, 0)
            self._take(messages)

    def forget_positions(self) -> None:
        """Ask for the committed positions of all that is held before the next fetch."""
        with self.lock:
            self._unplaced.update(self.held)
            self.held.clear()

    def tenures(self, sources: Sources) -> dict[TopicPartition, Tenure]:
        """Return the tenures of those of these partitions that are this member's."""
        with self.lock:
            return {source: self.held[source] for source in sources if source in self.held}

    def metadata(self, tenures: Mapping[TopicPartition, Tenure]) -> Any:
        """Return what the brokers check in a transaction: this member and its generation.

        It is of a moment when these tenures last: were a partition let go of later, the brokers
        would refuse the generation; one that went and came back was another's meanwhile, who may
        have answered its records. Raises Fenced.
        """
        with self.lock:
            metadata = self._consumer.consumer_group_metadata()
            # A client that heard nothing of its group gives its name up by itself, before it says
            # so; where a group is empty, brokers let one without a name pass.
            strayed = not self._consumer.memberid()
            lost = [
                source
                for source, tenure in tenures.items()
                if strayed or self.held.get(source) is not tenure
            ]
            if lost:
                raise fenced(lost)
            return metadata

    def committed(self, sources: Sources) -> dict[TopicPartition, int]:
        """Ask for committed positions; -1 for none. Raises KafkaException."""
        answers = self._consumer.committed(_kafka(sources), KAFKA_CALL_SECONDS)
        for each in answers:
            if each.error is not None:
                raise KafkaException(each.error)
        return {
            TopicPartition(each.topic, each.partition): max(-1, each.offset) for each in answers
        }

    def commit(self, positions: dict[TopicPartition, int]) -> None:
        """Move positions by themselves, and wait until they are. Raises KafkaException."""
        offsets = [KafkaPartition(*source, offset) for source, offset in positions.items()]
        for each in self._consumer.commit(offsets=offsets, asynchronous=False) or ():
            if each.error is not None:
                raise KafkaException(each.error)

    def seek(self, source: TopicPartition, offset: int) -> None:
        """Go on at another offset."""
        tenure = self.held[source]
        tenure.position, tenure.ahead, tenure.end = offset, [], -1
        # Assigned anew: a seek is refused while the partition is on its way to its broker.
        here = [KafkaPartition(*source, offset)]
        with told(self._what):
            self._consumer.incremental_unassign(here)
            self._consumer.incremental_assign(here)
            if source in self.paused:
                self._consumer.pause(here)

    def pause(self, sources: Sources) -> None:
        """Fetch nothing of these partitions."""
        self.paused.update(sources)
        with told(self._what):
            self._consumer.pause(_kafka(self.held.keys() & self.paused))

    def resume(self, sources: Sources) -> None:
        """Fetch these partitions again."""
        again = self.held.keys() & self.paused & set(sources)
        self.paused.difference_update(sources)
        with told(self._what):
            self._consumer.resume(_kafka(again))

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._stop.set()
        self._keeper.join()
        with self.lock, told(self._what):
            try:
                self._leave()
            except (KafkaException, LogError) as error:
                # Another took this one's place, and the group knows it no more.
                _log.info("%s: %s", self._what, error)
            self._consumer.close()

    def abandon(self) -> None:
        """Release the client of a member that was put out; its name, and its place, are left."""
        self._stop.set()
        self._keeper.join()
        with self.lock, told(self._what):
            self._consumer.close()

    def _leave(self) -> None:
        # A static member that merely closes would keep its partitions for a session's time.
        self._consumer.unsubscribe()
        give_up = time.monotonic() + KAFKA_CALL_SECONDS
        while not self._has_left() and time.monotonic() < give_up:
            self._take(self._consumer.consume(1, 0.05))

    def _has_left(self) -> bool:
        """Tell whether the group knows this member no more.

        To close before would hang where an assignment still waits for its callback: the client
        ends at the assignment, and answers the revocation behind it never.
        """
        named = self._classic and self._consumer.memberid()  # KIP-848 keeps the name for ever
        return not (named or self.held or self._unplaced)

    def _take(self, messages: list[Message]) -> None:
        good = []
        for message in messages:
            error = message.error()
            if error is None:
                good.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                tenure = self.held.get(TopicPartition(message.topic(), message.partition()))
                if tenure is not None:
                    tenure.end = message.offset()
            elif error.code() == KafkaError._FATAL:
                # It is told once, perhaps to the keeper, and holds for ever.
                self._failure = log_error(self._what, error)
                if self._strayed:
                    self.put_out = True
                    self._failure = LogUnavailable(str(self._failure))
                raise self._failure
            elif error.fatal() or error.code() in LASTING:
                raise log_error(self._what, error)
            else:
                _log.warning("%s: %s", self._what, error.str())
        for source, those in by_partition(good).items():
            tenure = self.held.get(source)
            if tenure is not None:
                # What was on its way before a seek is older than what was asked for.
                start = tenure.ahead[-1].offset() + 1 if tenure.ahead else tenure.position
                tenure.ahead.extend(each for each in those if each.offset() >= start)

    def _assign(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        """Take partitions over at their committed positions.

        An error does not leave this callback: the client would go on as if it had not been.
        """
        consumer.incremental_assign(partitions)
        self._strayed = False
        self._unplaced.update(TopicPartition(each.topic, each.partition) for each in partitions)
        if self._stop.is_set():  # leaving: the coordinator answers nothing any more
            return
        try:
            self._place()
        except (KafkaException, LogError) as error:
            _log.warning("%s yet: %s", self._what, error)

    def _place(self) -> None:
        """Begin with what was assigned at its committed position."""
        if not self._unplaced:
            return
        committed = self.committed(self._unplaced)
        bounds = self._bounds(self._unplaced)
        for source in sorted(self._unplaced):
            start = max(committed[source], bounds[source][0])
            self.held[source] = Tenure(start, start, start)
            self.seek(source, start)
        if self._kept:
            self._consumer.pause(_kafka(self._unplaced))
        self._unplaced.clear()

    def _revoke(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        """Let partitions go; a commit that covers one of them is refused from now on."""
        for each in partitions:
            source = TopicPartition(each.topic, each.partition)
            self.held.pop(source, None)
            self._unplaced.discard(source)
        consumer.incremental_unassign(partitions)

    def _lose(self, consumer: Consumer, partitions: list[KafkaPartition]) -> None:
        """Let partitions go that may be another member's already."""
        self._strayed = True
        self._revoke(consumer, partitions)

    def _keep(self) -> None:
        """Ask for nothing in the caller's place, while a batch takes long."""
        while not self._stop.wait(self._idle_seconds_max / 4):
            if time.monotonic() - self._asked < self._idle_seconds_max:
                continue
            with self.lock:
                if not self._kept:
                    self._kept = True
                    self._consumer.pause(_kafka(self.held))
                try:
                    self._take(self._consumer.consume(1, 0))
                except (KafkaException, LogError) as error:
                    # The caller's next poll meets the same and raises it.
                    _log.warning("%s: %s", self._what, error)


def _kafka(sources: Sources) -> list[KafkaPartition]:
    return [KafkaPartition(*source) for source in sources]
