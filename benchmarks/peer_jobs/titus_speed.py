"""titus2: one engine, each record by itself, as it has no other way."""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.peer_jobs.rounds import answer_rounds, cpu_seconds
from benchmarks.peer_jobs.titus_engine import engine_class


def main() -> None:
    """Score all records a slice."""
    directory = Path(sys.argv[1])
    (engine,) = engine_class().fromJson((directory / "document.pfa").read_text())
    records = json.loads((directory / "records.json").read_text())
    expected = json.loads((directory / "expected.json").read_text())
    found = [engine.action(record) for record in records]
    np.testing.assert_allclose(np.array(found, float), expected, rtol=1e-9)

    def run_slice() -> tuple[int, float]:
        before = cpu_seconds()
        for record in records:
            engine.action(record)
        return len(records), cpu_seconds() - before

    answer_rounds(run_slice)


main()
