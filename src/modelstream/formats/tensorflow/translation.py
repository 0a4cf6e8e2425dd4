"""From the part of a TensorFlow graph that answers, to an ONNX graph that answers the same."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.onnx_graph.writer import Declared, GraphWriter
from modelstream.formats.tensorflow.emitter import Emitter, Value, Values
from modelstream.formats.tensorflow.graph import Graph, in_order, needed
from modelstream.formats.tensorflow.nodes import Node, Ref
from modelstream.formats.tensorflow.operators import OPERATORS
from modelstream.formats.tensorflow.tensors import Array
from modelstream.wire.proto import onnx_subset_pb2 as pb

_TOLD_MAX = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of where a graph comes from: a release of TensorFlow, and facts for people."""

    version: str = ""
    facts: tuple[tuple[str, str], ...] = ()


def evaluated(graph: Graph, outputs: Iterable[Ref], inputs: Collection[Ref]) -> Graph:
    """Return the part of a graph that these outputs need.

    Raises InvalidModel, and UnsupportedModel where an operation in it is not evaluated.
    """
    part = needed(graph, outputs, inputs)
    unknown: defaultdict[str, list[str]] = defaultdict(list)
    for node in part.nodes.values():
        if node.op == "Placeholder":
            raise InvalidModel(f"the outputs need the placeholder {node.name!r}, which is no input")
        if node.op not in OPERATORS:
            unknown[node.op].append(node.name)
    if unknown:
        raise _not_evaluated(unknown)
    return part


def translate(
    part: Graph,
    inputs: Mapping[Ref, Declared],
    outputs: Sequence[tuple[str, Ref]],
    variables: Mapping[str, Array],
    origin: Origin,
) -> pb.ModelProto:
    """Return the ONNX graph of an evaluated part; inputs that it does not need are left out.

    Raises InvalidModel, UnsupportedModel.
    """
    wanted = [ref for _, ref in outputs]
    both = {name for name, _ in outputs} & {each.name for each in inputs.values()}
    if both:
        raise UnsupportedModel(f"an input and an output have the same name: {min(both)!r}")
    writer = GraphWriter()
    emit = Emitter(writer, variables)
    values = {ref: Value(each.name, rows_of=each.name) for ref, each in inputs.items()}
    for node in in_order(part, wanted, inputs):
        for at, answer in enumerate(_translate_node(emit, node, values)):
            values.setdefault(Ref(node.name, at), answer)  # what is fed stays what it is
    named = [(name, emit.name(_found(values, ref))) for name, ref in outputs]
    read = {ref for node in part.nodes.values() for ref in node.inputs}
    declared = [
        _with_width(each, emit.widths)
        for ref, each in inputs.items()
        if ref in read or ref in wanted
    ]
    return writer.finish(
        declared, named, producer=("TensorFlow", origin.version), metadata=origin.facts
    )


def _translate_node(emit: Emitter, node: Node, values: Mapping[Ref, Value]) -> Values:
    operator = OPERATORS[node.op]
    operands = tuple(_found(values, ref) for ref in node.inputs)
    if operator.inputs not in {None, len(operands)}:
        raise InvalidModel(f"{node} has {len(operands)} inputs, not {operator.inputs}")
    return operator.translate(emit, node, operands)


def _found(values: Mapping[Ref, Value], ref: Ref) -> Value:
    if ref not in values:
        raise InvalidModel(f"node {ref.node!r} has no output {ref.output} that can be evaluated")
    return values[ref]


def _not_evaluated(unknown: Mapping[str, Sequence[str]]) -> UnsupportedModel:
    """Name all operations at once: they tell what to do about them."""
    told = [f"{op} (node {min(names)!r})" for op, names in sorted(unknown.items())]
    more = ", ..." if len(told) > _TOLD_MAX else ""
    return UnsupportedModel(
        f"TensorFlow operations that are not evaluated: {', '.join(told[:_TOLD_MAX])}{more}; "
        "convert the model with tf2onnx and publish it as ONNX, or export it without them"
    )


def _with_width(declared: Declared, widths: Mapping[str, int]) -> Declared:
    """Give an input of which no shape is told the width that its first matrix product needs."""
    if declared.shape is None and declared.name in widths:
        return replace(declared, shape=(None, widths[declared.name]))
    return declared
