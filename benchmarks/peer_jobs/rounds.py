"""How a job talks to the benchmark: a line on standard input asks for a slice, a line answers."""

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.by_hand import ByHand


def work() -> tuple[ByHand, list[bytes]]:
    """Read the model, the features and the records from the directory that was told."""
    directory = Path(sys.argv[1])
    features = json.loads((directory / "features.json").read_text())
    model = ByHand((directory / "model.onnx").read_bytes(), features)
    return model, (directory / "records.jsonl").read_bytes().splitlines()


def cpu_seconds() -> float:
    """Return the processor time of this process and all its threads, in user and kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def answer_rounds(run_slice: Callable[[], tuple[int, float]]) -> None:
    """Run a slice for each line until the benchmark is done; tell records and CPU seconds."""
    for _ in sys.stdin:
        records, seconds = run_slice()
        sys.stdout.write(json.dumps([records, seconds]) + "\n")
        sys.stdout.flush()
