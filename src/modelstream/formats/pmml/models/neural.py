"""Compile NeuralNetwork: layers of neurons, and what the output neurons say of the target.

DMG 4.4, Neural Network Models. A missing input gives a missing answer, unless its NeuralInput
maps it to a number. Sums run without BLAS, which would start threads of its own.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, Prediction, most_probable, predict_one
from modelstream.formats.pmml.elements.expressions import (
    DerivedField,
    FieldRef,
    NormContinuous,
    NormDiscrete,
)
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.elements.neural import NeuralNetwork, NeuralOutput
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.expressions.expressions import derive_field
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.rows import RowPrediction, applied, of_cell
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.stacks import refuse_single_precision, stack_fields
from modelstream.formats.pmml.fields.values import is_missing, texts
from modelstream.formats.pmml.models.layers import Layer, make_layer
from modelstream.messages import Column

_Denormalize = Callable[[Column], Column]


def compile_neural(model: NeuralNetwork, target: str | None, scope: Scope) -> Body:
    """Return a NeuralNetwork's rule; `target` is the name of the target, if it is declared.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with the network.
    """
    outputs = model.outputs.outputs
    for output in outputs:
        about = _about(output.derived)
        if target is not None and about != target:
            raise UnsupportedModel(
                f"a NeuralOutput about {about!r}, which is not the model's target {target!r}, is "
                "not evaluated"
            )
    return _body(model, outputs, _network(model, scope), scope)


def compile_neural_targets(
    model: NeuralNetwork, targets: Sequence[DataField], scope: Scope
) -> dict[str, Body]:
    """Return a rule for each of several targets, by name: they share the network.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with the network.
    """
    places: dict[str, list[int]] = {data.name: [] for data in targets}
    outputs = model.outputs.outputs
    for place, output in enumerate(outputs):
        about = _about(output.derived)
        if about not in places:
            raise InvalidModel(f"a NeuralOutput is about {about!r}, which is not a target")
        places[about].append(place)
    for name, chosen in places.items():
        if not chosen:
            raise InvalidModel(f"the NeuralNetwork has no NeuralOutput about target {name!r}")
    signals = _network(model, scope)
    bodies: dict[str, Body] = {}
    for name, chosen in places.items():
        rows = np.array(chosen, dtype=np.intp)
        row = applied([of_cell(signals)], partial(_select_one, chosen))
        sent = scope.context.cells.make(partial(_select, signals, rows), row)
        bodies[name] = _body(model, tuple(outputs[place] for place in chosen), sent, scope)
    return bodies


def _select(signals: Cell[Column], rows: Column, batch: Batch) -> Column:
    chosen: Column = batch.read(signals)[rows]
    return chosen


def _select_one(rows: list[int], signals: list[float]) -> list[float]:
    return [signals[row] for row in rows]


def _body(
    model: NeuralNetwork, outputs: tuple[NeuralOutput, ...], signals: Cell[Column], scope: Scope
) -> Body:
    if model.function_name == "regression":
        return _regression(outputs, signals, scope)
    return _classification(outputs, signals, scope)


def _network(model: NeuralNetwork, scope: Scope) -> Cell[Column]:
    """Return the cell of what the output neurons send out: a matrix of a NeuralOutput a row."""
    refuse_single_precision(model)
    rows: dict[str, int] = {}
    for source in model.inputs.inputs:
        _number(source.id, rows)
    layers = []
    for layer in model.layers:
        layers.append(make_layer(layer, model, rows))
        for neuron in layer.neurons:
            _number(neuron.id, rows)
    for output in model.outputs.outputs:
        if output.output_neuron not in rows:
            raise InvalidModel(f"NeuralOutput refers to unknown neuron {output.output_neuron!r}")
    chosen = np.array([rows[o.output_neuron] for o in model.outputs.outputs], dtype=np.intp)
    return _signals(model, layers, chosen, scope)


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

    firing, places = [layer.fire_one for layer in layers], chosen.tolist()

    def fire_row(given: Sequence[float]) -> list[float]:
        signals = list(given)
        for fire_one in firing:
            signals += fire_one(signals)
        return [signals[place] for place in places]

    row = applied([of_cell(inputs)], fire_row, careful=True)
    return scope.context.cells.make(compute, row)


def _about(derived: DerivedField) -> str:
    """Return the name of the field that a NeuralOutput is about."""
    expression = derived.expression
    if not isinstance(expression, FieldRef | NormContinuous | NormDiscrete):
        raise UnsupportedModel(
            f"{tag_of(type(expression))} in a NeuralOutput is not evaluated; supported: "
            "FieldRef, NormContinuous, NormDiscrete"
        )
    return expression.field


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
    cell = make(
        lambda batch: Prediction(original(batch.read(signals)[0])),
        applied([of_cell(signals)], lambda sent: RowPrediction(float(original(sent[0])))),
    )
    return Body((), cell, make(entities, lambda plan: plan.constant(outputs[0].output_neuron)))


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

    cell = scope.context.cells.make(answer, applied([of_cell(signals)], predict_one))
    neurons = texts([*(output.output_neuron for output in outputs), None])

    def entities(batch: Batch) -> Column:
        winners = batch.read(cell).values
        column: Column = neurons[np.where(np.isnan(winners), len(labels), winners).astype(np.intp)]
        return column

    ids = [output.output_neuron for output in outputs]
    row = applied([of_cell(cell)], lambda p: None if is_missing(p.value) else ids[int(p.value)])
    return Body(labels, cell, scope.context.cells.make(entities, row))
