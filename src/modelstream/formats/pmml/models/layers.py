"""One layer of a neural network: sums over connections, activation and normalization.

DMG 4.4, Neural Network Models. Signals are matrices of a neuron a row, a record a column.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.pmml.elements.neural import NeuralLayer, NeuralNetwork, Neuron
from modelstream.formats.pmml.functions.links import logistic, softmax
from modelstream.formats.pmml.models.layers_row import Fire, FireOne, fire_one
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer ready to run: `fire` makes its rows, which go to `place`, of all rows before.

    `fire_one` is the same for one record.
    """

    place: slice
    fire: Fire
    fire_one: FireOne


def make_layer(layer: NeuralLayer, network: NeuralNetwork, rows: Mapping[str, int]) -> Layer:
    """Return a layer; `rows` says where the neurons before it are.

    Raises InvalidModel when a connection comes from anywhere else, as in a recurrent network.
    """
    if not layer.neurons:
        raise InvalidModel("a NeuralLayer has no Neuron")
    kind = layer.activation_function or network.activation_function
    for neuron in layer.neurons:
        if not neuron.connections:
            raise InvalidModel(f"Neuron {neuron.id!r} has no Con")
        for connection in neuron.connections:
            if connection.source not in rows:
                raise InvalidModel(
                    f"Neuron {neuron.id!r} has a Con from {connection.source!r}, "
                    "which is not a neuron of an earlier layer"
                )
    of_sums: tuple[str, Fire] | None = None
    if kind == "radialBasis":
        activate = _radial(layer, network, rows)
    else:
        total = _sums(layer, rows)
        activation = _activation(kind, layer, network)
        of_sums = kind, activation
        activate = lambda signals: activation(total(signals))  # noqa: E731  # one of two rules
    normalization = layer.normalization_method or network.normalization_method
    normalize = _NORMALIZATIONS[normalization]
    place = slice(len(rows), len(rows) + len(layer.neurons))

    def fire(signals: Column) -> Column:
        return normalize(activate(signals))

    return Layer(place, fire, fire_one(layer, rows, of_sums, normalization, fire))


def _sums(layer: NeuralLayer, rows: Mapping[str, int]) -> Fire:
    """Return the weighted sums of a layer's neurons, those that share their sources at once."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, neuron in enumerate(layer.neurons):
        sources = tuple(rows[connection.source] for connection in neuron.connections)
        groups.setdefault(sources, []).append(number)
    bias = np.array([neuron.bias for neuron in layer.neurons])[:, None]
    parts = []
    for sources, members in groups.items():
        weights = np.array([_weights(layer.neurons[m]) for m in members]).T
        parts.append((_selection(sources), _selection(tuple(members)), weights))

    def total(signals: Column) -> Column:
        sums = np.empty((len(bias), signals.shape[1]))
        for sources, members, weights in parts:
            sums[members] = np.einsum("sr,sn->nr", signals[sources], weights)
        sums += bias
        return sums

    return total


def _weights(neuron: Neuron) -> list[float]:
    return [connection.weight for connection in neuron.connections]


def _selection(rows: tuple[int, ...]) -> "slice | Column":
    """Return what selects some rows: without a copy where they follow each other."""
    if rows == tuple(range(rows[0], rows[0] + len(rows))):
        return slice(rows[0], rows[0] + len(rows))
    return np.array(rows, dtype=np.intp)


def _activation(kind: str, layer: NeuralLayer, network: NeuralNetwork) -> Fire:
    if kind != "threshold":
        return _ACTIVATIONS[kind]
    least = network.threshold if layer.threshold is None else layer.threshold
    return lambda z: np.where(np.isnan(z), np.nan, z > least)


def _radial(layer: NeuralLayer, network: NeuralNetwork, rows: Mapping[str, int]) -> Fire:
    """Return radial basis units: exp(fan-in * log(altitude) - distance² / 2 width²)."""
    units = []
    for neuron in layer.neurons:
        width = _first(neuron.width, layer.width, network.width)
        altitude = _first(neuron.altitude, layer.altitude, network.altitude)
        if not width or altitude is None or altitude <= 0.0:
            raise InvalidModel(
                f"Neuron {neuron.id!r} is radialBasis: it needs a width and a positive altitude"
            )
        sources = tuple(rows[connection.source] for connection in neuron.connections)
        centre = np.array(_weights(neuron))[:, None]
        height = len(sources) * math.log(altitude)
        units.append((_selection(sources), centre, 2.0 * width * width, height))

    def activate(signals: Column) -> Column:
        rows = [
            np.exp(height - sum_in_order((signals[sources] - centre) ** 2) / scale)
            for sources, centre, scale, height in units
        ]
        return np.stack(rows)

    return activate


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


_ACTIVATIONS: dict[str, Fire] = {
    "logistic": logistic,
    "tanh": np.tanh,
    "identity": lambda z: z,
    "exponential": np.exp,
    "reciprocal": lambda z: 1.0 / z,
    "square": np.square,
    "Gauss": lambda z: np.exp(-np.square(z)),
    "sine": np.sin,
    "cosine": np.cos,
    "Elliott": lambda z: z / (1.0 + np.abs(z)),
    "arctan": lambda z: 2.0 * np.arctan(z) / math.pi,
    "rectifier": lambda z: np.maximum(z, 0.0),
}

_NORMALIZATIONS: dict[str, Fire] = {
    "none": lambda y: y,
    "simplemax": lambda y: y / sum_in_order(y),
    "softmax": lambda y: softmax(y.T).T,
}
