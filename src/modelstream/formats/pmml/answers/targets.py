"""What is done to a prediction before it is the answer, and the field that the answer is.

DMG 4.4, Targets. The answer of a classification is a label of the target's own type.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction, most_probable
from modelstream.formats.pmml.elements.base import DataType, OpType
from modelstream.formats.pmml.elements.fields import DataField, Target
from modelstream.formats.pmml.elements.models import SUMS, MiningModel, ModelElement
from modelstream.formats.pmml.fields.batch import Cell
from modelstream.formats.pmml.fields.rows import RowPrediction, applied, of_cell
from modelstream.formats.pmml.fields.scope import Field, Scope
from modelstream.formats.pmml.fields.values import (
    NUMBERS,
    Scalar,
    full,
    is_missing,
    missing_value,
    parse_declared,
    round_float,
    round_value,
)
from modelstream.formats.pmml.functions.arithmetic import round_half_up
from modelstream.messages import Column

UNNAMED = "_target"
Treat = Callable[[Prediction], Prediction]
TreatOne = Callable[[RowPrediction], RowPrediction]


def find_target(model: ModelElement, name: str | None) -> Target:
    """Return what a model declares of its target; without a name, of the only one there is."""
    if base_score(model):
        return Target()  # its constant is in the sum already
    declared = () if model.targets is None else model.targets.targets
    for target in declared:
        if target.field is None or target.field == name:
            return target
    return declared[0] if name is None and len(declared) == 1 else Target()


def base_score(model: ModelElement) -> float:
    """Return the rescaleConstant that a sum begins with, rather than has added in the end.

    In single precision the order of addends matters, and boosters begin with their base score.
    """
    if not isinstance(model, MiningModel) or model.math_context != "float":
        return 0.0
    if model.segmentation.multiple_model_method not in SUMS or model.targets is None:
        return 0.0
    target = model.targets.targets[0]
    plain = Target(
        field=target.field, optype=target.optype, rescale_constant=target.rescale_constant
    )
    return target.rescale_constant if model.targets.targets == (plain,) else 0.0


def settle_targets(body: Body, target: Target, scope: Scope) -> Cell[Prediction]:
    """Return the prediction once the target's treatment is applied."""
    found = _classification(body, target) if body.labels else _regression(target)
    if found is None:
        return body.cell
    treat, treat_one = found
    careful = target.cast_integer is not None  # infinity minus itself, say
    row = applied([of_cell(body.cell)], treat_one, careful=careful)
    return scope.context.cells.make(lambda batch: treat(batch.read(body.cell)), row)


def target_field(
    body: Body, cell: Cell[Prediction], target: Target, data: DataField | None, scope: Scope
) -> Field:
    """Return the field of a model's answer; `data` is the target's declaration, if it has one."""
    name = UNNAMED if data is None else data.name
    optype: OpType = "categorical" if body.labels else "continuous"
    if body.labels:
        data_type = "string" if data is None else data.data_type
        read = label_reader(body.labels, data_type)
        values = body.labels if data is None else tuple(v.value for v in data.values)
        row = applied([of_cell(cell)], lambda prediction: read.one(prediction.value))
        made = scope.context.cells.make(lambda batch: read(batch.read(cell).values), row)
        return Field(name, data_type, optype, made, values=values)
    number_type = _number_type(target, data)
    single = number_type == "float"
    settle = round_float if single else np.asarray
    settle_one: Callable[[float], float] = round_value if single else float
    row = applied([of_cell(cell)], lambda prediction: settle_one(prediction.value))
    made = scope.context.cells.make(lambda batch: settle(batch.read(cell).values), row)
    return Field(name, number_type, optype, made)


class LabelReader:
    """Makes labels of their positions; of NaN a missing one, which is the table's last."""

    def __init__(self, table: Column) -> None:
        self._table = table
        self._listed: list[Scalar] = table.tolist()

    def __call__(self, positions: Column) -> Column:
        """Return a column of labels."""
        last = len(self._table) - 1
        column: Column = self._table[np.where(np.isnan(positions), last, positions).astype(int)]
        return column

    def one(self, position: float) -> Scalar:
        """Return one label."""
        return self._listed[-1 if is_missing(position) else int(position)]


def label_reader(labels: tuple[str, ...], data_type: DataType) -> LabelReader:
    """Return what makes labels of a type of their positions."""
    table = full(missing_value(data_type), len(labels) + 1, data_type)
    for position, label in enumerate(labels):
        table[position] = parse_declared(label, data_type, "category of the target")
    return LabelReader(table)


def _number_type(target: Target, data: DataField | None) -> DataType:
    """Return the type of a regression's answer: whole only where it is made so."""
    declared = "double" if data is None or data.data_type not in NUMBERS else data.data_type
    if declared == "integer" and target.cast_integer is None:
        return "double"
    return declared


def _steps(target: Target) -> list[Callable[[Any], Any]]:
    """Return what is done to a number, or to a column of them, one after the other."""
    steps: list[Callable[[Any], Any]] = []
    if target.min is not None or target.max is not None:
        steps.append(_bound(target.min, target.max))
    if target.rescale_factor != 1.0:
        steps.append(lambda values: values * target.rescale_factor)
    if target.rescale_constant != 0.0:
        steps.append(lambda values: values + target.rescale_constant)
    if target.cast_integer is not None:
        steps.append(_CASTS[target.cast_integer])
    defaults = [v.default_value for v in target.values if v.default_value is not None]
    if defaults:
        steps.append(lambda values: np.where(np.isnan(values), defaults[0], values))
    return steps


def _regression(target: Target) -> tuple[Treat, TreatOne] | None:
    steps = _steps(target)
    if not steps:
        return None

    def treat(prediction: Prediction) -> Prediction:
        values = prediction.values
        for step in steps:
            values = step(values)
        return Prediction(values)

    def treat_one(prediction: RowPrediction) -> RowPrediction:
        value = prediction.value
        for step in steps:
            value = step(value)
        return RowPrediction(float(value))

    return treat, treat_one


def _bound(least: float | None, most: float | None) -> Callable[[Any], Any]:
    low = -np.inf if least is None else least
    high = np.inf if most is None else most
    return lambda values: np.minimum(np.maximum(values, low), high)


def _classification(body: Body, target: Target) -> tuple[Treat, TreatOne] | None:
    """Answer with the prior probabilities where a model has no answer, if all are declared."""
    if target.cast_integer is not None or target.min is not None or target.max is not None:
        raise InvalidModel("castInteger, min and max of Target are for regressions")
    priors = {v.value: v.prior_probability for v in target.values}
    if any(priors.get(label) is None for label in body.labels):
        return None
    prior = np.array([priors[label] for label in body.labels], dtype=np.float64)
    best, listed = float(most_probable(prior[None, :])[0]), prior.tolist()

    def treat(prediction: Prediction) -> Prediction:
        absent = np.isnan(prediction.values)
        if not absent.any():
            return prediction
        table = prediction.probabilities
        if table is not None:
            table = np.where(absent[:, None], prior, table)
        return Prediction(np.where(absent, best, prediction.values), table, prediction.confidences)

    def treat_one(prediction: RowPrediction) -> RowPrediction:
        if not is_missing(prediction.value):
            return prediction
        known = prediction.probabilities is not None
        return RowPrediction(best, listed if known else None, prediction.confidences)

    return treat, treat_one


_CASTS: dict[str, Callable[[Column], Column]] = {
    "round": round_half_up,
    "ceiling": np.ceil,
    "floor": np.floor,
}
