"""`pmml`: modelstream's PMML beside other PMML engines, dicts in and dicts out, one model at a time."""

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import (
    Figure,
    Report,
    Slice,
    interleave,
    progress,
    speed,
    spread,
    timed,
)
from benchmarks.pmml_engines import (
    BACKENDS,
    IN_JAVA,
    JPMML,
    OURS,
    PYPMML,
    SKLEARN,
    TOLERANCE,
    Contender,
    Engine,
    Refused,
    can_run,
    check,
    engine_of,
)
from benchmarks.pmml_limit import BareForest
from benchmarks.pmml_models import FOREST, GLM, LOGISTIC, Made, fit_forest, models
from benchmarks.pmml_table import NUMBERS, Table, some_audits
from modelstream.formats import format_named
from modelstream.formats.base import Hints

BATCH = 1000
SPEED_GOAL, LINEAR_SPEED_GOAL = 5.0, 3.0
SINGLES_GOAL = 4  # of six models: a single record is answered at least as fast as by jpmml
LIMIT_GOAL = 0.9
LOADS = 2


@dataclass(frozen=True, slots=True)
class _Budget:
    """How long is measured, and each engine in Java warmed up for batches of one size.

    A Java machine needs four seconds and more until it is as fast as it gets.
    """

    rounds: int
    slice_seconds: float
    warm_seconds: float


_WHOLE = _Budget(rounds=3, slice_seconds=0.2, warm_seconds=5.0)
_QUICK = _Budget(rounds=2, slice_seconds=0.02, warm_seconds=0.02)
# Ways that take at most so much longer than the fastest of an engine are tried on the next model.
_NEARLY = 1.1


@dataclass(slots=True)
class _Findings:
    """What is found model by model; `fast` are the ways of engines for batches of a size."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fast: dict[tuple[str, int], list[Contender]] = field(default_factory=dict)
    singles: list[float] = field(default_factory=list)

    def backends(self, name: str) -> tuple[str, ...]:
        """Return the ways into an engine that are still in question."""
        known = {
            way.engine.backend for size in (BATCH, 1) for way in self.fast.get((name, size), ())
        }
        return tuple(each for each in BACKENDS[name] if each in known or not known)

    def candidates(self, name: str, size: int, ways: list[Contender]) -> list[Contender]:
        """Return the ways of an engine that are still in question for one size."""
        known = set(map(str, self.fast.get((name, size), ())))
        return [way for way in ways if str(way) in known] or ways


def run(*, quick: bool = False, peers: Sequence[str] = (JPMML, PYPMML, SKLEARN)) -> Report:
    """Measure modelstream and its peers in turns, on one model after another."""
    budget = _QUICK if quick else _WHOLE
    found = _Findings()
    able = [name for name in peers if can_run(name)]
    if len(able) < len(peers):
        left = ", ".join(name for name in peers if name in IN_JAVA)
        found.notes.append(f"{left}: not measured, because there is no Java on this machine")
    all_made = models(quick=quick)
    for number, (model, made) in enumerate(all_made.items(), start=1):
        progress(f"pmml: {model}, {number} of {len(all_made)}")
        _measure_model(model, made, (OURS, *able), budget, found)
    if found.singles:
        found.figures.append(
            Figure(
                f"models where one record is no slower than in {JPMML}",
                sum(each >= 1 for each in found.singles),
                f"of {len(found.singles)}",
                at_least=SINGLES_GOAL,
            )
        )
    progress("pmml: loading")
    found.figures += _loads(all_made[FOREST], (OURS, *able), found, quick=quick)
    found.figures += _limit(all_made[FOREST], budget, quick=quick)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return Report(
        "pmml",
        "PMML engines from Python: dicts in, dicts out, one thread",
        found.figures,
        (
            f"{budget.rounds} rounds; a slice is {budget.slice_seconds} s of each engine, after "
            f"{budget.warm_seconds} s of warming up in Java; load average at the end {load}",
            f"all answers were compared beforehand, to {TOLERANCE}",
            *found.notes,
        ),
    )


def _measure_model(
    model: str, made: Made, names: Sequence[str], budget: _Budget, found: _Findings
) -> None:
    """Measure one model: in batches, and one record at a time."""
    rows = _records(made).rows()
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="modelstream-bench-"))
        document = Path(directory) / "model.pmml"
        document.write_bytes(made.document)
        contest = _Contest(model, document, rows, found, stack)
        contenders = contest.enter(names)
        able = {name: ways for name, ways in contenders.items() if ways}
        for size in (BATCH, 1):
            _measure_size(model, size, able, budget, found)


@dataclass(slots=True)
class _Contest:
    """The engines that run one model; the first one's answers are those of all."""

    model: str
    document: Path
    rows: list[dict[str, Any]]
    found: _Findings
    stack: ExitStack
    expected: list[dict[str, Any]] = field(default_factory=list)

    def enter(self, names: Sequence[str]) -> dict[str, list[Contender]]:
        """Start some engines, side by side; return the ways of each that answer as they should."""
        engines = [
            self.stack.enter_context(engine_of(name, backend, self.document))
            for name in names
            for backend in self.found.backends(name)
        ]
        ways: dict[str, list[Contender]] = {name: [] for name in names}
        for engine in engines:
            try:
                engine.wait()
                for way in engine.ways:
                    ways[engine.name].append(self._checked(engine, way))
            except Refused as refused:
                if engine.name == OURS:
                    raise
                words = f"{self.model}: {engine.name} {engine.backend}: {refused}"
                self.found.notes.append(words)
        return ways

    def _checked(self, engine: Engine, way: str) -> Contender:
        answers, _ = engine.answers(way, self.rows)
        self.expected = self.expected or answers
        check(self.expected, answers)
        return Contender(engine, way)


def _measure_size(
    model: str, size: int, able: dict[str, list[Contender]], budget: _Budget, found: _Findings
) -> None:
    """Measure the fastest way of each engine for batches of one size."""
    in_question = {name: found.candidates(name, size, ways) for name, ways in able.items()}
    _warm_up(in_question, size, budget)
    chosen = {}
    for name, ways in in_question.items():
        costs = [_tried(way, size, budget) for way in ways]
        chosen[name] = ways[costs.index(min(costs))]
        nearly = _NEARLY * min(costs)
        fast = [way for way, cost in zip(ways, costs, strict=True) if cost <= nearly]
        found.fast[name, size] = fast
    _warm_up({n: [way] for n, way in chosen.items() if len(in_question[n]) > 1}, size, budget)
    sides = {name: way.side(size, budget.slice_seconds) for name, way in chosen.items()}
    told = interleave(sides, budget.rounds)
    what = f"{model}, {'single' if size == 1 else size}"
    for name in chosen:
        rates = [1e6 / each for each in told[name]]
        found.figures.append(spread(f"{what}: {name}", rates, "rows/CPU s"))
    for name, way in chosen.items():
        if name == OURS:
            continue
        ratio = speed(OURS, name, told, _goal(model, size, name))
        found.figures.append(ratio.named(f"{what}: speed / {name}"))
        if name == JPMML and size == 1:
            found.singles.append(ratio.value)
        found.notes.append(f"{what}: {name} by {way}")


def _warm_up(ways: dict[str, list[Contender]], size: int, budget: _Budget) -> None:
    """Let engines in Java work side by side, each for a while that its ways share."""

    def work(each: list[Contender]) -> None:
        for way in each:
            way.side(size, budget.warm_seconds / len(each))()

    in_java = [each for name, each in ways.items() if name in IN_JAVA]
    with ThreadPoolExecutor(len(IN_JAVA)) as pool:
        list(pool.map(work, in_java))


def _tried(way: Contender, size: int, budget: _Budget) -> float:
    """Return what a record takes one way, in seconds of the processor."""
    tried: Slice = way.side(size, budget.slice_seconds)()
    return tried.cpu_seconds / tried.records


def _goal(model: str, size: int, peer: str) -> float | None:
    if peer != JPMML or size == 1:
        return None
    return LINEAR_SPEED_GOAL if model in {GLM, LOGISTIC} else SPEED_GOAL


def _records(made: Made) -> Table:
    """Return a batch of rows; with missing values if the model can take them."""
    if made.patient:
        return some_audits(BATCH, seed=7)
    return some_audits(BATCH * 6 // 5, seed=7).whole().first(BATCH)


def _loads(made: Made, names: Sequence[str], found: _Findings, *, quick: bool) -> list[Figure]:
    """Measure how long each engine takes to start and to load the forest, and its memory."""
    rows = _records(made).rows()
    what = f"forest of {len(made.document) / 1e6:.1f} MB"
    figures = []
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory:
        document = Path(directory) / "model.pmml"
        document.write_bytes(made.document)
        for name in names:
            starts, loads, memory = [], [], []
            for _ in range(1 if quick else LOADS):
                with engine_of(name, found.backends(name)[0], document) as engine:
                    engine.wait()
                    starts.append(engine.start_seconds)
                    loads.append(engine.load_seconds)
                    memory.append(engine.answers(engine.ways[-1], rows)[1])
            figures.append(spread(f"{what}: {name} starts in", starts, "s"))
            figures.append(spread(f"{what}: {name} loads it in", loads, "s"))
            figures.append(spread(f"{what}: {name} grows, with one batch", memory, "MB"))
    return figures


def _limit(made: Made, budget: _Budget, *, quick: bool) -> list[Figure]:
    """Measure the forest beside bare onnxruntime: columns in, columns out."""
    fitted, encoding = fit_forest(quick=quick)
    table = _records(made)
    bare = BareForest(fitted, encoding.matrix(table))
    pmml = format_named("pmml")
    model = pmml.load(pmml.lower(made.document, Hints()))
    columns = {
        name: np.array(values, dtype=np.float64 if name in NUMBERS else object)
        for name, values in table.columns.items()
    }
    if np.abs(model.score(columns)["probability(1)"] - bare.score()).max() > 1e-12:
        raise RuntimeError("the forest by hand is another one")
    times = 1 if quick else 30

    def ours() -> int:
        return sum(len(model.score(columns)["probability(1)"]) for _ in range(times))

    def theirs() -> int:
        return sum(len(bare.score()) for _ in range(times))

    name, other = "columns", "bare onnxruntime"
    told = interleave({name: timed(ours), other: timed(theirs)}, budget.rounds)
    rates = {side: [1e6 / each for each in costs] for side, costs in told.items()}
    ratio = speed(name, other, told, LIMIT_GOAL)
    return [
        *(spread(f"{FOREST}: {side}", rates[side], "rows/CPU s") for side in rates),
        ratio.named(f"{FOREST}: columns / bare onnxruntime"),
    ]
