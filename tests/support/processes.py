"""Serving processes for tests, and a producer that keeps them busy."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from modelstream.flow import plain_flow
from modelstream.messages import Outgoing
from tests.support.artifacts import adder
from tests.support.flows import Rig


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
def producing(rig: Rig, *, batch: int, pause_s: float, swap_every: int) -> Iterator[None]:
    """Append records, a few of them bad, and swap the model now and then, until left.

    `swap_every` counts records of one partition; it must be a multiple of `batch`.
    """
    stop = threading.Event()

    def produce() -> None:
        number = 0
        version = 1
        while not stop.is_set():
            for partition in range(rig.flow.partitions):
                values = [b'{"x":%d}' % (number + at) for at in range(batch)]
                values[::20] = [b"not a record"] * len(values[::20])
                rig.log.append(Outgoing("wine.records", values, partition=partition))
            number += batch
            if number % swap_every == 0:
                version += 1
                rig.serve(adder(float(version)), "plus", str(version))
            time.sleep(pause_s)

    thread = threading.Thread(target=produce)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def records_of(rig: Rig) -> int:
    """Return how many records there are."""
    return sum(rig.log.bounds("wine.records", part)[1] for part in range(rig.flow.partitions))


def ends_of(rig: Rig) -> int:
    """Return how many results and rejects there are."""
    return sum(
        rig.log.bounds(topic, part)[1]
        for topic in ("wine.results", "wine.rejects")
        for part in range(rig.flow.partitions)
    )
