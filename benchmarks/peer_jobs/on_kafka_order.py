"""What a side of the benchmark on Kafka is told, and how it tells what its slices cost."""

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.peer_jobs.rounds import cpu_seconds

# Records of one transaction, or of one commit.
BATCH = 1000
# Without a record for so long, something is wrong.
PATIENCE_SECONDS = 60.0
# Sides wait for each other's slices; nobody is put out of a group for it.
WAIT_MS = 600_000


class Order(NamedTuple):
    """Where a side reads and writes, and how."""

    bootstrap: str
    records: str
    results: str
    group: str
    delivery: str  # "exactly_once" or "at_least_once"
    tuned: bool
    slice_records: int
    features: list[str]


def order() -> tuple[Order, bytes]:
    """Read what this side is to do, and its model, from the directory that was told."""
    directory = Path(sys.argv[1])
    told = Order(**json.loads((directory / "order.json").read_text()))
    return told, (directory / "model.onnx").read_bytes()


class Slices:
    """The slices that a line on standard input asks for, each answered by a line.

    A client fetches ahead in threads of its own, also while another side has its turn. So a slice
    costs what the process used from the end of the slice before to its own end.
    """

    def __init__(self) -> None:
        self._before = 0.0
        # Frameworks write to standard output as they like; the answers go where it went before.
        self._answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def wait(self) -> bool:
        """Wait until the next slice is asked for; False when there is none."""
        return bool(sys.stdin.readline())

    def tell(self, records: int) -> None:
        """Tell that a slice is done."""
        now = cpu_seconds()
        self._answers.write(json.dumps([records, now - self._before]) + "\n")
        self._answers.flush()
        self._before = now
