"""Convolutions and pools. TensorFlow has channels as the last dimension, ONNX as the second."""

from functools import partial

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.onnx_graph.writer import Attribute
from modelstream.formats.tensorflow.emitter import Emitter, Operator, Value, Values, constant
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import Array

_PADDINGS = {"SAME": "SAME_UPPER", "VALID": "VALID"}


def _convolution(emit: Emitter, node: Node, operands: Values) -> Values:
    x, kernel = operands
    weights = _four(node, kernel)
    return (_convolve(emit, node, x, np.transpose(weights, (3, 2, 0, 1)), 1),)


def _depthwise(emit: Emitter, node: Node, operands: Values) -> Values:
    x, kernel = operands
    weights = _four(node, kernel)
    height, width, channels, times = weights.shape
    each = np.transpose(weights, (2, 3, 0, 1)).reshape(channels * times, 1, height, width)
    return (_convolve(emit, node, x, each, channels),)


def _convolve(emit: Emitter, node: Node, x: Value, weights: Array, group: int) -> Value:
    dilations = _spatial(node, "dilations", (1, 1, 1, 1))
    strides = _spatial(node, "strides")
    padding: dict[str, Attribute] = {}
    if node.text("padding") == "SAME" and dilations != (1, 1):
        if strides != (1, 1):
            raise UnsupportedModel(f"{node}: strides and dilations with padding SAME")
        padding["pads"] = _same_pads(weights.shape[2:], dilations)
    elif node.text("padding") == "EXPLICIT":
        padding["pads"] = _explicit_pads(node)
    else:
        padding["auto_pad"] = _padding(node)
    found = emit.one(
        "Conv",
        _channels_second(emit, node, x),
        np.ascontiguousarray(weights),
        strides=strides,
        dilations=dilations,
        group=group,
        **padding,
    )
    return _channels_last(emit, node, found)


def _pool(operator: str, emit: Emitter, node: Node, operands: Values) -> Values:
    (x,) = operands
    found = emit.one(
        operator,
        _channels_second(emit, node, x),
        kernel_shape=_spatial(node, "ksize"),
        strides=_spatial(node, "strides"),
        auto_pad=_padding(node),
    )
    return (_channels_last(emit, node, found),)


def _four(node: Node, kernel: Value) -> Array:
    weights = constant(node, kernel, "the kernel")
    if weights.ndim != 4 or not weights.size:
        raise InvalidModel(f"{node} has a kernel of shape {weights.shape}")
    return weights


def _channels_second(emit: Emitter, node: Node, x: Value) -> Value:
    return x if _is_second(node) else emit.one("Transpose", x, perm=(0, 3, 1, 2))


def _channels_last(emit: Emitter, node: Node, x: Value) -> Value:
    return x if _is_second(node) else emit.one("Transpose", x, perm=(0, 2, 3, 1))


def _is_second(node: Node) -> bool:
    order = node.text("data_format", "NHWC")
    if order not in {"NHWC", "NCHW"}:
        raise UnsupportedModel(f"{node}: data format {order!r} is not evaluated")
    return order == "NCHW"


def _spatial(node: Node, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Return the two numbers for height and width of four, the others of which are 1."""
    numbers = node.integers(name, default)
    if len(numbers) != 4:
        raise InvalidModel(f"{node} has {len(numbers)} {name}, not 4")
    (batch, channels), spatial = (numbers[0], numbers[3]), numbers[1:3]
    if _is_second(node):
        channels, spatial = numbers[1], numbers[2:]
    if (batch, channels) != (1, 1):
        raise UnsupportedModel(f"{node}: {name} over records or channels are not evaluated")
    return spatial


def _padding(node: Node) -> str:
    padding = node.text("padding")
    if padding not in _PADDINGS:
        raise UnsupportedModel(f"{node}: padding {padding!r} is not evaluated")
    return _PADDINGS[padding]


def _same_pads(kernel: tuple[int, ...], dilations: tuple[int, ...]) -> list[int]:
    """Return what keeps the size: all sizes before, then all after, where an odd one goes."""
    totals = [(size - 1) * each for size, each in zip(kernel, dilations, strict=True)]
    before = [total // 2 for total in totals]
    return [*before, *(total - first for total, first in zip(totals, before, strict=True))]


def _explicit_pads(node: Node) -> list[int]:
    """Return all sizes before, then all after; TensorFlow has pairs for all four dimensions."""
    sizes = node.integers("explicit_paddings")
    if len(sizes) != 8:
        raise InvalidModel(f"{node} has {len(sizes)} explicit paddings, not 8")
    first = 4 if _is_second(node) else 2
    top, bottom, left, right = sizes[first : first + 4]
    if sum(sizes) != top + bottom + left + right:
        raise UnsupportedModel(f"{node}: padding of records or channels is not evaluated")
    return [top, left, bottom, right]


IMAGES: dict[str, Operator] = {
    "AvgPool": Operator(partial(_pool, "AveragePool"), 1),
    "Conv2D": Operator(_convolution, 2),
    "DepthwiseConv2dNative": Operator(_depthwise, 2),
    "MaxPool": Operator(partial(_pool, "MaxPool"), 1),
}
