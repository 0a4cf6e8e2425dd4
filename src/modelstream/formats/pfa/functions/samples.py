"""Running statistics, change detection and tests (PFA 0.8.1, stat.*).

They return new state and keep none: whoever calls them decides where it goes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.array_numbers import Less
from modelstream.formats.pfa.functions.operators import divide
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import BOOLEAN, DOUBLE, Array, Record
from modelstream.formats.pfa.values import Struct


def _fields(call: Call, at: int, *names: str) -> tuple[bool, ...]:
    """Tell which of these fields a state has; they have to be doubles. Raises UnsupportedModel."""
    kind = call.params[at]
    assert isinstance(kind, Record)
    for name in names:
        if kind.fields.get(name, DOUBLE) != DOUBLE:
            raise UnsupportedModel(f"field {name!r} of the state is not a double")
    return tuple(name in kind.fields for name in names)


def _update(call: Call) -> Rule:
    has_mean, has_variance = _fields(call, 2, "mean", "variance")
    if has_variance and not has_mean:
        raise UnsupportedModel("a state with 'variance' has to have 'mean', too")

    def rule(x: float, w: float, state: Struct) -> Struct:
        before = state["count"]
        count = before + w
        if not has_mean:
            return state.replaced(count=count)
        delta = x - state["mean"]
        shift = divide(delta * w, count)
        changed = {"count": count, "mean": state["mean"] + shift}
        if has_variance:
            spread = state["variance"] * before + before * delta * shift
            changed["variance"] = divide(spread, count)
        return state.replaced(**changed)

    return rule


def _check_shares(code: int, **shares: float) -> None:
    for at, (name, share) in enumerate(shares.items()):
        if share < 0.0 or share > 1.0:
            raise Fault(f"{name} out of range", code + at)


def _update_ewma(call: Call) -> Rule:
    (has_variance,) = _fields(call, 2, "variance")

    def rule(x: float, alpha: float, state: Struct) -> Struct:
        _check_shares(14030, alpha=alpha)
        apart = x - state["mean"]
        step = alpha * apart
        changed = {"mean": state["mean"] + step}
        if has_variance:
            changed["variance"] = (1.0 - alpha) * (state["variance"] + apart * step)
        return state.replaced(**changed)

    return rule


def _update_holt_winters(x: float, alpha: float, beta: float, state: Struct) -> Struct:
    _check_shares(14040, alpha=alpha, beta=beta)
    level = alpha * x + (1.0 - alpha) * (state["level"] + state["trend"])
    trend = beta * (level - state["level"]) + (1.0 - beta) * state["trend"]
    return state.replaced(level=level, trend=trend)


def _update_periodic(x: float, alpha: float, beta: float, gamma: float, state: Struct) -> Struct:
    _check_shares(14050, alpha=alpha, beta=beta, gamma=gamma)
    if not state["cycle"]:
        raise Fault("empty cycle", 14053)
    cycle: list[float] = state["cycle"]
    first, rest = cycle[1 % len(cycle)], [*cycle[2:], cycle[0]] if len(cycle) > 1 else []
    multiplied = state["multiplicative"]
    seen = divide(alpha * x, first) if multiplied else alpha * (x - first)
    level = seen + (1.0 - alpha) * (state["level"] + state["trend"])
    trend = beta * (level - state["level"]) + (1.0 - beta) * state["trend"]
    part = divide(gamma * x, level) if multiplied else gamma * (x - level)
    return state.replaced(level=level, trend=trend, cycle=[part + (1.0 - gamma) * first, *rest])


def _forecast(call: Call, at: int, code: int) -> Callable[[int, Struct], float]:
    kind = call.params[at]
    assert isinstance(kind, Record)
    periodic = "cycle" in kind.fields
    if periodic != ("multiplicative" in kind.fields):
        raise UnsupportedModel("a state has both 'cycle' and 'multiplicative', or neither")
    if periodic and (
        kind.fields["cycle"] != Array(DOUBLE) or kind.fields["multiplicative"] != BOOLEAN
    ):
        raise UnsupportedModel("'cycle' is an array of double, and 'multiplicative' is boolean")

    def rule(steps: int, state: Struct) -> float:
        line = float(state["level"] + steps * state["trend"])
        if not periodic:
            return line
        if not state["cycle"]:
            raise Fault("empty cycle", code)
        part = state["cycle"][steps % len(state["cycle"])]
        return float(line * part if state["multiplicative"] else line + part)

    return rule


def _forecast_one(call: Call) -> Rule:
    ahead = _forecast(call, 0, 14060)
    return lambda state: ahead(1, state)


def _forecast_several(call: Call) -> Rule:
    ahead = _forecast(call, 1, 14070)

    def rule(n: int, state: Struct) -> list[float]:
        check_size(n)
        return [ahead(steps, state) for steps in range(1, n + 1)]

    return rule


def _fill_counter(x: str, w: float, counter: Struct) -> Struct:
    values = counter["values"]
    return counter.replaced(values={**values, x: values.get(x, 0.0) + w})


def _top(x: Any, top: list[Any], n: int, less_than: Less) -> list[Any]:
    if n <= 0:
        return []
    at = next((place for place, each in enumerate(top) if less_than(each, x)), len(top))
    return [*top[:at], x, *top[at:]][:n]


def _update_trigger(predicate: bool, history: Struct) -> Struct:
    names = ("numEvents", "numRuns", "currentRun", "longestRun")
    events, runs, current, longest = (history[name] for name in names)
    if min(events, runs, current, longest) < 0:
        raise Fault("counter out of range", 37000)
    if not predicate:
        return history.replaced(currentRun=0)
    return history.replaced(
        numEvents=events + 1,
        numRuns=runs + (current == 0),
        currentRun=current + 1,
        longestRun=max(longest, current + 1),
    )


def _z_value(x: float, known: Struct, unbiased: bool = False) -> float:
    found: float = divide(x - known["mean"], float(np.sqrt(known["variance"])))
    if not unbiased:
        return found
    return found * float(np.sqrt(divide(known["count"], known["count"] - 1.0)))


_HOLT = "state: A{level: double, trend: double}"
_CYCLE = "state: A{level: double, trend: double, cycle: [double], multiplicative: boolean}"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction(
        "stat.sample.update", ("(x: double, w: double, state: A{count: double}) -> A",), _update
    ),
    LibraryFunction(
        "stat.sample.updateEWMA",
        ("(x: double, alpha: double, state: A{mean: double}) -> A",),
        _update_ewma,
    ),
    plain(
        "stat.sample.updateHoltWinters",
        f"(x: double, alpha: double, beta: double, {_HOLT}) -> A",
        rule=_update_holt_winters,
    ),
    plain(
        "stat.sample.updateHoltWintersPeriodic",
        f"(x: double, alpha: double, beta: double, gamma: double, {_CYCLE}) -> A",
        rule=_update_periodic,
    ),
    LibraryFunction("stat.sample.forecast1HoltWinters", (f"({_HOLT}) -> double",), _forecast_one),
    LibraryFunction(
        "stat.sample.forecastHoltWinters", (f"(n: int, {_HOLT}) -> [double]",), _forecast_several
    ),
    plain(
        "stat.sample.fillCounter",
        "(x: string, w: double, counter: A{values: {double}}) -> A",
        rule=_fill_counter,
    ),
    plain(
        "stat.sample.topN",
        "(x: A, top: [A], n: int, lessThan: (A, A -> boolean)) -> [A]",
        rule=_top,
    ),
    plain(
        "stat.change.updateTrigger",
        "(predicate: boolean, history: A{numEvents: int, numRuns: int, currentRun: int, "
        "longestRun: int}) -> A",
        rule=_update_trigger,
    ),
    plain(
        "stat.change.zValue",
        "(x: double, meanVariance: A{mean: double, variance: double}) -> double",
        "(x: double, meanVariance: A{count: double, mean: double, variance: double}, "
        "unbiased: boolean) -> double",
        rule=_z_value,
    ),
    plain(
        "stat.change.updateCUSUM",
        "(logLikelihoodRatio: double, last: double, reset: double) -> double",
        rule=lambda ratio, last, reset: max(reset, ratio + last),
    ),
)
