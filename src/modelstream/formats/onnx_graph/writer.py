"""Write ONNX graphs, node by node, for formats that are not ONNX themselves.

What is written is checked like any other graph afterwards; only its size is bounded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.wire.proto import onnx_subset_pb2 as pb

OPSET = 18
_IR_VERSION = 9
# TensorProto.DataType, by NumPy's names of the types.
_ELEMENTS = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "object": 8,  # strings
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
# AttributeProto.AttributeType.
_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7

Attribute = float | int | str | Sequence[int]


@dataclass(frozen=True, slots=True)
class Declared:
    """An input: its shape has the rows first and None for what is open; None: nothing is known."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...] | None


def onnx_type(dtype: np.dtype[Any]) -> int:
    """Return a TensorProto.DataType; strings are of dtype object."""
    return _ELEMENTS[dtype.name]


class GraphWriter:
    """A graph in the making. Names that begin with `%` are its own."""

    def __init__(self) -> None:
        self._model = pb.ModelProto(ir_version=_IR_VERSION)
        self._model.graph.name = "lowered"
        self._model.opset_import.add(domain="", version=OPSET)
        self._names = 0
        self._constant_bytes = 0

    def constant(self, array: npt.NDArray[Any]) -> str:
        """Add a constant of numbers or booleans and return its name. Raises InvalidModel."""
        self._constant_bytes += array.nbytes
        if self._constant_bytes > limits.ARTIFACT_BYTES_MAX:
            raise InvalidModel(
                f"the constants have more than {limits.ARTIFACT_BYTES_MAX} bytes when written out"
            )
        name = self._new_name()
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        self._model.graph.initializer.add(
            name=name,
            data_type=onnx_type(array.dtype),
            dims=array.shape,
            raw_data=little.tobytes(),
        )
        return name

    def node(
        self, operator: str, inputs: Sequence[str], outputs: int = 1, **attributes: Attribute
    ) -> tuple[str, ...]:
        """Add a node and return the names of its outputs. Raises InvalidModel."""
        if self._names + outputs > limits.ONNX_NODES_MAX:
            raise InvalidModel(f"more than {limits.ONNX_NODES_MAX} nodes once it is lowered")
        names = tuple(self._new_name() for _ in range(outputs))
        node = self._model.graph.node.add(op_type=operator, input=inputs, output=names)
        for name, value in attributes.items():
            _set(node.attribute.add(name=name), value)
        return names

    def finish(
        self,
        inputs: Sequence[Declared],
        outputs: Sequence[tuple[str, str]],
        *,
        producer: tuple[str, str] = ("", ""),
        metadata: Sequence[tuple[str, str]] = (),
    ) -> pb.ModelProto:
        """Return the model; an output is its name, and the value that it is.

        `producer` is the application that made the model, and its version.
        """
        graph = self._model.graph
        for each in inputs:
            _declare(graph.input.add(name=each.name), each)
        for name, value in outputs:
            graph.node.add(op_type="Identity", input=[value], output=[name])
            graph.output.add(name=name)
        self._model.producer_name, self._model.producer_version = producer
        for key, text in metadata:
            self._model.metadata_props.add(key=key, value=text)
        return self._model

    def _new_name(self) -> str:
        self._names += 1
        return f"%{self._names}"


def _set(attribute: pb.AttributeProto, value: Attribute) -> None:
    if isinstance(value, int):
        attribute.type, attribute.i = _INT, value
    elif isinstance(value, float):
        attribute.type, attribute.f = _FLOAT, value
    elif isinstance(value, str):
        attribute.type, attribute.s = _STRING, value.encode()
    else:
        attribute.type = _INTS
        attribute.ints.extend(value)


def _declare(value: pb.ValueInfoProto, declared: Declared) -> None:
    tensor = value.type.tensor_type
    tensor.elem_type = onnx_type(declared.dtype)
    if declared.shape is None:
        return
    tensor.shape.SetInParent()
    for size in declared.shape:
        dimension = tensor.shape.dim.add()
        if size is not None:
            dimension.dim_value = size
