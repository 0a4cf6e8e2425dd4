"""What a model of any kind answers for a batch, before it is written to columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import RowPrediction
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import is_missing
from modelstream.messages import Column

# Gives the answer to an output of a feature that only some models have.
OwnFeature = Callable[[OutputField], Compiled]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One model's answers.

    `values` are numbers of a regression or positions of labels of a classification, NaN where
    there is none. Tables have a row a row and a column a label, NaN where there is no answer.
    """

    values: Column
    probabilities: Column | None = None
    confidences: Column | None = None


# Answers for a batch.
Answer = Callable[[Batch], Prediction]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A model's rule ready to run: its labels, none for a regression, and its answers.

    `entities` holds the id of what answered each row, for models that have such ids. `features`
    are output features of this kind of model alone. A model without `probable` is a classification
    that gives no probabilities; one without `predicts` answers with its outputs alone. The
    features of one with `lists` can answer with several values at once.
    """

    labels: tuple[str, ...]
    cell: Cell[Prediction]
    entities: Cell[Column] | None = None
    features: Mapping[str, OwnFeature] = field(default_factory=dict)
    probable: bool = True
    predicts: bool = True
    lists: bool = False


def most_probable(probabilities: Column) -> Column:
    """Return the position of each row's greatest probability, the first of equals; NaN: none."""
    absent = np.isnan(probabilities).any(axis=1)
    best = np.where(np.isnan(probabilities), -np.inf, probabilities).argmax(axis=1)
    return np.where(absent, np.nan, best)


def predict_one(probabilities: Sequence[float]) -> RowPrediction:
    """Return the answer of one row that these probabilities make."""
    for probability in probabilities:
        if probability != probability:  # noqa: PLR0124  # NaN is not itself
            return RowPrediction(np.nan, probabilities)
    return RowPrediction(probabilities.index(max(probabilities)), probabilities)


def relabel(prediction: Prediction, labels: tuple[str, ...], wanted: tuple[str, ...]) -> Prediction:
    """Return the answers in other labels, which contain the model's own."""
    if labels == wanted:
        return prediction
    positions = np.array([*(wanted.index(label) for label in labels), np.nan])
    known = np.where(np.isnan(prediction.values), len(labels), prediction.values)
    return Prediction(
        positions[known.astype(np.intp)],
        _relabel_table(prediction.probabilities, labels, wanted),
        _relabel_table(prediction.confidences, labels, wanted),
    )


def relabel_one(
    prediction: RowPrediction, labels: tuple[str, ...], wanted: tuple[str, ...]
) -> RowPrediction:
    """Return the same for one row."""
    if labels == wanted:
        return prediction
    value = prediction.value
    return RowPrediction(
        value if is_missing(value) else wanted.index(labels[int(value)]),
        _relabel_shares(prediction.probabilities, labels, wanted),
        _relabel_shares(prediction.confidences, labels, wanted),
    )


def _relabel_shares(
    shares: Sequence[float] | None, labels: tuple[str, ...], wanted: tuple[str, ...]
) -> Sequence[float] | None:
    if shares is None:
        return None
    other = np.nan if any(map(is_missing, shares)) else 0.0
    known = dict(zip(labels, shares, strict=True))
    return [known.get(label, other) for label in wanted]


def _relabel_table(
    table: Column | None, labels: tuple[str, ...], wanted: tuple[str, ...]
) -> Column | None:
    if table is None:
        return None
    wide = np.where(np.isnan(table).any(axis=1, keepdims=True), np.nan, np.zeros(len(wanted)))
    wide[:, [wanted.index(label) for label in labels]] = table
    return wide


def spread(column: Column, rows: Column, total: int) -> Column:
    """Return a column or table of some rows as one of all rows, missing in the others."""
    shape = (total, *column.shape[1:])
    full = np.full(shape, None if column.dtype == object else np.nan, dtype=column.dtype)
    full[rows] = column
    return full


def spread_prediction(prediction: Prediction, rows: Column, total: int) -> Prediction:
    """Return the answers of some rows as those of all rows, missing in the others."""
    tables = (
        None if table is None else spread(table, rows, total)
        for table in (prediction.probabilities, prediction.confidences)
    )
    return Prediction(spread(prediction.values, rows, total), *tables)


def first_answer(predictions: list[Prediction], asked: list[Column]) -> Prediction:
    """Return for each row the answer of the first model that was asked for it.

    All are in the same labels.
    """
    values = np.full(len(asked[0]), np.nan)
    tables = [p.probabilities for p in predictions if p.probabilities is not None]
    table = np.full_like(tables[0], np.nan) if len(tables) == len(predictions) else None
    left = np.ones(len(values), dtype=np.bool_)
    for prediction, mask in zip(predictions, asked, strict=True):
        rows = left & mask
        values[rows] = prediction.values[rows]
        if table is not None and prediction.probabilities is not None:
            table[rows] = prediction.probabilities[rows]
        left &= ~mask
    return Prediction(values, table)


def join_predictions(parts: list[Prediction]) -> Prediction:
    """Return the answers of consecutive parts of a batch as one."""
    tables = [part.probabilities for part in parts if part.probabilities is not None]
    return Prediction(
        np.concatenate([part.values for part in parts]),
        np.concatenate(tables) if tables else None,
    )
