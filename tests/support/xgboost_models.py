"""Models trained once with XGBoost 3.2, with rows and what the library itself predicts for them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelstream.messages import Column, Columns

NAMES = ("binary", "classes", "dart", "partition", "poisson", "targets")
_DATA = Path(__file__).parents[1] / "data" / "xgboost"


@dataclass(frozen=True)
class Kept:
    """A saved model, columns to score, and the library's predictions, float32 as float64."""

    model: bytes
    columns: Columns
    predictions: Column


def kept(name: str) -> Kept:
    """Read one of the models."""
    told: dict[str, Any] = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    columns = {each: _column(values) for each, values in told["columns"].items()}
    return Kept(json.dumps(told["model"]).encode(), columns, np.array(told["predictions"]))


def some_rows() -> Columns:
    """Return a few rows of the model `binary`, some with values that are missing."""
    return {name: column[:13] for name, column in kept("binary").columns.items()}


def _column(values: list[Any]) -> Column:
    if any(isinstance(value, str) for value in values):
        return np.array(values, dtype=object)
    return np.array([np.nan if value is None else value for value in values])
