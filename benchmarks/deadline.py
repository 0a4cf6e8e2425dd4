"""`deadline`: answers by a deadline, though the best model is often slow and another hangs for ever.

A record arrives when the join has read it, is decided when it is known what the answer is, and is
answered when its result is committed to the log.
Beside that stands the time from the producer's hand, which has the log's own way in it.
"""

import gc
import json
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import modelstream as ms
from benchmarks.measure import Figure, Report, percentile
from benchmarks.registered import register
from modelstream.core.effects import Emit
from modelstream.core.policies.text import parse_policy
from modelstream.engines.embedded import Embedded
from modelstream.engines.loaded import Loaded, ready
from modelstream.engines.turn import DataTypeOf, Turn
from modelstream.events import Admitted
from modelstream.formats.base import Description, Field, Header, Part
from modelstream.limits import BATCH_BYTES_MAX, SWITCH_SECONDS
from modelstream.log.base import Log
from modelstream.messages import Columns, Outgoing, RecordBatch, Scores
from modelstream.wire.results import decode_result

DEADLINE_MS = 20.0
GOAL_MS = DEADLINE_MS + 5.0
POLICY = f'FirstWithin({DEADLINE_MS:g}, prefer=["hangs", "smart", "fast"])'
PER_SECOND = 2000
# The producer writes what is due this often: 1,000 times a second would keep a core busy by itself.
TICK_SECONDS = 0.002
HANG_SECONDS = 3600.0


def run(*, quick: bool = False) -> Report:
    """Answer records at a steady rate, and measure a loop that does nothing but sleep beside it."""
    count = 2_000 if quick else 100_000
    flow = ms.Flow(name="bench", answer=parse_policy(POLICY))
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as name:
        url = f"file:{Path(name) / 'log'}"
        with closing(ms.open_log(url)) as log:
            engine = Raced(flow, log)
            register(log, flow, ("hangs", "smart", "fast"))
            timer = Timer()
            timer.start()
            busy = time.process_time()
            with as_served():
                sent = _serve(engine, log, flow, url, count)
            busy = time.process_time() - busy
            timer.ended = True
            timer.join()
            winners = _winners(log, flow)
    seconds = count / PER_SECOND
    answered_ns = engine.answered_ns
    waits = [(at - engine.arrived_ns[each]) / 1000 for each, at in answered_ns.items()]
    decided = [(at - engine.arrived_ns[each]) / 1000 for each, at in engine.decided_ns.items()]
    whole = [(at - sent[each]) / 1000 for each, at in answered_ns.items()]
    answered = sum(winners.values())
    late = [wait for wait in waits if wait > GOAL_MS * 1000]
    figures = [
        Figure("answered", 100 * answered / count, "%", at_least=100.0),
        Figure("arrival to decision: p99.9", percentile(decided, 99.9) / 1000, "ms", goal=GOAL_MS),
        *(
            Figure(f"arrival to answer: p{percent:g}", percentile(waits, percent) / 1000, "ms")
            for percent in (50, 99)
        ),
        Figure("arrival to answer: p99.9", percentile(waits, 99.9) / 1000, "ms", goal=GOAL_MS),
        Figure("arrival to answer: longest", max(waits) / 1000, "ms"),
        *(
            Figure(f"sent to answer: p{percent:g}", percentile(whole, percent) / 1000, "ms")
            for percent in (50, 99.9)
        ),
        Figure("later than the deadline + 5 ms", 100 * len(late) / len(waits), "%"),
        Figure("bare timer loop: p99.9 past its time", percentile(timer.over, 99.9) / 1000, "ms"),
        *(Figure(f"won by {who}", 100 * won / count, "%") for who, won in sorted(winners.items())),
        Figure("CPU of the join", 100 * busy / seconds, "% of a core"),
    ]
    return Report(
        "deadline",
        f"{count:,} records at {PER_SECOND:,} a second, {POLICY}",
        figures,
        (
            "smart sleeps 2 ms, 8 ms in 1 call of 4, 60 ms in 1 of 20; hangs never answers; fast "
            "sleeps 0.2 ms",
            f"the timer loop sleeps {DEADLINE_MS:g} ms at a time, in the same process",
        ),
    )


@contextmanager
def as_served() -> Iterator[None]:
    """Have the interpreter as `serve` has it."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


class Sleeper:
    """A model that takes its time, as one at the other end of a wire would: it holds no lock."""

    inputs = (Field("x", "float64"),)
    outputs = (Field("y", "float64"),)

    def __init__(self, name: str) -> None:
        self._name = name
        self._random = random.Random(name)

    def score(self, columns: Columns) -> Scores:
        """Sleep, then answer."""
        drawn = self._random.random()
        seconds = {
            "hangs": HANG_SECONDS,
            "smart": 0.060 if drawn < 0.05 else 0.008 if drawn < 0.3 else 0.002,
            "fast": 0.0002,
        }[self._name]
        time.sleep(seconds)
        return Scores({"y": columns["x"]})

    def describe(self) -> Description:
        """Return nothing but the format."""
        return Description("sleeper", "1", Header(), (), (), Part(self._name))

    def close(self) -> None:
        """Do nothing."""


class Raced(Embedded):
    """The join, with models that sleep; it notes when each record's answer was committed."""

    def __init__(self, flow: ms.Flow, log: Log) -> None:
        super().__init__(flow, log, lambda _: b"", "bench")
        self.arrived_ns: dict[int, int] = {}
        self.decided_ns: dict[int, int] = {}
        self.answered_ns: dict[int, int] = {}
        write = self.shell._emit  # noqa: SLF001 - the moment of the decision

        def decided(emit: Emit, turn: Turn) -> None:
            now = time.monotonic_ns()
            for batch in turn.batches:
                self.decided_ns.update(dict.fromkeys(batch.offsets, now))
            write(emit, turn)

        self.shell._emit = decided  # type: ignore[method-assign]  # noqa: SLF001
        join = self.shell.join

        def noted(batches: Sequence[RecordBatch], data_type_of: DataTypeOf) -> Turn:
            now = time.monotonic_ns()
            for batch in batches:
                self.arrived_ns.update(dict.fromkeys(batch.offsets, now))
            return join(batches, data_type_of)

        self.shell.join = noted  # type: ignore[method-assign]

    def _load(self, admitted: Admitted) -> Loaded:
        return ready(Sleeper(admitted.name), ())

    def _commit(self, turns: Sequence[Turn]) -> int:
        done = super()._commit(turns)
        now = time.monotonic_ns()
        for turn in turns:
            for batch in turn.batches:
                self.answered_ns.update(dict.fromkeys(batch.offsets, now))
        return done


class Timer(threading.Thread):
    """A loop that sleeps, and measures by how much too long."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over: list[float] = []
        self.ended = False

    def run(self) -> None:
        """Sleep until told to stop."""
        while not self.ended:
            started = time.monotonic_ns()
            time.sleep(DEADLINE_MS / 1000)
            self.over.append((time.monotonic_ns() - started) / 1000 - DEADLINE_MS * 1000)


def produce(url: str, topic: str, count: int) -> None:
    """Append records at a steady rate, each with the time at which it was."""
    with closing(ms.open_log(url)) as log:
        started = time.monotonic()
        sent = 0
        while sent < count:
            due = min(count, int((time.monotonic() - started) * PER_SECOND) + 1)
            at = time.monotonic_ns()
            values = [json.dumps({"x": 1.0, "at": at}).encode() for _ in range(sent, due)]
            if values:
                log.append(Outgoing(topic, values, partition=0))
            sent = due
            time.sleep(TICK_SECONDS)


def _serve(engine: Raced, log: Log, flow: ms.Flow, url: str, count: int) -> dict[int, int]:
    """Run the join until every record is answered; return when each record was sent."""
    while len(engine.shell.machine.snapshot().plans[:1]) == 0 or engine.shell.machine.loading():
        engine.step(10)
    topic = next(iter(flow.record_topics))
    producer = multiprocessing.get_context("spawn").Process(
        target=produce, args=(url, topic, count), daemon=True
    )
    producer.start()
    patience = time.monotonic() + 120 + 2 * count / PER_SECOND
    while len(engine.answered_ns) < count and time.monotonic() < patience:
        engine.step()
    producer.join(10)
    sent: dict[int, int] = {}
    offset = 0
    while len(batch := log.read(topic, 0, offset, 10_000, BATCH_BYTES_MAX)):
        for at, value in zip(batch.offsets, batch.values, strict=True):
            sent[at] = json.loads(value)["at"]
        offset = batch.next_offset
    return sent


def _winners(log: Log, flow: ms.Flow) -> Counter[str]:
    winners: Counter[str] = Counter()
    offset = 0
    while len(batch := log.read(flow.results, 0, offset, 10_000, BATCH_BYTES_MAX)):
        winners.update(decode_result(value).model.name for value in batch.values)
        offset = batch.next_offset
    return winners
