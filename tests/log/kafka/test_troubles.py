"""What a client meets in the background is told once, while it lasts."""

import pytest
from confluent_kafka import KafkaError

from modelstream.limits import KAFKA_TELL_SECONDS
from modelstream.log.kafka.troubles import Troubles

AWAY = KafkaError(KafkaError._TRANSPORT, "refused")
ALL_AWAY = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 down")
WRONG_PASSWORD = KafkaError(KafkaError._AUTHENTICATION, "no")


def test_what_goes_on_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    troubles = Troubles(lambda: now[0])
    for second in range(1000):
        now[0] = float(second)
        troubles(AWAY)
        troubles(ALL_AWAY)
    assert [record.message for record in caplog.records] == ["refused", "1/1 down"]
    now[0] += KAFKA_TELL_SECONDS
    troubles(AWAY)
    assert len(caplog.records) == 3, "it is back after a time without it"


def test_a_cause_that_lasts_is_worse_than_one_that_passes() -> None:
    troubles = Troubles()
    assert troubles.worst is None
    for error in (AWAY, WRONG_PASSWORD, ALL_AWAY):
        troubles(error)
    assert troubles.worst == WRONG_PASSWORD


def test_one_whose_owner_tells_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    troubles = Troubles(tells=False)
    troubles(AWAY)
    assert troubles.worst == AWAY
    assert not caplog.records
