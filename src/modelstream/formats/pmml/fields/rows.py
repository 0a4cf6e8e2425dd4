"""Scoring one row in plain Python values, for batches too small to pay for NumPy's calls.

A `Plan` turns cells into steps over one list of values: each cell, constant and part of an
expression has a place in it, and steps run in order. What a cell does for one row is its twin,
declared beside what it does for a column; a cell without one has no plan. Numbers are floats with
NaN for missing, strings are str or None, predictions are `RowPrediction`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, NamedTuple, Protocol

Values = list[Any]
# Computes one value of the values of its row that stand before it.
Step = Callable[[Values], Any]
# Puts the steps of something into a plan and returns the place of its value.
Twin = Callable[["Plan"], int]
Steps = Sequence[tuple[int, Step]]
# What is done to an input, one after the other.
Treatments = Sequence[Callable[[Any], Any]]


class Declined(Exception):  # it says where a row goes, no fault
    """A row that is out of the ordinary: the column path treats it, and words what is wrong."""


class Untwinned(Exception):  # it says which path a model takes, no fault
    """Something of a model is computed for columns alone."""


class RowPrediction(NamedTuple):
    """One model's answer for one row: see `prediction.Prediction`."""

    value: float
    probabilities: Sequence[float] | None = None
    confidences: Sequence[float] | None = None


class Twinned(Protocol):
    """A cell, or what is numbered and twinned alike."""

    @property
    def number(self) -> int:
        """Its number among all cells."""
        ...

    @property
    def row(self) -> Twin | None:
        """Its twin."""
        ...


class _Frame:
    """Steps that run under one condition, for the cells numbered from `first` on."""

    def __init__(self, first: float, places: dict[int, int]) -> None:
        self.first = first
        self.places = places
        self.steps: list[tuple[int, Step]] = []


class Plan:
    """Steps for the rows of one model, while they are collected."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.constants: Values = []  # the values that are there before the first step
        self.careful = False  # whether steps call NumPy, which must then raise and not warn
        # The inputs by place: floats that need no treatment unless they are missing, and others with
        # what is valid as it is.
        self.numbers: list[tuple[int, Treatments]] = []
        self.others: list[tuple[int, frozenset[str], Treatments]] = []
        self.checks: dict[int, Callable[[Any], Any]] = {}
        self.kernels = 0  # how many steps run a forest's kernel
        self._inputs = {name: place for place, name in enumerate(inputs)}
        self._frames = [_Frame(0, {})]
        self._guarded: dict[int, dict[int, int]] = {}

    @property
    def steps(self) -> Steps:
        """The steps that run for every row."""
        return self._frames[0].steps

    def input(
        self,
        name: str,
        plain: type[float] | frozenset[str],
        check: Callable[[Any], Any],
        treat: Treatments,
    ) -> int:
        """Return the place of a record's value as the model sees it.

        Values of the type, NaN apart, or in the set, that is `plain` stay as the caller gave them;
        to others is done what there is in `treat`, one after the other. Where no column has been
        made of them, `check` comes first.
        """
        if name not in self._inputs:
            raise Untwinned
        place = self._inputs[name]
        self.checks[place] = check
        if isinstance(plain, type):
            self.numbers.append((place, treat))
        else:
            self.others.append((place, plain, treat))
        return place

    def constant(self, value: Any) -> int:
        """Return the place of a value that is the same for all rows."""
        self.constants.append(value)
        return len(self._inputs) + len(self.constants) - 1

    def step(self, step: Step) -> int:
        """Add a step; return the place of what it computes."""
        place = self.constant(None)
        self._frames[-1].steps.append((place, step))
        return place

    def use(self, twin: Twin | None) -> int:
        """Add the steps of something; return the place of its value."""
        if twin is None:
            raise Untwinned
        return twin(self)

    def place(self, cell: Twinned) -> int:
        """Return the place of a cell, computed before whatever is added next."""
        depth = next(d for d in range(len(self._frames) - 1, -1, -1) if self._owns(d, cell))
        places = self._frames[depth].places
        known = places.get(cell.number)
        if known is None:
            inner = self._frames[depth + 1 :]
            del self._frames[depth + 1 :]
            known = places[cell.number] = self.use(cell.row)
            self._frames += inner
        return known

    @contextmanager
    def branch(self) -> Iterator[list[tuple[int, Step]]]:
        """Collect the steps of an expression that is evaluated under a condition.

        Cells that it reads are computed without any, as they are for columns.
        """
        yield from self._collect(_Frame(inf, {}))

    @contextmanager
    def part(self, key: int, first: int) -> Iterator[list[tuple[int, Step]]]:
        """Collect the steps of a model that runs under a condition.

        Cells numbered from `first` on are its own; `key` names the condition, so that what is
        computed under it already is not computed twice.
        """
        yield from self._collect(_Frame(first, self._guarded.setdefault(key, {})))

    def _owns(self, depth: int, cell: Twinned) -> bool:
        return self._frames[depth].first <= cell.number

    def _collect(self, frame: _Frame) -> Iterator[list[tuple[int, Step]]]:
        self._frames.append(frame)
        yield frame.steps
        self._frames.pop()


def of_cell(cell: Twinned) -> Twin:
    """Return the twin of what is a cell and nothing else."""
    return lambda plan: plan.place(cell)


def applied(
    twins: Sequence[Twin | None], function: Callable[..., Any], *, careful: bool = False
) -> Twin:
    """Return the twin of a function of what other twins compute; a careful one calls NumPy."""

    def row(plan: Plan) -> int:
        places = [plan.use(twin) for twin in twins]
        plan.careful |= careful
        if len(places) == 1:
            only = places[0]
            return plan.step(lambda values: function(values[only]))
        if len(places) == 2:
            one, other = places
            return plan.step(lambda values: function(values[one], values[other]))
        return plan.step(lambda values: function(*[values[place] for place in places]))

    return row


def in_order(addends: Iterable[float]) -> float:
    """Return a sum as a loop adds; the built-in sum of newer Pythons is another one."""
    total = 0.0
    for addend in addends:
        total += addend
    return total


def treated(value: Any, treatments: Treatments) -> Any:
    """Return an input as a model sees it."""
    for treat in treatments:
        value = treat(value)
    return value


def run(steps: Steps, values: Values) -> None:
    """Compute the values of one row."""
    for place, step in steps:
        values[place] = step(values)
