"""The group protocol of Kafka 4 (KIP-848), where the brokers say who has which partition."""

import time
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from modelstream.errors import Fenced, LogError
from modelstream.limits import BATCH_BYTES_MAX
from modelstream.log import open_log
from modelstream.log.base import Consumer, Log
from modelstream.messages import Outgoing
from tests.support.kafka.broker import Running

pytestmark = pytest.mark.kafka

PARTITIONS, RECORDS = 4, 400
PATIENCE_SECONDS = 60.0


@pytest.fixture
def log(kafka_broker: Running) -> Iterator[Log]:
    with closing(open_log(kafka_broker.url + "/?group.protocol=consumer")) as log:
        yield log


def test_two_members_share_one_leaves_and_nothing_is_lost(log: Log) -> None:
    name = uuid.uuid4().hex
    records, results = f"{name}.records", f"{name}.results"
    for topic in (records, results):
        log.create_topic(topic, PARTITIONS)
    with (
        closing(log.consumer(name, [records], instance="one")) as one,
        closing(log.consumer(name, [records], instance="two")) as two,
    ):
        until_shared(one, two)
        sent = [b"%d" % number for number in range(RECORDS)]
        for partition in range(PARTITIONS):
            log.append(Outgoing(records, sent[partition::PARTITIONS], partition=partition))
        done = copy(one, results, 50) + copy(two, results, 50)
        two.close()
        copy(one, results, RECORDS - done)
        assert len(one.assignment()) == PARTITIONS
    for partition in range(PARTITIONS):
        batch = log.read(results, partition, 0, RECORDS, BATCH_BYTES_MAX)
        assert batch.values == sent[partition::PARTITIONS]


def test_an_option_that_only_the_older_protocol_has_is_refused(kafka_broker: Running) -> None:
    url = kafka_broker.url + "/?group.protocol=consumer&session.timeout.ms=6000"
    topic = uuid.uuid4().hex
    with closing(open_log(url)) as log:
        log.create_topic(topic)
        with pytest.raises(LogError, match=r"session\.timeout\.ms"):
            log.consumer("group", [topic], instance="one")


def until_shared(one: Consumer, two: Consumer) -> None:
    """Poll until both have half of the partitions."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        for member in (one, two):
            assert member.poll(1, 20, BATCH_BYTES_MAX) == []
        if len(one.assignment()) == len(two.assignment()) == PARTITIONS // 2:
            return
    pytest.fail(f"the members have {one.assignment()} and {two.assignment()}")


def copy(member: Consumer, results: str, at_least: int) -> int:
    """Answer so many records with themselves; return how many it were."""
    done, give_up = 0, time.monotonic() + PATIENCE_SECONDS
    while done < at_least:
        assert time.monotonic() < give_up
        batches = member.poll(10, 50, BATCH_BYTES_MAX)
        if not batches:
            continue
        try:
            member.commit(
                {batch.source: batch.next_offset for batch in batches},
                [Outgoing(results, batch.values, partition=batch.partition) for batch in batches],
            )
        except Fenced:  # partitions are moving: nothing was written, and they come again
            continue
        done += sum(map(len, batches))
    return done
