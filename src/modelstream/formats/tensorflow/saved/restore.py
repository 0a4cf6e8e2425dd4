"""Which variable has which value of the checkpoint: what the model's own restoring would do.

Nothing runs: the assignments below the node that restores are read. That is the same in models of
TensorFlow 1 and 2, where the node is in the graph and in a function of it.
"""

from collections.abc import Iterator

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.graph import Graph, needed, read_ref
from modelstream.formats.tensorflow.nodes import Node, Ref
from modelstream.formats.tensorflow.saved.bundle import Bundle
from modelstream.formats.tensorflow.tensors import Array, read_tensor

_ASSIGNS = frozenset({"Assign", "AssignVariableOp"})
_PASSING = frozenset({"Identity", "IdentityN"})


def read_variables(
    graph: Graph, restoring: str, wanted: set[str], bundle: Bundle
) -> dict[str, Array]:
    """Return the values of the wanted variables, by their nodes' names, as far as there are any.

    Raises InvalidModel, UnsupportedModel.
    """
    if not restoring or not wanted:
        return {}
    part = needed(graph, [read_ref(restoring)], ())
    values: dict[str, Array] = {}
    for node in part.nodes.values():
        if node.op not in _ASSIGNS or len(node.inputs) != 2:
            continue
        variable, source = (_source(part, ref) for ref in node.inputs)
        if variable.node in wanted and part.nodes[source.node].op == "RestoreV2":
            values[variable.node] = bundle.tensor(_key(part, source))
    return values


def _source(graph: Graph, ref: Ref) -> Ref:
    """Follow a value back to the node that makes it."""
    for _ in range(len(graph.nodes)):
        node = graph.nodes[ref.node]
        if node.op not in _PASSING:
            return ref
        if ref.output >= len(node.inputs):
            raise InvalidModel(f"{node} has no output {ref.output}")
        ref = node.inputs[ref.output]
    raise InvalidModel("the restoring of the variables goes in a circle")


def _key(graph: Graph, ref: Ref) -> str:
    """Return the key in the checkpoint of what a RestoreV2 node gives as one of its outputs."""
    node = graph.nodes[ref.node]
    keys, slices = (list(_texts(graph, node, at)) for at in (1, 2))
    if not ref.output < len(keys) == len(slices):
        raise InvalidModel(f"{node} has no output {ref.output}")
    if slices[ref.output]:
        raise UnsupportedModel(f"{node} restores a part of the variable {keys[ref.output]!r}")
    return keys[ref.output]


def _texts(graph: Graph, node: Node, at: int) -> Iterator[str]:
    if len(node.inputs) != 3:
        raise InvalidModel(f"{node} has {len(node.inputs)} inputs, not 3")
    told = graph.nodes[_source(graph, node.inputs[at]).node]
    if told.op != "Const":
        raise UnsupportedModel(f"{node} restores variables whose names are computed")
    for text in read_tensor(told.tensor("value")).reshape(-1).tolist():
        if not isinstance(text, bytes):
            raise InvalidModel(f"{node} restores variables without names")
        yield text.decode("utf-8", errors="replace")
