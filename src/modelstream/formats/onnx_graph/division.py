"""Whole numbers divided so that no divisor ends the process.

ONNX Runtime leaves the division of the least integer by -1 to the processor, which then stops the
process; before version 1.25 it left division by zero and remainders to it, too. So -1 is set apart:
such a quotient is the negated dividend, which for the least integer is itself, as everywhere else
where integers wrap around. Zero fails the run, and so its record.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.onnx_graph.divisors import (
    DTYPES,
    INT32,
    INT64,
    guard_constants,
    is_safe,
    part,
    safe_divisor,
)
from modelstream.formats.onnx_graph.graph import all_graphs, graph_inputs
from modelstream.formats.runtime import open_session
from modelstream.wire.proto import onnx_subset_pb2 as pb

_DOMAINS = frozenset({"", "ai.onnx"})
_OPERATORS = frozenset({"Div", "Mod"})
_OPSET_MIN = 9  # the first with Where
# TensorProto.DataType of what is no whole number, and ONNX Runtime's names for all that divide.
_REALS = {"tensor(float)": 1, "tensor(float16)": 10, "tensor(double)": 11, "tensor(bfloat16)": 16}
_INTEGERS = {"tensor(int32)": INT32, "tensor(int64)": INT64}
# All whole numbers; those of other sizes are only divided by constants.
_WHOLE: Mapping[int, np.dtype[Any]] = {
    **DTYPES,
    2: np.dtype("u1"), 4: np.dtype("<u2"), 12: np.dtype("<u4"), 13: np.dtype("<u8"),
    3: np.dtype("i1"), 5: np.dtype("<i2"),
}  # fmt: skip
# Operators whose first output is never a whole number.
_REAL_OPERATORS = frozenset(
    {
        *("Acos", "Asin", "Atan", "Cos", "Cosh", "Elu", "Erf", "Exp", "Gelu", "Log", "LogSoftmax"),
        *("LayerNormalization", "Reciprocal", "Sigmoid", "Sin", "Sinh", "Softmax", "Softplus"),
        *("Sqrt", "Tan", "Tanh"),
    }
)


def guard_divisions(model: pb.ModelProto) -> None:
    """Rewrite the divisions of integers in a graph, and write down the types of all others.

    Raises UnsupportedModel for one in a loop, branch or function that may be such a division and
    whose divisor is not constant; InvalidModel where ONNX Runtime cannot load the graph.
    """
    for nodes, graph in _bodies(model):
        _check_nodes(nodes, graph)
    constants = _constants(model.graph)
    suspects = [node for node in model.graph.node if _is_suspect(node, constants)]
    if not suspects:
        return
    kinds = _kinds(model, {node.input[1] for node in suspects})
    guarded = {
        node.output[0]: kinds[node.input[1]]
        for node in suspects
        if kinds.get(node.input[1]) in DTYPES
    }
    opset = max((o.version for o in model.opset_import if o.domain in _DOMAINS), default=0)
    if guarded and opset < _OPSET_MIN:
        raise UnsupportedModel(
            f"whole numbers are divided by what is not constant, in opset {opset}; "
            f"export the model with opset {_OPSET_MIN} or newer"
        )
    _declare(model.graph, kinds)
    _rewrite(model.graph, guarded)
    check_divisions(model)


def check_divisions(model: pb.ModelProto) -> None:
    """Raise UnsupportedModel unless every division is seen to be harmless, or is guarded.

    What a graph says of its types is believed: ONNX Runtime loads none that says otherwise.
    """
    for nodes, graph in ((model.graph.node, model.graph), *_bodies(model)):
        _check_nodes(nodes, graph)


def _is_suspect(node: pb.NodeProto, constants: Mapping[str, pb.TensorProto]) -> bool:
    divides = node.op_type in _OPERATORS and node.domain in _DOMAINS and len(node.input) == 2
    if not (divides and node.output):
        return False
    return not (node.input[1] in constants and _is_harmless(constants[node.input[1]]))


def _is_harmless(tensor: pb.TensorProto) -> bool:
    """Tell whether a constant is no whole number, or is seen to have neither -1 nor 0."""
    if tensor.data_type not in _WHOLE:
        return True
    kind = _WHOLE[tensor.data_type]
    whole = len(tensor.raw_data) - len(tensor.raw_data) % kind.itemsize
    raw = np.frombuffer(tensor.raw_data[:whole], kind)
    listed = {*tensor.int32_data, *tensor.int64_data}
    seen = bool(listed) or raw.size > 0
    turns = kind.kind == "i" and bool((raw == -1).any())
    return seen and not ({-1, 0} & listed or turns or (raw == 0).any())


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
    """Return the types of some values of the main graph, as ONNX Runtime infers them."""
    asked = pb.ModelProto()
    asked.CopyFrom(model)
    told = {value.name: value.type.tensor_type.elem_type for value in graph_inputs(model)}
    told |= {each.name: each.data_type for each in model.graph.initializer}
    outputs = {value.name for value in model.graph.output}
    for name in sorted(set(names) - outputs - set(told)):
        asked.graph.output.add(name=name)
    # As it is written: to simplify the graph would be to divide its constants.
    session = open_session(asked.SerializeToString(deterministic=True), optimized=False)
    types = _INTEGERS | _REALS
    kinds = {each.name: types.get(each.type, 0) for each in session.get_outputs()} | told
    return {name: kinds[name] for name in names if kinds.get(name)}


def _declare(graph: pb.GraphProto, kinds: Mapping[str, int]) -> None:
    """Write the types of real divisors into the graph, where it does not tell them itself."""
    told = _real_names(graph.node, graph)
    for name, kind in sorted(kinds.items()):
        if kind in _REALS.values() and name not in told:
            graph.value_info.add(name=name).type.tensor_type.elem_type = kind


def _rewrite(graph: pb.GraphProto, guarded: Mapping[str, int]) -> None:
    nodes = list(graph.node)
    graph.ClearField("node")
    for kind in sorted(set(guarded.values())):
        graph.initializer.extend(guard_constants(kind))
    for node in nodes:
        if node.op_type in _OPERATORS and node.output and node.output[0] in guarded:
            graph.node.extend(_guarded(node, guarded[node.output[0]]))
        else:
            graph.node.append(node)


def _guarded(node: pb.NodeProto, kind: int) -> Iterator[pb.NodeProto]:
    (x, divisor), (answer,) = node.input, node.output
    yield from safe_divisor(divisor, answer, kind)
    safely = pb.NodeProto()
    safely.CopyFrom(node)
    safely.input[1] = part(answer, "safe")
    if node.op_type == "Mod":  # by -1 it is 0, as it is by 1
        yield safely
        return
    safely.output[0], negated = part(answer, "quotient"), part(answer, "negated")
    yield safely
    yield pb.NodeProto(op_type="Neg", input=[x], output=[negated], name=node.name)
    chosen = [part(answer, "turned"), negated, safely.output[0]]
    yield pb.NodeProto(op_type="Where", input=chosen, output=[answer], name=node.name)


def _bodies(model: pb.ModelProto) -> Iterator[tuple[Sequence[pb.NodeProto], pb.GraphProto]]:
    """Yield the nodes of every loop, branch and function, and the graph that they are in."""
    for graph in all_graphs(model.graph.node):
        yield graph.node, graph
    for function in model.functions:
        yield function.node, pb.GraphProto()
        for graph in all_graphs(function.node):
            yield graph.node, graph


def _check_nodes(nodes: Sequence[pb.NodeProto], graph: pb.GraphProto) -> None:
    """Raise UnsupportedModel unless every division is seen to be harmless where it stands."""
    constants = _constants(graph) | _constant_nodes(nodes)
    suspects = [node for node in nodes if _is_suspect(node, constants)]
    if not suspects:
        return
    real = _real_names(nodes, graph)
    producers = {name: node for node in nodes for name in node.output}
    for node in suspects:
        if not real & set(node.input) and not is_safe(node.input[1], producers, constants):
            raise UnsupportedModel(
                f"{node.op_type} {node.name or node.output[:1]} may divide whole numbers by what is "
                "not constant, in a loop, branch or function, or of another type than int32 and "
                "int64; cast its operands to float"
            )


def _real_names(nodes: Sequence[pb.NodeProto], graph: pb.GraphProto) -> set[str]:
    """Return the values that are seen to be no whole numbers."""
    constants = _constants(graph) | _constant_nodes(nodes)
    real = {name for name, each in constants.items() if each.data_type in _REALS.values()}
    real |= {
        value.name
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.elem_type in _REALS.values()
    }
    for node in nodes:
        if node.op_type in _REAL_OPERATORS or _casts_to_real(node):
            real.update(node.output[:1])
        # Both operands are of one type, and so is the answer; of a power it is that of the base.
        typed = node.input[:1] if node.op_type == "Pow" else node.input
        if node.op_type in {"Add", "Div", "Mul", "Pow", "Sub"} and real & set(typed):
            real.update(node.output)
    return real


def _casts_to_real(node: pb.NodeProto) -> bool:
    return node.op_type == "Cast" and any(
        each.name == "to" and each.i in _REALS.values() for each in node.attribute
    )
