"""Three workers serve while records keep coming, and new models are published."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from modelstream.audit import verify
from modelstream.events import Promoted, decode_events
from modelstream.limits import BATCH_BYTES_MAX
from modelstream.messages import Result
from modelstream.publishing import publish
from modelstream.wire.results import decode_result
from tests.support.artifacts import adder
from tests.support.flows import Rig
from tests.support.kafka.broker import Running
from tests.support.kafka.chaos import (
    Load,
    Reader,
    Serving,
    owners,
    read_all,
    reading,
    rig_on,
    wait_for_count,
)
from tests.support.waiting import eventually

PARTITIONS, WORKERS, VERSIONS = 6, 3, 3
# Sent by each partition's turn, so often.
SENT_AT_ONCE, PAUSE_SECONDS = 60, 0.02

pytestmark = pytest.mark.kafka


def test_every_worker_flips_at_the_same_registry_position(
    tmp_path: Path, kafka_broker: Running
) -> None:
    name = f"swaps-{uuid.uuid4().hex[:8]}"
    bootstrap = kafka_broker.bootstrap
    lines = (f"partitions = {PARTITIONS}", "batch_records = 50")
    with rig_on(tmp_path, bootstrap, {}, lines, name) as (rig, path):
        (records,) = rig.flow.record_topics
        with (
            Serving(path, WORKERS) as serving,
            reading(bootstrap, rig.flow.results, PARTITIONS) as reader,
        ):
            eventually(lambda: len(set(owners(bootstrap, rig.flow).values())) == WORKERS)
            with sending(bootstrap, records) as load:
                for number in range(1, VERSIONS + 1):
                    publish(rig.log, rig.flow, adder(float(number)), name="plus")
                    eventually(partial(answered_everywhere, reader, number))
            wait_for_count(reader, load.sent, serving)
            assert len(set(owners(bootstrap, rig.flow).values())) == WORKERS
            serving.stop()
        check(
            rig, [offset for held in read_all(bootstrap, records, PARTITIONS) for offset, _ in held]
        )


@contextmanager
def sending(bootstrap: str, topic: str) -> Iterator[Load]:
    """Send to all partitions, in a thread, until left."""
    load, stop = Load(bootstrap, topic, PARTITIONS), threading.Event()

    def send() -> None:
        while not stop.wait(PAUSE_SECONDS):
            load.send(SENT_AT_ONCE)

    thread = threading.Thread(target=send, name="load")
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()
        load.flush()


def answered_everywhere(reader: Reader, version: int) -> bool:
    """Tell whether each partition has results of a version."""
    return all(
        held and decode_result(held[-1][1]).model.version == str(version)
        for held in list(reader.seen)
    )


def check(rig: Rig, sent: list[int]) -> None:
    """Every record has one result, by the version that was current at its `as_of`."""
    flips = promotions(rig)
    assert list(flips) == [str(number) for number in range(1, VERSIONS + 1)]
    by_partition = [rig.results(partition) for partition in range(PARTITIONS)]
    assert sum(map(len, by_partition)) == len(sent)
    for results in by_partition:
        check_partition(results, flips)
    assert verify(rig.log, rig.flow).findings == ()


def check_partition(results: list[Result], flips: dict[str, int]) -> None:
    """Each version answers from its promotion on, which is what the first of its results says."""
    assert [result.offset for result in results] == list(range(len(results)))
    first: dict[str, int] = {}
    for result in results:
        first.setdefault(result.model.version, result.model.as_of)
        sent = json.loads(bytes(result.record))["x"]
        assert result.outputs["score"] == sent + int(result.model.version)
    assert first == flips


def promotions(rig: Rig) -> dict[str, int]:
    """Return where on the registry each version was made the current one."""
    batch = rig.log.read(rig.flow.registry, 0, 0, 1000, BATCH_BYTES_MAX)
    return {
        event.version: offset
        for offset, event in zip(batch.offsets, decode_events(batch.values), strict=True)
        if isinstance(event, Promoted)
    }
