"""One layer of a neural network for one row, whose signals are a list of a number a neuron.

The rules are those of `layers`: a small layer is computed in Python's numbers, any other by the
layer itself, as a matrix of one column. Sums run in the order of the connections, as they do there.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

import numpy as np

from modelstream.formats import limits
from modelstream.formats.pmml.elements.neural import NeuralLayer
from modelstream.formats.pmml.fields.rows import in_order
from modelstream.formats.pmml.functions.links import logistic_one, softmax_one
from modelstream.messages import Column

Fire = Callable[[Column], Column]
Signals = list[float]
# Activations that are computed one by one; of more NumPy's are faster.
_ONE_BY_ONE_MAX = 6
FireOne = Callable[[Signals], Signals]
_Sum = Callable[[Signals], Sequence[float]]


def fire_one(
    layer: NeuralLayer,
    rows: Mapping[str, int],
    activate: tuple[str, Fire] | None,
    normalization: str,
    fire: Fire,
) -> FireOne:
    """Return what makes the signals of a layer of those of all neurons before it.

    `activate` is its activation of sums by name, None for one that is not of sums; `fire` is the
    whole layer. It runs where NumPy raises.
    """
    if activate is None or len(layer.neurons) > limits.PMML_NEURONS_ONE_BY_ONE_MAX:
        return lambda signals: list(fire(np.array(signals)[:, None])[:, 0].tolist())
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, neuron in enumerate(layer.neurons):
        sources = tuple(rows[connection.source] for connection in neuron.connections)
        groups.setdefault(sources, []).append(number)
    parts = [
        (sources, [[c.weight for c in layer.neurons[m].connections] for m in members])
        for sources, members in groups.items()
    ]
    order = [member for members in groups.values() for member in members]
    biases = [layer.neurons[member].bias for member in order]
    if len(parts) == 1 and not _is_small(parts[0][1]):
        multiply = _product(*parts[0])
        return _matrix_layer(multiply, biases, activate[1], _NORMALIZATIONS[normalization])
    sums = [_sum(sources, weights) for sources, weights in parts]
    back = sorted(range(len(order)), key=order.__getitem__)
    activation, normalize = _activation(*activate, len(order)), _NORMALIZATIONS[normalization]
    direct = back == list(range(len(order)))

    def compute(signals: Signals) -> Signals:
        totals = [total for add in sums for total in add(signals)]
        fired = activation(list(map(operator.add, totals, biases)))
        return normalize(fired if direct else [fired[place] for place in back])

    return compute


def _matrix_layer(
    multiply: Callable[[Signals], Column],
    biases: list[float],
    activate: Fire,
    normalize: FireOne,
) -> FireOne:
    """Return a layer whose neurons all have the same sources."""
    bias = np.array(biases)
    return lambda signals: normalize(activate(multiply(signals) + bias).tolist())


def _is_small(weights: list[list[float]]) -> bool:
    """Tell whether sums are made in Python; of one neuron NumPy would add in another order."""
    connections = len(weights) * len(weights[0])
    return connections <= limits.PMML_CONNECTIONS_ONE_BY_ONE_MAX or len(weights) == 1


def _sum(sources: tuple[int, ...], weights: list[list[float]]) -> _Sum:
    """Return the weighted sums of some neurons that share their sources."""
    if not _is_small(weights):
        multiply = _product(sources, weights)
        return lambda signals: list(multiply(signals).tolist())
    choose = _chooser(sources)

    def add(signals: Signals) -> Sequence[float]:
        given = choose(signals)
        totals = []
        for own in weights:
            total = 0.0
            for weight, signal in zip(own, given, strict=True):
                total += weight * signal
            totals.append(total)
        return totals

    return add


def _product(sources: tuple[int, ...], weights: list[list[float]]) -> Callable[[Signals], Column]:
    """Return the same sums as a column, made by NumPy."""
    choose, count = _chooser(sources), len(sources)
    matrix = np.ascontiguousarray(np.array(weights).T)  # else sums of one row are made otherwise

    def multiply(signals: Signals) -> Column:
        column = np.fromiter(choose(signals), np.float64, count)[:, None]
        totals: Column = np.einsum("sr,sn->nr", column, matrix)[:, 0]
        return totals

    return multiply


def _chooser(sources: tuple[int, ...]) -> Callable[[Signals], Sequence[float]]:
    """Return what takes the signals of some neurons."""
    chosen = slice(sources[0], sources[0] + len(sources))
    if sources == tuple(range(chosen.start, chosen.stop)):
        return itemgetter(chosen)
    return itemgetter(*sources)


def _activation(kind: str, activate: Fire, neurons: int) -> Callable[[Signals], Signals]:
    own = _OWN.get(kind)
    if own is None or (neurons > _ONE_BY_ONE_MAX and kind not in {"identity", "rectifier"}):
        return lambda totals: list(activate(np.array(totals)).tolist())
    return lambda totals: list(map(own, totals))


def _rectify(z: float) -> float:
    return max(z, 0.0)  # a missing sum stays missing


def _shares(fired: Signals) -> Signals:
    total = in_order(fired)
    return [signal / total for signal in fired]


_OWN: dict[str, Callable[[float], float]] = {
    "identity": float,
    "logistic": logistic_one,
    "rectifier": _rectify,
    "tanh": lambda z: float(np.tanh(z)),
}
_NORMALIZATIONS: dict[str, Callable[[Signals], Signals]] = {
    "none": list,
    "simplemax": _shares,
    "softmax": softmax_one,
}
