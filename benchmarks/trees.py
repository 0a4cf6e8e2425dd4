"""`trees`: models of the tree libraries scored here and by the libraries, one thread each."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import PEERS, python_of
from benchmarks.measure import Figure, Report, Side, Slice, interleave, speed, spread, timed
from modelstream.formats import load_model
from modelstream.formats.base import Model
from modelstream.messages import Columns

LIBRARIES = ("xgboost", "lightgbm", "catboost")
SIZES = (1, 32, 256, 4096)
OURS = "modelstream"
# Of a library's float32 or float64, for sums of about 10.
TOLERANCES = {"xgboost": 1e-5, "lightgbm": 1e-12, "catboost": 1e-12}


@dataclass(frozen=True, slots=True)
class Library:
    """A library that has trained a model, and scores with it in a process of its own."""

    name: str
    process: "subprocess.Popen[str]"
    model: Model
    rows: Any
    difference: float  # the largest, of its predictions and ours

    def side(self, size: int, calls: int) -> Side:
        """Return a side that lets it score so many rows at once."""

        def work() -> Slice:
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps([size, calls]) + "\n")
            self.process.stdin.flush()
            records, seconds = read(self.process)
            return Slice(records, seconds)

        return work

    def own_side(self, size: int, calls: int) -> Side:
        """Return the same of this package, in this process."""
        columns = columns_of(self.model, self.rows[:size])

        def work() -> int:
            for _ in range(calls):
                self.model.score(columns)
            return size * calls

        return timed(work)


def run(*, quick: bool = False) -> Report:
    """Measure each library beside this package, at several numbers of rows at once."""
    rounds, trees, rows = (2, 10, 256) if quick else (9, 100, 16_384)
    figures: list[Figure] = []
    notes = [f"{trees} trees of depth 6, 30 features, one thread, {rounds} rounds"]
    for name in LIBRARIES:
        with library(name, trees) as known:
            for size in SIZES:
                calls = max(1, min(rows // size, 1_000))
                mine, its = f"{OURS}, {size} at once", f"{name}, {size} at once"
                sides = {mine: known.own_side(size, calls), its: known.side(size, calls)}
                told = interleave(sides, rounds)
                figures.append(speed(mine, its, told, None))
                figures += [
                    spread(f"{name}: {side}", [1e6 / each for each in costs], "rows/CPU s")
                    for side, costs in told.items()
                ]
            notes.append(f"{PEERS[name][0]}: largest difference {known.difference:.3g}")
    return Report("trees", "models of the tree libraries, here and there", figures, notes)


@contextmanager
def library(name: str, trees: int) -> Iterator[Library]:
    """Let a library train a model, and check that it gives the same answers here."""
    root = Path(__file__).resolve().parents[1]
    with (
        tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory,
        subprocess.Popen(
            [python_of(name), "-m", "benchmarks.peer_jobs.trees_job", name, directory, str(trees)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
            text=True,
        ) as process,
    ):
        read(process)
        model = load_model(Path(directory) / "model", name)
        with np.load(Path(directory) / "rows.npz") as saved:
            rows, expected = saved["rows"], saved["predictions"]
        found = model.score(columns_of(model, rows))["prediction"]
        difference = float(np.abs(found.astype(np.float64) - expected).max())
        if difference > TOLERANCES[name]:
            raise RuntimeError(f"the model of {name} gives answers that differ by {difference}")
        try:
            yield Library(name, process, model, rows, difference)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def columns_of(model: Model, rows: Any) -> Columns:
    return {
        field.name: np.ascontiguousarray(rows[:, number])
        for number, field in enumerate(model.inputs)
    }


def read(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the job ended with exit code {process.wait()}")
    return json.loads(line)
