"""Compile RegressionModel: linear equations and the functions that make probabilities of them.

DMG 4.4, Regression. A missing NumericPredictor or PredictorTerm gives a missing answer, a missing
CategoricalPredictor adds nothing.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import (
    Answer,
    Body,
    Prediction,
    most_probable,
    predict_one,
)
from modelstream.formats.pmml.elements.base import OpType
from modelstream.formats.pmml.elements.models import RegressionModel
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import RowPrediction, Twin, applied
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import round_value
from modelstream.formats.pmml.functions.links import (
    ADDED_IN_ORDER_MAX,
    INVERSE_LINKS,
    link_one,
    softmax,
    softmax_one,
)
from modelstream.formats.pmml.models.equations import Equation, Terms, precision
from modelstream.messages import Column


def compile_regression(model: RegressionModel, scope: Scope, optype: OpType) -> Body:
    """Return a RegressionModel's rule; `optype` is the target's."""
    terms = Terms(model, scope)
    equations = [terms.equation(table) for table in model.tables]
    cells = scope.context.cells
    if model.function_name == "regression":
        return Body((), cells.make(*_regression(model, equations)))
    labels = _labels(model)
    ordinal = optype == "ordinal"
    return Body(labels, cells.make(*_classification(model, equations, ordinal=ordinal)))


def _regression(model: RegressionModel, equations: list[Equation]) -> tuple[Answer, Twin]:
    if len(equations) != 1:
        raise InvalidModel(f"a regression needs one RegressionTable, it has {len(equations)}")
    method, equation = model.normalization_method, equations[0]
    if method == "simplemax":
        raise InvalidModel("normalizationMethod='simplemax' is for classifications")
    link = INVERSE_LINKS["logit" if method == "softmax" else method]
    one, careful = link_one(link, precision(model))
    row = applied([equation.row], lambda value: RowPrediction(one(value)), careful=careful)
    return lambda batch: Prediction(link(equation.column(batch)).astype(np.float64)), row


def _labels(model: RegressionModel) -> tuple[str, ...]:
    labels = [table.target_category for table in model.tables]
    if len(labels) < 2 or len(set(labels)) < len(labels) or None in labels:
        raise InvalidModel("a classification needs a RegressionTable for each targetCategory")
    return tuple(str(label) for label in labels)


def _classification(
    model: RegressionModel, equations: list[Equation], *, ordinal: bool
) -> tuple[Answer, Twin]:
    normalize = _normalization(model, len(equations), ordinal=ordinal)

    def answer(batch: Batch) -> Prediction:
        scores = np.stack([equation.column(batch) for equation in equations], axis=1)
        probabilities = normalize(scores).astype(np.float64)
        return Prediction(most_probable(probabilities), probabilities)

    return answer, _row(model, equations, normalize, ordinal=ordinal)


def _row(
    model: RegressionModel,
    equations: list[Equation],
    normalize: Callable[[Column], Column],
    *,
    ordinal: bool,
) -> Twin:
    """Return the twin of a classification: the usual ones by numbers, others by an array."""
    dtype, method = precision(model), model.normalization_method
    rows = [equation.row for equation in equations]
    if method == "softmax" and dtype is np.float64 and len(rows) <= ADDED_IN_ORDER_MAX:
        return applied(rows, lambda *scores: predict_one(softmax_one(scores)))
    if len(rows) == 2 and not ordinal and method not in {"softmax", "simplemax"}:
        link, careful = link_one(INVERSE_LINKS[method], dtype)
        single = dtype is np.float32 and method != "probit"  # which alone is in double precision

        def complete(value: float) -> RowPrediction:
            first = link(value)
            return predict_one([first, round_value(1.0 - first) if single else 1.0 - first])

        return applied(rows[:1], complete, careful=careful)
    return applied(
        rows,
        lambda *scores: predict_one(normalize(np.array([scores], dtype))[0].tolist()),
        careful=True,
    )


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
