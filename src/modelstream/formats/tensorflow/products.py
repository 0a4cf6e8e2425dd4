"""Operations that multiply and add up: reductions, matrix products, normalization."""

from functools import partial

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.tensorflow.emitter import (
    Emitter,
    Operator,
    Value,
    Values,
)
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import FLOAT, numpy_type

_REDUCTIONS = {
    "EuclideanNorm": "ReduceL2",
    "Max": "ReduceMax",
    "Mean": "ReduceMean",
    "Min": "ReduceMin",
    "Prod": "ReduceProd",
    "Sum": "ReduceSum",
}
_TURNED = "...ij->...ji"


def _reduce(operator: str, emit: Emitter, node: Node, operands: Values) -> Values:
    x, axes = operands
    keep = int(node.flag("keep_dims"))
    # No axes: nothing is reduced; ONNX would reduce all.
    return (emit.one(operator, x, emit.int64(axes), keepdims=keep, noop_with_empty_axes=1),)


def _reduce_truth(operator: str, emit: Emitter, node: Node, operands: Values) -> Values:
    x, axes = operands
    (found,) = _reduce(operator, emit, node, (emit.cast(x, "int32"), axes))
    return (emit.cast(found, "bool"),)


def _cumulate(emit: Emitter, node: Node, operands: Values) -> Values:
    x, axis = operands
    exclusive, reverse = node.flag("exclusive"), node.flag("reverse")
    return (emit.one("CumSum", x, axis, exclusive=int(exclusive), reverse=int(reverse)),)


def _matmul(emit: Emitter, node: Node, operands: Values) -> Values:
    x, y = operands
    x = _turned(emit, x) if node.flag("transpose_a") else x
    y = _turned(emit, y) if node.flag("transpose_b") else y
    return (_product(emit, x, y),)


def _batch_matmul(emit: Emitter, node: Node, operands: Values) -> Values:
    x, y = operands
    x = _turned(emit, x) if node.flag("adj_x") else x
    y = _turned(emit, y) if node.flag("adj_y") else y
    return (_product(emit, x, y),)


def _product(emit: Emitter, x: Value, y: Value) -> Value:
    """Multiply matrices; where the second is a constant, the first one's rows have its height."""
    if x.rows_of and y.constant is not None and y.constant.ndim == 2:
        emit.widths.setdefault(x.rows_of, y.constant.shape[0])
    return emit.one("MatMul", x, y)


def _turned(emit: Emitter, value: Value) -> Value:
    """Swap the last two dimensions."""
    if value.constant is not None and value.constant.ndim > 1:
        return Value(constant=np.swapaxes(value.constant, -1, -2))
    return emit.one("Einsum", value, equation=_TURNED)


def _einsum(emit: Emitter, node: Node, operands: Values) -> Values:
    return (emit.one("Einsum", *operands, equation=node.text("equation")),)


def _batch_norm(emit: Emitter, node: Node, operands: Values) -> Values:
    """Normalize with the mean and variance that were learnt; channels are the last dimension."""
    if node.flag("is_training", default=True) or node.text("data_format", "NHWC") != "NHWC":
        raise UnsupportedModel(
            f"{node}: evaluated only for inference and with channels as the last dimension"
        )
    x, scale, offset, mean, variance = operands
    epsilon = np.array(node.number("epsilon", 1e-4), numpy_type(node.kind("U", FLOAT)))
    deviation = emit.one("Sqrt", emit.one("Add", variance, epsilon))
    factor = emit.one("Div", scale, deviation)
    scaled = emit.one("Mul", emit.one("Sub", x, mean), factor)
    return (emit.one("Add", scaled, offset),)


PRODUCTS: dict[str, Operator] = {
    **{name: Operator(partial(_reduce, theirs), 2) for name, theirs in _REDUCTIONS.items()},
    "All": Operator(partial(_reduce_truth, "ReduceMin"), 2),
    "Any": Operator(partial(_reduce_truth, "ReduceMax"), 2),
    "BatchMatMul": Operator(_batch_matmul, 2),
    "BatchMatMulV2": Operator(_batch_matmul, 2),
    "BatchMatMulV3": Operator(_batch_matmul, 2),
    "Cumsum": Operator(_cumulate, 2),
    "Einsum": Operator(_einsum, None),
    "FusedBatchNorm": Operator(_batch_norm, 5),
    "FusedBatchNormV2": Operator(_batch_norm, 5),
    "FusedBatchNormV3": Operator(_batch_norm, 5),
    "MatMul": Operator(_matmul, 2),
}
