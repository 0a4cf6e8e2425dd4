"""Linear models and what is computed beside them (PFA 0.8.1, model.reg.*)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_column, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import add_up
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule
from modelstream.formats.pfa.stacking import field_of, items_of, stacked
from modelstream.formats.pfa.types import DOUBLE, Array, Record, Type

_LINEAR = (
    "(datum: [double], model: M{coeff: [double], const: double}) -> double",
    "(datum: [double], model: M{coeff: [[double]], const: [double]}) -> [double]",
    "(datum: {double}, model: M{coeff: {double}, const: double}) -> double",
    "(datum: {double}, model: M{coeff: {{double}}, const: {double}}) -> {double}",
)
_VARIANCE = (
    "(datum: [double], model: M{covar: [[double]]}) -> double",
    "(datum: [double], model: M{covar: [[[double]]]}) -> [double]",
    "(datum: {double}, model: M{covar: {{double}}}) -> double",
    "(datum: {double}, model: M{covar: {{{double}}}}) -> {double}",
)


def dot(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the dot product of two vectors of one length, added from the first to the last."""
    total = 0.0
    for one, other in zip(x, y, strict=True):
        total += one * other
    return total


def _line(datum: Sequence[float], coeff: Sequence[float], const: float) -> float:
    if len(datum) != len(coeff):
        raise Fault("misaligned coeff", 31000)
    return dot(datum, coeff) + const


def _lines(datum: Sequence[float], model: Mapping[str, Any]) -> list[float]:
    coeff, const = model["coeff"], model["const"]
    if len(const) != len(coeff):
        raise Fault("misaligned const", 31001)
    return [_line(datum, *each) for each in zip(coeff, const, strict=True)]


def _map_line(datum: Mapping[str, float], coeff: Mapping[str, float], const: float) -> float:
    keys = sorted(datum.keys() | coeff.keys())
    return float(add_up(datum.get(key, 0.0) * coeff.get(key, 0.0) for key in keys) + const)


def _map_lines(datum: Mapping[str, float], model: Mapping[str, Any]) -> dict[str, float]:
    coeff, const = model["coeff"], model["const"]
    return {
        key: _map_line(datum, coeff.get(key, {}), const.get(key, 0.0))
        for key in dict.fromkeys([*const, *coeff])
    }


def _model_field(call: Call, name: str) -> Type:
    model = call.params[1]
    assert isinstance(model, Record)
    return model.fields[name]


def _linear(call: Call) -> Rule:
    several = call.result != DOUBLE
    if isinstance(_model_field(call, "coeff"), Array):
        if several:
            return _lines
        return lambda datum, model: _line(datum, model["coeff"], model["const"])
    if several:
        return _map_lines
    return lambda datum, model: _map_line(datum, model["coeff"], model["const"])


def _linear_columns(call: Call) -> ColumnRule:
    several = call.result != DOUBLE

    def rule(batch: Batch, datum: Any, model: Any) -> Any:
        items, coeff, const = items_of(datum), field_of(model, "coeff"), field_of(model, "const")
        if items is None or not isinstance(coeff, list) or is_column(const):
            return NotImplemented
        if not all(is_numbers(item) or type(item) is float for item in items):
            return NotImplemented
        if not several:
            return _combined(items, coeff, const)
        if len(coeff) != len(const):
            return NotImplemented
        lines = [_combined(items, *each) for each in zip(coeff, const, strict=True)]
        if any(line is NotImplemented for line in lines):
            return NotImplemented
        return stacked(batch, lines, DOUBLE)

    return rule


def _combined(items: Sequence[Any], coeff: Sequence[float], const: float) -> Any:
    if len(items) != len(coeff):
        return NotImplemented
    total: Any = 0.0
    for item, weight in zip(items, coeff, strict=True):
        total = total + item * weight
    return total + const


def _spread(datum: Sequence[float], covar: Sequence[Sequence[float]]) -> float:
    """Return x C x of a covariance matrix whose last row and column are of the constant."""
    x = [*datum, 1.0]
    if len(covar) != len(x) or any(len(row) != len(x) for row in covar):
        raise Fault("misaligned covariance", 31010)
    return dot(x, [dot(row, x) for row in covar])


def _map_spread(datum: Mapping[str, float], covar: Mapping[str, Mapping[str, float]]) -> float:
    x = {**datum, "": 1.0}
    keys = sorted({*x, *(key for row in covar.values() for key in row)})
    rows = {
        key: add_up(covar.get(key, {}).get(at, 0.0) * x.get(at, 0.0) for at in keys) for key in keys
    }
    return float(add_up(x.get(key, 0.0) * rows[key] for key in keys))


def _variance(call: Call) -> Rule:
    several = call.result != DOUBLE
    if isinstance(_model_field(call, "covar"), Array):
        if several:
            return lambda datum, model: [_spread(datum, each) for each in model["covar"]]
        return lambda datum, model: _spread(datum, model["covar"])
    if several:
        return lambda datum, model: {
            key: _map_spread(datum, each) for key, each in model["covar"].items()
        }
    return lambda datum, model: _map_spread(datum, model["covar"])


def _vector_distance(
    observation: Sequence[float], prediction: Sequence[float], covariance: Sequence[Any], code: int
) -> float:
    if not observation:
        raise Fault("too few rows/cols", code)
    if len(observation) != len(prediction):
        raise Fault("misaligned prediction", code + 1)
    if len(covariance) != len(observation) or any(
        len(row) != len(observation) for row in covariance
    ):
        raise Fault("misaligned covariance", code + 2)
    apart = np.subtract(observation, prediction)
    try:
        solved = np.linalg.solve(np.array(covariance, np.float64), apart)
    except np.linalg.LinAlgError as error:
        raise Fault("misaligned covariance", code + 2) from error
    return float(np.sqrt(dot(solved.tolist(), apart.tolist())))


def mahalanobis(code: int) -> Callable[..., float]:
    """Return the rule of the distance of two vectors or maps in units of their spread."""

    def rule(observation: Any, prediction: Any, covariance: Any) -> float:
        if isinstance(observation, list):
            return _vector_distance(observation, prediction, covariance, code)
        keys = list(observation)
        if not keys:
            raise Fault("too few rows/cols", code)
        if set(keys) != set(prediction):
            raise Fault("misaligned prediction", code + 1)
        if any(
            key not in covariance or any(k not in covariance[key] for k in keys) for key in keys
        ):
            raise Fault("misaligned covariance", code + 2)
        return _vector_distance(
            [observation[key] for key in keys],
            [prediction[key] for key in keys],
            [[covariance[key][other] for other in keys] for key in keys],
            code,
        )

    return rule


FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction("model.reg.linear", _LINEAR, _linear, _linear_columns),
    LibraryFunction("model.reg.linearVariance", _VARIANCE, _variance),
)
