"""A made-up table of tax audits, and how its columns become numbers for scikit-learn.

An encoding is a matrix and, for trees, the PMML predicate that a comparison in it stands for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from benchmarks.pmml_writer import add

NUMBERS = ("age", "income", "deductions", "hours", "tenure")
_SCHOOLS = ("Associate", "Bachelor", "College", "Doctorate", "Master", "None", "Vocational")
_TRADES = ("Cleaner", "Farming", "Home", "Machinist", "Repair", "Service", "Support", "Transport")
CATEGORIES = {
    "employment": ("Consultant", "Private", "Public", "Retired", "Self", "Unemployed", "Volunteer"),
    "education": (*(f"Year{year}" for year in range(9, 13)), *_SCHOOLS),
    "marital": ("Absent", "Divorced", "Married", "Separated", "Unmarried", "Widowed"),
    "occupation": (*_TRADES, "Clerical", "Executive", "Military", "Professional", "Sales"),
    "gender": ("Female", "Male"),
}
FIELDS = {**dict.fromkeys(NUMBERS, ()), **CATEGORIES}
# About the middle of each column of numbers, and how far it reaches.
SCALES = {
    "age": (50.0, 20.0),
    "income": (60_000.0, 50_000.0),
    "deductions": (400.0, 800.0),
    "hours": (40.0, 11.0),
    "tenure": (8.0, 6.0),
}
MISSING_SHARE = 0.03
_MISSING_IN = ("employment", "occupation", "hours")

Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of values, None where one is missing, and what is to be learnt from them."""

    columns: dict[str, list[Any]]
    target: npt.NDArray[np.int64]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as records."""
        return [
            dict(zip(self.columns, row, strict=True))
            for row in zip(*self.columns.values(), strict=True)
        ]

    def numbers(self, name: str) -> Matrix:
        """Return a column of numbers, NaN where one is missing."""
        return np.array(self.columns[name], dtype=np.float64)

    def usual(self) -> dict[str, Any]:
        """Return what takes a missing value's place: the mean or the most frequent value."""
        means = {name: round(float(np.nanmean(self.numbers(name))), 2) for name in NUMBERS}
        modes = {
            name: max(words, key=self.columns[name].count) for name, words in CATEGORIES.items()
        }
        return {**means, **modes}

    def whole(self) -> "Table":
        """Return the rows without missing values."""
        missing = [[value is None for value in values] for values in self.columns.values()]
        kept = np.nonzero(~np.any(missing, axis=0))[0].tolist()
        columns = {name: [v[row] for row in kept] for name, v in self.columns.items()}
        return Table(columns, self.target[kept])

    def first(self, count: int) -> "Table":
        """Return the first rows."""
        columns = {name: values[:count] for name, values in self.columns.items()}
        return Table(columns, self.target[:count])

    def filled(self, usual: Mapping[str, Any]) -> "Table":
        """Return the table without missing values."""
        columns = {
            name: [usual[name] if value is None else value for value in values]
            for name, values in self.columns.items()
        }
        return Table(columns, self.target)


def some_audits(count: int, seed: int) -> Table:
    """Make a table up; some values are missing."""
    rng = np.random.default_rng(seed)
    numbers = {
        "age": rng.integers(17, 90, count).astype(float),
        "income": rng.lognormal(11, 0.7, count).round(),
        "deductions": (rng.exponential(900, count) * (rng.random(count) < 0.4)).round(),
        "hours": _sixty_fourths(rng.normal(40, 11, count).clip(1, 99)),
        "tenure": _sixty_fourths(rng.gamma(2, 4, count)),
    }
    codes = {name: rng.integers(0, len(words), count) for name, words in CATEGORIES.items()}
    weight = np.random.default_rng(0)  # what is learnt is the same in every table
    score = sum(weight.normal(0, 0.7, len(CATEGORIES[n]))[code] for n, code in codes.items())
    score = score + 0.03 * (numbers["age"] - 45) - np.log(numbers["income"] / 60_000)
    score = score + 0.02 * (numbers["hours"] - 40) + (numbers["deductions"] > 1200)
    target = (score + rng.logistic(0, 1, count) > 1).astype(np.int64)
    columns: dict[str, list[Any]] = {name: each.tolist() for name, each in numbers.items()}
    for name, words in CATEGORIES.items():
        columns[name] = [words[code] for code in codes[name]]
    for name in _MISSING_IN:
        for row in np.nonzero(rng.random(count) < MISSING_SHARE)[0]:
            columns[name][row] = None
    return Table(columns, target)


@dataclass(frozen=True, slots=True)
class Encoding:
    """Features of a matrix: how a table becomes one, and how a comparison in it is written.

    A feature is a field, or one of its categories.
    """

    features: Sequence[tuple[str, str | None]]
    matrix: Callable[[Table], Matrix]
    test: Callable[[ET.Element, int, float, bool], None]

    @property
    def names(self) -> list[str]:
        """The field of each feature."""
        return [name for name, _ in self.features]


def sets_of(table: Table) -> Encoding:
    """Return categories as ranks by the mean of the target; a comparison is one of sets."""
    orders = {name: _ranked(table, name) for name in CATEGORIES}
    fields = list(FIELDS)

    def column(given: Table, name: str) -> Matrix:
        if name in NUMBERS:
            return given.numbers(name)
        ranks = {word: float(rank) for rank, word in enumerate(orders[name])}
        return np.array([ranks[word] for word in given.columns[name]])

    def test(node: ET.Element, feature: int, threshold: float, left: bool) -> None:
        name = fields[feature]
        if name in NUMBERS:
            compare(node, name, threshold, left)
            return
        cut = int(np.floor(threshold)) + 1
        words = orders[name][:cut] if left else orders[name][cut:]
        inside = add(node, "SimpleSetPredicate", field=name, booleanOperator="isIn")
        add(inside, "Array", type="string", n=len(words)).text = " ".join(words)

    return Encoding(
        [(name, None) for name in fields],
        lambda given: np.column_stack([column(given, name) for name in fields]),
        test,
    )


def ones_of(compare_as: Callable[[float], float] = float) -> Encoding:
    """Return categories as ones and zeros; a comparison is an equality.

    `compare_as` makes the threshold of a number that is written of the one that was learnt.
    """
    pairs = [(name, word) for name, words in CATEGORIES.items() for word in words]
    features = [*((name, None) for name in NUMBERS), *pairs]

    def matrix(given: Table) -> Matrix:
        ones = [_is(given, name, word) for name, word in pairs]
        return np.column_stack([*(given.numbers(name) for name in NUMBERS), *ones])

    def test(node: ET.Element, feature: int, threshold: float, left: bool) -> None:
        name, word = features[feature]
        if word is None:
            compare(node, name, compare_as(threshold), left)
            return
        operator = "notEqual" if left else "equal"
        add(node, "SimplePredicate", field=name, operator=operator, value=word)

    return Encoding(features, matrix, test)


def compare(node: ET.Element, name: str, threshold: float, left: bool) -> None:
    """Write the comparison of a number with a threshold."""
    operator = "lessOrEqual" if left else "greaterThan"
    add(node, "SimplePredicate", field=name, operator=operator, value=float(threshold))


def _ranked(table: Table, name: str) -> list[str]:
    """Return the categories of a field in the order of their mean target."""
    values = np.array(table.columns[name])
    means = {
        word: table.target[values == word].mean() if (values == word).any() else 0.0
        for word in CATEGORIES[name]
    }
    return sorted(means, key=means.__getitem__)


def _is(table: Table, name: str, word: str) -> Matrix:
    return np.array([float(value == word) for value in table.columns[name]])


def _sixty_fourths(values: Matrix) -> Matrix:
    """Round to numbers that 32 bits hold, as scikit-learn's trees do, so that all see the same."""
    return np.round(values * 64) / 64
