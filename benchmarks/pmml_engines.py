"""PMML engines as the `pmml` benchmark sees them: other processes that load, answer and work."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import python_of
from benchmarks.measure import Side, Slice

OURS, JPMML, PYPMML, SKLEARN = "modelstream", "jpmml", "pypmml", "sklearn-pmml-model"
# How Python can reach a Java machine: in its own process or over a socket (py4j).
BACKENDS = {
    OURS: ("",),
    JPMML: ("jpype", "pyjnius", "py4j"),
    PYPMML: ("jpype", "py4j"),
    SKLEARN: ("",),
}
IN_JAVA = frozenset({JPMML, PYPMML})
TOLERANCE = 1e-6


class Refused(Exception):
    """An engine does not load a document, or does not score its rows, or not right."""


class Engine:
    """One engine that loads one document; others may start beside it."""

    def __init__(self, process: "subprocess.Popen[str]", name: str, backend: str) -> None:
        self._process = process
        self.name = name
        self.backend = backend
        self.start_seconds = 0.0
        self.load_seconds = 0.0
        self.ways: list[str] = []

    def wait(self) -> None:
        """Wait until the document is loaded. Raises Refused."""
        told = self._read()
        self.start_seconds = told["start_seconds"]
        self.load_seconds = told["load_seconds"]
        self.ways = told["ways"]

    def answers(self, way: str, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
        """Return the answers to some rows, on which to work from now on, and the memory in MB."""
        told = self._ask({"way": way, "rows": rows})
        return told["answers"], told["grown_bytes"] / 1e6

    def work(self, way: str, size: int, seconds: float) -> Slice:
        """Score the rows, so many at once, for some seconds."""
        told = self._ask({"way": way, "size": size, "seconds": seconds})
        return Slice(told["records"], told["cpu_seconds"])

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Refused(f"it ended with exit code {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        if "refused" in told:
            raise Refused(told["refused"])
        return told


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of one engine, that gives the right answers."""

    engine: Engine
    way: str

    def side(self, size: int, seconds: float) -> Side:
        """Return a side that scores so many rows at once."""
        return lambda: self.engine.work(self.way, size, seconds)

    def __str__(self) -> str:
        return f"{self.way} ({self.engine.backend})" if self.engine.backend else self.way


def can_run(name: str) -> bool:
    """Tell whether this machine has what an engine needs beside its packages."""
    return name not in IN_JAVA or shutil.which("java") is not None


@contextmanager
def engine_of(name: str, backend: str, document: Path) -> Iterator[Engine]:
    """Run an engine with a document meanwhile."""
    root = Path(__file__).resolve().parents[1]
    python = sys.executable if name == OURS else python_of(name)
    with subprocess.Popen(
        [python, "-m", "benchmarks.peer_jobs.pmml_job", name, backend, document],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        # One thread: without this, matrix products would take all processors.
        env={**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
        text=True,
    ) as process:
        try:
            yield Engine(process, name, backend)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def check(mine: list[dict[str, Any]], its: list[dict[str, Any]]) -> None:
    """Hold the answers of an engine against others, in the outputs that both give.

    Raises Refused where they differ.
    """
    shared = [name for name in mine[0] if name in its[0]]
    if not shared:
        raise Refused(f"wrong: it answers {', '.join(its[0])}, not {', '.join(mine[0])}")
    for row, (one, other) in enumerate(zip(mine, its, strict=True)):
        for name in shared:
            if not _equal(one[name], other[name]):
                told = f"{name} of row {row} is {other[name]!r}, not {one[name]!r}"
                raise Refused(f"wrong: {told}")


def _equal(mine: Any, its: Any) -> bool:
    if isinstance(mine, float) and isinstance(its, float):
        return abs(mine - its) <= TOLERANCE
    return bool(mine == its)
