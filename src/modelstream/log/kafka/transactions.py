"""A producer that writes records, and positions with them, all or none."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import TopicPartition as KafkaPartition

from modelstream.errors import LogError, LogUnavailable
from modelstream.limits import (
    KAFKA_ABORT_SECONDS,
    KAFKA_CALL_SECONDS,
    KAFKA_PRODUCERS_ABANDONED_MAX,
    KAFKA_SEND_OFFSETS_SECONDS,
)
from modelstream.log.appends import Run
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.clients import producer_options
from modelstream.log.kafka.errors import told
from modelstream.log.kafka.messages import OnDelivery, produce
from modelstream.messages import TopicPartition

_log = logging.getLogger("modelstream.kafka")

# Records of one append, by topic and partition.
Runs = Sequence[tuple[str, Mapping[int, Run]]]
# Given by `Consumer.consumer_group_metadata`; the brokers check by it that the member is current.
Membership = Any


class Covered(NamedTuple):
    """Positions that move with a transaction, and the member whose they are."""

    positions: Mapping[TopicPartition, int]
    membership: Membership


class Transactions:
    """One transactional producer under a stable id; for one thread at a time.

    Whoever comes up under the same id takes its place, and ends what it left open. No transaction
    stays open between two calls.
    """

    def __init__(
        self, address: KafkaAddress, transactional_id: str, *, told_offsets: bool = False
    ) -> None:
        self._options = producer_options(address, transactional_id, told_offsets=told_offsets)
        self._producer: Producer | None = None
        self._is_open = False  # a transaction, as far as is known here
        self._abandoned = 0

    def run(
        self, runs: Runs, covered: Covered | None = None, on_delivery: OnDelivery | None = None
    ) -> None:
        """Write one transaction. Raises KafkaException; then it may have been committed or not.

        `settle` before the next call decides that: what was left open is aborted.
        """
        try:
            self._write(self._producer or self._start(), runs, covered, on_delivery)
        except BaseException:
            self.close()
            raise

    def settle(self) -> None:
        """After a failure, begin under a higher epoch: nothing in flight can be written late.

        Raises KafkaException.
        """
        if self._producer is None:
            self._start()

    def close(self) -> None:
        """Release the producer; what a failure left open is aborted, or readers would wait for it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            if self._is_open:
                self._is_open = False
                _abort(producer)
            # It goes as it is: its own `close` would abort again, and warn where it cannot.
            producer.purge()

    def _write(
        self,
        producer: Producer,
        runs: Runs,
        covered: Covered | None,
        on_delivery: OnDelivery | None,
    ) -> None:
        producer.begin_transaction()
        self._is_open = True
        for topic, partitions in runs:
            for partition, run in partitions.items():
                produce(producer, topic, partition, run, on_delivery)
        if covered is not None:
            self._send_offsets(producer, covered)
        _commit(producer)
        self._is_open = False

    def _send_offsets(self, producer: Producer, covered: Covered) -> None:
        """Move positions with the transaction.

        The client can stay in this call for ever where a broker went away (librdkafka's issue
        5456), whatever time it is given. Then its producer is left as it is: another one under the
        same id takes its place, and whatever it may still write is refused by the brokers.
        """
        offsets = [KafkaPartition(*source, at) for source, at in covered.positions.items()]
        try:
            _within(
                KAFKA_SEND_OFFSETS_SECONDS,
                lambda: producer.send_offsets_to_transaction(
                    offsets, covered.membership, KAFKA_CALL_SECONDS
                ),
            )
        except TimeoutError as error:
            self._producer, self._is_open = None, False
            self._abandoned += 1
            if self._abandoned > KAFKA_PRODUCERS_ABANDONED_MAX:
                raise LogError(
                    f"Kafka's client hung {self._abandoned} times while it committed positions;"
                    " start this instance again"
                ) from error
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "positions, in time")) from error

    def _start(self) -> Producer:
        producer = Producer(self._options)
        producer.init_transactions(KAFKA_CALL_SECONDS)
        self._producer = producer
        return producer


def _within(seconds: float, call: Callable[[], object]) -> None:
    """Make a call that may never return. Raises what it raises, TimeoutError once it is too late."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, name="kafka-offsets", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if raised:
        raise raised[0]


def _commit(producer: Producer) -> None:
    """Commit; asked again where the answer was lost, as only the same question settles it."""
    give_up = time.monotonic() + KAFKA_CALL_SECONDS
    while True:
        try:
            producer.commit_transaction(KAFKA_CALL_SECONDS)
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > give_up:
                raise
        else:
            return


def _abort(producer: Producer) -> None:
    try:
        producer.abort_transaction(KAFKA_ABORT_SECONDS)
    except KafkaException as error:
        # The next producer under this id aborts it, or the brokers do after a while.
        _log.info("a transaction is left to the brokers: %s", error.args[0].str())


class Plain:
    """A producer without transactions, for deliveries of at least once."""

    def __init__(self, address: KafkaAddress) -> None:
        self._producer = Producer(producer_options(address, None))

    def run(self, runs: Runs) -> None:
        """Write records and wait until the brokers have them. Raises LogError."""
        failed: list[KafkaError] = []
        for topic, partitions in runs:
            for partition, run in partitions.items():
                produce(
                    self._producer,
                    topic,
                    partition,
                    run,
                    lambda error, _message: failed.append(error) if error else None,
                )
        with told("cannot write records"):
            left = self._producer.flush(KAFKA_CALL_SECONDS)
            if failed:
                raise KafkaException(failed[0])
        if left:
            self._producer.purge()
            raise LogUnavailable(
                f"{left} records were not taken by the brokers within {KAFKA_CALL_SECONDS:g} s:"
                " are they up?"
            )

    def close(self) -> None:
        """Release the producer."""
        self._producer.close()
