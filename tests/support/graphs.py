"""ONNX models made by hand, for shapes and operators that no trainer writes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE, HALF = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16
INT64, INT32, UINT8 = TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8
BOOL, STRING = TensorProto.BOOL, TensorProto.STRING

Shape = Sequence[int | str | None] | None


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    """Return a NodeProto; `domain` is an attribute like any other here."""
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def value(name: str, kind: int = FLOAT, shape: Shape = ("N",)) -> Any:
    """Return the ValueInfoProto of a tensor; a shape of None is not declared."""
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name: str, array: Any) -> Any:
    """Return an initializer."""
    return numpy_helper.from_array(np.asarray(array), name)


def graph(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], constants: Any = ()
) -> Any:
    """Return a GraphProto."""
    return helper.make_graph(list(nodes), "g", list(inputs), list(outputs), list(constants))


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Sequence[Any] = (),
    *,
    metadata: dict[str, str] | None = None,
    functions: Sequence[Any] = (),
    domains: Sequence[str] = (),
) -> Any:
    """Return a ModelProto with the standard's domains and those named."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    opsets += [helper.make_opsetid(domain, 1) for domain in domains]
    made = helper.make_model(
        graph(nodes, inputs, outputs, constants),
        opset_imports=opsets,
        functions=list(functions),
        ir_version=9,
    )
    helper.set_model_props(made, metadata or {})
    return made


def to_bytes(proto: Any) -> bytes:
    """Return a message's bytes."""
    data: bytes = proto.SerializeToString()
    return data


def linear(rows: int | str | None = "N", features: int | str | None = 2, **more: Any) -> bytes:
    """Return y = x0 + 10 x1, named by nobody."""
    return to_bytes(
        model(
            [node("MatMul", ["x", "w"], ["y"])],
            [value("x", shape=(rows, features))],
            [value("y", shape=(rows, 1))],
            [constant("w", np.array([[1.0], [10.0]], np.float32))],
            **more,
        )
    )


def doubled(kind: int, shape: Shape = ("N",), out: Shape = ("N",)) -> bytes:
    """Return y = x + x, of one element type."""
    return to_bytes(
        model([node("Add", ["x", "x"], ["y"])], [value("x", kind, shape)], [value("y", kind, out)])
    )


def copied(kind: int, shape: Shape = ("N",), out: Shape = ("N",)) -> bytes:
    """Return y = x, of one element type."""
    return to_bytes(
        model([node("Identity", ["x"], ["y"])], [value("x", kind, shape)], [value("y", kind, out)])
    )


def counting_loop() -> bytes:
    """Return y = x + 5, counted up by a Loop."""
    body = helper.make_graph(
        [node("Identity", ["go_in"], ["go"]), node("Add", ["sum_in", "one"], ["sum"])],
        "body",
        [
            value("i", INT64, ()),
            value("go_in", BOOL, ()),
            value("sum_in", FLOAT, ("N",)),
        ],
        [value("go", BOOL, ()), value("sum", FLOAT, ("N",))],
    )
    return to_bytes(
        model(
            [node("Loop", ["times", "yes", "x"], ["y"], body=body)],
            [value("x")],
            [value("y")],
            [
                constant("times", np.array(5, np.int64)),
                constant("yes", np.array(True)),
                constant("one", np.array(1, np.float32)),
            ],
        )
    )


def lookup(keepdims: int = 1) -> bytes:
    """Return the largest of some entries of a table, which has entries from 100 to 102 alone."""
    return to_bytes(
        model(
            [
                node("Sub", ["x", "first"], ["at"]),
                node("Gather", ["table", "at"], ["found"]),
                node("ReduceMax", ["found"], ["y"], axes=[0], keepdims=keepdims),
            ],
            [value("x", INT64)],
            [value("y", FLOAT, None)],
            [
                constant("first", np.array([100], np.int64)),
                constant("table", np.array([1, 2, 3], np.float32)),
            ],
        )
    )


def bomb(elements: int) -> bytes:
    """Return a model of a few bytes whose first run needs `elements` floats."""
    return to_bytes(
        model(
            [
                node("ConstantOfShape", ["shape"], ["huge"]),
                node("ReduceMax", ["huge"], ["most"], keepdims=0),
                node("Add", ["x", "most"], ["y"]),
            ],
            [value("x")],
            [value("y")],
            [constant("shape", np.array([elements], np.int64))],
        )
    )


def external(name: str, location: str, size: int) -> Any:
    """Return a tensor that says its bytes lie in a file."""
    tensor = TensorProto(name=name, data_type=UINT8, dims=[size])
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", "0"), ("length", str(size))):
        tensor.external_data.add(key=key, value=text)
    return tensor


def parsed(data: bytes) -> Any:
    """Return the ModelProto of some bytes."""
    return onnx.load_model_from_string(data)
