"""How the tensors of a graph become named columns.

A tensor of shape [N], [N, 1] is the column of its name. A tensor [N, k] is k columns where names
for them are known: an input's are the feature names, an output's are the class labels. All other
tensors are one column each, of that shape.
"""

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph import graph
from modelstream.formats.onnx_graph.graph import Labels
from modelstream.formats.onnx_graph.plan import Binding, Element
from modelstream.formats.onnx_graph.trial import Trial
from modelstream.wire.proto import onnx_subset_pb2 as pb

Shape = tuple[int | None, ...]

_ELEMENTS: dict[str, Element] = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(bool)": "bool",
    "tensor(string)": "string",
}


def element_of(value: Any) -> Element:
    """Return the element type of a session's input or output. Raises UnsupportedModel."""
    if value.type not in _ELEMENTS:
        raise UnsupportedModel(
            f"{value.name!r} is a {value.type}; columns are tensors of numbers, booleans or strings"
        )
    return _ELEMENTS[value.type]


def bind_inputs(session: Any, model: pb.ModelProto, hints: Hints) -> tuple[Binding, ...]:
    """Name the columns of every input. Raises InvalidModel, UnsupportedModel.

    Feature names name the columns of the matrices, in order; the descriptor's go before those
    in the model's metadata. That tells under `optional_features` which columns may be missing.
    """
    bindings = _named(session, model, hints)
    names = _split(model, "optional_features")
    if any(each.columns != (each.tensor,) for each in bindings):
        # The publisher may call the columns otherwise than the file does.
        renamed = dict(zip(_split(model, "feature_names"), hints.feature_names, strict=False))
        names = tuple(renamed.get(name, name) for name in names)
    return _optional(bindings, names)


def _named(session: Any, model: pb.ModelProto, hints: Hints) -> tuple[Binding, ...]:
    declared = {value.name: value for value in model.graph.input}
    bindings = tuple(
        Binding(value.name, element_of(value), _input_shape(declared[value.name]), (value.name,))
        for value in session.get_inputs()
    )
    _check_size(bindings)
    matrices = [each for each in bindings if len(each.shape) == 1 and each.shape != (1,)]
    if len(bindings) == 1 and bindings[0].shape == (1,):
        matrices = list(bindings)
    if not matrices:
        _check_same(hints.feature_names, bindings)
        return bindings
    names = hints.feature_names or _split(model, "feature_names")
    named = _share_out(names, matrices) if names else {}
    return tuple(named.get(each.tensor, each) for each in bindings)


def bind_outputs(
    session: Any, trial: Trial, labels: dict[str, Labels], hints: Hints, *, open_inputs: bool
) -> tuple[Binding, ...]:
    """Name the columns of every output; `labels` are the classes of the outputs that have them.

    Raises InvalidModel, UnsupportedModel.
    """
    values = session.get_outputs()
    classes = {
        value.name: chosen
        for value in values
        if (chosen := _classes(value, trial, labels.get(value.name, ()), hints.labels))
    }
    if hints.labels and not classes:
        raise InvalidModel(
            f"{len(hints.labels)} labels are given, but no output has a value for each"
        )
    bindings = []
    for value in values:
        shape = _output_shape(value, trial, open_inputs=open_inputs)
        columns: Labels = (value.name,)
        if value.name in classes:
            prefix = "probability" if len(classes) == 1 else value.name
            columns = tuple(f"{prefix}({label})" for label in classes[value.name])
            shape = (len(columns),)
        bindings.append(Binding(value.name, element_of(value), shape, columns))
    return tuple(bindings)


def _input_shape(value: pb.ValueInfoProto) -> Shape:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return (None,)  # nothing is declared: rows of any length
    if not tensor.shape.dim:
        raise UnsupportedModel(
            f"input {value.name!r} is one value for all records; give it a first dimension"
        )
    return tuple(each.dim_value or None for each in tensor.shape.dim[1:])


def _check_size(bindings: Sequence[Binding]) -> None:
    values = sum(math.prod(size or 1 for size in each.shape) for each in bindings)
    if values > limits.TENSOR_VALUES_MAX:
        raise InvalidModel(
            f"the inputs have {values} values a row; {limits.TENSOR_VALUES_MAX} are allowed"
        )


def _check_same(names: Labels, bindings: Sequence[Binding]) -> None:
    inputs = [each.tensor for each in bindings]
    if names and set(names) != set(inputs):
        raise InvalidModel(
            f"feature names are given, but the inputs have names of their own: {_told(inputs)}"
        )


def _optional(bindings: tuple[Binding, ...], names: Labels) -> tuple[Binding, ...]:
    """Let columns be missing, as NaN. Raises InvalidModel where one cannot be."""
    real = {name for each in bindings if each.element.startswith("float") for name in each.columns}
    for name in names:
        if name not in real:
            raise InvalidModel(
                f"the metadata's optional_features name {name!r}, which is no input of floats; "
                "what is missing is NaN to a graph"
            )
    optional = frozenset(names)
    return tuple(
        msgspec.structs.replace(
            each, optional=tuple(name for name in each.columns if name in optional)
        )
        for each in bindings
    )


def _split(model: pb.ModelProto, key: str) -> Labels:
    """Read names from the metadata, written as a JSON list or with commas between them."""
    names = graph.metadata(model, key)
    if not names.lstrip().startswith("["):
        return tuple(name.strip() for name in names.split(",")) if names else ()
    try:
        return msgspec.json.decode(names, type=tuple[str, ...])
    except msgspec.MsgspecError as error:
        raise InvalidModel(f"the metadata's {key} are not a list of names: {error}") from None


def _share_out(names: Labels, matrices: Sequence[Binding]) -> dict[str, Binding]:
    """Give each matrix as many of the names as it has columns."""
    widths = [each.shape[0] for each in matrices]
    if widths == [None]:
        widths = [len(names)]
    if None in widths or sum(size or 0 for size in widths) != len(names):
        needed = ", ".join(f"{each.tensor!r} has {each.shape[0] or 'any'}" for each in matrices)
        raise InvalidModel(f"{len(names)} feature names do not fit the columns: {needed}")
    left = iter(names)
    return {
        each.tensor: Binding(each.tensor, each.element, (size,), tuple(islice(left, size)))
        for each, size in zip(matrices, widths, strict=True)
    }


def _output_shape(value: Any, trial: Trial, *, open_inputs: bool) -> Shape:
    """Return what a row has in every case: seen, but open where the graph or an input says so."""
    declared = value.shape[1:]
    seen = trial.shapes.get(value.name)
    if seen is None:
        return tuple(size if isinstance(size, int) else None for size in declared)
    if len(declared) != len(seen):
        return seen
    return tuple(
        None if isinstance(given, str) or (given is None and open_inputs) else size
        for given, size in zip(declared, seen, strict=True)
    )


def _classes(value: Any, trial: Trial, own: Labels, hinted: Labels) -> Labels:
    """Return the labels of an output's columns, or none; those hinted go before the model's own."""
    shape = trial.shapes.get(value.name, tuple(value.shape[1:]))
    if not element_of(value).startswith("float") or len(shape) != 1:
        return ()
    if own and hinted and len(own) != len(hinted):
        raise InvalidModel(
            f"{len(hinted)} labels are given, the model has {len(own)}: {_told(own)}"
        )
    labels = hinted or own
    return labels if len(labels) > 1 and shape == (len(labels),) else ()


def _told(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
