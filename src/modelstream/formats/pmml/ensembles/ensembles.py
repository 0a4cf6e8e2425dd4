"""Make one answer of many (DMG 4.4, Multiple Models: multipleModelMethod).

Arrays have the models first, then the rows, then the labels. Sums run over the models in their
order, as a loop would add them: NumPy does so along the first axis.
"""

from dataclasses import dataclass, replace

import numpy as np

from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pmml.answers.prediction import Prediction, most_probable
from modelstream.formats.pmml.elements.models import SUMS, Segmentation
from modelstream.messages import Column

Precision = type[np.float32] | type[np.float64]

VOTES = frozenset({"majorityVote", "weightedMajorityVote"})
REGRESSIONS = SUMS | {
    "average",
    "weightedAverage",
    "median",
    "weightedMedian",
    "x-weightedMedian",
    "max",
}
CLASSIFICATIONS = VOTES | {"average", "weightedAverage", "median", "max"}


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The answers of all models of an ensemble.

    `values` are numbers or positions of labels, NaN where a model has none; `tables` are the
    probabilities. `asked` says which models count for which rows; None: all for all.
    """

    values: Column
    tables: Column | None
    weights: Column
    asked: Column | None = None


def combine(
    answers: Answers, segmentation: Segmentation, labels: int, *, single: bool, initial: float = 0.0
) -> Prediction:
    """Return one answer a row; `labels` is 0 for a regression, `single` the precision.

    A sum begins with `initial`.
    """
    method = segmentation.multiple_model_method
    answers = replace(answers, weights=method_weights(method, answers.weights))
    answers, absent = _settle(answers, segmentation)
    if not labels:
        dtype = _precision(single=single)
        numbers = _combine_numbers(answers, method, dtype, initial)
        return Prediction(np.where(absent, np.nan, numbers.astype(np.float64)))
    if method in VOTES:
        probabilities = _votes(answers, labels)
        values = most_probable(probabilities)
    elif method in {"average", "weightedAverage"}:
        probabilities = _average(answers, _precision(single=single))
        values = most_probable(probabilities)
    else:
        values, probabilities = _pick(answers, method)
    probabilities[absent] = np.nan
    return Prediction(np.where(absent, np.nan, values), probabilities)


def method_weights(method: str, weights: Column) -> Column:
    """Return the weights that a method counts models with."""
    return weights if method.startswith(("weighted", "x-weighted")) else np.ones(len(weights))


def _settle(answers: Answers, segmentation: Segmentation) -> tuple[Answers, Column]:
    """Return the answers that count, and the rows that stay without one.

    A missing answer leaves its row without one, unless it is to be skipped and no more of the
    weight is missing than may be.
    """
    missing = np.isnan(answers.values)
    asked = answers.asked
    if asked is None:
        absent = np.asarray(missing.any(axis=0))
        if segmentation.missing_prediction_treatment != "skipSegment" or not absent.any():
            return answers, absent
        asked = np.ones_like(missing)
    missing &= asked
    if segmentation.missing_prediction_treatment != "skipSegment":
        return replace(answers, asked=asked), np.asarray(missing.any(axis=0) | ~asked.any(axis=0))
    weight = answers.weights[:, None]
    lost, whole = (weight * missing).sum(axis=0), (weight * asked).sum(axis=0)
    counted = asked & ~missing
    absent = np.asarray(~counted.any(axis=0) | (lost > segmentation.missing_threshold * whole))
    return replace(answers, asked=counted), absent


def _combine_numbers(answers: Answers, method: str, dtype: Precision, initial: float) -> Column:
    if method == "max":
        greatest: Column = _asked_or(answers.values, answers.asked, -np.inf).max(axis=0)
        return greatest
    if method == "median":
        return _median(answers)
    if method.endswith("Median"):
        return _weighted_median(answers)
    total = _weighted_sum(answers.values, answers, dtype, initial)
    if not method.endswith("verage"):
        return total
    mean: Column = total / np.add.reduce(_weights(answers).astype(dtype), axis=0)
    return mean


def _precision(*, single: bool) -> Precision:
    return np.float32 if single else np.float64


def _weighted_sum(
    values: Column, answers: Answers, dtype: Precision, initial: float = 0.0
) -> Column:
    """Return the sum over the models that count, each times its weight."""
    trailing = (...,) + (None,) * (values.ndim - 2)
    asked = None if answers.asked is None else answers.asked[trailing]
    addends: Column = _asked_or(values, asked, 0.0).astype(dtype, copy=False)
    if asked is not None or (answers.weights != 1.0).any():  # else a copy for nothing
        addends = addends * _weights(answers).astype(dtype)[trailing]
    return sum_in_order(addends, initial)


def _weights(answers: Answers) -> Column:
    """Return the weight of each model for each row, or [models, 1] when all count."""
    column = answers.weights[:, None]
    return column if answers.asked is None else column * answers.asked


def _asked_or(values: Column, asked: Column | None, other: float) -> Column:
    return values if asked is None else np.where(asked, values, other)


def _median(answers: Answers) -> Column:
    order = np.sort(_asked_or(answers.values, answers.asked, np.inf), axis=0)
    low, high = _middle(answers)
    row = np.arange(order.shape[1])
    middle: Column = (order[low, row] + order[high, row]) / 2.0
    return middle


def _middle(answers: Answers) -> tuple[Column, Column]:
    """Return the ranks of the middle model or of the two around the middle."""
    models, rows = answers.values.shape
    count = np.full(rows, models) if answers.asked is None else answers.asked.sum(axis=0)
    return np.maximum(count - 1, 0) // 2, np.minimum(count // 2, models - 1)


def _weighted_median(answers: Answers) -> Column:
    """Return the least value at which half of the weight is reached."""
    values = _asked_or(answers.values, answers.asked, np.inf)
    order = np.argsort(values, axis=0, kind="stable")
    weights = np.broadcast_to(_weights(answers), values.shape)
    reached = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    first = (reached >= 0.5 * reached[-1]).argmax(axis=0)
    chosen = np.take_along_axis(order, first[None, :], axis=0)
    median: Column = np.take_along_axis(values, chosen, axis=0)[0]
    return median


def _votes(answers: Answers, labels: int) -> Column:
    """Return each label's share of the votes."""
    models, rows = answers.values.shape
    votes = np.nan_to_num(answers.values).astype(np.intp)
    cells = (np.arange(rows) * labels + votes).ravel()
    weights = np.broadcast_to(_weights(answers), (models, rows)).ravel()
    counts = np.bincount(cells, weights, minlength=rows * labels).reshape(rows, labels)
    shares: Column = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _average(answers: Answers, dtype: Precision) -> Column:
    assert answers.tables is not None
    weights = np.add.reduce(_weights(answers).astype(dtype), axis=0)
    mean: Column = _weighted_sum(answers.tables, answers, dtype) / weights[:, None]
    return mean.astype(np.float64)


def _pick(answers: Answers, method: str) -> tuple[Column, Column]:
    """Return the winning label, and the probabilities of the models that made it win.

    max: the label with the greatest probability of all, and the mean of the models that gave it;
    median: the label with the greatest median, and the mean of the model or two in its middle.
    """
    assert answers.tables is not None
    asked = None if answers.asked is None else answers.asked[:, :, None]
    row = np.arange(answers.values.shape[1])
    if method == "max":
        tables = _asked_or(answers.tables, asked, -np.inf)
        winner = np.nan_to_num(tables.max(axis=0)).argmax(axis=1)
        given = tables[:, row, winner]
        picked = (given == given.max(axis=0))[:, :, None]
        mean = np.where(picked, answers.tables, 0.0).sum(axis=0) / picked.sum(axis=0)
        return winner.astype(np.float64), mean
    order = np.argsort(_asked_or(answers.tables, asked, np.inf), axis=0, kind="stable")
    low, high = (rank[None, :, None] for rank in _middle(answers))
    ends = [np.take_along_axis(order, rank, axis=0) for rank in (low, high)]
    medians = sum(np.take_along_axis(answers.tables, end, axis=0)[0] for end in ends)
    winner = np.nan_to_num(np.asarray(medians)).argmax(axis=1)
    chosen = [end[0, row, winner] for end in ends]
    mean = (answers.tables[chosen[0], row] + answers.tables[chosen[1], row]) / 2.0
    return winner.astype(np.float64), mean
