"""The element types of neural networks (DMG 4.4, Neural Network Models)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.expressions import DerivedField
from modelstream.formats.pmml.elements.model import Function, Model

Activation = Literal[
    "threshold",
    "logistic",
    "tanh",
    "identity",
    "exponential",
    "reciprocal",
    "square",
    "Gauss",
    "sine",
    "cosine",
    "Elliott",
    "arctan",
    "rectifier",
    "radialBasis",
]
LayerNormalization = Literal["none", "simplemax", "softmax"]


class NeuralInput(Element, kw_only=True, frozen=True):
    """One input neuron: what it computes from fields."""

    id: str
    derived: DerivedField = msgspec.field(name="DerivedField")


class NeuralInputs(Element, kw_only=True, frozen=True):
    """The input neurons."""

    number_of_inputs: int | None = None
    inputs: tuple[NeuralInput, ...] = msgspec.field(name="NeuralInput", default=())


class Con(Element, kw_only=True, frozen=True):
    """A connection that comes from a neuron."""

    source: str = msgspec.field(name="from")
    weight: float


class Neuron(Element, kw_only=True, frozen=True):
    """One neuron of a layer, with the connections that lead to it."""

    id: str
    bias: float = 0.0
    width: float | None = None
    altitude: float | None = None
    connections: tuple[Con, ...] = msgspec.field(name="Con", default=())


class NeuralLayer(Element, kw_only=True, frozen=True):
    """Neurons that are computed together; what is not given here is the network's."""

    number_of_neurons: int | None = None
    activation_function: Activation | None = None
    threshold: float | None = None
    width: float | None = None
    altitude: float | None = None
    normalization_method: LayerNormalization | None = None
    neurons: tuple[Neuron, ...] = msgspec.field(name="Neuron", default=())


class NeuralOutput(Element, kw_only=True, frozen=True):
    """What an output neuron says of the target: its `derived` is of the target field."""

    output_neuron: str
    derived: DerivedField = msgspec.field(name="DerivedField")


class NeuralOutputs(Element, kw_only=True, frozen=True):
    """The output neurons."""

    number_of_outputs: int | None = None
    outputs: tuple[NeuralOutput, ...] = msgspec.field(name="NeuralOutput", default=())


class NeuralNetwork(Model, kw_only=True, frozen=True):
    """Layers of neurons."""

    function_name: Function
    activation_function: Activation
    normalization_method: LayerNormalization = "none"
    threshold: float = 0.0
    width: float | None = None
    altitude: float = 1.0
    number_of_layers: int | None = None
    inputs: NeuralInputs = msgspec.field(name="NeuralInputs")
    layers: tuple[NeuralLayer, ...] = msgspec.field(name="NeuralLayer", default=())
    outputs: NeuralOutputs = msgspec.field(name="NeuralOutputs")


PARTS = (NeuralInput, NeuralInputs, Con, Neuron, NeuralLayer, NeuralOutput, NeuralOutputs)
