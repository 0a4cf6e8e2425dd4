"""Neural networks as the standard's text has them: a neuron at a time, slowly.

Written from DMG 4.4 alone and sharing no code with the product.
"""

import math
from collections.abc import Callable
from xml.etree import ElementTree as ET

ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "threshold": lambda z: 1.0 if z > 0.25 else 0.0,
    "logistic": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": lambda z: (1 - math.exp(-2 * z)) / (1 + math.exp(-2 * z)),
    "identity": lambda z: z,
    "exponential": math.exp,
    "reciprocal": lambda z: 1 / z,
    "square": lambda z: z * z,
    "Gauss": lambda z: math.exp(-z * z),
    "sine": math.sin,
    "cosine": math.cos,
    "Elliott": lambda z: z / (1 + abs(z)),
    "arctan": lambda z: 2 * math.atan(z) / math.pi,
    "rectifier": lambda z: max(0.0, z),
}


def fire(network: ET.Element, inputs: dict[str, float]) -> dict[str, float]:
    """Return what each neuron sends out."""
    sent = dict(inputs)
    for layer in network.findall("NeuralLayer"):
        kind = layer.get("activationFunction") or network.attrib["activationFunction"]
        fresh = {n.attrib["id"]: _activation(kind, n, layer, sent) for n in layer.findall("Neuron")}
        method = layer.get("normalizationMethod") or network.get("normalizationMethod", "none")
        if method == "softmax":
            fresh = {name: math.exp(value) for name, value in fresh.items()}
        if method != "none":
            total = sum(fresh.values())
            fresh = {name: value / total for name, value in fresh.items()}
        sent.update(fresh)
    return sent


def _activation(kind: str, neuron: ET.Element, layer: ET.Element, sent: dict[str, float]) -> float:
    connections = [
        (sent[c.attrib["from"]], float(c.attrib["weight"])) for c in neuron.findall("Con")
    ]
    if kind == "radialBasis":
        width = float(neuron.get("width") or layer.attrib["width"])
        altitude = float(neuron.get("altitude", "1"))
        distance = sum((weight - signal) ** 2 for signal, weight in connections)
        z = distance / (2 * width**2)
        return math.exp(len(connections) * math.log(altitude) - z)
    z = sum(weight * signal for signal, weight in connections) + float(neuron.get("bias", "0"))
    return ACTIVATIONS[kind](z)
