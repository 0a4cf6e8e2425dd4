"""Operations that take parts of values: slices, entries by number, the largest ones."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.emitter import (
    Emitter,
    Operand,
    Operator,
    Value,
    Values,
    integer,
    integers,
)
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import INT32, INT64, numpy_type

_FIRST, _LAST = -(2**63), 2**63 - 1  # ONNX cuts both to what is there


@dataclass(slots=True)
class _Cut:
    """A strided slice in ONNX's words: what to slice, then what to drop, then where to put ones."""

    axes: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Spec:
    """The specification of a strided slice, entry by entry."""

    begin: list[int]
    end: list[int]
    strides: list[int]
    masks: dict[str, int]

    def has(self, mask: str, at: int) -> bool:
        """Tell whether a mask is set for an entry."""
        return bool(self.masks[mask] >> at & 1)


def _strided_slice(emit: Emitter, node: Node, operands: Values) -> Values:
    x, *told = operands
    begin, end, strides = (integers(node, each, "the slice") for each in told)
    names = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    masks = {name: node.integer(f"{name}_mask") for name in names}
    if not len(begin) == len(end) == len(strides) or 0 in strides or min(masks.values()) < 0:
        raise InvalidModel(f"{node} is not a slice")
    spec = _Spec(begin, end, strides, masks)
    count = len(begin)
    gaps = [at for at in range(count) if spec.has("ellipsis", at)]
    if len(gaps) > 1:
        raise InvalidModel(f"{node} has more than one ellipsis")
    cut = _Cut()
    gap = gaps[0] if gaps else count
    _cut_entries(cut, spec, range(gap), 1)
    _cut_entries(cut, spec, range(count - 1, gap, -1), -1)
    return (_apply(emit, x, cut),)


def _cut_entries(cut: _Cut, spec: _Spec, entries: range, way: int) -> None:
    """Add entries from the first dimension on, or (`way` -1) from the last one back."""
    # Numbers of dimensions before and after: from the front 0, 1, 2, from the back -1, -2, -3.
    before, after = (0, 0) if way == 1 else (-1, -1)
    for at in entries:
        if spec.has("new_axis", at):
            cut.added.append(after)
            after += way
            continue
        cut.axes.append(before)
        if spec.has("shrink_axis", at):
            start = spec.begin[at]
            cut.starts.append(start)
            cut.ends.append(_LAST if start == -1 else start + 1)
            cut.steps.append(1)
            cut.dropped.append(before)
        else:
            forward = spec.strides[at] > 0
            first, last = (0, _LAST) if forward else (_LAST, _FIRST)
            cut.starts.append(first if spec.has("begin", at) else spec.begin[at])
            cut.ends.append(last if spec.has("end", at) else spec.end[at])
            cut.steps.append(spec.strides[at])
            after += way
        before += way


def _apply(emit: Emitter, value: Value, cut: _Cut) -> Value:
    if cut.axes:
        value = emit.one("Slice", value, *map(_list, (cut.starts, cut.ends, cut.axes, cut.steps)))
    if cut.dropped:
        value = emit.one("Squeeze", value, _list(cut.dropped))
    if cut.added:
        value = emit.one("Unsqueeze", value, _list(cut.added))
    return value


def _list(numbers: list[int]) -> Operand:
    return np.array(numbers, np.int64)


def _slice(emit: Emitter, node: Node, operands: Values) -> Values:
    x, begin, size = operands
    starts = integers(node, begin, "the slice")
    sizes = integers(node, size, "the slice")
    if len(starts) != len(sizes) or min(starts, default=0) < 0:
        raise InvalidModel(f"{node} is not a slice")
    ends = [_LAST if n == -1 else at + n for at, n in zip(starts, sizes, strict=True)]
    return (emit.one("Slice", x, *map(_list, (starts, ends, list(range(len(starts)))))),)


def _gather(emit: Emitter, node: Node, operands: Values) -> Values:
    """Take entries along an axis, which `Gather` does not have."""
    table, indices, *axis = operands
    if node.integer("batch_dims"):
        raise UnsupportedModel(f"{node}: batch dimensions are not evaluated")
    where = integer(node, axis[0], "the axis") if axis else 0
    return (emit.one("Gather", table, _not_negative(emit, indices), axis=where),)


def _gather_nd(emit: Emitter, _node: Node, operands: Values) -> Values:
    table, indices = operands
    return (emit.one("GatherND", table, emit.cast(_not_negative(emit, indices), "int64")),)


def _resource_gather(emit: Emitter, node: Node, operands: Values) -> Values:
    handle, indices = operands
    return _gather(emit, node, (variable(emit, node, handle), indices))


def _not_negative(emit: Emitter, indices: Value) -> Operand:
    """Move what is below 0 out of range: TensorFlow fails there, ONNX counts from the end."""
    if indices.constant is not None and indices.constant.min(initial=0) >= 0:
        return indices
    wide = emit.cast(indices, "int64")
    below = emit.one("Less", wide, np.array(0, np.int64))
    return emit.one("Where", below, np.array(_LAST, np.int64), wide)


def variable(emit: Emitter, node: Node, handle: Value) -> Value:
    """Return the value of a variable by its handle. Raises InvalidModel."""
    if not handle.variable:
        raise InvalidModel(f"{node} reads what is not a variable")
    if handle.variable not in emit.variables:
        raise InvalidModel(
            f"the variable {handle.variable!r} has no value here; freeze the graph, or publish "
            "the SavedModel with its variables"
        )
    return Value(constant=emit.variables[handle.variable])


def _one_hot(emit: Emitter, node: Node, operands: Values) -> Values:
    """Compare with all numbers, since an index out of range has no class; ONNX would count it."""
    indices, depth, on, off = operands
    if node.integer("axis", -1) != -1:
        raise UnsupportedModel(f"{node}: classes are evaluated only as the last dimension")
    zero, one = np.array(0, np.int64), np.array(1, np.int64)
    classes = emit.one("Range", zero, emit.cast(depth, "int64"), one)
    wide = emit.one("Unsqueeze", emit.cast(indices, "int64"), _list([-1]))
    return (emit.one("Where", emit.one("Equal", wide, classes), on, off),)


def _top_k(emit: Emitter, node: Node, operands: Values) -> Values:
    x, count = operands
    values, indices = emit.many("TopK", 2, x, emit.int64(count), axis=-1, largest=1, sorted=1)
    wanted = numpy_type(node.kind("index_type", INT32)).name
    return values, emit.cast(indices, wanted)


def _arg(operator: str, emit: Emitter, node: Node, operands: Values) -> Values:
    x, axis = operands
    where = integer(node, axis, "the axis")
    found = emit.one(operator, x, axis=where, keepdims=0)
    wanted = numpy_type(node.kind("output_type", INT64)).name
    return (found if wanted == "int64" else emit.cast(found, wanted),)


SLICING: dict[str, Operator] = {
    "ArgMax": Operator(partial(_arg, "ArgMax"), 2),
    "ArgMin": Operator(partial(_arg, "ArgMin"), 2),
    "Gather": Operator(_gather, 2),
    "GatherNd": Operator(_gather_nd, 2),
    "GatherV2": Operator(_gather, 3),
    "OneHot": Operator(_one_hot, 4),
    "ResourceGather": Operator(_resource_gather, 2),
    "Slice": Operator(_slice, 3),
    "StridedSlice": Operator(_strided_slice, 4),
    "TopKV2": Operator(_top_k, 2),
}
