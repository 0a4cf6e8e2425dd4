"""The linear predictors of a GeneralRegressionModel: parameters, computed from predictors.

DMG 4.4, General Regression: PPMatrix and ParamMatrix. A parameter is the product of its cells: a
covariate to a power, or how a factor's value is coded; one without cells is the intercept. A
missing predictor makes the answer missing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.generalregression import (
    GeneralRegressionModel,
    PPCell,
    Predictor,
)
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.codes import MISSING, code_cell
from modelstream.formats.pmml.fields.rows import Plan, Step, Twin, Values, applied, of_cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import Scalar, is_text, parse_declared
from modelstream.formats.pmml.models.matrices import matrix_table
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class _Product:
    """A parameter times its beta."""

    cells: tuple[Cell[Column], ...]
    beta: float

    def column(self, batch: Batch) -> Column | float:
        """Return it for each row."""
        product: Column | float = 1.0
        for cell in self.cells:
            product = product * batch.read(cell)
        return product * self.beta

    def step(self, plan: Plan) -> Step:
        """Return what computes it once its cells have places."""
        places, beta = [plan.place(cell) for cell in self.cells], self.beta
        if not places:
            return lambda _: beta
        if len(places) == 1:
            only = places[0]
            return lambda values: values[only] * beta

        def multiply(values: Values) -> float:
            product = 1.0
            for place in places:
                product *= values[place]
            return product * beta

        return multiply


@dataclass(frozen=True, slots=True)
class _Table:
    """Parameters on end that are one where a factor has one value each, times their betas."""

    factor: "_Factor"
    betas: dict[int, float]

    def column(self, batch: Batch) -> Column:
        """Return it for each row."""
        weights = np.zeros(len(self.factor) + 2)  # the last two are of codes below zero
        weights[list(self.betas)] = list(self.betas.values())
        found: Column = weights[batch.read(self.factor.codes)]
        return found

    def step(self, plan: Plan) -> Step:
        """Return what looks it up once the factor has a place."""
        if not is_text(self.factor.source.data_type):
            at, find = plan.place(self.factor.codes), self.betas.get
            return lambda values: find(values[at], 0.0)
        at = plan.place(self.factor.source.cell)
        weights = self.factor.by_value(self.betas).get
        return lambda values: weights(values[at], 0.0)


class Design:
    """The parameters of a model, each a column of numbers."""

    def __init__(self, model: GeneralRegressionModel, scope: Scope) -> None:
        self._model = model
        self._scope = scope
        self._factors = {p.name: _Factor(p, scope) for p in model.factors.predictors}
        self._covariates = {p.name for p in model.covariates.predictors}
        self._cells: dict[tuple[str, str], Cell[Column]] = {}
        self._names = {p.name for p in model.parameters.parameters}
        self._columns: dict[str, list[PPCell]] = {}
        for cell in model.design.cells:
            self._known(cell.parameter_name, "PPCell")
            self._columns.setdefault(cell.parameter_name, []).append(cell)

    def predictor(self, category: str | None) -> Cell[Column]:
        """Return the linear predictor of a target category; None: of those that name none."""
        betas: dict[str, float] = {}
        for cell in self._model.coefficients.cells:
            if cell.target_category not in {None, category}:
                continue
            self._known(cell.parameter_name, "PCell")
            if cell.parameter_name in betas:
                raise InvalidModel(f"parameter {cell.parameter_name!r} has two PCells for one use")
            betas[cell.parameter_name] = cell.beta
        parts = self._parts(betas, category)

        def compute(batch: Batch) -> Column:
            total = np.zeros(batch.rows)
            for part in parts:
                total += part.column(batch)
            return total

        return self._scope.context.cells.make(compute, _sum_row(parts))

    def _parts(self, betas: dict[str, float], category: str | None) -> list[_Product | _Table]:
        """Return the addends: a look-up for parameters on end that are one factor's, or products."""
        parts: list[_Product | _Table] = []
        for name, beta in betas.items():
            meant = self._meant(name, category)
            factor = self._factors.get(meant[0].predictor_name) if len(meant) == 1 else None
            code = None if factor is None else factor.indicated(meant[0].value)
            if factor is None or code is None or not math.isfinite(beta):
                parts.append(_Product(self._product(name, category), beta))
                continue
            last = parts[-1] if parts else None
            if not isinstance(last, _Table) or last.factor is not factor or code in last.betas:
                last = _Table(factor, {MISSING: math.nan})
                parts.append(last)
            last.betas[code] = beta
        return parts

    def _known(self, name: str, tag: str) -> None:
        if name not in self._names:
            raise InvalidModel(f"{tag}: parameter {name!r} is not in the ParameterList")

    def _product(self, name: str, category: str | None) -> tuple[Cell[Column], ...]:
        """Return the columns whose product a parameter is, for one target category."""
        meant = self._meant(name, category)
        return tuple(self._column(cell.predictor_name, cell.value) for cell in meant)

    def _meant(self, name: str, category: str | None) -> list[PPCell]:
        cells = self._columns.get(name, [])
        return [cell for cell in cells if cell.target_category in {None, category}]

    def _column(self, name: str, value: str) -> Cell[Column]:
        known = self._cells.get((name, value))
        if known is None:
            known = self._cells[name, value] = self._build(name, value)
        return known

    def _build(self, name: str, value: str) -> Cell[Column]:
        factor = self._factors.get(name)
        if factor is not None:
            return factor.coded(value)
        if name not in self._covariates:
            raise InvalidModel(f"predictor {name!r} is neither in the FactorList nor a covariate")
        exponent = number(value, f"PPCell of covariate {name!r}")
        source = numeric_field(name, self._scope).cell
        if exponent == 1.0:
            return source
        return self._scope.context.cells.make(
            lambda batch: batch.read(source) ** exponent,
            applied(
                [of_cell(source)],
                lambda value: float((np.array([value]) ** exponent)[0]),
                careful=True,
            ),
        )


def _sum_row(parts: Sequence[_Product | _Table]) -> Twin:
    """Return the twin of a sum."""

    def row(plan: Plan) -> int:
        steps = [part.step(plan) for part in parts]

        def predict(values: Values) -> float:
            total = 0.0
            for step in steps:
                total += step(values)
            return total

        return plan.step(predict)

    return row


class _Factor:
    """A categorical predictor, and how its values are coded."""

    def __init__(self, predictor: Predictor, scope: Scope) -> None:
        self.source = scope.find(predictor.name)
        self._where = f"factor {predictor.name!r}"
        self._cells = scope.context.cells
        listed = () if predictor.categories is None else predictor.categories.categories
        declared = [category.value for category in listed] or list(self.source.values)
        self._positions: dict[Scalar, int] = {}
        self._contrasts: Column | None = None
        if predictor.matrix is not None:
            self._contrasts = self._matrix(predictor, declared)
        self.codes: Cell[Column] = code_cell(self.source, self._positions, scope)

    def __len__(self) -> int:
        return len(self._positions)

    def coded(self, value: str) -> Cell[Column]:
        """Return what stands for each row's category in the column of a category."""
        position = self._position(value)
        if self._contrasts is None:
            indicate = {position: 1.0, MISSING: math.nan}.get
            row = applied([of_cell(self.codes)], lambda code: indicate(code, 0.0))
            return self._cells.make(lambda batch: self._indicator(batch, position), row)
        if position >= self._contrasts.shape[1]:
            raise InvalidModel(f"{self._where}: the Matrix has no column for category {value!r}")
        # A missing value has no code, nor has one that the matrix does not know.
        codes = np.append(self._contrasts[:, position], [np.nan, np.nan])
        row = applied([of_cell(self.codes)], codes.tolist().__getitem__)
        return self._cells.make(lambda batch: codes[batch.read(self.codes)], row)

    def indicated(self, value: str) -> int | None:
        """Return the code that a value's column is one for, zero for others; None: not so."""
        return self._position(value) if self._contrasts is None else None

    def by_value(self, betas: dict[int, float]) -> dict[Scalar, float]:
        """Return what there is for codes by the values that they stand for."""
        known = {value: betas[code] for value, code in self._positions.items() if code in betas}
        return {**known, None: betas[MISSING]}

    def _matrix(self, predictor: Predictor, declared: Sequence[str]) -> Column:
        assert predictor.matrix is not None
        table = matrix_table(predictor.matrix, self._where)
        for category in declared:
            self._position(category)
        if len(self._positions) != len(table) or len(table) - table.shape[1] not in {0, 1}:
            raise InvalidModel(
                f"{self._where} has {len(self._positions)} categories, for which a Matrix of "
                f"shape {table.shape} does not do"
            )
        return table

    def _position(self, value: str) -> int:
        known = len(self._positions)
        parsed = parse_declared(value, self.source.data_type, self._where)
        if self._contrasts is not None and parsed not in self._positions:
            raise InvalidModel(f"{self._where} has no category {value!r}")
        return self._positions.setdefault(parsed, known)

    def _indicator(self, batch: Batch, position: int) -> Column:
        codes = batch.read(self.codes)
        return np.where(codes == MISSING, np.nan, (codes == position).astype(np.float64))


def numeric_field(name: str, scope: Scope) -> Field:
    """Return a field that must be numeric."""
    field = scope.find(name)
    if is_text(field.data_type):
        raise InvalidModel(f"field {name!r} is used as a number and is a string")
    return field


def number(text: str, where: str) -> float:
    """Read a number. Raises InvalidModel."""
    try:
        return float(text)
    except ValueError:
        raise InvalidModel(f"{where}: {text!r} is not a number") from None
