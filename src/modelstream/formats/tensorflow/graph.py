"""A TensorFlow graph as nodes by name, and the part of it that some outputs need.

Calls of functions are replaced by the functions' bodies; a node of a body is named after its call.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits as format_limits
from modelstream.formats.tensorflow.nodes import Node, Ref
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_INSIDE = ":"  # between a call and a node of its body; no node of a graph has it in its name
# Outputs that have names of their own in functions' bodies; all others are told by number alone.
_OUTPUT_NAMES = {
    "TopKV2": ("values", "indices"),
    "FusedBatchNorm": ("y",),
    "FusedBatchNormV2": ("y",),
    "FusedBatchNormV3": ("y",),
}


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by name, and the functions that they may call."""

    nodes: dict[str, Node]
    functions: dict[str, pb.FunctionDef]


def read_graph(graph: pb.GraphDef) -> Graph:
    """Read a graph's nodes. Raises InvalidModel."""
    if len(graph.node) > limits.ONNX_NODES_MAX:
        raise InvalidModel(f"{len(graph.node)} nodes; {limits.ONNX_NODES_MAX} are allowed")
    nodes = {each.name: _node(each) for each in graph.node}
    if len(nodes) < len(graph.node):
        raise InvalidModel("two nodes of the graph have the same name")
    functions = {each.signature.name: each for each in graph.library.function}
    return Graph(nodes, functions)


def read_ref(text: str) -> Ref:
    """Read `node` or `node:1`. Raises InvalidModel."""
    node, colon, index = text.partition(":")
    if not node or (colon and not (index.isascii() and index.isdigit() and len(index) < 6)):
        raise InvalidModel(f"{text[:80]!r} is not an output of a node")
    return Ref(node, int(index or 0))


def needed(graph: Graph, outputs: Iterable[Ref], fed: Collection[Ref]) -> Graph:
    """Return the nodes that must run for these outputs, with every call expanded.

    Nothing is needed for what is fed. Raises InvalidModel, UnsupportedModel.
    """
    found: dict[str, Node] = {}
    known = dict(graph.nodes)
    waiting = [ref.node for ref in outputs if ref not in fed]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in known:
            raise InvalidModel(f"the graph has no node {name[:200]!r}, which another one needs")
        node = known[name]
        if node.op in _CALLS or node.op in graph.functions:
            node, body = _expand(node, graph.functions)
            known.update(body)
        deep = name.count(_INSIDE) > format_limits.TENSORFLOW_CALL_DEPTH_MAX
        if deep or len(known) > limits.ONNX_NODES_MAX:
            raise InvalidModel("functions call each other without end, or make too many nodes")
        found[name] = node
        waiting.extend(ref.node for ref in node.inputs if ref not in fed)
        waiting.extend(node.controls)
    return Graph(found, {})


def in_order(graph: Graph, outputs: Iterable[Ref], fed: Collection[Ref]) -> Iterator[Node]:
    """Yield the nodes whose values these outputs are made of, each after its inputs.

    Raises InvalidModel where the graph goes in circles.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    waiting = [ref.node for ref in outputs if ref not in fed]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        before = [ref.node for ref in graph.nodes[name].inputs if ref not in fed]
        sorter.add(name, *before)
        waiting.extend(before)
    try:
        order = tuple(sorter.static_order())
    except CycleError as error:
        raise InvalidModel(f"the graph goes in a circle at {error.args[1][0]!r}") from None
    return (graph.nodes[name] for name in order)


def _node(node: pb.NodeDef) -> Node:
    inputs = tuple(read_ref(text) for text in node.input if not text.startswith("^"))
    controls = tuple(text[1:] for text in node.input if text.startswith("^"))
    return Node(node.name, node.op, inputs, controls, node.attr)


def _expand(call: Node, functions: dict[str, pb.FunctionDef]) -> tuple[Node, dict[str, Node]]:
    """Return a node that passes on what a call answers, and the nodes of the function's body."""
    name = call.function("f") if call.op in _CALLS else call.op
    if name not in functions:
        raise InvalidModel(f"{call} calls the function {name[:200]!r}, which is not there")
    function = functions[name]
    body = _Body(call, function, functions)
    answers = tuple(body.ref(function.ret[arg.name]) for arg in function.signature.output_arg)
    controls = (*call.controls, *(body.name(each) for each in function.control_ret.values()))
    passing = Node(call.name, "IdentityN", answers, controls, {})
    return passing, {each.name: each for each in body.nodes()}


class _Body:
    """The body of one function, as one call has it."""

    def __init__(
        self, call: Node, function: pb.FunctionDef, functions: dict[str, pb.FunctionDef]
    ) -> None:
        arguments = function.signature.input_arg
        if any(each.number_attr or each.type_list_attr for each in arguments):
            raise UnsupportedModel(f"{call} calls a function of lists")
        if len(arguments) != len(call.inputs):
            raise InvalidModel(f"{call} gives {len(call.inputs)} of {len(arguments)} arguments")
        self._call = call
        self._function = function
        self._functions = functions
        self._arguments = {each.name: ref for each, ref in zip(arguments, call.inputs, strict=True)}
        self._operations = {each.name: each.op for each in function.node_def}

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes of the body."""
        for each in self._function.node_def:
            inputs = tuple(self.ref(text) for text in each.input if not text.startswith("^"))
            controls = tuple(
                self.name(text[1:])
                for text in each.input
                if text.startswith("^") and text[1:] not in self._arguments
            )
            yield Node(self.name(each.name), each.op, inputs, controls, each.attr)

    def name(self, node: str) -> str:
        """Return a node's name outside."""
        return f"{self._call.name}{_INSIDE}{node}"

    def ref(self, text: str) -> Ref:
        """Read `argument` or `node:output:1`."""
        if text in self._arguments:
            return self._arguments[text]
        node, _, output = text.partition(":")
        name, _, number = output.partition(":")
        operation = self._operations.get(node, "")
        names: tuple[str, ...] = _OUTPUT_NAMES.get(operation, ())
        if operation in self._functions:
            names = tuple(a.name for a in self._functions[operation].signature.output_arg)
        index = read_ref(f"{node}:{number or 0}").output
        return Ref(self.name(node), names.index(name) if name in names else index)
