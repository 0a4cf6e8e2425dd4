"""The part of a GraphDef that some outputs need, as a GraphDef of its own.

Only what was looked at gets into it: nodes of operations that are allowed, and the functions that
they name. The values of variables come into it as constants, with nodes that assign them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.graph import read_ref
from modelstream.formats.tensorflow.native.operators import ALLOWED
from modelstream.formats.tensorflow.tensors import Array, type_number
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})
_TABLES = frozenset({"HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2"})
_FILLS = frozenset(
    {
        "InitializeTable",
        "InitializeTableFromTextFile",
        "InitializeTableFromTextFileV2",
        "InitializeTableV2",
        "LookupTableImport",
        "LookupTableImportV2",
    }
)
_OURS = "modelstream/"  # before the names of nodes that are added
_TOLD_MAX = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Nodes and functions that are needed; `fills` are the nodes that fill its tables."""

    nodes: dict[str, pb.NodeDef]
    functions: dict[str, pb.FunctionDef]
    fills: tuple[str, ...]

    def variables(self) -> set[str]:
        """Return the names of the nodes that are variables."""
        return {name for name, node in self.nodes.items() if node.op in VARIABLES}


def needed_part(
    graph: pb.GraphDef, outputs: Iterable[str], fed: Collection[str], filling: str
) -> Part:
    """Return what must run for some nodes; nothing is needed for nodes that are fed.

    `filling` is the node that fills the tables, or empty. Raises InvalidModel, and
    UnsupportedModel with every operation that is not allowed.
    """
    known = {node.name: node for node in graph.node}
    nodes = _reached(known, outputs, fed)
    fills: tuple[str, ...] = ()
    if any(node.op in _TABLES for node in nodes.values()):
        tables = {name for name, node in nodes.items() if node.op in _TABLES}
        fills = tuple(_filling(graph, tables, filling))
        nodes |= _reached(known, fills, fed)
    library = {each.signature.name: each for each in graph.library.function}
    functions = _called(nodes.values(), library)
    _check([*nodes.values(), *(n for each in functions.values() for n in each.node_def)], library)
    return Part(nodes, functions, fills)


def write_part(
    part: Part, versions: pb.VersionDef, values: Mapping[str, Array]
) -> tuple[bytes, tuple[str, ...]]:
    """Return a GraphDef, and the nodes to run once before anything else.

    Raises InvalidModel where a variable has no value.
    """
    made = pb.GraphDef(node=part.nodes.values(), versions=versions)
    made.library.function.extend(part.functions.values())
    assigned = []
    for name in sorted(part.variables()):
        if name not in values:
            raise InvalidModel(f"the variable {name[:200]!r} has no value here; freeze the graph")
        assigned.append(_assign(made, part.nodes[name], values[name]))
    return made.SerializeToString(deterministic=True), (*assigned, *part.fills)


def _reached(
    known: Mapping[str, pb.NodeDef], outputs: Iterable[str], fed: Collection[str]
) -> dict[str, pb.NodeDef]:
    found: dict[str, pb.NodeDef] = {}
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in known:
            raise InvalidModel(f"the graph has no node {name[:200]!r}, which another one needs")
        found[name] = known[name]
        if name in fed:
            continue
        if known[name].op == "Placeholder":
            raise InvalidModel(f"the outputs need the placeholder {name!r}, which is no input")
        waiting.extend(_source(text) for text in known[name].input)
    return found


def _source(text: str) -> str:
    return text[1:] if text.startswith("^") else read_ref(text).node


def _filling(graph: pb.GraphDef, tables: Collection[str], filling: str) -> Iterator[str]:
    """Yield the nodes that fill tables: the model's own way to do so, and what is in the graph."""
    if filling:
        yield filling
    for node in graph.node:
        if node.op in _FILLS and node.input and _source(node.input[0]) in tables:
            yield node.name


def _called(
    nodes: Iterable[pb.NodeDef], library: Mapping[str, pb.FunctionDef]
) -> dict[str, pb.FunctionDef]:
    """Return the functions that nodes call, and those that these call."""
    found: dict[str, pb.FunctionDef] = {}
    waiting = [name for node in nodes for name in _names(node)]
    while waiting:
        name = waiting.pop()
        if name in found or name not in library:
            continue
        found[name] = library[name]
        inside = library[name].node_def
        if len(inside) > limits.ONNX_NODES_MAX:
            raise InvalidModel(f"{len(inside)} nodes; {limits.ONNX_NODES_MAX} are allowed")
        waiting.extend(each for node in inside for each in _names(node))
    return found


def _names(node: pb.NodeDef) -> Iterator[str]:
    yield node.op
    for value in node.attr.values():
        given = value.WhichOneof("value")
        if given == "func":
            yield value.func.name
        elif given == "list":
            yield from (each.name for each in value.list.func)


def _check(nodes: Sequence[pb.NodeDef], library: Collection[str]) -> None:
    if len(nodes) > limits.ONNX_NODES_MAX:
        raise InvalidModel(f"{len(nodes)} nodes; {limits.ONNX_NODES_MAX} are allowed")
    refused: defaultdict[str, list[str]] = defaultdict(list)
    for node in nodes:
        # A function may not pass for an operation: TensorFlow would run the operation.
        if node.op not in ALLOWED and node.op not in library:
            refused[node.op].append(node.name)
    if refused:
        told = [f"{op} (node {min(names)!r})" for op, names in sorted(refused.items())]
        more = ", ..." if len(told) > _TOLD_MAX else ""
        raise UnsupportedModel(
            f"run by nothing here, with TensorFlow or without: {', '.join(told[:_TOLD_MAX])}{more}"
        )


def _assign(graph: pb.GraphDef, variable: pb.NodeDef, value: Array) -> str:
    """Add a constant and the node that assigns it; return that one's name."""
    constant = graph.node.add(name=f"{_OURS}{variable.name}/value", op="Const")
    kind = type_number(value.dtype)
    constant.attr["dtype"].type = kind
    tensor = constant.attr["value"].tensor
    tensor.dtype, tensor.tensor_content = kind, value.tobytes()
    tensor.tensor_shape.SetInParent()
    for size in value.shape:
        tensor.tensor_shape.dim.add(size=size)
    of_resource = variable.op == "VarHandleOp"
    name = f"{_OURS}{variable.name}/assigned"
    node = graph.node.add(name=name, op="AssignVariableOp" if of_resource else "Assign")
    node.input.extend((variable.name, constant.name))
    node.attr["dtype" if of_resource else "T"].type = kind
    return name
