"""The linear equations of a RegressionModel (DMG 4.4, Regression: RegressionTable).

Sums run in the document's order, without BLAS, which would start threads of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pmml.elements.models import RegressionModel, RegressionTable
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.coded import Lookup
from modelstream.formats.pmml.fields.rows import Plan, Step, Twin, Values
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import Scalar, is_text, parse_declared, round_value
from modelstream.messages import Column

Precision = type[np.float32] | type[np.float64]
_Rows = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equation:
    """The value of an equation, for a batch and for one row."""

    column: Callable[[Batch], Column]
    row: Twin


@dataclass(frozen=True, slots=True)
class _Addend:
    """A part of an equation: for a batch, and, once its fields have places, for one row."""

    column: Callable[[Batch], Column]
    row: Callable[[Plan], Step]


def precision(model: RegressionModel) -> Precision:
    """Return the type that a model computes in."""
    return np.float32 if model.math_context == "float" else np.float64


class Terms:
    """The addends of one model's equations; what equations have in common is computed once."""

    def __init__(self, model: RegressionModel, scope: Scope) -> None:
        self._scope = scope
        self._dtype = precision(model)
        self._settle: Callable[[float], float] = round_value if self._dtype is np.float32 else float
        self._stacks: dict[_Rows, Cell[Column]] = {}
        self._categories: dict[str, _Categories] = {}
        for predictor in (p for table in model.tables for p in table.categorical):
            name = predictor.name
            if name not in self._categories:
                self._categories[name] = _Categories(scope.find(name), scope)
            self._categories[name].add(predictor.value)

    def equation(self, table: RegressionTable) -> Equation:
        """Return an equation ready to run."""
        dtype = self._dtype
        addends: list[_Addend] = []
        for power in dict.fromkeys(p.exponent for p in table.numeric):
            chosen = [p for p in table.numeric if p.exponent == power]
            names = tuple(p.name for p in chosen)
            coefficients = np.array([p.coefficient for p in chosen], self._dtype)
            addends.append(self._linear(names, power, coefficients))
        for name in dict.fromkeys(p.name for p in table.categorical):
            weights = [(p.value, p.coefficient) for p in table.categorical if p.name == name]
            addends.append(self._categorical(name, weights))
        for term in table.terms:
            names = tuple(field.field for field in term.fields)
            addends.append(self._product(names, dtype(term.coefficient)))
        intercept = dtype(table.intercept)

        def value(batch: Batch) -> Column:
            total: Column = np.full(batch.rows, intercept)
            for addend in addends:
                total = total + addend.column(batch)
            return total

        return Equation(value, self._row(float(intercept), addends))

    def _row(self, intercept: float, addends: list[_Addend]) -> Twin:
        settle = self._settle

        def row(plan: Plan) -> int:
            steps = [addend.row(plan) for addend in addends]

            def value(values: Values) -> float:
                total = intercept
                for step in steps:
                    total = settle(total + step(values))
                return total

            return plan.step(value)

        return row

    def _linear(self, names: _Rows, power: int, coefficients: Column) -> _Addend:
        stack, cells = self._stack(names), [self._numeric(name).cell for name in names]
        column = coefficients[:, None]

        def add(batch: Batch) -> Column:
            values = batch.read(stack)
            powers = values if power == 1 else values**power
            return sum_in_order(powers * column)

        def row(plan: Plan) -> Step:
            places = [plan.place(cell) for cell in cells]
            if power != 1:
                plan.careful = True
                return _powers(places, power, coefficients)
            pairs = tuple(zip(places, coefficients.tolist(), strict=True))
            return _weighted(pairs) if self._dtype is np.float64 else self._single(pairs)

        return _Addend(add, row)

    def _single(self, pairs: tuple[tuple[int, float], ...]) -> Step:
        """Return a weighted sum in single precision: rounded after each step, as its type does."""
        settle = self._settle

        def add(values: Values) -> float:
            total = 0.0
            for place, coefficient in pairs:
                total = settle(total + settle(settle(values[place]) * coefficient))
            return total

        return add

    def _categorical(self, name: str, weights: list[tuple[str, float]]) -> _Addend:
        categories = self._categories[name]
        table = np.zeros(len(categories) + 1, self._dtype)  # the last is of any other value
        for value, coefficient in weights:
            table[categories.add(value)] += coefficient
        cell = categories.cell

        def add(batch: Batch) -> Column:
            chosen: Column = table[batch.read(cell)]
            return chosen

        def row(plan: Plan) -> Step:
            weight = dict(zip(categories.values, table.tolist(), strict=False)).get
            at = plan.place(categories.field.cell)
            return lambda values: weight(values[at], 0.0)

        return _Addend(add, row)

    def _product(self, names: _Rows, coefficient: np.float32 | np.float64) -> _Addend:
        stack, cells = self._stack(names), [self._numeric(name).cell for name in names]

        def add(batch: Batch) -> Column:
            product: Column = np.multiply.reduce(batch.read(stack), axis=0) * coefficient
            return product

        def row(plan: Plan) -> Step:
            settle, factor = self._settle, float(coefficient)
            places = tuple(map(plan.place, cells))

            def multiply(values: Values) -> float:
                product = 1.0
                for place in places:
                    product = settle(product * settle(values[place]))
                return settle(product * factor)

            return multiply

        return _Addend(add, row)

    def _stack(self, names: _Rows) -> Cell[Column]:
        """Return the cell of some numeric fields, a row each."""
        if names in self._stacks:
            return self._stacks[names]
        cells = [self._numeric(name).cell for name in names]
        dtype = self._dtype

        def compute(batch: Batch) -> Column:
            stacked = np.empty((len(cells), batch.rows), dtype=dtype)
            for row, cell in zip(stacked, cells, strict=True):
                row[:] = batch.read(cell)
            return stacked

        cell = self._stacks[names] = self._scope.context.cells.make(compute)
        return cell

    def _numeric(self, name: str) -> Field:
        field = self._scope.find(name)
        if is_text(field.data_type):
            raise InvalidModel(f"predictor {name!r} of a RegressionTable is not numeric")
        return field


def _powers(places: list[int], power: int, coefficients: Column) -> Step:
    """Return a weighted sum of powers, which NumPy computes as for a column."""

    def add(values: Values) -> float:
        given = np.array([values[place] for place in places], coefficients.dtype)
        return float(np.add.accumulate(given**power * coefficients)[-1])

    return add


def _weighted(pairs: tuple[tuple[int, float], ...]) -> Step:
    """Return a weighted sum."""
    if len(pairs) == 1:
        ((only, factor),) = pairs
        return lambda values: 0.0 + values[only] * factor
    take, coefficients = itemgetter(*(place for place, _ in pairs)), [each for _, each in pairs]

    def add(values: Values) -> float:
        total = 0.0
        for value, coefficient in zip(take(values), coefficients, strict=True):
            total += value * coefficient
        return total

    return add


class _Categories:
    """The values of one field that equations name; `cell` holds the position of each row's."""

    def __init__(self, field: Field, scope: Scope) -> None:
        self.field = field
        self._positions: dict[Scalar, int] = {}
        self._lookup = Lookup([lambda value: self._positions.get(value, -1)], np.intp)
        self.cell: Cell[Column] = scope.context.cells.make(self._locate)

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def values(self) -> list[Scalar]:
        """The values by their positions."""
        return list(self._positions)

    def add(self, text: str) -> int:
        """Return the position of a value."""
        where = f"CategoricalPredictor {self.field.name!r}"
        value = parse_declared(text, self.field.data_type, where)
        return self._positions.setdefault(value, len(self._positions))

    def _locate(self, batch: Batch) -> Column:
        return self._lookup.column(batch.coded(self.field.cell))
