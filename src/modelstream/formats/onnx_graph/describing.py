"""Describe a graph: where it comes from, its columns, its operators and how large it is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

from modelstream import limits
from modelstream.formats import limits as format_limits
from modelstream.formats.base import Description, Header, InputFacts, OutputFacts, Part
from modelstream.formats.description import make_header
from modelstream.formats.onnx_graph.graph import Labels, all_graphs
from modelstream.formats.onnx_graph.plan import Binding
from modelstream.wire.proto import onnx_subset_pb2 as pb

_NO_VERSION = 2**63 - 1  # what ONNX Runtime says where a model does not
_OPERATORS_TOLD_MAX = 20


def describe_graph(
    model: pb.ModelProto,
    session: Any,
    inputs: Sequence[Binding],
    outputs: Sequence[Binding],
    *,
    name: str,
    version: str,
) -> Description:
    """Return the description of a checked graph, with its columns as they are bound.

    `name` and `version` are those of the format it came as.
    """
    classes = next((_classes(each) for each in outputs if _classes(each)), ())
    return Description(
        format=name,
        version=version,
        header=_header(model, session.get_modelmeta()),
        inputs=tuple(
            InputFacts(field.name, field.type, field.shape, field.optional, each.element)
            for each in inputs
            for field in each.fields()
        ),
        outputs=tuple(fact for each in outputs for fact in _outputs(each, classes)),
        structure=_structure(model, session.get_modelmeta()),
    )


def _header(model: pb.ModelProto, known: Any) -> Header:
    return make_header(
        application=model.producer_name,
        version=model.producer_version,
        model_version="" if known.version in {0, _NO_VERSION} else str(known.version),
        description=known.description,
    )


def _outputs(binding: Binding, classes: Labels) -> Iterator[OutputFacts]:
    """Yield one fact a column: the value of one class, or one of the classes itself."""
    own = _classes(binding)
    told = classes if not binding.element.startswith("float") and not binding.row_shape else ()
    for number, field in enumerate(binding.fields()):
        yield OutputFacts(
            field.name,
            field.type,
            field.shape,
            declared=binding.element,
            feature="probability" if field.name.startswith("probability(") else "",
            labels=own[number : number + 1] if own else told,
        )


def _classes(binding: Binding) -> Labels:
    """Return the class that each column of an output is about, or none."""
    for prefix in ("probability(", f"{binding.tensor}("):
        if all(name.startswith(prefix) and name.endswith(")") for name in binding.columns):
            return tuple(name[len(prefix) : -1] for name in binding.columns)
    return ()


def _structure(model: pb.ModelProto, known: Any) -> Part:
    """Count what is in the graph, the graphs inside its nodes and functions included."""
    graphs = [model.graph, *all_graphs(model.graph.node)]
    nodes = [node for graph in graphs for node in graph.node]
    for function in model.functions:
        inside = list(all_graphs(function.node))
        graphs.extend(inside)
        nodes.extend([*function.node, *(node for graph in inside for node in graph.node)])
    operators = Counter(node.op_type for node in nodes).most_common()
    told = [f"{name} {count}" for name, count in operators[:_OPERATORS_TOLD_MAX]]
    more = ["..."] if len(operators) > len(told) else []
    facts: dict[str, Any] = {
        "name": known.graph_name,
        "opsets": ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import),
        "nodes": len(nodes),
        "operators": ", ".join([*told, *more]),
        "parameters": _parameters(graphs, nodes),
        "functions": len(model.functions),
        **_learned(nodes),
    }
    for entry in model.metadata_props[: format_limits.DESCRIBED_PARTS_MAX]:
        facts[f"metadata {_cut(entry.key)}"] = _cut(entry.value)
    return Part("graph", {name: fact for name, fact in facts.items() if fact not in {0, ""}})


def _parameters(graphs: Iterable[pb.GraphProto], nodes: Iterable[pb.NodeProto]) -> int:
    """Count the numbers that the graphs hold as tensors."""
    tensors = [tensor for graph in graphs for tensor in graph.initializer]
    tensors.extend(a.t for node in nodes if node.op_type == "Constant" for a in node.attribute)
    return sum(prod(map(_counted, tensor.dims)) for tensor in tensors if tensor.data_type)


def _learned(nodes: Iterable[pb.NodeProto]) -> dict[str, int]:
    """Count trees, their nodes and support vectors, which stand in attributes of operators."""
    counts = {"trees": 0, "tree nodes": 0, "support vectors": 0}
    for node in nodes:
        for attribute in node.attribute:
            match attribute.name:
                case "nodes_treeids":
                    counts["trees"] += len(set(attribute.ints))
                    counts["tree nodes"] += len(attribute.ints)
                case "tree_roots":
                    counts["trees"] += len(attribute.ints)
                case "nodes_featureids" if node.op_type == "TreeEnsemble":
                    counts["tree nodes"] += len(attribute.ints)
                case "vectors_per_class":
                    counts["support vectors"] += sum(map(_counted, attribute.ints))
    return counts


def _counted(size: int) -> int:
    """Return a size that a hostile graph cannot make too large to be written."""
    return min(max(size, 0), limits.ARTIFACT_BYTES_MAX)


def _cut(text: str) -> str:
    return text[: limits.FIELD_NAME_CHARS_MAX]
