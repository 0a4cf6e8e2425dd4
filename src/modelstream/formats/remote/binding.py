"""The tensors of a remote model as named columns.

A tensor of shape [N] or [N, 1] is the column of its name. Where feature names are given, the one
[N, k] input is the columns of these names, in this order; labels name the columns of an [N, k] output.
"""

import math
from collections import Counter
from collections.abc import Sequence

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.plan import Binding
from modelstream.formats.remote.document import Tensor


def bind_inputs(tensors: Sequence[Tensor], hints: Hints) -> tuple[Binding, ...]:
    """Name the columns of every input. Raises InvalidModel."""
    names = hints.feature_names
    if not names or not tensors:
        return _checked("input", [_whole(each) for each in tensors])
    if len(tensors) != 1 or tensors[0].shape not in {(None,), (len(names),)}:
        told = ", ".join(f"{each.name!r} of {_row(each)}" for each in tensors[:10])
        raise InvalidModel(
            f"{len(names)} feature names do not fit the inputs ({told}); they are for a model whose "
            f"only input is a row of so many values"
        )
    return _checked("input", [_split(tensors[0], names)])


def bind_outputs(tensors: Sequence[Tensor], hints: Hints) -> tuple[Binding, ...]:
    """Name the columns of every output. Raises InvalidModel."""
    labels = hints.labels
    fitting = [
        each
        for each in tensors
        if labels and each.element.startswith("float") and each.shape == (len(labels),)
    ]
    if labels and not fitting:
        raise InvalidModel(
            f"{len(labels)} labels are given, but no output has a value for each; leave them out"
        )
    bindings = [
        _split(each, [_label(each, label, alone=len(fitting) == 1) for label in labels])
        if each in fitting
        else _whole(each)
        for each in tensors
    ]
    return _checked("output", bindings)


def _label(tensor: Tensor, label: str, *, alone: bool) -> str:
    return f"{'probability' if alone else tensor.name}({label})"


def _whole(tensor: Tensor) -> Binding:
    return Binding(tensor.name, tensor.element, tensor.shape, (tensor.name,))


def _split(tensor: Tensor, names: Sequence[str]) -> Binding:
    return Binding(tensor.name, tensor.element, (len(names),), tuple(names))


def _row(tensor: Tensor) -> str:
    return f"shape {[-1, *(-1 if each is None else each for each in tensor.shape)]}"


def _checked(kind: str, bindings: list[Binding]) -> tuple[Binding, ...]:
    """Check what any server may get wrong. Raises InvalidModel."""
    names = [name for binding in bindings for name in binding.columns]
    if not 1 <= len(names) <= limits.FIELDS_MAX:
        raise InvalidModel(
            f"the server tells of {len(names)} {kind}s, 1 to {limits.FIELDS_MAX} can be served; "
            f"where it tells of none, declare them in the server's settings of the model"
        )
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidModel(f"two {kind}s have the same name: {', '.join(map(repr, twice[:3]))}")
    for name in names:
        if not name or len(name) > limits.FIELD_NAME_CHARS_MAX or not name.isprintable():
            raise InvalidModel(
                f"{kind} name {name[:80]!r} must be 1 to {limits.FIELD_NAME_CHARS_MAX} printable "
                f"characters"
            )
    sizes = [size for each in bindings for size in each.shape]
    values = sum(math.prod(size or 1 for size in each.shape) for each in bindings)
    if values > limits.TENSOR_VALUES_MAX or any(size is not None and size < 1 for size in sizes):
        raise InvalidModel(
            f"the {kind}s have {values} values a row; 1 to {limits.TENSOR_VALUES_MAX} can be served"
        )
    return tuple(bindings)
