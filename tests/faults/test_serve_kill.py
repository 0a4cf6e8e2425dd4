"""kill -9 of a serving process under load: nothing lost, nothing twice, order kept.

MODELSTREAM_KILLS sets how often (default 12).
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelstream.audit import verify
from modelstream.flow import Flow, plain_flow
from modelstream.log import open_log
from modelstream.messages import Outgoing
from tests.support.artifacts import adder
from tests.support.flows import Rig

KILLS = int(os.environ.get("MODELSTREAM_KILLS", "12"))
PARTITIONS = 2

pytestmark = pytest.mark.faults


def worker(rig: Rig, *, once: bool) -> "subprocess.Popen[bytes]":
    """Start a process that joins; it is told what to do on its standard input."""
    told = {"flow": plain_flow(rig.flow), "url": rig.log.url, "once": once, "instance": "one"}
    process = subprocess.Popen(
        [sys.executable, "-m", "modelstream.engines.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    process.stdin.flush()
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process as nothing else would: it gets no chance to clean up."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


@contextmanager
def producing(rig: Rig) -> Iterator[None]:
    """Append records of all kinds, and swap the model now and then, until left."""
    stop = threading.Event()

    def produce() -> None:
        number = 0
        version = 1
        while not stop.is_set():
            for partition in range(PARTITIONS):
                values = [b'{"x":%d}' % (number + at) for at in range(300)]
                values[7] = b"not a record"
                rig.log.append(Outgoing("wine.records", values, partition=partition))
            number += 300
            if number % 3000 == 0:
                version += 1
                rig.serve(adder(float(version)), "plus", str(version))
            time.sleep(0.03)

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def records_of(rig: Rig) -> int:
    return sum(rig.log.bounds("wine.records", part)[1] for part in range(PARTITIONS))


def ends_of(rig: Rig) -> int:
    return sum(
        rig.log.bounds(topic, part)[1]
        for topic in ("wine.results", "wine.rejects")
        for part in range(PARTITIONS)
    )


def test_nothing_is_lost_and_nothing_is_twice_whenever_a_worker_is_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    rig = Rig(open_log(f"file:{tmp_path}"), Flow(name="wine", partitions=PARTITIONS))
    rig.serve(adder(1.0), "plus")
    killed_at_work = 0
    with producing(rig):
        for _ in range(KILLS):
            before = ends_of(rig)
            process = worker(rig, once=False)
            deadline = time.monotonic() + 30
            while ends_of(rig) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.3))
            killed_at_work += ends_of(rig) > before
            end(process)
    assert killed_at_work == KILLS, "a worker that did no work proves nothing"
    last = worker(rig, once=True)
    assert last.wait(120) == 0
    end(last)
    assert ends_of(rig) == records_of(rig)
    report = verify(rig.log, rig.flow)
    assert report.findings == ()
