"""The two ways in which a PMML model scores: by columns, and a small batch row by row."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from modelstream.formats.pmml.model import PmmlModel
from modelstream.messages import Column, Columns, Scores

# What an ensemble's kernel adds up itself, it adds in an order of its own.
TOLERANCE = 1e-12


def by_columns(model: PmmlModel, columns: Columns) -> Scores:
    """Return the answers of the column path."""
    return replace(model, rowwise=None).score(columns)


def row_of(columns: Columns, row: int) -> Columns:
    """Return one row as a batch."""
    return {name: column[row : row + 1] for name, column in columns.items()}


def same(one: Any, other: Any, tolerance: float = 0.0) -> bool:
    """Tell whether two answers are the same; to the last bit unless told otherwise."""
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or math.isclose(one, other, rel_tol=tolerance, abs_tol=0.0)
    return bool(one == other)


def differences(model: PmmlModel, columns: Columns, tolerance: float = 0.0) -> list[str]:
    """Return where the two paths differ; a row that is rejected must be left to the columns."""
    assert model.rowwise is not None
    whole = by_columns(model, columns)
    found: list[str] = []
    for row in range(len(next(iter(columns.values())))):
        one = row_of(columns, row)
        alone, scores = model.rowwise.score(one), model.score(one)
        if row in whole.errors:
            if alone is not None or scores.errors != {0: whole.errors[row]}:
                found.append(f"row {row}: {whole.errors[row]!r} is {scores.errors}")
            continue
        for name, column in whole.items():
            for way in (scores,) if alone is None else (scores, alone):
                wanted, given = column.tolist()[row], way[name].tolist()[0]
                if not same(wanted, given, tolerance):
                    found.append(f"row {row}, {name}: {wanted!r} is {given!r}")
    return found


def declined(model: PmmlModel, columns: Columns) -> list[int]:
    """Return the rows that are left to the columns though nothing is wrong with them."""
    assert model.rowwise is not None
    errors = by_columns(model, columns).errors
    rows = range(len(next(iter(columns.values()))))
    return [r for r in rows if r not in errors and model.rowwise.score(row_of(columns, r)) is None]


def objects(values: list[Any]) -> Column:
    """Return values of any kind as a column."""
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made
