"""Workers: processes that each run one instance of the join, and the parent that watches them.

A worker is told its flow on its standard input; when that closes, because the parent is gone
however it went, the worker stops.
"""

import json
import logging
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from modelstream.errors import InvalidFlow, LogError
from modelstream.flow import Flow, plain_flow
from modelstream.limits import (
    RESTART_SETTLED_SECONDS,
    RESTART_WAIT_MS_MAX,
    RESTART_WAIT_MS_MIN,
    STOP_SECONDS_MAX,
)

_log = logging.getLogger("modelstream")
_WATCH_SECONDS = 0.05


@dataclass(slots=True)
class _Seat:
    """The place of one worker; a worker that dies is followed by another after a pause."""

    instance: str
    process: "subprocess.Popen[bytes] | None" = None
    wait_ms: int = RESTART_WAIT_MS_MIN
    start_at: float = 0.0
    started: float = 0.0
    done: bool = False


class Workers:
    """A number of workers that share the partitions of a flow by the log's leases."""

    def __init__(self, flow: Flow, url: str, count: int, *, once: bool) -> None:
        if url.startswith("memory:"):
            raise InvalidFlow("workers need a log that processes can share; use file:DIRECTORY")
        self._order = {"flow": plain_flow(flow), "url": url, "once": once}
        # A worker that follows another one has its name, and so its partitions at once.
        group = uuid.uuid4().hex[:8]
        self._seats = [_Seat(f"{group}-{number}") for number in range(count)]
        self._answered = 0

    def run(self, stop: threading.Event) -> int:
        """Keep the workers running until told to stop, or until all are done; return records."""
        try:
            while not stop.is_set() and not all(seat.done for seat in self._seats):
                for seat in self._seats:
                    self._tend(seat)
                stop.wait(_WATCH_SECONDS)
        finally:
            self._stop()
        return self._answered

    def pids(self) -> list[int]:
        """Return the process ids of the workers that run."""
        return [seat.process.pid for seat in self._seats if seat.process is not None]

    def _tend(self, seat: _Seat) -> None:
        """Start a worker where none is, take in one that ended."""
        if seat.done or seat.start_at > time.monotonic():
            return
        if seat.process is None:
            seat.process, seat.started = self._start(seat.instance), time.monotonic()
        elif (code := seat.process.poll()) is not None:
            self._collect(seat, code)

    def _start(self, instance: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", "modelstream.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is the parent's to pass on
        )
        assert process.stdin is not None
        told = self._order | {"instance": instance}
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        return process

    def _collect(self, seat: _Seat, code: int) -> None:
        """Take in a worker that ended: done, wrong from the start, or to be started again."""
        assert seat.process is not None
        report = _report(seat.process)
        self._answered += report.get("answered", 0)
        seat.process = None
        if code == 0:
            seat.done = True
            return
        if report.get("error"):
            raise LogError(report["error"])
        if time.monotonic() - seat.started > RESTART_SETTLED_SECONDS:
            seat.wait_ms = RESTART_WAIT_MS_MIN
        _log.warning("a worker died (exit %s); another one starts in %s ms", code, seat.wait_ms)
        seat.start_at = time.monotonic() + seat.wait_ms / 1000
        seat.wait_ms = min(2 * seat.wait_ms, RESTART_WAIT_MS_MAX)

    def _stop(self) -> None:
        """Ask every worker to stop, and end those that do not."""
        running = [seat.process for seat in self._seats if seat.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._answered += _report(process).get("answered", 0)


def _report(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Read what a worker said at its end, and close its pipes."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        lines = process.stdout.read().splitlines()
    return dict(json.loads(lines[-1])) if lines else {}
