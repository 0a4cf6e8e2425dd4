"""Compile GeneralRegressionModel: what is made of its linear predictors (DMG 4.4, General Regression).

`design` computes the predictors themselves. Answers are predicted values, probabilities of the
target's categories, or the cumulative hazard of a Cox regression.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import (
    Answer,
    Body,
    Prediction,
    most_probable,
    predict_one,
)
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.elements.generalregression import GeneralRegressionModel
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.labels import label_finder, target_labels
from modelstream.formats.pmml.fields.rows import RowPrediction, Twin, applied, of_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.functions.links import INVERSE_LINKS, inverse_link, link_one, softmax
from modelstream.formats.pmml.models.cox import compile_hazard
from modelstream.formats.pmml.models.design import Design, numeric_field
from modelstream.messages import Column

_Offset = frozenset({"generalizedLinear", "ordinalMultinomial", "multinomialLogistic"})
_Classifications = frozenset({"generalizedLinear", "ordinalMultinomial", "multinomialLogistic"})


@dataclass(frozen=True, slots=True)
class _Number:
    """A number that a batch has, one for all rows or one a row, and that a row has."""

    column: Callable[[Batch], Column | float]
    row: Twin


def compile_general_regression(
    model: GeneralRegressionModel, scope: Scope, data: DataField | None
) -> Body:
    """Return a GeneralRegressionModel's rule; `data` is the target's declaration."""
    _check(model)
    design = Design(model, scope)
    cells = scope.context.cells
    if model.function_name == "classification":
        labels = _labels(model, data)
        return Body(labels, cells.make(*_classification(model, design, labels, scope)))
    category = next((cell.target_category for cell in model.coefficients.cells), None)
    predictor = design.predictor(category)
    if model.model_type == "CoxRegression":
        hazard = compile_hazard(model, predictor, scope)
        return Body((), cells.make(lambda batch: Prediction(hazard(batch))))
    return Body((), cells.make(*_regression(model, predictor, scope)))


def _check(model: GeneralRegressionModel) -> None:
    """Raise when a model says what its type gives no meaning to."""
    kind, function = model.model_type, model.function_name
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of GeneralRegressionModel is not evaluated")
    if function == "classification" and kind not in _Classifications:
        raise UnsupportedModel(f"modelType={kind!r} of a classification is not evaluated")
    if function == "regression" and kind in {"multinomialLogistic", "ordinalMultinomial"}:
        raise UnsupportedModel(f"modelType={kind!r} of a regression is not evaluated")
    if _has_offset(model) and kind not in _Offset:
        raise UnsupportedModel(f"an offset of a model of modelType={kind!r} is not evaluated")
    if _has_trials(model) and (kind != "generalizedLinear" or function == "classification"):
        raise UnsupportedModel("trials are evaluated for regressions of generalizedLinear only")
    categories = {cell.target_category for cell in model.coefficients.cells}
    if function == "regression" and len(categories) > 1:
        raise InvalidModel("the PCells of a regression are for several target categories")


def _has_offset(model: GeneralRegressionModel) -> bool:
    return model.offset_variable is not None or model.offset_value is not None


def _has_trials(model: GeneralRegressionModel) -> bool:
    return model.trials_variable is not None or model.trials_value is not None


def _either(name: str | None, value: float | None, other: float, scope: Scope) -> _Number:
    """Return a number that is a field's, or a constant, or else another."""
    if name is not None and value is not None:
        raise InvalidModel(f"both a variable, {name!r}, and a value are given where one is due")
    if name is None:
        number = other if value is None else value
        return _Number(lambda _: number, lambda plan: plan.constant(number))
    cell = numeric_field(name, scope).cell
    return _Number(lambda batch: batch.read(cell), of_cell(cell))


def _offset(model: GeneralRegressionModel, scope: Scope) -> _Number:
    return _either(model.offset_variable, model.offset_value, 0.0, scope)


def _regression(
    model: GeneralRegressionModel, predictor: Cell[Column], scope: Scope
) -> tuple[Answer, Twin]:
    if model.model_type != "generalizedLinear":
        row = applied([of_cell(predictor)], RowPrediction)
        return lambda batch: Prediction(batch.read(predictor)), row
    link = _link(model)
    offset = _offset(model, scope)
    trials = _either(model.trials_variable, model.trials_value, 1.0, scope)
    one, careful = link_one(link, np.float64)

    def answer(batch: Batch) -> Prediction:
        predicted = link(batch.read(predictor) + offset.column(batch))
        return Prediction(predicted * trials.column(batch))

    def answer_one(eta: float, shift: float, times: float) -> RowPrediction:
        return RowPrediction(one(eta + shift) * times)

    numbers = (of_cell(predictor), offset.row, trials.row)
    return answer, applied(numbers, answer_one, careful=careful)


def _labels(model: GeneralRegressionModel, data: DataField | None) -> tuple[str, ...]:
    """Return the target's categories in their order, those declared or else those met."""
    met = [cell.target_category for cell in model.coefficients.cells]
    met.append(model.target_reference_category)
    return target_labels(data, (category for category in met if category is not None))


def _classification(
    model: GeneralRegressionModel, design: Design, labels: tuple[str, ...], scope: Scope
) -> tuple[Answer, Twin]:
    """Return the probabilities of categories from predictors of all but one of them."""
    offset = _offset(model, scope)
    scored, reference = _categories(model, labels)
    predictors = [design.predictor(category) for category in scored.values()]
    order = [*scored, reference]
    positions = np.argsort([labels.index(label) for label in order])
    make = _probabilities(model, order, labels)

    def answer(batch: Batch) -> Prediction:
        scores = np.stack([batch.read(predictor) for predictor in predictors], axis=1)
        shift = offset.column(batch)
        scores = scores + (shift[:, None] if isinstance(shift, np.ndarray) else shift)
        probabilities = make(scores)[:, positions]
        return Prediction(most_probable(probabilities), probabilities)

    twins = [of_cell(predictor) for predictor in predictors]
    if model.model_type == "generalizedLinear":
        link, careful = link_one(_link(model), np.float64)
        first = order[0] == labels[0]

        def one_of_two(eta: float, shift: float) -> RowPrediction:
            chance = link(eta + shift)
            return predict_one([chance, 1.0 - chance] if first else [1.0 - chance, chance])

        return answer, applied([*twins, offset.row], one_of_two, careful=careful)

    def answer_one(*given: float) -> RowPrediction:
        scores = np.array([given[:-1]], np.float64) + given[-1]
        return predict_one(make(scores)[0, positions].tolist())

    return answer, applied([*twins, offset.row], answer_one, careful=True)


def _link(model: GeneralRegressionModel) -> Callable[[Column], Column]:
    return inverse_link(model.link_function, model.link_parameter, model.dist_parameter)


def _categories(
    model: GeneralRegressionModel, labels: tuple[str, ...]
) -> tuple[dict[str, str | None], str]:
    """Return the labels that have predictors, with their name in PCells, and the one that has none."""
    position = label_finder(labels)

    def find(name: str) -> str:
        return labels[position(name)]

    named = dict.fromkeys(cell.target_category for cell in model.coefficients.cells)
    found: dict[str, str | None] = {find(name): name for name in named if name is not None}
    if model.target_reference_category is not None:
        reference = find(model.target_reference_category)
        rest = [reference]
    else:
        rest = [label for label in labels if label not in found]
    if not found and len(labels) == 2 and model.target_reference_category is not None:
        found = {label: None for label in labels if label not in rest}
    if len(rest) != 1 or rest[0] in found or len(found) + 1 != len(labels):
        raise InvalidModel(
            "a classification needs PCells of every category of the target but one, the "
            f"reference; categories: {', '.join(labels)}; with PCells: {', '.join(found)}"
        )
    return {label: found[label] for label in labels if label in found}, rest[0]


def _probabilities(
    model: GeneralRegressionModel, order: Sequence[str], labels: tuple[str, ...]
) -> Callable[[Column], Column]:
    """Return what makes probabilities of scores; the last is that of the reference category."""
    if model.model_type == "multinomialLogistic":
        return lambda scores: softmax(np.append(scores, np.zeros((len(scores), 1)), axis=1))
    if model.model_type == "generalizedLinear":
        if len(labels) != 2:
            raise UnsupportedModel(
                f"modelType='generalizedLinear' with {len(labels)} categories is not evaluated"
            )
        link = _link(model)
        return lambda scores: _complete(link(scores))
    if model.cumulative_link is None:
        raise InvalidModel("a model of modelType='ordinalMultinomial' needs a cumulativeLink")
    if tuple(order) != labels:
        raise UnsupportedModel("an ordinalMultinomial whose last category has PCells")
    cumulative = INVERSE_LINKS[model.cumulative_link]
    return lambda scores: _differences(cumulative(scores))


def _complete(probabilities: Column) -> Column:
    return np.append(probabilities, 1.0 - probabilities, axis=1)


def _differences(cumulative: Column) -> Column:
    edge = np.zeros_like(cumulative[:, :1])
    whole = np.concatenate([edge, cumulative, edge + 1.0], axis=1)
    differences: Column = np.diff(whole, axis=1)
    return differences
