"""Operations that give values another shape or order, and those that ask for a shape."""

from collections.abc import Sequence

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.emitter import (
    Emitter,
    Operand,
    Operator,
    Value,
    Values,
    constant,
    integer,
    integers,
    whole,
)
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import FLOAT, INT32, INT64, Array, numpy_type

_PAD_MODES = {"REFLECT": "reflect"}
# Numbers of a constant that is put together from others at once: shapes and axes are small.
_JOINED_VALUES_MAX = 10_000


def _list(*numbers: int) -> Operand:
    return np.array(numbers, np.int64)


def _reshape(emit: Emitter, _node: Node, operands: Values) -> Values:
    x, shape = operands
    # TensorFlow's 0 is a dimension of no entries; without this, ONNX's is one that stays.
    return (emit.one("Reshape", x, emit.int64(shape), allowzero=1),)


def _expand_dims(emit: Emitter, node: Node, operands: Values) -> Values:
    x, axis = operands
    where = integer(node, axis, "the axis")
    if x.constant is not None and -x.constant.ndim <= where + 1 and where <= x.constant.ndim:
        return (Value(constant=np.expand_dims(x.constant, where)),)  # as kernels of one dimension
    return (emit.one("Unsqueeze", x, _list(where)),)


def _squeeze(emit: Emitter, node: Node, operands: Values) -> Values:
    (x,) = operands
    axes = node.integers("squeeze_dims") or node.integers("axis")
    return (emit.one("Squeeze", x, _list(*axes)) if axes else emit.one("Squeeze", x),)


def _transpose(emit: Emitter, node: Node, operands: Values) -> Values:
    x, order = operands
    return (emit.one("Transpose", x, perm=integers(node, order, "the order")),)


def _concat(emit: Emitter, node: Node, operands: Values) -> Values:
    """Join along an axis, which comes first in `Concat` and last in `ConcatV2`."""
    if len(operands) < 2:
        raise InvalidModel(f"{node} joins nothing")
    axis, parts = operands[-1], operands[:-1]
    if node.op == "Concat":
        axis, parts = operands[0], operands[1:]
    return (_join(emit, parts, integer(node, axis, "the axis")),)


def _pack(emit: Emitter, node: Node, operands: Values) -> Values:
    axis = node.integer("axis")
    arrays = _small(operands)
    if arrays and axis == 0:
        return (_join(emit, [Value(constant=each[np.newaxis]) for each in arrays], 0),)
    return (_join(emit, [emit.one("Unsqueeze", each, _list(axis)) for each in operands], axis),)


def _join(emit: Emitter, parts: Sequence[Value], axis: int) -> Value:
    """Join values along an axis; small constants are joined at once, for they may be axes."""
    arrays = _small(parts)
    if arrays and axis == 0:
        try:
            return Value(constant=np.concatenate(arrays))
        except ValueError as error:
            raise InvalidModel(f"constants do not fit together: {error}") from None
    return emit.one("Concat", *parts, axis=axis)


def _small(values: Sequence[Value]) -> list[Array]:
    """Return the arrays of constants that are all small and of one type, or none."""
    arrays = [each.constant for each in values if each.constant is not None]
    small = sum(each.size for each in arrays) <= _JOINED_VALUES_MAX
    alike = len({each.dtype for each in arrays}) == 1
    return arrays if small and alike and len(arrays) == len(values) else []


def _unpack(emit: Emitter, node: Node, operands: Values) -> Values:
    axis, count = node.integer("axis"), node.integer("num")
    parts = emit.many("Split", count, *operands, axis=axis, num_outputs=count)
    return tuple(emit.one("Squeeze", each, _list(axis)) for each in parts)


def _split(emit: Emitter, node: Node, operands: Values) -> Values:
    axis, x = operands
    count = node.integer("num_split", 1)
    where = integer(node, axis, "the axis")
    return emit.many("Split", count, x, axis=where, num_outputs=count)


def _split_v(emit: Emitter, node: Node, operands: Values) -> Values:
    x, sizes, axis = operands
    each = integers(node, sizes, "the sizes")
    if min(each, default=-1) < 0:
        raise UnsupportedModel(f"{node}: a part has the size that is left over")
    where = integer(node, axis, "the axis")
    return emit.many("Split", len(each), x, _list(*each), axis=where)


def _tile(emit: Emitter, _node: Node, operands: Values) -> Values:
    x, times = operands
    return (emit.one("Tile", x, emit.int64(times)),)


def _fill(emit: Emitter, _node: Node, operands: Values) -> Values:
    shape, value = operands
    return (emit.one("Expand", value, emit.int64(shape)),)


def _broadcast_to(emit: Emitter, _node: Node, operands: Values) -> Values:
    x, shape = operands
    return (emit.one("Expand", x, emit.int64(shape)),)


def _zeros_like(emit: Emitter, node: Node, operands: Values) -> Values:
    return _all_like(emit, node, operands, 0)


def _ones_like(emit: Emitter, node: Node, operands: Values) -> Values:
    return _all_like(emit, node, operands, 1)


def _all_like(emit: Emitter, node: Node, operands: Values, number: int) -> Values:
    value = np.array(number, numpy_type(node.kind("T", FLOAT)))
    return (emit.one("Expand", value, emit.one("Shape", *operands)),)


def _range(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Range", *operands),)


def _shape(emit: Emitter, node: Node, operands: Values) -> Values:
    return (_asked(emit, node, emit.one("Shape", *operands)),)


def _size(emit: Emitter, node: Node, operands: Values) -> Values:
    return (_asked(emit, node, emit.one("Size", *operands)),)


def _rank(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.cast(emit.one("Size", emit.one("Shape", *operands)), "int32"),)


def _asked(emit: Emitter, node: Node, value: Value) -> Value:
    """Return a size as the type that is asked for; ONNX's sizes are int64."""
    if node.kind("out_type", INT32) == INT64:
        return value
    return emit.cast(value, numpy_type(node.kind("out_type", INT32)).name)


def _pad(emit: Emitter, node: Node, operands: Values) -> Values:
    """Pad with zeros, or with the value of `PadV2`."""
    x, sizes, *value = operands
    return (emit.one("Pad", x, _paddings(node, sizes), *value),)


def _mirror_pad(emit: Emitter, node: Node, operands: Values) -> Values:
    x, sizes = operands
    if node.text("mode") not in _PAD_MODES:
        raise UnsupportedModel(f"{node}: mode {node.text('mode')!r} is not evaluated")
    mode = _PAD_MODES[node.text("mode")]
    return (emit.one("Pad", x, _paddings(node, sizes), mode=mode),)


def _paddings(node: Node, sizes: Value) -> Operand:
    """Return all sizes before, then all after; TensorFlow has pairs."""
    pairs = whole(constant(node, sizes, "the padding"))
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise InvalidModel(f"{node}: the padding is not two sizes a dimension")
    return np.ascontiguousarray(pairs.T).reshape(-1)


def _cast(emit: Emitter, node: Node, operands: Values) -> Values:
    (x,) = operands
    wanted = numpy_type(node.kind("DstT", FLOAT))
    if "O" in {wanted.kind, numpy_type(node.kind("SrcT", FLOAT)).kind}:
        raise UnsupportedModel(f"{node}: strings are not converted")
    if x.constant is not None and x.constant.dtype.kind in "iub" and wanted.kind in "iu":
        return (Value(constant=x.constant.astype(wanted)),)
    return (emit.rows(emit.cast(x, wanted.name), x),)


SHAPING: dict[str, Operator] = {
    "BroadcastTo": Operator(_broadcast_to, 2),
    "Cast": Operator(_cast, 1),
    "Concat": Operator(_concat, None),
    "ConcatV2": Operator(_concat, None),
    "ExpandDims": Operator(_expand_dims, 2),
    "Fill": Operator(_fill, 2),
    "MirrorPad": Operator(_mirror_pad, 2),
    "OnesLike": Operator(_ones_like, 1),
    "Pack": Operator(_pack, None),
    "Pad": Operator(_pad, 2),
    "PadV2": Operator(_pad, 3),
    "Range": Operator(_range, 3),
    "Rank": Operator(_rank, 1),
    "Reshape": Operator(_reshape, 2),
    "Shape": Operator(_shape, 1),
    "Size": Operator(_size, 1),
    "Split": Operator(_split, 2),
    "SplitV": Operator(_split_v, 3),
    "Squeeze": Operator(_squeeze, 1),
    "Tile": Operator(_tile, 2),
    "Transpose": Operator(_transpose, 2),
    "Unpack": Operator(_unpack, 1),
    "ZerosLike": Operator(_zeros_like, 1),
}
