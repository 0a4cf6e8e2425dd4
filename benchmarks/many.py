"""`many`: a thousand models live in one flow, ten thousand versions known.

Two engines answer the same records in turns: one knows one version of each model, the other ten.
What a record costs may depend on how many models share a batch, never on what is known.
"""

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelstream as ms
from benchmarks.measure import (
    Figure,
    Report,
    Side,
    Slice,
    cpu_seconds,
    interleave,
    resident_bytes,
    spread,
    timed,
)
from benchmarks.served import answer, append, until_loaded
from benchmarks.workload import FEATURES, records
from modelstream.engines.embedded import Embedded
from modelstream.engines.topics import prepare
from modelstream.events import Admitted, Promoted, encode_event
from modelstream.formats import format_named
from modelstream.formats.base import Hints
from modelstream.limits import BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Outgoing

VERSIONS_EACH = 10
SHARING = (1, 10, 100, 1000)
LOOK_UPS = 100_000
GOAL = 1.10


def run(*, quick: bool = False) -> Report:
    """Measure memory, loads, look-ups, and the cost of records by models in a batch."""
    models, rounds, batches = (20, 3, 1) if quick else (1000, 11, 5)
    flow = ms.Flow(name="bench", data_type_field="type", batch_records=BATCH_RECORDS_MAX)
    lowered = format_named("onnx").lower(_regression(), Hints(FEATURES))
    with ExitStack() as stack:
        few = stack.enter_context(_Engine.running(flow, lowered, models, 1))
        many = stack.enter_context(_Engine.running(flow, lowered, models, VERSIONS_EACH))
        sharing = [count for count in SHARING if count <= models]
        sides: dict[str, Side] = {}
        for count in sharing:
            values = _typed(count, batches * BATCH_RECORDS_MAX)
            sides[f"few {count}"] = few.side(values)
            sides[f"many {count}"] = many.side(values)
        told = interleave(sides, rounds)
        figures = [*few.figures(), *many.figures(), *_look_ups(few, many)]
    for count in sharing:
        each = BATCH_RECORDS_MAX // count
        what = f"{count} models, {each} records of each in a batch"
        figures.append(spread(what, told[f"few {count}"], "us CPU/record"))
    for count in sharing:
        pairs = zip(told[f"many {count}"], told[f"few {count}"], strict=True)
        what = f"{count} models: {VERSIONS_EACH} versions known / 1"
        figures.append(spread(what, [mine / its for mine, its in pairs], "x", GOAL))
    return Report(
        "many",
        f"{models} models live in one flow, {models * VERSIONS_EACH} versions known",
        figures,
        (
            "logistic regressions on 30 numbers; the data type is a field of the record; memory "
            "log",
            f"{rounds} rounds of {batches} batches of {BATCH_RECORDS_MAX} a side",
        ),
    )


class _Engine:
    """An engine on a log in memory whose registry was written beforehand, and what that took."""

    def __init__(self, flow: ms.Flow, log: Log, engine: Embedded, models: int) -> None:
        self._flow, self._log, self._engine = flow, log, engine
        self._models = models
        self.known = len(engine.shell.machine.registry.versions)
        self.fold_us = self.load_ms = self.model_kb = 0.0

    @classmethod
    @contextmanager
    def running(
        cls, flow: ms.Flow, lowered: bytes, models: int, versions: int
    ) -> Iterator["_Engine"]:
        """Fold a registry, load the current version of each model, and measure both."""
        with closing(ms.open_log("memory:")) as log:
            prepare(flow, log)
            events = list(_events(models, versions, log.blobs.put(lowered)))
            log.append(Outgoing(flow.registry, events, partition=0))
            gc.collect()
            bytes_before, started = resident_bytes(), cpu_seconds()
            with closing(Embedded(flow, log, lambda _: lowered, "benchmark")) as engine:
                folded = cpu_seconds()
                until_loaded(engine)
                mine = cls(flow, log, engine, models)
                mine.fold_us = (folded - started) / len(events) * 1e6
                mine.load_ms = (cpu_seconds() - folded) / models * 1e3
                mine.model_kb = (resident_bytes() - bytes_before) / models / 1e3
                yield mine

    def side(self, values: Sequence[bytes]) -> Side:
        """Return a side that answers these records; neither appending nor forgetting counts."""
        work = timed(lambda: answer(self._engine, len(values)))

        def side() -> Slice:
            append(self._log, self._flow, values)
            done = work()
            for topic in (*self._flow.record_topics, self._flow.results):
                self._log.delete_before(topic, 0, self._log.bounds(topic, 0)[1])
            return done

        return side

    def figures(self) -> tuple[Figure, ...]:
        """Return what it took to get ready."""
        words = f"{self.known} versions known: "
        return (
            Figure(f"{words}registry read", self.fold_us, "us CPU/event"),
            Figure(f"{words}load", self.load_ms, "ms CPU/model"),
            Figure(f"{words}memory", self.model_kb, "kB/model"),
        )

    def look_up(self) -> Callable[[], float]:
        """Return what measures a look-up of the current version, in nanoseconds."""
        current = self._engine.shell.machine.registry.current
        names = [
            name for name, _ in zip(cycle(_types(self._models)), range(LOOK_UPS), strict=False)
        ]

        def measure() -> float:
            before = time.thread_time_ns()
            for name in names:
                current(name)
            return (time.thread_time_ns() - before) / LOOK_UPS

        return measure


def _look_ups(few: _Engine, many: _Engine) -> tuple[Figure, Figure]:
    """Measure look-ups among many versions, and compare them with those among few."""
    mine, its = many.look_up(), few.look_up()
    pairs = [(mine(), its()) for _ in range(11)]
    words = f"look-up: {many.known} versions known"
    return (
        spread(words, [first for first, _ in pairs], "ns CPU"),
        spread(f"{words} / {few.known}", [first / second for first, second in pairs], "x", GOAL),
    )


def _types(count: int) -> list[str]:
    return [f"tenant-{number}" for number in range(count)]


def _typed(count: int, total: int) -> list[bytes]:
    """Return records that go round so many data types."""
    types = [f'{{"type":"{name}",'.encode() for name in _types(count)]
    pairs = zip(cycle(types), cycle(records()), range(total), strict=False)
    return [head + value[1:] for head, value, _ in pairs]


def _events(models: int, versions: int, lowered: str) -> Iterator[bytes]:
    """Write what an admitter would have written, had it admitted that many versions."""
    for version in range(1, versions + 1):
        for name in _types(models):
            digest = hashlib.sha256(f"{name}@{version}".encode()).hexdigest()
            admitted = Admitted(
                name=name,
                version=str(version),
                data_type=name,
                digest=digest,
                format="onnx",
                lowered=lowered,
                size=1,
                source=0,
                at_ms=0,
                inputs=(),
                outputs=(),
            )
            yield encode_event(admitted)
            yield encode_event(
                Promoted(name=name, version=str(version), data_type=name, source=0, at_ms=0)
            )


def _regression() -> bytes:
    """Return a logistic regression on 30 features, as ONNX."""
    table, target = load_breast_cancer(return_X_y=True)
    table = table.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(table, target)
    converted = to_onnx(model, table[:1], options={"zipmap": False}, target_opset=17)
    data: bytes = converted.SerializeToString()
    return data
