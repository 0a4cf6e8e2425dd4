"""TensorFlow graphs made by hand, without TensorFlow."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelstream.wire.proto import tensorflow_subset_pb2 as pb

FLOAT, DOUBLE, INT32, STRING, INT64, BOOL = 1, 2, 3, 7, 9, 10
_TYPES = {"float32": FLOAT, "float64": DOUBLE, "int32": INT32, "int64": INT64, "bool": BOOL}


def attribute(value: Any) -> pb.AttrValue:
    """Return an attribute of the kind that a Python value is; a DataType is given as ("type", n)."""
    made = value if isinstance(value, pb.AttrValue) else pb.AttrValue()
    match value:
        case bool():
            made.b = value
        case int():
            made.i = value
        case float():
            made.f = value
        case str():
            made.s = value.encode()
        case ("type", int(number)):
            made.type = number
        case list():
            made.list.i.extend(value)
        case np.ndarray():
            made.tensor.CopyFrom(tensor(value))
    return made


def tensor(array: Any) -> pb.TensorProto:
    """Return a constant tensor; of texts where they are bytes."""
    array = np.asarray(array)
    made = pb.TensorProto(tensor_shape=shape(array.shape))
    if array.dtype.kind in "SO":
        made.dtype = STRING
        made.string_val.extend(array.reshape(-1).tolist())
    else:
        made.dtype, made.tensor_content = _TYPES[array.dtype.name], array.tobytes()
    return made


def shape(sizes: Sequence[int]) -> pb.TensorShapeProto:
    """Return a shape; -1 is any size."""
    return pb.TensorShapeProto(dim=[pb.TensorShapeProto.Dim(size=size) for size in sizes])


def node(name: str, op: str, inputs: Sequence[str] = (), **attributes: Any) -> pb.NodeDef:
    """Return a node."""
    made = pb.NodeDef(name=name, op=op, input=inputs)
    for key, value in attributes.items():
        made.attr[key].CopyFrom(attribute(value))
    return made


def constant(name: str, array: Any) -> pb.NodeDef:
    """Return a constant of numbers as they are, floats as float32."""
    array = np.asarray(array)
    array = array.astype(np.float32) if array.dtype == np.float64 else array
    return node(name, "Const", value=array)


def placeholder(name: str, sizes: Sequence[int] | None = (-1, 2), kind: int = FLOAT) -> pb.NodeDef:
    """Return an input; of no sizes, its shape is not told."""
    made = node(name, "Placeholder", dtype=("type", kind))
    if sizes is not None:
        made.attr["shape"].shape.CopyFrom(shape(sizes))
    return made


def graph(*nodes: pb.NodeDef, functions: Sequence[pb.FunctionDef] = ()) -> pb.GraphDef:
    """Return a graph."""
    made = pb.GraphDef(node=nodes, versions=pb.VersionDef(producer=1087))
    made.library.function.extend(functions)
    return made


def function(
    name: str,
    inputs: Sequence[str],
    outputs: dict[str, str],
    *nodes: pb.NodeDef,
    controls: Sequence[str] = (),
) -> pb.FunctionDef:
    """Return a function: its outputs by name are `node:output:index` of its nodes, or arguments."""
    signature = pb.OpDef(name=name)
    signature.input_arg.extend(pb.OpDef.ArgDef(name=each) for each in inputs)
    signature.output_arg.extend(pb.OpDef.ArgDef(name=each) for each in outputs)
    controlled = {each: each for each in controls}
    return pb.FunctionDef(signature=signature, node_def=nodes, ret=outputs, control_ret=controlled)


def call(name: str, function: str, inputs: Sequence[str]) -> pb.NodeDef:
    """Return a node that calls a function."""
    called = pb.AttrValue(func=pb.NameAttrList(name=function))
    return node(name, "StatefulPartitionedCall", inputs, f=called)


def to_bytes(message: Any) -> bytes:
    """Return a message's bytes; those of equal messages are equal."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def perceptron() -> bytes:
    """Return a frozen network of two inputs, whose width is told by its first weights alone."""
    return to_bytes(
        graph(
            placeholder("x", None),
            constant("w", [[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]]),
            constant("b", [0.1, 0.2, 0.3]),
            node("product", "MatMul", ["x", "w"]),
            node("sum", "BiasAdd", ["product", "b"]),
            node("hidden", "Relu", ["sum"]),
            constant("v", [[1.0], [2.0], [3.0]]),
            node("y", "MatMul", ["hidden", "v"]),
        )
    )
