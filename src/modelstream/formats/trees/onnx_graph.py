"""Write one `ai.onnx.ml` TreeEnsemble node as an ONNX model, without the `onnx` package.

Only the few protobuf messages that such a model needs (onnx.proto3, IR version 9): every message
is a run of (field number and wire type, payload) pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

INPUT = "X"
OUTPUT = "Y"
# Node modes of TreeEnsemble (ai.onnx.ml 5).
LESS_OR_EQUAL = 0
EQUAL = 4
MEMBER = 6

_IR_VERSION = 9
_OPSET = 20  # of the default domain; the graph uses none of it
_ML_OPSET = 5
_FLOAT64 = 11  # TensorProto.DataType
_UINT8 = 2
_INT = 2  # AttributeProto.AttributeType
_TENSOR = 4
_INTS = 7
_VARINT = 0  # wire types
_BYTES = 2
_SUM = 1  # TreeEnsemble aggregate_function

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class TreeArrays:
    """Binary trees as flat arrays; a child below zero is leaf `-1 - child`.

    Each leaf adds `leaf_value` to a sum, `leaf_tree`: its tree's, or another of `tree_ensemble`.
    """

    roots: Array
    feature: Array
    mode: Array
    split: Array
    true: Array
    false: Array
    missing_is_true: Array
    members: Array
    leaf_tree: Array
    leaf_value: Array
    features: int


def tree_ensemble(trees: TreeArrays, sums: int | None = None) -> bytes:
    """Return an ONNX model: X float64 [rows, features] -> Y float64 [rows, sums].

    Y holds what the leaves add up to that the trees, one after the other, take each row to. There
    are as many sums as trees if it is not told.
    """
    attributes = [
        _integer("aggregate_function", _SUM),
        _integer("n_targets", sums or len(trees.roots)),
        _integers("tree_roots", trees.roots),
        _integers("nodes_featureids", trees.feature),
        _tensor("nodes_modes", _UINT8, trees.mode.astype(np.uint8)),
        _tensor("nodes_splits", _FLOAT64, trees.split),
        _integers("nodes_truenodeids", _index(trees.true)),
        _integers("nodes_trueleafs", trees.true < 0),
        _integers("nodes_falsenodeids", _index(trees.false)),
        _integers("nodes_falseleafs", trees.false < 0),
        _integers("leaf_targetids", trees.leaf_tree),
        _tensor("leaf_weights", _FLOAT64, trees.leaf_value),
    ]
    if trees.missing_is_true.any():
        attributes.append(_integers("nodes_missing_value_tracks_true", trees.missing_is_true))
    if len(trees.members):
        attributes.append(_tensor("membership_values", _FLOAT64, trees.members))
    node = b"".join(
        [
            _text(1, INPUT),
            _text(2, OUTPUT),
            _text(4, "TreeEnsemble"),
            *(_field(5, attribute) for attribute in attributes),
            _text(7, "ai.onnx.ml"),
        ]
    )
    return _model(node, trees.features)


def _model(node: bytes, features: int) -> bytes:
    graph = b"".join(
        [
            _field(1, node),
            _text(2, "trees"),
            _field(11, _value_info(INPUT, (None, features))),
            _field(12, _value_info(OUTPUT, (None, None))),
        ]
    )
    opsets = [_text(1, "") + _number(2, _OPSET), _text(1, "ai.onnx.ml") + _number(2, _ML_OPSET)]
    return b"".join(
        [_number(1, _IR_VERSION), _field(7, graph), *(_field(8, opset) for opset in opsets)]
    )


def _value_info(name: str, shape: Sequence[int | None]) -> bytes:
    dimensions = b"".join(_field(1, b"" if n is None else _number(1, n)) for n in shape)
    tensor = _number(1, _FLOAT64) + _field(2, dimensions)
    return _text(1, name) + _field(2, _field(1, tensor))


def _integer(name: str, value: int) -> bytes:
    return _text(1, name) + _number(3, value) + _number(20, _INT)


def _integers(name: str, values: Array) -> bytes:
    return _text(1, name) + _field(8, _varints(values)) + _number(20, _INTS)


def _tensor(name: str, kind: int, values: Array) -> bytes:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    tensor = _number(1, len(values)) + _number(2, kind) + _field(9, little.tobytes())
    return _text(1, name) + _field(5, tensor) + _number(20, _TENSOR)


def _index(children: Array) -> Array:
    return np.where(children < 0, -1 - children, children)


def _text(number: int, value: str) -> bytes:
    return _field(number, value.encode())


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(payload)) + payload


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _varints(values: Array) -> bytes:
    """All values (not negative) as packed varints, seven bits a byte, low bits first."""
    rest = values.astype(np.uint64)
    groups = max(1, -(-int(rest.max(initial=0)).bit_length() // 7))
    parts = (rest[:, None] >> np.arange(0, 7 * groups, 7, dtype=np.uint64)) & np.uint64(0x7F)
    lengths = np.maximum(1, groups - (parts[:, ::-1] != 0).argmax(axis=1))
    lengths[~parts.any(axis=1)] = 1
    column = np.arange(groups)
    parts[column < lengths[:, None] - 1] |= np.uint64(0x80)
    packed: bytes = parts[column < lengths[:, None]].astype(np.uint8).tobytes()
    return packed
