"""One PMML engine in a process of its own: `python -m benchmarks.peer_jobs.pmml_job`.

Arguments: the engine, its backend, the document. Each line of standard input is an order as JSON,
each line of standard output its answer; what engines print themselves goes to standard error.
"""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.peer_jobs.pmml_engines import Ways, start

Order = dict[str, Any]


def main() -> None:
    """Start and load, then do what is ordered until standard input closes."""
    engine, backend, document = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        clock, before = time.perf_counter(), _resident_bytes()
        load = start(engine, backend)
        started = time.perf_counter()
        ways = load(Path(document))
        loaded = time.perf_counter()
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the engine's answer
        tell({"refused": _words(error)})
        return
    tell({"ways": list(ways), "start_seconds": started - clock, "load_seconds": loaded - started})
    rows: list[dict[str, Any]] = []
    for line in sys.stdin:
        order = json.loads(line)
        rows = order.get("rows", rows)
        try:
            if "seconds" in order:
                tell(_work(ways, order, rows))
            else:
                told = _answers(ways, order, rows)
                tell({**told, "grown_bytes": _resident_bytes() - before})
        except Exception as error:  # noqa: BLE001  # as above
            tell({"refused": _words(error)})


def _answers(ways: Ways, order: Order, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what one way answers for all rows."""
    told = ways[order["way"]](rows)
    return {"answers": [{name: _plain(value) for name, value in row.items()} for row in told]}


def _work(ways: Ways, order: Order, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Score rows, so many at once, for some seconds of the clock."""
    way, size = ways[order["way"]], order["size"]
    parts = [rows[first : first + size] for first in range(0, len(rows), size)]
    records, turn = 0, 0
    before, clock = time.process_time() + _children_seconds(), time.perf_counter()
    until = clock + order["seconds"]
    while not turn or time.perf_counter() < until:
        records += len(way(parts[turn % len(parts)]))
        turn += 1
    elapsed = time.perf_counter() - clock
    used = time.process_time() + _children_seconds() - before
    return {"records": records, "cpu_seconds": used, "clock_seconds": elapsed}


def _plain(value: Any) -> Any:
    """Return a number or a text; a number that is none is missing."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    return value if value is None or isinstance(value, int) else str(value)


def _children() -> list[str]:
    """Return the processes that an engine runs beside this one."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def _children_seconds() -> float:
    """Return the processor time that those used."""
    stats = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2] for each in _children()]
    ticks = sum(int(fields[11]) + int(fields[12]) for fields in map(str.split, stats))
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_bytes() -> int:
    """Return the memory in use by this process and those."""
    statm = [Path(f"/proc/{each}/statm").read_text() for each in ("self", *_children())]
    return sum(int(text.split()[1]) for text in statm) * os.sysconf("SC_PAGE_SIZE")


def _words(error: Exception) -> str:
    first, *_ = (str(error) or type(error).__name__).splitlines()
    return f"{type(error).__name__}: {first[:200]}"


main()
