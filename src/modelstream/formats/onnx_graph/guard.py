"""What an ONNX model may not contain, told from its bytes alone, before ONNX Runtime sees them.

Refused are tensors outside the message (they would read files of this machine), operators outside
the standard's own sets (they would be code of this machine), random ones, and graphs without bound.
"""

from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.wire.proto import onnx_subset_pb2 as pb

STANDARD_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
# Scoring a record again has to give the same answer.
_RANDOM = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)

_Operator = tuple[str, str]  # domain and name
_Calls = Counter[_Operator]


def check_graph(model: pb.ModelProto) -> None:
    """Raise InvalidModel or UnsupportedModel, with the reason, unless the model is harmless."""
    main: _Calls = Counter()
    _survey_graph(model.graph, 0, main)
    bodies: dict[_Operator, _Calls] = {}
    for function in model.functions:
        calls = bodies.setdefault((function.domain, function.name), Counter())
        _survey_attributes(function.attribute_proto, 0, calls)
        _survey_nodes(function.node, 0, calls)
    for calls in (main, *bodies.values()):
        _check_operators(calls, bodies)
    nodes = _expanded(main, bodies)
    if nodes > limits.ONNX_NODES_MAX:
        raise InvalidModel(
            f"{nodes} nodes with functions expanded; {limits.ONNX_NODES_MAX} are allowed"
        )


def _survey_graph(graph: pb.GraphProto, depth: int, calls: _Calls) -> None:
    if depth > limits.ONNX_SUBGRAPH_DEPTH_MAX:
        raise InvalidModel(f"graphs are nested deeper than {limits.ONNX_SUBGRAPH_DEPTH_MAX}")
    _check_tensors(graph.initializer)
    _check_sparse(graph.sparse_initializer)
    _survey_nodes(graph.node, depth, calls)


def _survey_nodes(nodes: Iterable[pb.NodeProto], depth: int, calls: _Calls) -> None:
    for node in nodes:
        calls[node.domain, node.op_type] += 1
        _survey_attributes(node.attribute, depth, calls)


def _survey_attributes(attributes: Iterable[pb.AttributeProto], depth: int, calls: _Calls) -> None:
    for attribute in attributes:
        # An unset message field reads as an empty one, so these need no question whether it is set.
        _check_tensors((attribute.t, *attribute.tensors))
        _check_sparse((attribute.sparse_tensor, *attribute.sparse_tensors))
        if attribute.HasField("g"):
            _survey_graph(attribute.g, depth + 1, calls)
        for graph in attribute.graphs:
            _survey_graph(graph, depth + 1, calls)


def _check_sparse(tensors: Iterable[pb.SparseTensorProto]) -> None:
    for tensor in tensors:
        _check_tensors((tensor.values, tensor.indices))


def _check_tensors(tensors: Iterable[pb.TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_location != 0 or tensor.external_data:
            raise InvalidModel(
                f"tensor {tensor.name!r} lies in a file beside the model; "
                "save the model with all tensors inside it"
            )


def _check_operators(calls: _Calls, bodies: dict[_Operator, _Calls]) -> None:
    for domain, name in calls:
        if domain not in STANDARD_DOMAINS and (domain, name) not in bodies:
            raise UnsupportedModel(
                f"operator {name!r} of domain {domain!r} is not one of ONNX's own; "
                "export with standard operators only"
            )
        if name in _RANDOM and (domain, name) not in bodies:
            raise UnsupportedModel(f"operator {name!r} gives another answer each time")


def _expanded(main: _Calls, bodies: dict[_Operator, _Calls]) -> int:
    """Count the nodes that are left when every function call is replaced by its body."""
    callees = {name: [c for c in calls if c in bodies] for name, calls in bodies.items()}
    sizes: dict[_Operator, int] = {}
    try:
        for name in TopologicalSorter(callees).static_order():
            sizes[name] = sum(n * sizes.get(c, 1) for c, n in bodies[name].items())
    except CycleError as error:
        raise InvalidModel(f"function {error.args[1][0][1]!r} calls itself") from None
    return sum(n * sizes.get(c, 1) for c, n in main.items())
