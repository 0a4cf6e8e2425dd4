"""`swap`: models that change under full load; what is lost, and what the records notice of it."""

import tempfile
import time
from contextlib import closing
from pathlib import Path

import modelstream as ms
from benchmarks.measure import Figure, Report, percentile, resident_bytes
from benchmarks.server import Running, server_of
from benchmarks.swap_load import Checker, Producer, publish
from benchmarks.swap_windows import SETTLING_TURNS, Windows
from benchmarks.versions import FEATURES, LARGE_EVERY, artifact, large_kind
from modelstream.limits import ADMIT_SECONDS_MAX
from modelstream.log.base import Log

SWAPS = 500
# Steady state between two swaps: enough turns to compare with, and for a p99 of their own.
STEADY_SECONDS = 0.15
# Between two looks of the driver at a log that has nothing for it to do.
IDLE_SECONDS = 0.003
# Retention keeps the files small; the checker must not fall this far behind.
RETENTION_MS = 10_000
GOAL_RATIO = 1.5
GOAL_RSS_MB = 10.0


def run(*, quick: bool = False, swaps: int = SWAPS) -> Report:
    """Swap so often while there is always more to do, and check every single result."""
    swaps = 5 if quick else swaps
    told = {"name": "bench"}
    flow = ms.Flow(name="bench")
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as name:
        directory = Path(name)
        with closing(ms.open_log(f"file:{directory / 'log'}")) as log:
            for topic in (*flow.record_topics, flow.results):
                log.create_topic(topic, retention_ms=RETENTION_MS)
            with server_of(told, log.url, directory) as server:
                load = _Load(log, flow, server)
                load.swap(1)
                load.keep_busy(10 * STEADY_SECONDS)
                resident = [load.swap(number) for number in range(2, swaps + 2)]
                load.finish()
        windows = Windows(server.turns(), load.published)
    return Report(
        "swap",
        f"{swaps} swaps under full load, through admission, on the disk log",
        (*load.checker.figures(), *windows.figures(GOAL_RATIO), _growth(resident)),
        (
            f"every {LARGE_EVERY}th version is {large_kind()}, the others 100 boosted trees as ONNX",
            f"a swap lasts from the turn that reads it in the registry to {SETTLING_TURNS} turns "
            "after the flip; a turn is measured in medians of its own version's steady turns",
        ),
    )


class _Load:
    """The driver: keeps a backlog, checks what comes out, and publishes versions."""

    def __init__(self, log: Log, flow: ms.Flow, server: Running) -> None:
        self._log, self._flow, self._server = log, flow, server
        self._producer = Producer(log, flow)
        self.checker = Checker(log, flow)
        self.published: list[int] = []  # when, in nanoseconds of the monotonic clock

    def swap(self, number: int) -> int:
        """Publish a version, go on until a result is of it, then a while; return bytes in use."""
        data = artifact(number)
        self.published.append(time.perf_counter_ns())
        publish(self._log, self._flow, data, str(number), FEATURES)
        give_up = time.monotonic() + ADMIT_SECONDS_MAX
        while self.checker.version != str(number):
            self.keep_busy(0)
            if time.monotonic() > give_up:
                raise RuntimeError(f"version {number} never answered: {self.checker}")
        self.keep_busy(STEADY_SECONDS)
        return resident_bytes(self._server.pid)

    def keep_busy(self, seconds: float) -> None:
        """Keep the backlog up and read results for so long, once at least."""
        end = time.monotonic() + seconds
        while True:
            self._server.check()
            if not self._producer.top_up() and not self.checker.read():
                time.sleep(IDLE_SECONDS)  # the server needs the processor more than this does
            if time.monotonic() >= end:
                return

    def finish(self) -> None:
        """Let the server answer what is there, and check that too."""
        give_up = time.monotonic() + ADMIT_SECONDS_MAX
        while self.checker.seen < self._producer.sent and time.monotonic() < give_up:
            if not self.checker.read():
                time.sleep(IDLE_SECONDS)
        self.checker.close(self._producer.sent)


def _growth(resident: list[int]) -> Figure:
    """Compare the memory in use after the last swaps with that after the first tenth."""
    part = max(1, len(resident) // 10)
    early = percentile(resident[part : 2 * part] or resident, 50)
    late = percentile(resident[-part:], 50)
    return Figure("memory: growth of the server", (late - early) / 1e6, "MB", goal=GOAL_RSS_MB)
