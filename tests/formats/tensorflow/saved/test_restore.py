"""Which variable has which value."""

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.graph import read_graph
from modelstream.formats.tensorflow.saved.bundle import Bundle
from modelstream.formats.tensorflow.saved.restore import read_variables
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import call, constant, function, graph, node, tensor
from tests.support.tensorflow_saved import restored, variables

BUNDLE = Bundle(variables({"first": [1.0], "second": [2.0]}))


def texts(name: str, *values: bytes) -> pb.NodeDef:
    made = node(name, "Const")
    made.attr["value"].tensor.CopyFrom(tensor(np.array(values, object)))
    return made


def values(made: pb.GraphDef, restoring: str, *wanted: str) -> dict[str, list[float]]:
    found = read_variables(read_graph(made), restoring, set(wanted), BUNDLE)
    return {name: each.tolist() for name, each in found.items()}


def test_variables_of_tensorflow_1_are_assigned_in_the_graph() -> None:
    made = graph(
        node("file", "Placeholder"),
        *restored("w", "second"),
        *restored("v", "first"),
        node("shard", "NoOp", ["^w/assigned", "^v/assigned"]),
        node("all", "NoOp", ["^shard"]),
    )
    assert values(made, "all", "w", "v") == {"w": [2.0], "v": [1.0]}
    assert values(made, "all", "w") == {"w": [2.0]}
    assert values(made, "all") == {}
    assert values(made, "", "w") == {}


def restoring_function(*slices: bytes) -> pb.FunctionDef:
    return function(
        "restore",
        ["file", "one", "two"],
        {"done": "file"},
        texts("keys", b"first", b"second"),
        texts("slices", *slices),
        node("read", "RestoreV2", ["file", "keys:output:0", "slices:output:0"]),
        node("same", "Identity", ["read:tensors:1"]),
        node("put", "AssignVariableOp", ["one", "same:output:0"]),
        node("put2", "AssignVariableOp", ["two", "read:tensors:0"]),
        controls=["put", "put2"],
    )


def in_a_function(*slices: bytes) -> pb.GraphDef:
    return graph(
        node("file", "Placeholder"),
        node("a", "VarHandleOp"),
        node("b", "VarHandleOp"),
        call("restoring", "restore", ["file", "a", "b"]),
        functions=[restoring_function(*slices)],
    )


def test_variables_of_tensorflow_2_are_assigned_in_a_function() -> None:
    assert values(in_a_function(b"", b""), "restoring", "a", "b") == {"a": [2.0], "b": [1.0]}


def test_a_part_of_a_variable_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="a part of the variable"):
        values(in_a_function(b"", b"4 0,2"), "restoring", "a", "b")
    with pytest.raises(InvalidModel, match="has no output"):
        values(in_a_function(b""), "restoring", "a", "b")


def test_a_restoring_that_is_not_plain_is_refused() -> None:
    base = [node("w", "VariableV2"), constant("file", 0.0), texts("k", b"first"), texts("s", b"")]
    computed = node("r", "RestoreV2", ["file", "n", "s"])
    put = node("put", "Assign", ["w", "r"])
    with pytest.raises(UnsupportedModel, match="names are computed"):
        values(graph(*base, node("n", "StringJoin"), computed, put), "put", "w")
    with pytest.raises(InvalidModel, match="without names"):
        values(graph(*base, constant("n", [1.0]), computed, put), "put", "w")
    with pytest.raises(InvalidModel, match="has 1 inputs"):
        values(graph(*base, node("r", "RestoreV2", ["file"]), put), "put", "w")
    with pytest.raises(InvalidModel, match="goes in a circle"):
        values(graph(*base, node("r", "Identity", ["r"]), put), "put", "w")
    with pytest.raises(InvalidModel, match="no output 3"):
        values(
            graph(*base, node("r", "Identity", ["k"]), node("put", "Assign", ["w", "r:3"])),
            "put",
            "w",
        )


def test_what_is_assigned_from_elsewhere_is_not_restored() -> None:
    made = graph(node("w", "VariableV2"), constant("r", 1.0), node("put", "Assign", ["w", "r"]))
    assert values(made, "put", "w") == {}
