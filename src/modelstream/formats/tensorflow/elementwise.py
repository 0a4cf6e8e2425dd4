"""Operations that work number by number, with broadcasting as NumPy's."""

from functools import partial
from typing import Any

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.tensorflow.emitter import Emitter, Operator, Translate, Value, Values
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import FLOAT, Array, numpy_type

# TensorFlow's name to ONNX's, where both mean the same.
_UNARY = {
    "Abs": "Abs",
    "Acos": "Acos",
    "Acosh": "Acosh",
    "Asin": "Asin",
    "Asinh": "Asinh",
    "Atan": "Atan",
    "Atanh": "Atanh",
    "Ceil": "Ceil",
    "Cos": "Cos",
    "Cosh": "Cosh",
    "Elu": "Elu",
    "Erf": "Erf",
    "Exp": "Exp",
    "Floor": "Floor",
    "Inv": "Reciprocal",
    "IsInf": "IsInf",
    "IsNan": "IsNaN",
    "Log": "Log",
    "LogicalNot": "Not",
    "Neg": "Neg",
    "Reciprocal": "Reciprocal",
    "Relu": "Relu",
    "Rint": "Round",
    "Round": "Round",
    "Selu": "Selu",
    "Sign": "Sign",
    "Sin": "Sin",
    "Sinh": "Sinh",
    "Softplus": "Softplus",
    "Softsign": "Softsign",
    "Sqrt": "Sqrt",
    "Tan": "Tan",
    "Tanh": "Tanh",
}
_BINARY = {
    "Add": "Add",
    "AddV2": "Add",
    "Equal": "Equal",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
    "LogicalAnd": "And",
    "LogicalOr": "Or",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mul": "Mul",
    "Pow": "Pow",
    "Sub": "Sub",
}


def _unary(operator: str, emit: Emitter, _node: Node, operands: Values) -> Values:
    (x,) = operands
    return (emit.rows(emit.one(operator, x), x),)


def _binary(operator: str, emit: Emitter, _node: Node, operands: Values) -> Values:
    x, y = operands
    answer = emit.one(operator, x, y)
    return (emit.rows(answer, x) if y.constant is not None else emit.rows(answer, y),)


def _scalar(node: Node, number: float) -> Array:
    """Return a number of the type that a node works with."""
    return np.array(number, _type(node))


def _type(node: Node) -> np.dtype[Any]:
    return numpy_type(node.kind("T", FLOAT))


def _bias_add(emit: Emitter, node: Node, operands: Values) -> Values:
    if node.text("data_format", "NHWC") != "NHWC":
        raise UnsupportedModel(f"{node}: channels are evaluated only as the last dimension")
    return (emit.one("Add", *operands),)


def _not_equal(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Not", emit.one("Equal", *operands)),)


def _xor(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Xor", *operands),)


def _relu6(emit: Emitter, node: Node, operands: Values) -> Values:
    return (emit.one("Clip", *operands, _scalar(node, 0), _scalar(node, 6)),)


def _leaky_relu(emit: Emitter, node: Node, operands: Values) -> Values:
    return (emit.one("LeakyRelu", *operands, alpha=node.number("alpha", 0.2)),)


def _rsqrt(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Reciprocal", emit.one("Sqrt", *operands)),)


def _sigmoid(emit: Emitter, node: Node, operands: Values) -> Values:
    """Write 1 / (1 + exp(-x)); ONNX Runtime's own is rough below -10, and 0 below -18."""
    (x,) = operands
    tail = emit.one("Add", emit.one("Exp", emit.one("Neg", x)), _scalar(node, 1))
    return (emit.one("Reciprocal", tail),)


def _square(emit: Emitter, _node: Node, operands: Values) -> Values:
    (x,) = operands
    return (emit.one("Mul", x, x),)


def _squared_difference(emit: Emitter, _node: Node, operands: Values) -> Values:
    difference = emit.one("Sub", *operands)
    return (emit.one("Mul", difference, difference),)


def _log1p(emit: Emitter, node: Node, operands: Values) -> Values:
    """Write x * log(u) / (u - 1) with u = 1 + x, which is exact where 1 + x is not (Kahan)."""
    (x,) = operands
    u = emit.one("Add", x, _scalar(node, 1))
    step = emit.one("Sub", u, _scalar(node, 1))
    logarithm = emit.one("Log", u)
    exact = emit.one("Mul", x, emit.one("Div", logarithm, step))
    near = emit.one("Where", emit.one("Equal", step, _scalar(node, 0)), x, exact)
    return (emit.one("Where", emit.one("IsInf", u), logarithm, near),)


def _expm1(emit: Emitter, node: Node, operands: Values) -> Values:
    """Write (u - 1) * x / log(u) with u = exp(x), which is exact where exp(x) - 1 is not (Kahan)."""
    (x,) = operands
    u = emit.one("Exp", x)
    step = emit.one("Sub", u, _scalar(node, 1))
    exact = emit.one("Mul", step, emit.one("Div", x, emit.one("Log", u)))
    near = emit.one("Where", emit.one("Equal", step, _scalar(node, 0)), x, exact)
    # Far from 0 the step is exact, and the logarithm of the smallest numbers is not.
    tail = emit.one("Greater", emit.one("Abs", x), _scalar(node, 1))
    return (emit.one("Where", tail, step, near),)


def _erfc(emit: Emitter, node: Node, operands: Values) -> Values:
    """Write 1 - erf(x): for large x less exact, by the rounding of 1, than a function of its own."""
    return (emit.one("Sub", _scalar(node, 1), emit.one("Erf", *operands)),)


def _div(emit: Emitter, _node: Node, operands: Values) -> Values:
    x, y = operands
    answer = emit.one("Div", x, y)
    return (emit.rows(answer, x) if y.constant is not None else emit.rows(answer, y),)


def _floor_div(emit: Emitter, node: Node, operands: Values) -> Values:
    x, y = operands
    if _type(node).kind == "f":
        return (emit.one("Floor", emit.one("Div", x, y)),)
    return (emit.one("Div", emit.one("Sub", x, emit.one("Mod", x, y)), y),)


def _floor_mod(emit: Emitter, node: Node, operands: Values) -> Values:
    """Write the remainder that has the sign of the divisor; for floats ONNX has only the other."""
    x, y = operands
    if _type(node).kind != "f":
        return (emit.one("Mod", x, y),)
    rest, zero = emit.one("Mod", x, y, fmod=1), _scalar(node, 0)
    signs = emit.one("Xor", emit.one("Less", rest, zero), emit.one("Less", y, zero))
    turned = emit.one("And", signs, emit.one("Not", emit.one("Equal", rest, zero)))
    return (emit.one("Where", turned, emit.one("Add", rest, y), rest),)


def _div_no_nan(emit: Emitter, node: Node, operands: Values) -> Values:
    x, y = operands
    zero = _scalar(node, 0)
    return (emit.one("Where", emit.one("Equal", y, zero), zero, emit.one("Div", x, y)),)


def _is_finite(emit: Emitter, _node: Node, operands: Values) -> Values:
    (x,) = operands
    return (emit.one("Not", emit.one("Or", emit.one("IsInf", x), emit.one("IsNaN", x))),)


def _clip(emit: Emitter, _node: Node, operands: Values) -> Values:
    x, least, most = operands
    return (emit.one("Max", emit.one("Min", x, most), least),)


def _add_n(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Sum", *operands),)


def _softmax(operator: str, emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one(operator, *operands, axis=-1),)


def _select_v2(emit: Emitter, _node: Node, operands: Values) -> Values:
    return (emit.one("Where", *operands),)


def _select(emit: Emitter, _node: Node, operands: Values) -> Values:
    """Let a condition of lower rank choose whole entries: it is aligned at the first dimension."""
    condition, yes, no = operands
    shape = emit.one("Shape", condition)
    missing = emit.one("Sub", _rank(emit, yes), _rank(emit, condition))
    ones = emit.one("Expand", np.array(1, np.int64), missing)
    wide = emit.one("Reshape", condition, emit.one("Concat", shape, ones, axis=0))
    return (emit.one("Where", wide, yes, no),)


def _rank(emit: Emitter, value: Value) -> Value:
    return emit.one("Shape", emit.one("Shape", value))


_OTHERS: dict[str, tuple[Translate, int | None]] = {
    "AddN": (_add_n, None),
    "BiasAdd": (_bias_add, 2),
    "ClipByValue": (_clip, 3),
    "Div": (_div, 2),
    "DivNoNan": (_div_no_nan, 2),
    "Erfc": (_erfc, 1),
    "Expm1": (_expm1, 1),
    "FloorDiv": (_floor_div, 2),
    "FloorMod": (_floor_mod, 2),
    "IsFinite": (_is_finite, 1),
    "LeakyRelu": (_leaky_relu, 1),
    "Log1p": (_log1p, 1),
    "LogSoftmax": (partial(_softmax, "LogSoftmax"), 1),
    "LogicalXor": (_xor, 2),
    "NotEqual": (_not_equal, 2),
    "RealDiv": (_div, 2),
    "Relu6": (_relu6, 1),
    "Rsqrt": (_rsqrt, 1),
    "Select": (_select, 3),
    "SelectV2": (_select_v2, 3),
    "Sigmoid": (_sigmoid, 1),
    "Softmax": (partial(_softmax, "Softmax"), 1),
    "Square": (_square, 1),
    "SquaredDifference": (_squared_difference, 2),
    "TruncateDiv": (_div, 2),
}

ELEMENTWISE: dict[str, Operator] = {
    **{name: Operator(partial(_unary, theirs), 1) for name, theirs in _UNARY.items()},
    **{name: Operator(partial(_binary, theirs), 2) for name, theirs in _BINARY.items()},
    **{name: Operator(translate, inputs) for name, (translate, inputs) in _OTHERS.items()},
}
