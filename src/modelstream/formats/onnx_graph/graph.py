"""ONNX graphs as protobuf messages: read, and edited so that they take and give plain batches.

Edits are few: ZipMap nodes become Identity, and a fixed first dimension is opened.
"""

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError

from modelstream.errors import InvalidModel
from modelstream.wire.proto import onnx_subset_pb2 as pb

_FLOAT = 1  # TensorProto.DataType
_LABEL_ATTRIBUTES = frozenset({"classlabels_strings", "classlabels_int64s", "classlabels_ints"})
_CLASSIFIERS = frozenset({"LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier"})

Labels = tuple[str, ...]


def parse_graph(data: bytes) -> pb.ModelProto:
    """Read a model, without its training information. Raises InvalidModel."""
    try:
        model = pb.ModelProto.FromString(data)
    except DecodeError as error:
        raise InvalidModel(f"not an ONNX model: {error}") from None
    if not model.graph.node:
        raise InvalidModel("not an ONNX model: it has no graph, or one without nodes")
    model.ClearField("training_info")
    for value in (*model.graph.input, *model.graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.HasField("dim_value") and dimension.dim_value <= 0:
                dimension.ClearField("dim_value")  # some exporters' way to write "any size"
    return model


def graph_inputs(model: pb.ModelProto) -> list[pb.ValueInfoProto]:
    """Return the values a caller must give; initializers listed among the inputs are not."""
    constant = {tensor.name for tensor in model.graph.initializer}
    constant |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    return [value for value in model.graph.input if value.name not in constant]


def all_graphs(nodes: Iterable[pb.NodeProto]) -> Iterator[pb.GraphProto]:
    """Yield the graphs inside nodes; how deeply they are nested has been checked."""
    for node in nodes:
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                if graph.node:
                    yield graph
                    yield from all_graphs(graph.node)


def strip_zipmaps(model: pb.ModelProto) -> dict[str, Labels]:
    """Let outputs that are lists of maps be the tensors they are made from.

    Returns the class labels of each output changed, in the order of the tensor's columns.
    """
    outputs = {value.name: value for value in model.graph.output}
    stripped: dict[str, Labels] = {}
    for node in model.graph.node:
        if (node.domain, node.op_type) != ("ai.onnx.ml", "ZipMap"):
            continue
        name = node.output[0] if node.output else ""
        if name not in outputs:
            continue
        stripped[name] = _labels(node)
        node.domain, node.op_type = "", "Identity"
        node.ClearField("attribute")
        _make_float_matrix(outputs[name], len(stripped[name]))
    if stripped and all(each.domain not in {"", "ai.onnx"} for each in model.opset_import):
        model.opset_import.add(domain="", version=13)  # any version has Identity
    return stripped


def class_labels(model: pb.ModelProto) -> Labels:
    """Return the labels that the graph's classifiers agree on, or none."""
    found = {
        _labels(node)
        for node in model.graph.node
        if node.domain == "ai.onnx.ml" and node.op_type in _CLASSIFIERS
    }
    return found.pop() if len(found) == 1 else ()


def metadata(model: pb.ModelProto, key: str) -> str:
    """Return what the model's metadata says under a key, as it stands there."""
    return next((entry.value for entry in model.metadata_props if entry.key == key), "")


def fixed_batches(model: pb.ModelProto) -> set[int]:
    """Return the sizes that inputs fix for their first dimension; empty where all are open."""
    firsts = [each.type.tensor_type.shape.dim[:1] for each in graph_inputs(model)]
    return {first[0].dim_value for first in firsts if first and first[0].dim_value > 0}


def open_batch(model: pb.ModelProto) -> pb.ModelProto:
    """Return a copy whose first dimensions are open; whether it then works is to be tried."""
    sizes = fixed_batches(model)
    opened = pb.ModelProto()
    opened.CopyFrom(model)
    for value in (*graph_inputs(opened), *opened.graph.output):
        dims = value.type.tensor_type.shape.dim
        if dims and dims[0].dim_value in sizes:
            dims[0].dim_param = "rows"
    for value in opened.graph.value_info:  # what is told of inner shapes holds no longer
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    return opened


def _labels(node: pb.NodeProto) -> Labels:
    for attribute in node.attribute:
        if attribute.name in _LABEL_ATTRIBUTES:
            texts = [each.decode("utf-8", errors="replace") for each in attribute.strings]
            labels = (*texts, *map(str, attribute.ints))
            if labels:
                return labels
    return ()


def _make_float_matrix(value: pb.ValueInfoProto, columns: int) -> None:
    tensor = value.type.tensor_type
    tensor.elem_type = _FLOAT
    tensor.shape.dim.add(dim_param="rows")
    if columns:
        tensor.shape.dim.add(dim_value=columns)
    else:
        tensor.shape.dim.add()
