"""Whole numbers divided so that no divisor ends the process.

ONNX Runtime leaves the division of the least integer by -1 to the processor, which then stops the
process. So -1 is set apart: such a quotient is the negated dividend, which for the least integer
is itself, as everywhere else where integers wrap around.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.onnx_graph.graph import all_graphs, graph_inputs
from modelstream.formats.runtime import open_session
from modelstream.wire.proto import onnx_subset_pb2 as pb

_DOMAINS = frozenset({"", "ai.onnx"})
_OPSET_MIN = 9  # the first with Where
# TensorProto.DataType: those that are guarded, and those that need not be.
_INT32, _INT64 = 6, 7
_INTEGERS = {"tensor(int32)": _INT32, "tensor(int64)": _INT64}
_NUMPY: dict[int, np.dtype[Any]] = {_INT32: np.dtype("<i4"), _INT64: np.dtype("<i8")}
# Operators whose first output is never a whole number.
_REAL = frozenset(
    {
        *("Acos", "Asin", "Atan", "Cos", "Cosh", "Elu", "Erf", "Exp", "Gelu", "Log", "LogSoftmax"),
        *("LayerNormalization", "Reciprocal", "Sigmoid", "Sin", "Sinh", "Softmax", "Softplus"),
        *("Sqrt", "Tan", "Tanh"),
    }
)


def guard_divisions(model: pb.ModelProto) -> None:
    """Rewrite the divisions of integers in a graph.

    Raises UnsupportedModel for one in a loop, branch or function that may be such a division and
    whose divisor is not constant; InvalidModel where ONNX Runtime cannot load the graph.
    """
    for nodes, graph in _bodies(model):
        _refuse_unknown(nodes, graph)
    suspects = [node for node in model.graph.node if _is_suspect(node, _constants(model.graph))]
    if not suspects:
        return
    kinds = _kinds(model, {node.input[1] for node in suspects})
    guarded = {node.output[0]: kinds[node.input[1]] for node in suspects if node.input[1] in kinds}
    if not guarded:
        return
    opset = max((o.version for o in model.opset_import if o.domain in _DOMAINS), default=0)
    if opset < _OPSET_MIN:
        raise UnsupportedModel(
            f"whole numbers are divided by what is not constant, in opset {opset}; "
            f"export the model with opset {_OPSET_MIN} or newer"
        )
    _rewrite(model.graph, guarded)


def _is_suspect(node: pb.NodeProto, constants: dict[str, pb.TensorProto]) -> bool:
    if node.op_type != "Div" or node.domain not in _DOMAINS or len(node.input) != 2:
        return False
    return not (node.input[1] in constants and _is_harmless(constants[node.input[1]]))


def _is_harmless(tensor: pb.TensorProto) -> bool:
    """Tell whether a constant is of another type, or has no -1."""
    if tensor.data_type not in _NUMPY:
        return True
    kind = _NUMPY[tensor.data_type]
    numbers = [*tensor.int32_data, *tensor.int64_data]
    whole = len(tensor.raw_data) - len(tensor.raw_data) % kind.itemsize
    return -1 not in numbers and -1 not in np.frombuffer(tensor.raw_data[:whole], kind)


def _constants(graph: pb.GraphProto) -> dict[str, pb.TensorProto]:
    """Return the constants of one graph by name; an initializer that is an input is none."""
    inputs = {value.name for value in graph.input}
    found = {each.name: each for each in graph.initializer if each.name not in inputs}
    return found | _constant_nodes(graph.node)


def _constant_nodes(nodes: Iterable[pb.NodeProto]) -> dict[str, pb.TensorProto]:
    return {
        node.output[0]: attribute.t
        for node in nodes
        if node.op_type == "Constant" and node.output
        for attribute in node.attribute
        if attribute.name == "value"
    }


def _kinds(model: pb.ModelProto, names: Collection[str]) -> dict[str, int]:
    """Return the integer types of some values of the main graph, as ONNX Runtime infers them."""
    asked = pb.ModelProto()
    asked.CopyFrom(model)
    told = {value.name: value.type.tensor_type.elem_type for value in graph_inputs(model)}
    told |= {each.name: each.data_type for each in model.graph.initializer}
    outputs = {value.name for value in model.graph.output}
    for name in sorted(set(names) - outputs - set(told)):
        asked.graph.output.add(name=name)
    # As it is written: to simplify the graph would be to divide its constants.
    session = open_session(asked.SerializeToString(deterministic=True), optimized=False)
    kinds = {each.name: _INTEGERS.get(each.type, 0) for each in session.get_outputs()}
    kinds |= {name: kind for name, kind in told.items() if kind in _NUMPY}
    return {name: kinds[name] for name in names if kinds.get(name)}


def _rewrite(graph: pb.GraphProto, guarded: dict[str, int]) -> None:
    nodes = list(graph.node)
    graph.ClearField("node")
    for kind in set(guarded.values()):
        for number in (-1, 1):
            data = np.array(number, _NUMPY[kind]).tobytes()
            graph.initializer.add(name=_constant(kind, number), data_type=kind, raw_data=data)
    for node in nodes:
        if node.op_type == "Div" and node.output and node.output[0] in guarded:
            graph.node.extend(_guarded(node, guarded[node.output[0]]))
        else:
            graph.node.append(node)


def _constant(kind: int, number: int) -> str:
    return f"%division/{kind}/{number}"


def _guarded(node: pb.NodeProto, kind: int) -> Iterator[pb.NodeProto]:
    (x, y), (answer,) = node.input, node.output
    turned, safe, quotient, negated = (
        f"{answer}%division/{each}" for each in ("turned", "safe", "quotient", "negated")
    )
    for operator, inputs, output in (
        ("Equal", (y, _constant(kind, -1)), turned),
        ("Where", (turned, _constant(kind, 1), y), safe),
        ("Div", (x, safe), quotient),
        ("Neg", (x,), negated),
        ("Where", (turned, negated, quotient), answer),
    ):
        yield pb.NodeProto(op_type=operator, input=inputs, output=[output], name=node.name)


def _bodies(model: pb.ModelProto) -> Iterator[tuple[Sequence[pb.NodeProto], pb.GraphProto]]:
    """Yield the nodes of every loop, branch and function, and the graph that they are in."""
    for graph in all_graphs(model.graph.node):
        yield graph.node, graph
    for function in model.functions:
        yield function.node, pb.GraphProto()
        for graph in all_graphs(function.node):
            yield graph.node, graph


def _refuse_unknown(nodes: Sequence[pb.NodeProto], graph: pb.GraphProto) -> None:
    """Raise UnsupportedModel unless every division is seen to be harmless where it stands."""
    constants = _constants(graph) | _constant_nodes(nodes)
    real = {name for name, each in constants.items() if each.data_type not in _NUMPY}
    real |= {
        value.name
        for value in (*graph.input, *graph.value_info)
        if value.type.tensor_type.elem_type not in {0, *_NUMPY}
    }
    for node in nodes:
        if node.op_type in _REAL or _casts_to_real(node):
            real.update(node.output[:1])
        # Both operands are of one type, and so is the answer.
        if node.op_type in {"Add", "Div", "Mul", "Pow", "Sub"} and real & set(node.input):
            real.update(node.output)
        if _is_suspect(node, constants) and not real & set(node.input):
            raise UnsupportedModel(
                f"Div {node.name or node.output[:1]} in a loop, branch or function may divide whole "
                "numbers by what is not constant; cast its operands to float"
            )


def _casts_to_real(node: pb.NodeProto) -> bool:
    return node.op_type == "Cast" and any(
        each.name == "to" and each.i not in _NUMPY for each in node.attribute
    )
