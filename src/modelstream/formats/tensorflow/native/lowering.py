"""From a graph that is no ONNX to the form that TensorFlow runs, or to the reason why not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from modelstream.errors import UnsupportedModel
from modelstream.formats.base import Elsewhere, Hints
from modelstream.formats.onnx_graph.writer import Declared
from modelstream.formats.tensorflow.native.form import (
    VERSION,
    Fed,
    Fetched,
    NativeForm,
    encode_form,
)
from modelstream.formats.tensorflow.native.part import needed_part, write_part
from modelstream.formats.tensorflow.nodes import Ref
from modelstream.formats.tensorflow.tensors import Array
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_RUNTIME = "tensorflow"
ReadVariables = Callable[[set[str]], Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class Served:
    """A graph and what of it is served.

    `filling` is the node that fills the graph's tables, or empty; `read_variables` returns the
    values of variables by their nodes' names.
    """

    graph: pb.GraphDef
    inputs: Mapping[Ref, Declared]
    outputs: Sequence[tuple[str, Ref]]
    format: str
    made_by: str
    filling: str = ""
    read_variables: ReadVariables = lambda _: {}


def lower_native(served: Served, hints: Hints, why: UnsupportedModel) -> Elsewhere:
    """Return the form of a graph that was refused as ONNX, and why it was.

    Raises UnsupportedModel where TensorFlow may not run it either, or is not installed;
    InvalidModel.
    """
    fed = {ref.node for ref in served.inputs}
    try:
        asked = [ref.node for _, ref in served.outputs]
        part = needed_part(served.graph, asked, fed, served.filling)
    except UnsupportedModel as refused:
        raise UnsupportedModel(f"{why}; {refused}") from None
    if _RUNTIME not in hints.runtimes:
        raise UnsupportedModel(
            f"{why}; or install TensorFlow, which then runs the model in a confined process: "
            "pip install 'modelstream[tensorflow]'"
        )
    values = served.read_variables(part.variables())
    graph, initial = write_part(part, served.graph.versions, values)
    form = NativeForm(
        version=VERSION,
        graph=graph,
        initial=initial,
        inputs=tuple(
            Fed(each.name, _tensor(ref), each.dtype.name, _shape(each))
            for ref, each in served.inputs.items()
            if ref.node in part.nodes
        ),
        outputs=tuple(Fetched(name, _tensor(ref)) for name, ref in served.outputs),
        feature_names=hints.feature_names,
        labels=hints.labels,
        format=served.format,
        made_by=served.made_by,
        why=str(why).partition(";")[0],
    )
    return Elsewhere(encode_form(form))


def _shape(declared: Declared) -> tuple[int | None, ...] | None:
    """Return the shape, as far as it is told; of texts a record has one unless told otherwise."""
    return (None,) if declared.shape is None and declared.dtype.kind == "O" else declared.shape


def _tensor(ref: Ref) -> str:
    return f"{ref.node}:{ref.output}"
