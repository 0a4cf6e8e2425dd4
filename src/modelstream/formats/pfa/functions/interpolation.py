"""Bins and look-up tables (PFA 0.8.1, interp.*)."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import INT_MAX, add_up
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Array

_TO_NUMBER = "(x: double, table: [R{{x: double, to: double}}]) -> {}"
_TO_VECTOR = "(x: double, table: [R{{x: double, to: [double]}}]) -> {}"


def _bin(x: float, *scale: float) -> int:
    if len(scale) == 3:
        number, low, high = scale
        if not low < high:
            raise Fault("bad histogram range", 22000)
        if number < 1:
            raise Fault("bad histogram scale", 22001)
        if not low <= x < high:
            raise Fault("x out of range", 22002)
        at = math.floor(number * float(np.divide(x - low, high - low)))
        if not 0 <= at < number:
            raise Fault("x out of range", 22002)
        return at
    origin, width = scale
    if not math.isfinite(origin):
        raise Fault("bad histogram range", 22000)
    if not width > 0.0:
        raise Fault("bad histogram scale", 22001)
    place = float(np.floor(np.divide(x - origin, width)))
    if not math.isfinite(x) or abs(place) > INT_MAX:
        raise Fault("x out of range", 22002)
    return int(place)


def _apart(x: Sequence[float], y: Sequence[float]) -> float:
    if len(x) != len(y):
        raise Fault("inconsistent dimensionality", 22011)
    return float(add_up((one - other) * (one - other) for one, other in zip(x, y, strict=True)))


def _between_numbers(x: float, y: float) -> float:
    return abs(x - y)


def _nearest(call: Call) -> Rule:
    default = _apart if isinstance(call.params[0], Array) else _between_numbers

    def rule(datum: Any, table: list[Any], metric: Callable[[Any, Any], float] = default) -> Any:
        if not table:
            raise Fault("table must have at least one entry", 22010)
        best, distance = table[0], metric(datum, table[0]["x"])
        for each in table[1:]:
            found = metric(datum, each["x"])
            if found < distance:
                best, distance = each, found
        return best["to"]

    return rule


def _neighbours(datum: float, table: list[Any], code: int) -> tuple[Any, Any, bool]:
    """Return the two entries to interpolate with, and whether the datum is between them."""
    below = [each for each in table if each["x"] <= datum]
    above = [each for each in table if datum < each["x"]]
    if below and above:
        return max(below, key=lambda each: each["x"]), min(above, key=lambda each: each["x"]), True
    ordered = sorted(table, key=lambda each: abs(datum - each["x"]))
    for other in ordered[1:]:
        if other["x"] != ordered[0]["x"]:
            return ordered[0], other, False
    raise Fault("table must have at least two distinct x values", code)


def _between(datum: float, one: Any, two: Any, code: int) -> Any:
    share = float(np.divide(datum - one["x"], two["x"] - one["x"]))
    start, end = one["to"], two["to"]
    if not isinstance(start, list):
        return (1.0 - share) * start + share * end
    if len(start) != len(end):
        raise Fault("inconsistent dimensionality", code)
    return [(1.0 - share) * a + share * b for a, b in zip(start, end, strict=True)]


def _linear(code: int) -> Rule:
    def rule(datum: float, table: list[Any]) -> Any:
        one, two, _ = _neighbours(datum, table, code)
        return _between(datum, one, two, code + 1)

    return rule


def _linear_flat(datum: float, table: list[Any]) -> Any:
    one, two, inside = _neighbours(datum, table, 22030)
    return _between(datum, one, two, 22031) if inside else one["to"]


def _linear_missing(datum: float, table: list[Any]) -> Any:
    one, two, inside = _neighbours(datum, table, 22040)
    return _between(datum, one, two, 22041) if inside or one["x"] == datum else None


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain(
        "interp.bin",
        "(x: double, numbins: int, low: double, high: double) -> int",
        "(x: double, origin: double, width: double) -> int",
        rule=_bin,
    ),
    LibraryFunction(
        "interp.nearest",
        (
            "(x: double, table: [R{x: double, to: T}]) -> T",
            "(x: [double], table: [R{x: [double], to: T}]) -> T",
            "(x: X, table: [R{x: Y, to: T}], metric: (X, Y -> double)) -> T",
        ),
        _nearest,
    ),
    plain(
        "interp.linear",
        _TO_NUMBER.format("double"),
        _TO_VECTOR.format("[double]"),
        rule=_linear(22020),
    ),
    plain(
        "interp.linearFlat",
        _TO_NUMBER.format("double"),
        _TO_VECTOR.format("[double]"),
        rule=_linear_flat,
    ),
    plain(
        "interp.linearMissing",
        _TO_NUMBER.format("null|double"),
        _TO_VECTOR.format("null|[double]"),
        rule=_linear_missing,
    ),
)
