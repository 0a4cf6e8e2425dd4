"""Measuring: processor time in interleaved rounds, ratios of it, and the tables that tell them.

Machines are noisy, and drift. Sides are therefore run in turns, one slice of work each, and a ratio
is the median of the rounds' own ratios: what slows a round down slows both of its sides.
"""

import platform
import resource
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table


class Slice(NamedTuple):
    """One side's work of one round."""

    records: int
    cpu_seconds: float


# One slice of work, measured by whoever does it: this process or another one.
Side = Callable[[], Slice]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table. `low` and `high` hold the middle half of what was measured."""

    what: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    goal: float | None = None  # at most this
    at_least: float | None = None

    def named(self, what: str) -> "Figure":
        """Return the figure under other words."""
        return replace(self, what=what)


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found."""

    name: str
    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    def value(self, what: str) -> float:
        """Return one figure by its words."""
        return next(each.value for each in self.figures if each.what == what)


def cpu_seconds() -> float:
    """Return the processor time of this process and all its threads, in user and kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], int]) -> Side:
    """Return a side of this process; `work` returns how many records it did."""

    def side() -> Slice:
        before = cpu_seconds()
        records = work()
        return Slice(records, cpu_seconds() - before)

    return side


def interleave(sides: Mapping[str, Side], rounds: int) -> dict[str, list[float]]:
    """Run one slice of each side a round; return microseconds of processor time a record.

    Every other round runs backwards, so that no side is always the one after another. A first
    round warms up and is not counted.
    """
    told: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        names = list(sides)
        for name in names if number % 2 else reversed(names):
            done = sides[name]()
            if number:
                told[name].append(done.cpu_seconds / done.records * 1e6)
    return told


def cost(name: str, told: Mapping[str, list[float]]) -> Figure:
    """Return the median processor time a record of one side."""
    return spread(name, told[name], "us CPU/record")


def ratio(name: str, base: str, told: Mapping[str, list[float]], goal: float | None) -> Figure:
    """Return the median of the rounds' ratios of one side to another."""
    ratios = [mine / its for mine, its in zip(told[name], told[base], strict=True)]
    return spread(f"{name} / {base}", ratios, "x", goal)


def speed(name: str, base: str, told: Mapping[str, list[float]], at_least: float | None) -> Figure:
    """Return the median of how many times as many records as another side one side does."""
    speeds = [its / mine for mine, its in zip(told[name], told[base], strict=True)]
    return spread(f"{name} : {base}", speeds, "x", at_least=at_least)


def spread(
    what: str,
    values: Sequence[float],
    unit: str,
    goal: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """Return the median of some values, and the bounds of their middle half."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return Figure(what, statistics.median(values), unit, low, high, goal, at_least)


def progress(what: str) -> None:
    """Tell whoever waits what is measured now."""
    sys.stderr.write(f"measuring {what}\n")
    sys.stderr.flush()


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def resident_bytes(pid: int | str = "self") -> int:
    """Return the memory that a process has in use now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def show(report: Report, console: Console) -> None:
    """Print a report as a table."""
    table = Table(title=f"{report.name}: {report.title}", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("middle half", justify="right")
    table.add_column("goal", justify="right")
    for each in report.figures:
        table.add_row(each.what, f"{told(each.value)} {each.unit}", _half(each), _goal(each))
    console.print(table)
    for note in report.notes:
        console.print(f"  {note}", highlight=False)
    console.print()


def told(value: float) -> str:
    """Write a figure with three digits that mean something."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3g}"


def _half(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f"{told(figure.low)} to {told(figure.high)}"


def _goal(figure: Figure) -> str:
    if figure.at_least is not None:
        met = "met" if figure.value >= figure.at_least else "MISSED"
        return f">= {told(figure.at_least)} {met}"
    if figure.goal is None:
        return ""
    return f"<= {told(figure.goal)} {'met' if figure.value <= figure.goal else 'MISSED'}"


def machine() -> dict[str, str]:
    """Return what a reader of the figures must know of the machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ("modelstream", "onnxruntime", "msgspec", "numpy")
    return {
        "processor": model,
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def as_plain(reports: Sequence[Report]) -> dict[str, Any]:
    """Return reports as plain data, for JSON."""
    return {"machine": machine(), "benchmarks": [asdict(report) for report in reports]}
