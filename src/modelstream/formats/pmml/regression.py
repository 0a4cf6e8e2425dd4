"""Compile RegressionModel: linear equations and the functions that make probabilities of them.

DMG 4.4, Regression. A missing NumericPredictor or PredictorTerm gives a missing answer, a missing
CategoricalPredictor adds nothing. Sums run in the document's order, without BLAS, which would
start threads of its own.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.base import OpType
from modelstream.formats.pmml.elements.models import RegressionModel, RegressionTable
from modelstream.formats.pmml.links import INVERSE_LINKS, softmax
from modelstream.formats.pmml.prediction import Body, Prediction, most_probable
from modelstream.formats.pmml.scope import Field, Scope
from modelstream.formats.pmml.values import Scalar, is_text, parse_declared
from modelstream.messages import Column

Equation = Callable[[Batch], Column]
_Rows = tuple[str, ...]
Precision = type[np.float32] | type[np.float64]


def compile_regression(model: RegressionModel, scope: Scope, optype: OpType) -> Body:
    """Return a RegressionModel's rule; `optype` is the target's."""
    terms = _Terms(model, scope)
    equations = [terms.equation(table) for table in model.tables]
    if model.function_name == "regression":
        answer = _regression(model, equations)
        labels: tuple[str, ...] = ()
    else:
        labels = _labels(model)
        answer = _classification(model, equations, ordinal=optype == "ordinal")
    return Body(labels, scope.context.cells.make(answer))


def _regression(model: RegressionModel, equations: list[Equation]) -> Callable[[Batch], Prediction]:
    if len(equations) != 1:
        raise InvalidModel(f"a regression needs one RegressionTable, it has {len(equations)}")
    method, equation = model.normalization_method, equations[0]
    if method == "simplemax":
        raise InvalidModel("normalizationMethod='simplemax' is for classifications")
    link = INVERSE_LINKS["logit" if method == "softmax" else method]
    return lambda batch: Prediction(link(equation(batch)).astype(np.float64))


def _labels(model: RegressionModel) -> tuple[str, ...]:
    labels = [table.target_category for table in model.tables]
    if len(labels) < 2 or len(set(labels)) < len(labels) or None in labels:
        raise InvalidModel("a classification needs a RegressionTable for each targetCategory")
    return tuple(str(label) for label in labels)


def _classification(
    model: RegressionModel, equations: list[Equation], *, ordinal: bool
) -> Callable[[Batch], Prediction]:
    normalize = _normalization(model, len(equations), ordinal=ordinal)

    def answer(batch: Batch) -> Prediction:
        scores = np.stack([equation(batch) for equation in equations], axis=1)
        probabilities = normalize(scores).astype(np.float64)
        return Prediction(most_probable(probabilities), probabilities)

    return answer


def _normalization(
    model: RegressionModel, categories: int, *, ordinal: bool
) -> Callable[[Column], Column]:
    """Return what makes the probabilities of all categories from the values of all equations."""
    method = model.normalization_method
    if method == "softmax":
        return softmax
    if method == "simplemax":
        return lambda scores: scores / scores.sum(axis=1, keepdims=True)
    link = INVERSE_LINKS[method]
    if ordinal:
        return lambda scores: _differences(link(scores[:, :-1]))
    if categories == 2:
        return lambda scores: _complete(link(scores[:, :1]))
    if method == "none":
        return lambda scores: _complete(scores[:, :-1])
    raise UnsupportedModel(
        f"normalizationMethod={method!r} with {categories} categories is not evaluated; "
        "supported: softmax, simplemax, none"
    )


def _complete(probabilities: Column) -> Column:
    """Add the last category, which has what the others leave."""
    last = 1.0 - probabilities.sum(axis=1, keepdims=True)
    return np.concatenate([probabilities, last.astype(probabilities.dtype)], axis=1)


def _differences(cumulative: Column) -> Column:
    """Return the probabilities of ordered categories from those of their being reached."""
    edge = np.zeros_like(cumulative[:, :1])
    return np.diff(np.concatenate([edge, cumulative, edge + 1], axis=1), axis=1)


def _precision(model: RegressionModel) -> Precision:
    return np.float32 if model.math_context == "float" else np.float64


class _Terms:
    """The addends of one model's equations; what equations have in common is computed once."""

    def __init__(self, model: RegressionModel, scope: Scope) -> None:
        self._scope = scope
        self._dtype = _precision(model)
        self._stacks: dict[_Rows, Cell[Column]] = {}
        self._categories: dict[str, _Categories] = {}
        for predictor in (p for table in model.tables for p in table.categorical):
            name = predictor.name
            if name not in self._categories:
                self._categories[name] = _Categories(scope.find(name), scope)
            self._categories[name].add(predictor.value)

    def equation(self, table: RegressionTable) -> Equation:
        """Return the value of an equation."""
        dtype = self._dtype
        addends: list[Equation] = []
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
                total = total + addend(batch)
            return total

        return value

    def _linear(self, names: _Rows, power: int, coefficients: Column) -> Equation:
        stack = self._stack(names)
        column = coefficients[:, None]

        def add(batch: Batch) -> Column:
            values = batch.read(stack)
            powers = values if power == 1 else values**power
            total: Column = np.add.reduce(powers * column, axis=0)
            return total

        return add

    def _categorical(self, name: str, weights: list[tuple[str, float]]) -> Equation:
        categories = self._categories[name]
        table = np.zeros(len(categories) + 1, self._dtype)  # the last is of any other value
        for value, coefficient in weights:
            table[categories.add(value)] += coefficient
        cell = categories.cell

        def add(batch: Batch) -> Column:
            chosen: Column = table[batch.read(cell)]
            return chosen

        return add

    def _product(self, names: _Rows, coefficient: np.float32 | np.float64) -> Equation:
        stack = self._stack(names)

        def add(batch: Batch) -> Column:
            product: Column = np.multiply.reduce(batch.read(stack), axis=0) * coefficient
            return product

        return add

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


class _Categories:
    """The values of one field that equations name; `cell` holds the position of each row's."""

    def __init__(self, field: Field, scope: Scope) -> None:
        self._field = field
        self._positions: dict[Scalar, int] = {}
        self.cell: Cell[Column] = scope.context.cells.make(self._locate)

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, text: str) -> int:
        """Return the position of a value."""
        where = f"CategoricalPredictor {self._field.name!r}"
        value = parse_declared(text, self._field.data_type, where)
        return self._positions.setdefault(value, len(self._positions))

    def _locate(self, batch: Batch) -> Column:
        values = batch.read(self._field.cell).tolist()
        return np.array([self._positions.get(value, -1) for value in values], dtype=np.intp)
