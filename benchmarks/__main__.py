"""Arguments of `python -m benchmarks`."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks.measure import Report, as_plain, machine, progress, show

# Each is a module of this package with `run(quick=...)`, imported when it is wanted.
NAMES = (
    *(
        "join",
        "log",
        "peers",
        "latency",
        "kafka",
        "kafka_latency",
        "swap",
        "swaps_by_format",
        "many",
        "deadline",
        "consensus",
        "flink",
    ),
    *("pmml", "pmml_rows", "pfa", "trees"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="few records; shows that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; use {', '.join(NAMES)}")
    console = Console(width=110)
    console.print("; ".join(f"{key} {value}" for key, value in machine().items()), highlight=False)
    reports: list[Report] = []
    for name in asked.names or NAMES:
        progress(name)
        run: Callable[..., Report] = import_module(f"benchmarks.{name}").run
        reports.append(run(quick=asked.quick))
        show(reports[-1], console)
        if asked.json is not None:
            asked.json.write_text(json.dumps(as_plain(reports), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
