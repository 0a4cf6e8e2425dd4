"""kill -9 of workers and of the broker, on a real Kafka under load.

What is committed afterwards is what was sent, once each and in order, and nobody who read meanwhile
saw anything else.
"""

import logging
import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from modelstream.audit import verify
from modelstream.messages import Result
from modelstream.publishing import publish
from modelstream.wire.results import decode_result
from tests.conftest import missing
from tests.support.artifacts import adder
from tests.support.flows import Rig
from tests.support.kafka.broker import KafkaBroker, NoBroker
from tests.support.kafka.chaos import (
    Load,
    Reader,
    Serving,
    read_all,
    reading,
    rig_on,
    wait_for_count,
)

PARTITIONS = 6
WORKERS = 3
# Small batches, so that a kill is likely to meet a transaction; a session that is soon over, so that
# a worker that does not come back would be noticed.
LINES = (f"partitions = {PARTITIONS}", "batch_records = 50")
OPTIONS = {"session.timeout.ms": 6000}

_log = logging.getLogger(__name__)

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.soak]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A broker of the test's own, as others would not like it to be killed."""
    directory = tmp_path / "broker"
    directory.mkdir()
    try:
        made = KafkaBroker(directory)
    except NoBroker as error:
        missing(str(error))
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("records", "kills", "restarts"),
    [
        pytest.param(8_000, 6, 1, id="short"),
        pytest.param(200_000, 100, 5, id="full"),
    ],
)
def test_kills_of_workers_and_broker_lose_nothing_and_nothing_is_twice(
    tmp_path: Path, broker: KafkaBroker, records: int, kills: int, restarts: int
) -> None:
    chance = random.Random(kills)
    began = time.monotonic()
    with rig_on(tmp_path, broker.bootstrap, OPTIONS, LINES) as (rig, path):
        publish(rig.log, rig.flow, adder(1.0), name="plus")
        load = Load(broker.bootstrap, "wine.records", PARTITIONS)
        window = records // kills
        with (
            Serving(path, WORKERS) as serving,
            reading(broker.bootstrap, "wine.results", PARTITIONS) as reader,
        ):
            for number in range(kills):
                load.send(
                    min(2 * window, records - load.sent)
                    if number == 0
                    else min(window, records - load.sent)
                )
                wait_for_count(reader, number * window + chance.randrange(1, window), serving)
                if number % (kills // restarts) == kills // restarts // 2:
                    broker.kill()
                    serving.kill_one(chance)
                    broker.start()
                else:
                    serving.kill_one(chance)
                if number % 10 == 5:
                    rig_publish(rig, number)
            load.flush()
            wait_for_count(reader, records, serving)
            serving.stop()
        aborted = check(rig, broker, reader)
        _log.warning(
            "%s records, %s kills, %s restarts: %s results of aborted transactions, %.0f s",
            *(records, kills, restarts, aborted, time.monotonic() - began),
        )
        # A few kills may all fall between two transactions.
        assert aborted or kills < 100, "kills were to meet transactions"


def rig_publish(rig: Rig, number: int) -> None:
    publish(rig.log, rig.flow, adder(float(number)), name="plus")


def check(rig: Rig, broker: KafkaBroker, reader: Reader) -> int:
    """Compare what is committed with what was sent, and with what somebody read meanwhile.

    Return how many results were written and never committed.
    """
    sent = read_all(broker.bootstrap, "wine.records", PARTITIONS)
    committed = read_all(broker.bootstrap, "wine.results", PARTITIONS)
    written = read_all(broker.bootstrap, "wine.results", PARTITIONS, "read_uncommitted")
    for partition in range(PARTITIONS):
        results = [decode_result(value) for _, value in committed[partition]]
        assert [result.offset for result in results] == [offset for offset, _ in sent[partition]]
        check_as_of(results)
        read = reader.seen[partition]
        assert read == committed[partition][: len(read)], "what was read was taken back"
    assert verify(rig.log, rig.flow).findings == ()
    return sum(map(len, written)) - sum(map(len, committed))


def check_as_of(results: list[Result]) -> None:
    """What an instance knows of the registry never goes back within a partition."""
    known = [result.model.as_of for result in results]
    assert all(before <= after for before, after in pairwise(known))
