"""The way every ONNX graph takes, whatever it came as: to a checked plan, and from it to a model."""

from dataclasses import dataclass
from typing import Any

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Device, Hints
from modelstream.formats.description import encode_description
from modelstream.formats.onnx_graph.describing import describe_graph
from modelstream.formats.onnx_graph.division import check_divisions, guard_divisions
from modelstream.formats.onnx_graph.graph import (
    Labels,
    class_labels,
    fixed_batches,
    open_batch,
    parse_graph,
    strip_zipmaps,
)
from modelstream.formats.onnx_graph.guard import check_graph
from modelstream.formats.onnx_graph.model import OnnxModel
from modelstream.formats.onnx_graph.plan import (
    PLAN_VERSION,
    Binding,
    Plan,
    decode_plan,
    encode_plan,
)
from modelstream.formats.onnx_graph.signature import bind_inputs, bind_outputs, element_of
from modelstream.formats.onnx_graph.trial import Trial, try_rows
from modelstream.formats.runtime import open_session, runs_on
from modelstream.wire.proto import onnx_subset_pb2 as pb


@dataclass(frozen=True, slots=True)
class _Tried:
    """A graph that loads, its inputs, and what some rows showed."""

    onnx: bytes
    session: Any
    inputs: tuple[Binding, ...]
    trial: Trial


def lower_graph(model: pb.ModelProto, hints: Hints, *, name: str, version: str) -> bytes:
    """Check a graph, make it take plain batches, and name its columns; the graph is changed.

    `name` and `version` are those of the format it came as. Raises InvalidModel, UnsupportedModel.
    """
    check_graph(model)
    guard_divisions(model)
    labels = _output_labels(model)
    tried, by_row = _try_batches(model, hints)
    open_inputs = any(None in each.shape for each in tried.inputs)
    outputs = bind_outputs(tried.session, tried.trial, labels, hints, open_inputs=open_inputs)
    described = describe_graph(
        model, tried.session, tried.inputs, outputs, name=name, version=version
    )
    description = encode_description(described)
    return encode_plan(Plan(PLAN_VERSION, tried.onnx, tried.inputs, outputs, by_row, description))


def load_graph(lowered: bytes, device: Device = "cpu") -> OnnxModel:
    """Build the model on a device. Raises InvalidModel.

    The graph is checked again: the process that lowered it has read hostile bytes.
    """
    plan = decode_plan(lowered)
    graph = parse_graph(plan.onnx)
    check_graph(graph)
    check_divisions(graph)
    session = open_session(plan.onnx, device=device)
    _check_tensors("inputs", session.get_inputs(), plan.inputs)
    _check_tensors("outputs", session.get_outputs(), plan.outputs)
    return OnnxModel(session, plan, "" if device == "cpu" else runs_on(session))


def _output_labels(model: pb.ModelProto) -> dict[str, Labels]:
    """Return the class labels of each output that may have a column for each class."""
    stripped = strip_zipmaps(model)
    if stripped:
        return stripped
    labels = class_labels(model)
    return {output.name: labels for output in model.graph.output}


def _try_batches(model: pb.ModelProto, hints: Hints) -> tuple[_Tried, bool]:
    """Return the graph to serve, and whether it has to be run row by row."""
    sizes = fixed_batches(model)
    if not sizes:
        tried = _try(model, hints)
        return tried, tried.trial.outcome == "single"
    why = "its answers depend on it"
    try:
        tried = _try(open_batch(model), hints)
    except InvalidModel as error:
        why = str(error)
    else:
        if tried.trial.outcome == "batch":
            return tried, False
    if sizes != {1}:
        raise UnsupportedModel(
            f"the model takes batches of {max(sizes)} rows only ({why}); "
            "export it with an open first dimension"
        )
    return _try(model, hints), True


def _try(model: pb.ModelProto, hints: Hints) -> _Tried:
    onnx: bytes = model.SerializeToString(deterministic=True)
    session = open_session(onnx)
    inputs = bind_inputs(session, model, hints)
    for value in session.get_outputs():
        element_of(value)  # lists and maps are refused before one is run
    return _Tried(onnx, session, inputs, try_rows(session, inputs))


def _check_tensors(what: str, values: list[Any], bindings: tuple[Binding, ...]) -> None:
    have = [(value.name, element_of(value)) for value in values]
    if have != [(each.tensor, each.element) for each in bindings]:
        raise InvalidModel(f"the {what} are not those of the graph; lower the artifact again")
