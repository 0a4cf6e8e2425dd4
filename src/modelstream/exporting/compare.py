"""A converted model against its estimator: the rows that they answer differently, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelstream.exporting.sample import Sample
from modelstream.formats.base import Model
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a model is from its estimator.

    `largest` is the largest difference of a number in the rows that agree, relative where the number
    is above 1. `differing` are the rows that do not, each with the features whose digits beyond
    float32 decide the estimator's own answer: a split of a tree lies there.
    """

    rows: int
    largest: float
    differing: dict[int, tuple[str, ...]]

    def unexplained(self) -> list[int]:
        """Return the rows that differ though the estimator is sure of them."""
        return [row for row, features in self.differing.items() if not features]


def compare(estimator: Any, model: Model, sample: Sample, tolerance: float) -> Comparison:
    """Let both answer the sample; rows differ in their label, or in a number by more than tolerance."""
    scores = model.score(sample.columns)
    expected = _answers(estimator, sample.table)
    found = _alike(model, scores, expected)
    distance = _distance(expected, found)
    distance[list(scores.errors)] = np.inf
    rows = np.flatnonzero(~(distance <= tolerance)).tolist()
    agreeing = distance[distance <= tolerance]
    largest = float(agreeing.max()) if len(agreeing) else 0.0
    return Comparison(
        len(sample), largest, _explained(estimator, sample, expected, rows, tolerance)
    )


def _answers(estimator: Any, table: Any) -> list[Column]:
    """Return what the estimator answers: its label or number, and probabilities where it has them."""
    calls = ["predict"] if hasattr(estimator, "predict") else ["transform"]
    calls += [name for name in ("predict_proba",) if hasattr(estimator, name)]
    return [np.asarray(getattr(estimator, name)(table)) for name in calls]


def _alike(model: Model, scores: Any, expected: Sequence[Column]) -> list[Column]:
    """Return a model's outputs in the shapes of the estimator's answers."""
    names = [field.name for field in model.outputs]
    found = [scores[names[0]].reshape(expected[0].shape)]
    if len(expected) > 1:
        wide = np.column_stack([scores[name] for name in names[1:]])
        found.append(wide.reshape(expected[1].shape))
    return found


def _distance(first: Sequence[Column], second: Sequence[Column]) -> Column:
    """Return how far the answers to each row are apart: the farthest of them, infinite for labels."""
    parts = [_apart(one, other) for one, other in zip(first, second, strict=True)]
    distance: Column = np.max(parts, axis=0)
    return distance


def _apart(one: Column, other: Column) -> Column:
    if one.dtype.kind == "f":
        scale = np.maximum(1.0, np.abs(one))
        apart = np.abs(one - other) / scale
        apart[np.isnan(one) & np.isnan(other)] = 0.0
    else:
        one = one.astype(np.int64) if one.dtype.kind == "b" else one
        apart = np.where(one.astype(str) == other.astype(str), 0.0, np.inf)
    farthest: Column = apart.reshape(len(apart), -1).max(axis=1)
    return farthest


def _explained(
    estimator: Any, sample: Sample, expected: list[Column], rows: list[int], tolerance: float
) -> dict[int, tuple[str, ...]]:
    """Find the features whose last digits decide the estimator's answer to each of the rows."""
    features: dict[int, dict[str, None]] = {row: {} for row in rows}
    if rows:
        for name, table in sample.nudged():
            moved = _distance(expected, _answers(estimator, table))
            for row in rows:
                if moved[row] > tolerance:
                    features[row][name] = None
    return {row: tuple(names) for row, names in features.items()}
