"""Make one answer of many for one row: sums, averages and votes of models that all count.

What else there is, `ensembles` does for columns alone. Sums run as they run there, in the order of
the models and in the same precision, so that answers are the same to the last bit.
"""

from collections.abc import Callable

import numpy as np

from modelstream.formats.pmml.answers.prediction import predict_one
from modelstream.formats.pmml.elements.models import SUMS, Segmentation
from modelstream.formats.pmml.ensembles.ensembles import VOTES, method_weights
from modelstream.formats.pmml.fields.rows import Declined, RowPrediction
from modelstream.messages import Column

# Takes the numbers or positions of all models, or their probabilities, a row a model.
CombineOne = Callable[[Column | None, Column | None], RowPrediction]
_AVERAGES = frozenset({"average", "weightedAverage"})


def combine_one(
    segmentation: Segmentation, weights: Column, labels: int, *, single: bool, initial: float
) -> CombineOne | None:
    """Return what makes one answer of one row; None where columns are the only way.

    Numbers in it may overflow or be invalid, so it runs where NumPy raises.
    """
    method = segmentation.multiple_model_method
    weights = method_weights(method, weights)
    dtype = np.float32 if single else np.float64
    if labels and method in VOTES:
        combine = _votes(weights, labels)
    elif labels and labels > 1 and method in _AVERAGES:
        combine = _average(weights.astype(dtype))
    elif not labels and method in SUMS | _AVERAGES:
        combine = _sum(weights.astype(dtype), initial, average=method in _AVERAGES)
    else:
        return None
    if segmentation.missing_prediction_treatment != "skipSegment":
        return combine

    def unless_missing(values: Column | None, tables: Column | None) -> RowPrediction:
        prediction = combine(values, tables)
        if prediction.value != prediction.value:  # NaN is not itself
            raise Declined  # some segments count, perhaps
        return prediction

    return unless_missing


def _sum(weights: Column, initial: float, *, average: bool) -> CombineOne:
    plain, dtype = bool((weights == 1.0).all()), weights.dtype
    whole = np.add.reduce(weights[:, None], axis=0)[0]
    first = np.array([initial], dtype)

    def combine(values: Column | None, _: Column | None) -> RowPrediction:
        assert values is not None
        addends = values.astype(dtype, copy=False)
        if not plain:
            addends = addends * weights
        if initial:
            addends = np.concatenate([first, addends])
        total = np.add.accumulate(addends)[-1]
        return RowPrediction(float(total / whole if average else total))

    return combine


def _average(weights: Column) -> CombineOne:
    plain, dtype = bool((weights == 1.0).all()), weights.dtype
    whole, column = np.add.reduce(weights[:, None], axis=0)[0], weights[:, None]

    def combine(_: Column | None, tables: Column | None) -> RowPrediction:
        assert tables is not None
        addends = tables.astype(dtype, copy=False)
        mean = np.add.reduce(addends if plain else addends * column, axis=0) / whole
        return predict_one(mean.tolist())

    return combine


def _votes(weights: Column, labels: int) -> CombineOne:
    def combine(values: Column | None, _: Column | None) -> RowPrediction:
        assert values is not None
        counts = np.bincount(values.astype(np.intp), weights, minlength=labels)
        return predict_one((counts / counts.sum()).tolist())

    return combine
