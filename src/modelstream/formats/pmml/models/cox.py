"""The cumulative hazard of a Cox regression (DMG 4.4, General Regression: scoring algorithm)."""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.generalregression import (
    BaselineCell,
    GeneralRegressionModel,
)
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.codes import code_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import Scalar, parse_declared
from modelstream.formats.pmml.models.design import numeric_field
from modelstream.messages import Column


def compile_hazard(
    model: GeneralRegressionModel, predictor: Cell[Column], scope: Scope
) -> Callable[[Batch], Column]:
    """Return the cumulative hazard up to each row's end time.

    Missing where the time is missing or after the last one known, or the stratum is not known.
    """
    if model.end_time_variable is None:
        raise InvalidModel("a Cox regression needs an endTimeVariable")
    time = numeric_field(model.end_time_variable, scope).cell
    tables, strata = _baselines(model, scope)
    betas = {cell.parameter_name: cell.beta for cell in model.coefficients.cells}
    centre = sum(p.reference_point * betas.get(p.name, 0.0) for p in model.parameters.parameters)

    def hazard(batch: Batch) -> Column:
        times = batch.read(time)
        stratum = strata(batch)
        baseline = np.full(batch.rows, np.nan)
        for number, table in enumerate(tables):
            rows = stratum == number
            baseline[rows] = table(times[rows])
        cumulative: Column = baseline * np.exp(batch.read(predictor) - centre)
        return cumulative

    return hazard


def _baselines(
    model: GeneralRegressionModel, scope: Scope
) -> tuple[list[Callable[[Column], Column]], Callable[[Batch], Column]]:
    """Return the baseline hazards of the strata, and which of them each row is in."""
    hazards = model.hazards
    if hazards is None:
        raise InvalidModel("a Cox regression needs BaseCumHazardTables")
    if model.baseline_strata_variable is None:
        if hazards.max_time is None:
            raise InvalidModel("BaseCumHazardTables without strata need a maxTime")
        table = _steps(hazards.cells, hazards.max_time)
        return [table], lambda batch: np.zeros(batch.rows, dtype=np.intp)
    field = scope.find(model.baseline_strata_variable)
    positions: dict[Scalar, int] = {}
    for number, stratum in enumerate(hazards.strata):
        value = parse_declared(stratum.value, field.data_type, "BaselineStratum")
        if positions.setdefault(value, number) != number:
            raise InvalidModel(f"BaselineStratum {stratum.value!r} is given twice")

    codes = code_cell(field, positions, scope)
    return [
        _steps(stratum.cells, stratum.max_time) for stratum in hazards.strata
    ], lambda batch: batch.read(codes)


def _steps(cells: tuple[BaselineCell, ...], max_time: float) -> Callable[[Column], Column]:
    """Return the hazard of the last time that is not after the one asked for; none before all."""
    ordered = sorted(cells, key=lambda cell: cell.time)
    times = np.array([cell.time for cell in ordered])
    hazards = np.array([0.0, *(cell.cum_hazard for cell in ordered)])

    def step(asked: Column) -> Column:
        found = hazards[np.searchsorted(times, asked, side="right")]
        return np.where(asked <= max_time, found, np.nan)

    return step
