"""A client that stays in a call for ever is left, and another one takes its place."""

import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from modelstream.errors import LogError
from modelstream.limits import KAFKA_PRODUCERS_ABANDONED_MAX
from modelstream.log.kafka import transactions
from modelstream.log.kafka.address import kafka_address
from modelstream.log.kafka.transactions import Covered, Transactions
from modelstream.messages import TopicPartition

COVERED = Covered({TopicPartition("wine.records", 0): 7}, None)


class Hung:
    """A producer that never comes back from sending positions."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def begin_transaction(self) -> None:
        """Begin."""

    def send_offsets_to_transaction(self, *_: object) -> None:
        """Hang."""
        self.free.wait()

    def abort_transaction(self, *_: object) -> None:
        """Nobody may ask this of a producer that hangs."""
        pytest.fail("a hung producer was asked to abort")


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Any:
    producer = Hung()
    monkeypatch.setattr(transactions, "KAFKA_SEND_OFFSETS_SECONDS", 0.01)
    monkeypatch.setattr(Transactions, "_start", lambda _self: producer)
    yield producer
    producer.free.set()


def test_a_hung_producer_is_left_and_the_commit_is_in_doubt(hung: Hung) -> None:
    writer = Transactions(kafka_address("kafka://127.0.0.1:1"), "t")
    with pytest.raises(KafkaException) as caught:
        writer.run([], COVERED)
    assert caught.value.args[0].code() == KafkaError._TIMED_OUT
    writer.close()


def test_too_many_hung_producers_end_the_instance(hung: Hung) -> None:
    writer = Transactions(kafka_address("kafka://127.0.0.1:1"), "t")
    for _ in range(KAFKA_PRODUCERS_ABANDONED_MAX):
        with pytest.raises(KafkaException):
            writer.run([], COVERED)
    with pytest.raises(LogError, match="start this instance again"):
        writer.run([], COVERED)


def test_what_the_call_raises_is_raised(hung: Hung, monkeypatch: pytest.MonkeyPatch) -> None:
    def fenced(*_: object) -> None:
        raise KafkaException(KafkaError(KafkaError._FENCED))

    monkeypatch.setattr(hung, "send_offsets_to_transaction", fenced)
    monkeypatch.setattr(hung, "abort_transaction", lambda *_: None)
    monkeypatch.setattr(hung, "purge", lambda: None, raising=False)
    writer = Transactions(kafka_address("kafka://127.0.0.1:1"), "t")
    monkeypatch.setattr(writer, "_producer", hung)
    with pytest.raises(KafkaException) as caught:
        writer.run([], COVERED)
    assert caught.value.args[0].code() == KafkaError._FENCED
