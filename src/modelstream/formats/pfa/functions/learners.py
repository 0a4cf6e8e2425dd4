"""Neural networks, naive Bayes and support vectors (PFA 0.8.1, model.neural.*, naive.*, svm.*)."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_column, is_numbers
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import add_up
from modelstream.formats.pfa.functions.regressions import dot
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Map, Record
from modelstream.messages import Column

# The smallest normal double: what naive Bayes adds so that nothing is impossible.
_TINY = 2.2250738585072014e-308


def _layers(datum: list[float], model: list[Any], activation: Callable[[float], float]) -> Any:
    if not model:
        raise Fault("no layers", 11000)
    for number, layer in enumerate(model):
        weights, bias = layer["weights"], layer["bias"]
        if len(weights) != len(bias) or any(len(row) != len(datum) for row in weights):
            raise Fault("weights, bias, or datum misaligned", 11001)
        sums = [dot(row, datum) + shift for row, shift in zip(weights, bias, strict=True)]
        datum = sums if number == len(model) - 1 else [activation(each) for each in sums]
    return datum


def _layers_columns(_batch: Batch, datum: Any, model: Any, activation: Any) -> Any:
    if not is_numbers(datum) or datum.ndim != 2 or is_column(model) or not model:
        return NotImplemented
    # Neurons first in memory: the values of one neuron for all rows lie side by side.
    values: Column = np.ascontiguousarray(datum.T)
    for number, layer in enumerate(model):
        found = _layer(values, layer["weights"], layer["bias"])
        if found is None:
            return NotImplemented
        values = found
        if number < len(model) - 1:
            for at in range(len(values)):
                values[at] = activation(values[at])
    return values.T


def _layer(values: Column, weights: list[Any], bias: list[Any]) -> Column | None:
    """Return the sums of one layer, added from the first input to the last."""
    if len(weights) != len(bias) or any(len(row) != len(values) for row in weights):
        return None
    matrix = np.array(weights, np.float64).reshape(len(bias), len(values))
    sums = np.zeros((len(bias), values.shape[1]))
    for at in range(len(values)):
        sums += matrix[:, at, None] * values[at]
    shifted: Column = sums + np.array(bias)[:, None]
    return shifted


def _likelihood(pairs: Sequence[tuple[float, Mapping[str, float]]]) -> float:
    total = 0.0
    for x, model in pairs:
        spread = model["variance"]
        if not spread > 0.0:
            raise Fault("variance less than or equal to zero", 10001)
        total += -0.5 * math.log(2.0 * math.pi * spread)
        total += -0.5 * ((x - model["mean"]) * (x - model["mean"]) / spread)
    return total


def _aligned(datum: Any, model: Any, code: int) -> list[tuple[Any, Any]]:
    """Return what belongs together of two arrays or maps. Raises Fault."""
    if isinstance(datum, dict):
        if datum.keys() != model.keys():
            raise Fault("datum and classModel misaligned", code)
        return [(datum[key], model[key]) for key in datum]
    if len(datum) != len(model):
        raise Fault("datum and classModel misaligned", code)
    return list(zip(datum, model, strict=True))


def _gaussian(datum: Any, model: Any) -> float:
    return _likelihood(_aligned(datum, model, 10000))


def _multinomial(call: Call) -> Rule:
    wrapped = isinstance(call.params[1], Record)

    def rule(datum: Any, model: Any) -> float:
        known = model["values"] if wrapped else model
        shares = list(known.values()) if isinstance(known, dict) else known
        if not shares or not all(share > 0.0 for share in shares):
            raise Fault("classModel must be non-empty and strictly positive", 10011)
        total = add_up(shares)
        pairs = _aligned(datum, known, 10010)
        return float(add_up(x * math.log(share / total + _TINY) for x, share in pairs))

    return rule


def _bernoulli(call: Call) -> Rule:
    wrapped = not isinstance(call.params[1], Map)

    def rule(datum: list[str], model: Any) -> float:
        known = model["values"] if wrapped else model
        if any(share <= 0.0 or share >= 1.0 for share in known.values()):
            raise Fault("probability in classModel cannot be less than 0 or greater than 1", 10020)
        total = add_up(math.log(1.0 - share) for share in known.values())
        for item in datum:
            if item in known:
                total += math.log(known[item]) - math.log(1.0 - known[item])
        return float(total)

    return rule


def _support(datum: Any, model: Any, kernel: Callable[[Any, Any], float]) -> float:
    if not model["negClass"] and not model["posClass"]:
        raise Fault("no support vectors", 12000)
    totals = []
    for side in ("negClass", "posClass"):
        total = 0.0
        for each in model[side]:
            if len(each["supVec"]) != len(datum):
                raise Fault("support vectors must have same length as datum", 12001)
            total += kernel(each["supVec"], datum) * each["coeff"]
        totals.append(total)
    return float(totals[0] + totals[1] + model["const"])


def _support_columns(_batch: Batch, datum: Any, model: Any, kernel: Any) -> Any:
    if is_column(model) or not is_numbers(datum) or datum.ndim != 2:
        return NotImplemented
    vectors = [*model["negClass"], *model["posClass"]]
    if not vectors or any(len(each["supVec"]) != datum.shape[1] for each in vectors):
        return NotImplemented
    totals: list[Any] = []
    for side in ("negClass", "posClass"):
        total: Any = 0.0
        for each in model[side]:
            total = total + kernel(each["supVec"], datum) * each["coeff"]
        totals.append(total)
    return totals[0] + totals[1] + model["const"]


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain(
        "model.neural.simpleLayers",
        "(datum: [double], model: [M{weights: [[double]], bias: [double]}], "
        "activation: (double -> double)) -> [double]",
        rule=_layers,
        columns=_layers_columns,
    ),
    plain(
        "model.naive.gaussian",
        "(datum: [double], classModel: [C{mean: double, variance: double}]) -> double",
        "(datum: {double}, classModel: {C{mean: double, variance: double}}) -> double",
        rule=_gaussian,
    ),
    LibraryFunction(
        "model.naive.multinomial",
        (
            "(datum: [double], classModel: [double]) -> double",
            "(datum: {double}, classModel: {double}) -> double",
            "(datum: [double], classModel: C{values: [double]}) -> double",
            "(datum: {double}, classModel: C{values: {double}}) -> double",
        ),
        _multinomial,
    ),
    LibraryFunction(
        "model.naive.bernoulli",
        (
            "(datum: [string], classModel: {double}) -> double",
            "(datum: [string], classModel: C{values: {double}}) -> double",
        ),
        _bernoulli,
    ),
    plain(
        "model.svm.score",
        "(datum: [double], model: L{const: double, posClass: [M{supVec: [double], coeff: double}], "
        "negClass: [N{supVec: [double], coeff: double}]}, "
        "kernel: ([double], [double] -> double)) -> double",
        rule=_support,
        columns=_support_columns,
    ),
)
