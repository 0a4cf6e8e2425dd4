"""The linear predictors of a GeneralRegressionModel: parameters, computed from predictors.

DMG 4.4, General Regression: PPMatrix and ParamMatrix. A parameter is the product of its cells: a
covariate to a power, or how a factor's value is coded; one without cells is the intercept. A
missing predictor makes the answer missing.
"""

from collections.abc import Sequence

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.codes import MISSING, code_cell
from modelstream.formats.pmml.elements.generalregression import (
    GeneralRegressionModel,
    PPCell,
    Predictor,
)
from modelstream.formats.pmml.matrices import matrix_table
from modelstream.formats.pmml.scope import Field, Scope
from modelstream.formats.pmml.values import Scalar, is_text, parse_declared
from modelstream.messages import Column

_Product = tuple[Cell[Column], ...]


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
        products = [self._product(name, category) for name in betas]
        weights = np.array(list(betas.values()), dtype=np.float64)

        def compute(batch: Batch) -> Column:
            table = np.ones((len(products), batch.rows))
            for place, product in enumerate(products):
                for column in product:
                    table[place] *= batch.read(column)
            total: Column = np.add.reduce(table * weights[:, None], axis=0)
            return total

        return self._scope.context.cells.make(compute)

    def _known(self, name: str, tag: str) -> None:
        if name not in self._names:
            raise InvalidModel(f"{tag}: parameter {name!r} is not in the ParameterList")

    def _product(self, name: str, category: str | None) -> _Product:
        """Return the columns whose product a parameter is, for one target category."""
        cells = self._columns.get(name, [])
        meant = [cell for cell in cells if cell.target_category in {None, category}]
        return tuple(self._column(cell.predictor_name, cell.value) for cell in meant)

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
        return self._scope.context.cells.make(lambda batch: batch.read(source) ** exponent)


class _Factor:
    """A categorical predictor, and how its values are coded."""

    def __init__(self, predictor: Predictor, scope: Scope) -> None:
        self._field = scope.find(predictor.name)
        self._where = f"factor {predictor.name!r}"
        self._cells = scope.context.cells
        listed = () if predictor.categories is None else predictor.categories.categories
        declared = [category.value for category in listed] or list(self._field.values)
        self._positions: dict[Scalar, int] = {}
        self._contrasts: Column | None = None
        if predictor.matrix is not None:
            self._contrasts = self._matrix(predictor, declared)
        self._codes: Cell[Column] = code_cell(self._field, self._positions, scope)

    def coded(self, value: str) -> Cell[Column]:
        """Return what stands for each row's category in the column of a category."""
        position = self._position(value)
        if self._contrasts is None:
            return self._cells.make(lambda batch: self._indicator(batch, position))
        if position >= self._contrasts.shape[1]:
            raise InvalidModel(f"{self._where}: the Matrix has no column for category {value!r}")
        # A missing value has no code, nor has one that the matrix does not know.
        codes = np.append(self._contrasts[:, position], [np.nan, np.nan])
        return self._cells.make(lambda batch: codes[batch.read(self._codes)])

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
        parsed = parse_declared(value, self._field.data_type, self._where)
        if self._contrasts is not None and parsed not in self._positions:
            raise InvalidModel(f"{self._where} has no category {value!r}")
        return self._positions.setdefault(parsed, known)

    def _indicator(self, batch: Batch, position: int) -> Column:
        codes = batch.read(self._codes)
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
