"""Fields computed of the table's: each as NumPy computes it, and as PMML says it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from benchmarks.pmml_table import CATEGORIES, NUMBERS, SCALES, Matrix, Table, ones_of
from benchmarks.pmml_writer import add

_BINS = 4
_PRODUCTS = 6


@dataclass(frozen=True, slots=True)
class Derived:
    """One field: how it is computed from a table, and how its expression is written."""

    name: str
    compute: Callable[[Table], Matrix]
    write: Callable[[ET.Element], Any]


def derived_fields() -> list[Derived]:
    """Return all of them; none refers to a later one."""
    pairs = list(combinations(NUMBERS, 2))[:_PRODUCTS]
    return [
        *(_scaled(name) for name in NUMBERS),
        *(_log(name) for name in NUMBERS),
        *(_square(name) for name in NUMBERS),
        *(_product(*pair) for pair in pairs),
        *(_is_high(name) for name in NUMBERS),
        *(_bin(name) for name in NUMBERS),
        *(_rank(name) for name in CATEGORIES),
        *(_is("marital", word) for word in CATEGORIES["marital"]),
    ]


def add_derived(parent: ET.Element, fields: Sequence[Derived]) -> None:
    """Write the fields into a dictionary."""
    for field in fields:
        field.write(
            add(parent, "DerivedField", name=field.name, optype="continuous", dataType="double")
        )


def scaled(table: Table, name: str) -> Matrix:
    """Return a column of numbers around nought."""
    middle, width = SCALES[name]
    return (table.numbers(name) - middle) / width


def standard(table: Table) -> Matrix:
    """Return ones and zeros, and the numbers scaled."""
    matrix = ones_of().matrix(table)
    for column, name in enumerate(NUMBERS):
        matrix[:, column] = scaled(table, name)
    return matrix


def write_scaled(parent: ET.Element, name: str) -> None:
    """Write what `scaled` computes."""
    middle, width = SCALES[name]
    norm = add(parent, "NormContinuous", field=name)
    add(norm, "LinearNorm", orig=middle, norm=0.0)
    add(norm, "LinearNorm", orig=middle + width, norm=1.0)


def _scaled(name: str) -> Derived:
    return Derived(
        f"scaled_{name}", lambda table: scaled(table, name), lambda node: write_scaled(node, name)
    )


def _apply(parent: ET.Element, function: str, *arguments: str | float) -> ET.Element:
    call = add(parent, "Apply", function=function)
    for argument in arguments:
        if isinstance(argument, str):
            add(call, "FieldRef", field=argument)
        else:
            add(call, "Constant", dataType="double").text = repr(argument)
    return call


def _log(name: str) -> Derived:
    def write(node: ET.Element) -> None:
        _apply(add(node, "Apply", function="ln"), "+", name, 1.0)

    return Derived(f"log_{name}", lambda table: np.log(table.numbers(name) + 1.0), write)


def _square(name: str) -> Derived:
    return Derived(
        f"square_{name}",
        lambda table: scaled(table, name) ** 2,
        lambda node: _apply(node, "pow", f"scaled_{name}", 2.0),
    )


def _product(one: str, other: str) -> Derived:
    return Derived(
        f"{one}_by_{other}",
        lambda table: scaled(table, one) * scaled(table, other),
        lambda node: _apply(node, "*", f"scaled_{one}", f"scaled_{other}"),
    )


def _is_high(name: str) -> Derived:
    middle, _ = SCALES[name]

    def write(node: ET.Element) -> None:
        choice = add(node, "Apply", function="if")
        _apply(choice, "greaterThan", name, middle)
        for value in (1.0, 0.0):
            add(choice, "Constant", dataType="double").text = repr(value)

    return Derived(f"high_{name}", lambda table: (table.numbers(name) > middle) * 1.0, write)


def _bin(name: str) -> Derived:
    """Return which of a few intervals, closed on their left, a number falls into."""
    middle, width = SCALES[name]
    edges = [middle + width * (number - _BINS / 2 + 1) / 2 for number in range(_BINS - 1)]

    def write(node: ET.Element) -> None:
        bins = add(node, "Discretize", field=name)
        for number in range(_BINS):
            bin_ = add(bins, "DiscretizeBin", binValue=float(number))
            interval = add(bin_, "Interval", closure="closedOpen")
            if number:
                interval.set("leftMargin", repr(edges[number - 1]))
            if number < _BINS - 1:
                interval.set("rightMargin", repr(edges[number]))

    return Derived(
        f"bin_{name}",
        lambda table: np.searchsorted(edges, table.numbers(name), side="right") * 1.0,
        write,
    )


def _rank(name: str) -> Derived:
    """Return a number for each category, from a table."""
    ranks = {word: rank / 10 for rank, word in enumerate(CATEGORIES[name])}

    def write(node: ET.Element) -> None:
        mapped = add(node, "MapValues", outputColumn="rank", dataType="double")
        add(mapped, "FieldColumnPair", field=name, column="word")
        rows = add(mapped, "InlineTable")
        for word, rank in ranks.items():
            row = add(rows, "row")
            add(row, "word").text, add(row, "rank").text = word, repr(rank)

    return Derived(
        f"rank_{name}",
        lambda table: np.array([ranks[word] for word in table.columns[name]]),
        write,
    )


def _is(name: str, word: str) -> Derived:
    return Derived(
        f"is_{word}",
        lambda table: np.array([float(value == word) for value in table.columns[name]]),
        lambda node: add(node, "NormDiscrete", field=name, value=word),
    )
