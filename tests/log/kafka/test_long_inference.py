"""A score call of three times `max.poll.interval.ms`: the member keeps its partitions, and nothing is lost."""

import json
import threading
import time
import uuid
from contextlib import closing

import pytest

from modelstream.audit import verify
from modelstream.engines.embedded import Embedded
from modelstream.engines.loaded import Loaded, ready
from modelstream.flow import Flow
from modelstream.formats.base import Field
from modelstream.log import open_log
from modelstream.messages import Columns, Outgoing
from tests.support.artifacts import adder
from tests.support.fake_models import FakeModel
from tests.support.flows import Rig, run_until
from tests.support.kafka.broker import Running

pytestmark = pytest.mark.kafka
INTERVAL_MS = 6000


def test_a_batch_that_takes_three_intervals_is_answered_once_and_moves_nobody(
    kafka_broker: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()

    def answer(columns: Columns) -> Columns:
        if not slow.is_set() and len(columns["x"]) > 10:
            slow.set()
            time.sleep(3 * INTERVAL_MS / 1000)
        return {"score": columns["x"] + 1.0}

    def load(*_: object) -> Loaded:
        return ready(FakeModel(outputs=(Field("score", "float64"),), answer=answer), ())

    monkeypatch.setattr(Embedded, "_load", load)
    name = f"slow-{uuid.uuid4().hex[:8]}"
    url = f"{kafka_broker.url}?max.poll.interval.ms={INTERVAL_MS}&session.timeout.ms={INTERVAL_MS}"
    flow = Flow(name=name, partitions=2)
    with closing(open_log(url)) as log, closing(open_log(url)) as other_log:
        rig = Rig(log, flow)
        rig.serve(adder(1.0), "plus")
        one, two = rig.engine("one"), Embedded(flow, other_log, rig.lowered, "two")
        stop = threading.Event()
        assigned: list[frozenset[object]] = []

        def watch() -> None:
            while not stop.is_set():
                two.step(50)
                held = frozenset(two._consumer.assignment())
                if not assigned or assigned[-1] != held:
                    assigned.append(held)

        other = threading.Thread(target=watch)
        other.start()
        try:
            run_until(one, lambda: bool(assigned) and len(assigned[-1]) == 1, 60)
            run_until(one, lambda: len(one._consumer.assignment()) == 1, 60)
            before = len(assigned)
            for partition in range(2):
                values = [json.dumps({"x": float(n)}).encode() for n in range(500)]
                log.append(Outgoing(f"{name}.records", values, partition=partition))
            run_until(one, slow.is_set, 60)
            run_until(one, lambda: all_answered(rig), 60)
        finally:
            stop.set()
            other.join()
            one.close()
            two.close()
        assert len(assigned) == before, "no partition has moved"
        report = verify(log, flow)
        assert report.findings == ()
        assert report.figures.results == 1000


def all_answered(rig: Rig) -> bool:
    return sum(rig.log.bounds(rig.flow.results, partition)[1] > 499 for partition in range(2)) == 2
