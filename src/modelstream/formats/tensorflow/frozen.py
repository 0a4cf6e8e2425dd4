"""The format `tensorflow`: a frozen GraphDef, whose variables are constants."""

import re

from google.protobuf.message import DecodeError

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Device, Hints, Model
from modelstream.formats.onnx_graph.lowering import load_graph, lower_graph
from modelstream.formats.onnx_graph.writer import Declared
from modelstream.formats.tensorflow.graph import Graph, read_graph, read_ref
from modelstream.formats.tensorflow.native.form import is_native
from modelstream.formats.tensorflow.native.lowering import Served, lower_native
from modelstream.formats.tensorflow.native.model import load_native
from modelstream.formats.tensorflow.nodes import Node, Ref
from modelstream.formats.tensorflow.tensors import FLOAT, Shape, numpy_type, read_shape
from modelstream.formats.tensorflow.translation import Origin, evaluated, translate
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

# A GraphDef begins with a node (field 1), which begins with its name and its operation.
_FIRST_NODE = re.compile(
    rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x0a(?:[\x80-\xff]{0,2}[\x00-\x7f])"
    rb"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*\x12[\x00-\x7f][A-Za-z0-9_>]+[\x1a\x22\x2a\x0a]"
)
# Nodes that answer nothing, whether anybody reads them or not.
_NO_ANSWERS = frozenset({"Const", "NoOp", "Placeholder", "PlaceholderWithDefault"})
_FED = frozenset({"Placeholder", "PlaceholderWithDefault"})


class GraphDefFormat:
    """Frozen graphs. Inputs are the placeholders, outputs the nodes that no other node reads.

    A signature names others: `x:0 -> hidden:0`.
    """

    name = "tensorflow"

    def __init__(self, device: Device = "cpu") -> None:
        self._device = device

    def recognises(self, data: bytes) -> bool:
        """Tell by the first node's name and operation."""
        return _FIRST_NODE.match(data) is not None

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Rewrite the graph as ONNX and lower that, or keep it for TensorFlow.

        Raises InvalidModel, UnsupportedModel.
        """
        try:
            message = pb.GraphDef.FromString(data)
        except DecodeError as error:
            raise InvalidModel(f"not a TensorFlow GraphDef: {error}") from None
        if not message.node:
            raise InvalidModel("not a TensorFlow GraphDef: it has no nodes")
        graph = read_graph(message)
        inputs, outputs = _ends(graph, hints.signature)
        version = f"GraphDef {message.versions.producer or ''}".strip()
        try:
            part = evaluated(graph, [ref for _, ref in outputs], inputs)
            onnx = translate(part, inputs, outputs, {}, Origin())
            return lower_graph(onnx, hints, name=self.name, version=version)
        except UnsupportedModel as why:
            served = Served(message, inputs, outputs, self.name, version)
            return lower_native(served, hints, why)

    def load(self, lowered: bytes) -> Model:
        """Build the model. Raises InvalidModel."""
        return load_native(lowered) if is_native(lowered) else load_graph(lowered, self._device)


def _ends(graph: Graph, signature: str) -> tuple[dict[Ref, Declared], list[tuple[str, Ref]]]:
    """Return inputs and outputs: those of `input,... -> output,...`, all where a side is empty.

    Raises InvalidModel.
    """
    given, arrow, asked = signature.partition("->")
    if signature and not arrow:
        raise InvalidModel(
            f"{signature[:200]!r} is no signature of a frozen graph; one is "
            "'input,... -> output,...', each the name of a node or name:0"
        )
    inputs = [_found(graph, text) for text in _listed(given)]
    outputs = [(text.removesuffix(":0"), _found(graph, text)) for text in _listed(asked)]
    for ref in inputs:
        if ref.output or graph.nodes[ref.node].op not in _FED:
            raise InvalidModel(f"{ref.node!r} is no placeholder; only one can be an input")
    placeholders = [Ref(n.name, 0) for n in graph.nodes.values() if n.op == "Placeholder"]
    declared = {ref: _declared(graph.nodes[ref.node]) for ref in inputs or placeholders}
    return declared, outputs or _outputs(graph)


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")] if names.strip() else []


def _found(graph: Graph, text: str) -> Ref:
    ref = read_ref(text)
    if ref.node not in graph.nodes:
        raise InvalidModel(f"the graph has no node {ref.node[:200]!r}")
    return ref


def _declared(node: Node) -> Declared:
    return Declared(node.name, numpy_type(node.kind("dtype", FLOAT)), _shape(node))


def _shape(node: Node) -> Shape | None:
    """Return a placeholder's shape; before GraphDef 24 one of no dimensions meant any."""
    shape = node.shape("shape")
    if shape is None or not shape.dim:
        return None
    return read_shape(shape)


def _outputs(graph: Graph) -> list[tuple[str, Ref]]:
    read = {ref.node for node in graph.nodes.values() for ref in node.inputs}
    read.update(control for node in graph.nodes.values() for control in node.controls)
    ends = [n for n in graph.nodes.values() if n.name not in read and n.op not in _NO_ANSWERS]
    if not ends:
        raise InvalidModel("the graph has no outputs: each node is read by another one")
    refs = [Ref(node.name, at) for node in ends for at in range(_answers(node, graph))]
    return [(f"{ref.node}:{ref.output}" if ref.output else ref.node, ref) for ref in refs]


def _answers(node: Node, graph: Graph) -> int:
    """Return how many outputs a node has, as far as those that are evaluated have several."""
    match node.op:
        case "IdentityN":
            return len(node.inputs)
        case "Split" | "SplitV":
            return _bounded(node.integer("num_split", 1))
        case "TopKV2":
            return 2
        case "Unpack":
            return _bounded(node.integer("num"))
        case "PartitionedCall" | "StatefulPartitionedCall":
            called = graph.functions.get(node.function("f"))
            return len(called.signature.output_arg) if called else 1
    return 1


def _bounded(count: int) -> int:
    """Return a number of outputs to ask for; the node itself is checked when it is written."""
    return max(1, min(count, limits.FIELDS_MAX))
