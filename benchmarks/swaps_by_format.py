"""`swaps_by_format`: a thousand swaps of each format; what stays behind in the serving process."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Figure, Report
from benchmarks.swap_cycles import BATCH_RECORDS, WARM_UP_SWAPS, State
from tests.support.two_versions import FORMATS

SWAPS = 1000
GOAL_RSS_MB = 10.0
_ROOT = Path(__file__).resolve().parents[1]


def run(*, quick: bool = False, swaps: int = SWAPS) -> Report:
    """Swap each format so often, each in a process of its own, and look at the process."""
    names, swaps = (FORMATS[:1], 3) if quick else (FORMATS, swaps)
    figures = [figure for name in names for figure in _figures(name, *swapped(name, swaps))]
    return Report(
        "swaps_by_format",
        f"{swaps} swaps of each format, after {WARM_UP_SWAPS} that are not counted",
        figures,
        (
            "a swap: the registry promotes a version, the loader builds it from its lowered form, "
            f"the shell flips, unloads the one before the last, and answers {BATCH_RECORDS} records",
            "two small models of each format by turns, each time as a version of its own; the "
            "registry and the figures of a version stay in memory for good, about 1.6 kB each",
        ),
    )


def swapped(format_name: str, swaps: int) -> tuple[State, State]:
    """Swap in a process of its own; return what it held after the warm-up, and at the end."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.swap_cycles", format_name, str(swaps)],
        cwd=_ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    before, after = (State(**each) for each in json.loads(done.stdout))
    return before, after


def _figures(name: str, before: State, after: State) -> list[Figure]:
    grown = (after.resident_bytes - before.resident_bytes) / 1e6
    opened = after.files - before.files + after.threads - before.threads
    return [
        Figure(f"{name}: growth of memory", grown, "MB", goal=GOAL_RSS_MB),
        Figure(f"{name}: files and threads more than before", opened, "", goal=0),
        Figure(f"{name}: models more than before", after.models - before.models, "", goal=0),
        Figure(f"{name}: classes more than before", after.classes - before.classes, "", goal=0),
    ]
