"""Compile NeuralNetwork: layers of neurons, and what the output neurons say of the target.

DMG 4.4, Neural Network Models. A missing input gives a missing answer, unless its NeuralInput
maps it to a number. Sums run without BLAS, which would start threads of its own.
"""

from collections.abc import Callable

import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.batch import Batch, Cell
from modelstream.formats.pmml.elements.expressions import (
    DerivedField,
    FieldRef,
    NormContinuous,
    NormDiscrete,
)
from modelstream.formats.pmml.elements.neural import NeuralNetwork, NeuralOutput
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.expressions import derive_field
from modelstream.formats.pmml.layers import Layer, make_layer
from modelstream.formats.pmml.prediction import Body, Prediction, most_probable
from modelstream.formats.pmml.scope import Scope
from modelstream.formats.pmml.stacks import refuse_single_precision, stack_fields
from modelstream.formats.pmml.values import texts
from modelstream.messages import Column

_Denormalize = Callable[[Column], Column]


def compile_neural(model: NeuralNetwork, target: str | None, scope: Scope) -> Body:
    """Return a NeuralNetwork's rule; `target` is the name of the target, if it is declared.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with the network.
    """
    refuse_single_precision(model)
    rows: dict[str, int] = {}
    for source in model.inputs.inputs:
        _number(source.id, rows)
    layers = []
    for layer in model.layers:
        layers.append(make_layer(layer, model, rows))
        for neuron in layer.neurons:
            _number(neuron.id, rows)
    outputs = model.outputs.outputs
    for output in outputs:
        if output.output_neuron not in rows:
            raise InvalidModel(f"NeuralOutput refers to unknown neuron {output.output_neuron!r}")
        _check_target(output.derived, target)
    chosen = np.array([rows[output.output_neuron] for output in outputs], dtype=np.intp)
    signals = _signals(model, layers, chosen, scope)
    if model.function_name == "regression":
        return _regression(outputs, signals, scope)
    return _classification(outputs, signals, scope)


def _number(name: str, rows: dict[str, int]) -> None:
    if name in rows:
        raise InvalidModel(f"the NeuralNetwork has two neurons {name!r}")
    rows[name] = len(rows)


def _signals(
    model: NeuralNetwork, layers: list[Layer], chosen: Column, scope: Scope
) -> Cell[Column]:
    """Return the cell of what the chosen neurons send out: a matrix of a neuron a row."""
    fields = [
        derive_field(neuron.derived, neuron.derived.name or neuron.id, scope)
        for neuron in model.inputs.inputs
    ]
    inputs = stack_fields(fields, scope, "NeuralInput")

    neurons = len(fields) + sum(len(layer.neurons) for layer in model.layers)
    rows_at_once = max(1, limits.PMML_ENSEMBLE_CELLS_MAX // max(1, neurons))

    def fire(given: Column) -> Column:
        signals = np.empty((neurons, given.shape[1]))
        signals[: len(fields)] = given
        for layer in layers:
            signals[layer.place] = layer.fire(signals)
        sent: Column = signals[chosen]
        return sent

    def compute(batch: Batch) -> Column:
        given = batch.read(inputs)
        parts = [
            fire(given[:, first : first + rows_at_once])
            for first in range(0, max(1, batch.rows), rows_at_once)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    return scope.context.cells.make(compute)


def _check_target(derived: DerivedField, target: str | None) -> None:
    """Raise when a NeuralOutput is about anything but the target."""
    expression = derived.expression
    if not isinstance(expression, FieldRef | NormContinuous | NormDiscrete):
        raise UnsupportedModel(
            f"{tag_of(type(expression))} in a NeuralOutput is not evaluated; supported: "
            "FieldRef, NormContinuous, NormDiscrete"
        )
    if target is not None and expression.field != target:
        raise UnsupportedModel(
            f"a NeuralOutput about {expression.field!r}, which is not the model's target "
            f"{target!r}, is not evaluated"
        )


def _regression(outputs: tuple[NeuralOutput, ...], signals: Cell[Column], scope: Scope) -> Body:
    if len(outputs) != 1:
        raise UnsupportedModel(
            f"a regression NeuralNetwork with {len(outputs)} NeuralOutputs is not evaluated; "
            "it must have one"
        )
    expression = outputs[0].derived.expression
    if isinstance(expression, NormDiscrete):
        raise InvalidModel("a NeuralOutput with NormDiscrete is for classifications")
    original = _original(expression) if isinstance(expression, NormContinuous) else np.asarray
    neuron = texts([outputs[0].output_neuron])

    def entities(batch: Batch) -> Column:
        return np.repeat(neuron, batch.rows)

    make = scope.context.cells.make
    cell = make(lambda batch: Prediction(original(batch.read(signals)[0])))
    return Body((), cell, make(entities))


def _original(expression: NormContinuous) -> _Denormalize:
    """Return the inverse of a normalization: beyond its points, the line goes on."""
    if expression.outliers != "asIs" or expression.map_missing_to is not None:
        raise UnsupportedModel(
            "NormContinuous with outliers or mapMissingTo in a NeuralOutput is not evaluated"
        )
    orig = np.array([point.orig for point in expression.points])
    norm = np.array([point.norm for point in expression.points])
    order = np.argsort(norm)
    orig, norm = orig[order], norm[order]
    steps = np.diff(orig)
    if (
        len(orig) < 2
        or not (np.diff(norm) > 0).all()
        or not ((steps > 0).all() or (steps < 0).all())
    ):
        raise InvalidModel(
            "NormContinuous in a NeuralOutput needs two or more points that rise or fall all along"
        )
    slope = steps / np.diff(norm)

    def original(values: Column) -> Column:
        part = np.searchsorted(norm[1:-1], values, side="right")
        result: Column = orig[part] + (values - norm[part]) * slope[part]
        return result

    return original


def _classification(outputs: tuple[NeuralOutput, ...], signals: Cell[Column], scope: Scope) -> Body:
    expressions = [output.derived.expression for output in outputs]
    labels = tuple(e.value for e in expressions if isinstance(e, NormDiscrete))
    if len(labels) < len(outputs):
        raise UnsupportedModel(
            "a NeuralOutput of a classification is evaluated with NormDiscrete only"
        )
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise InvalidModel("a classification needs a NeuralOutput for each of its categories")

    def answer(batch: Batch) -> Prediction:
        probabilities = batch.read(signals).T
        return Prediction(most_probable(probabilities), probabilities)

    cell = scope.context.cells.make(answer)
    neurons = texts([*(output.output_neuron for output in outputs), None])

    def entities(batch: Batch) -> Column:
        winners = batch.read(cell).values
        column: Column = neurons[np.where(np.isnan(winners), len(labels), winners).astype(np.intp)]
        return column

    return Body(labels, cell, scope.context.cells.make(entities))
