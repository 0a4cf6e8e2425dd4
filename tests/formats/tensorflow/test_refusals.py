"""What an operation is not evaluated for, and what none can be: each is told by its node."""

import numpy as np
import pytest

from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.tensorflow import GraphDefFormat, SavedModelFormat
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import (
    FLOAT,
    INT32,
    INT64,
    constant,
    graph,
    node,
    placeholder,
    tensor,
    to_bytes,
)
from tests.support.tensorflow_saved import info, saved_model, signature, tarred

X = placeholder("x", (-1, 4, 4, 2))
KERNEL = constant("k", np.ones((3, 3, 2, 2)))
AXIS, AXES = constant("a", np.array(1, np.int32)), constant("as", np.array([0, 1], np.int32))
FOUR = [1, 1, 1, 1]
WORDS = node("s", "Const")
WORDS.attr["value"].tensor.CopyFrom(tensor(np.array([b"a"], object)))


def lower(*nodes: pb.NodeDef) -> bytes:
    return GraphDefFormat().lower(to_bytes(graph(X, *nodes)), Hints())


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([KERNEL, node("y", "Conv2D", ["x", "k"], strides=FOUR, padding="ODD")], "padding 'ODD'"),
        (
            [KERNEL, node("y", "Conv2D", ["x", "k"], strides=[2, 1, 1, 1], padding="SAME")],
            "strides over records",
        ),
        (
            [KERNEL, node("y", "Conv2D", ["x", "k"], strides=FOUR, data_format="NCHW_VECT_C")],
            "data format",
        ),
        (
            [
                KERNEL,
                node(
                    "y",
                    "Conv2D",
                    ["x", "k"],
                    strides=[1, 2, 2, 1],
                    dilations=[1, 2, 2, 1],
                    padding="SAME",
                ),
            ],
            "strides and dilations",
        ),
        (
            [
                KERNEL,
                node(
                    "y",
                    "Conv2D",
                    ["x", "k"],
                    strides=FOUR,
                    padding="EXPLICIT",
                    explicit_paddings=[1, 0, 0, 0, 0, 0, 0, 0],
                ),
            ],
            "padding of records",
        ),
        ([node("y", "Conv2D", ["x", "x"], strides=FOUR)], "the kernel is computed"),
        ([AXIS, node("y", "BiasAdd", ["x", "a"], data_format="NCHW")], "last dimension"),
        ([node("y", "ExpandDims", ["x", "x"])], "the axis is computed"),
        ([AXIS, AXES, node("y", "SplitV", ["x", "as", "x"])], "the axis is computed"),
        (
            [
                AXIS,
                constant("n", np.array([-1, 1], np.int32)),
                node("y", "SplitV", ["x", "n", "a"]),
            ],
            "left over",
        ),
        ([AXES, node("y", "MirrorPad", ["x", "as"], mode="SYMMETRIC")], "mode 'SYMMETRIC'"),
        ([AXIS, node("y", "GatherV2", ["x", "a", "a"], batch_dims=1)], "batch dimensions"),
        ([AXIS, node("y", "OneHot", ["x", "a", "a", "a"], axis=0)], "as the last dimension"),
        ([WORDS, node("y", "Add", ["x", "s"])], "constants of strings"),
        ([node("y", "Cast", ["x"], DstT=("type", 7))], "strings are not converted"),
        ([node("y", "Cast", ["x"], DstT=("type", 8))], "data type 8"),
        ([node("v", "VarHandleOp"), node("y", "Add", ["x", "v"])], "where its value cannot be"),
        ([KERNEL, node("y", "FusedBatchNormV3", ["x", "k", "k", "k", "k"])], "for inference"),
    ],
)
def test_what_is_not_evaluated_is_refused(nodes: list[pb.NodeDef], reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        lower(*nodes)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("y", "Add", ["x"])], "Add 'y' has 1 inputs, not 2"),
        ([node("a", "NoOp"), node("y", "Neg", ["a"])], "no output 0 that can be evaluated"),
        ([node("y", "Neg", ["x:3"])], "the placeholder 'x', which is no input"),
        ([node("y", "Const"), node("z", "Neg", ["y"])], "has no value"),
        ([AXES, node("y", "ExpandDims", ["x", "as"])], "the axis is not one number"),
        ([KERNEL, node("y", "ExpandDims", ["x", "k"])], "not a short list of whole numbers"),
        ([AXIS, node("y", "Conv2D", ["x", "a"], strides=FOUR)], "kernel of shape"),
        ([KERNEL, node("y", "Conv2D", ["x", "k"], padding="SAME")], "has 0 strides, not 4"),
        (
            [
                KERNEL,
                node("y", "Conv2D", ["x", "k"], strides=FOUR, padding="EXPLICIT"),
            ],
            "0 explicit paddings",
        ),
        ([AXES, node("y", "Pad", ["x", "as"])], "not two sizes a dimension"),
        ([AXES, node("y", "Slice", ["x", "as", "a"]), AXIS], "is not a slice"),
        ([AXES, node("y", "StridedSlice", ["x", "as", "as", "as"])], "is not a slice"),
        (
            [
                constant("o", np.array([1, 1], np.int32)),
                node("y", "StridedSlice", ["x", "o", "o", "o"], ellipsis_mask=3),
            ],
            "more than one ellipsis",
        ),
        ([AXIS, node("y", "ConcatV2", ["a"])], "joins nothing"),
        ([node("y", "ConcatV2")], "joins nothing"),
        ([node("y", "Pack")], "cannot load"),
        (
            [
                AXIS,
                AXES,
                constant("z", np.array(0, np.int32)),
                node("y", "ConcatV2", ["a", "as", "z"]),
            ],
            "do not fit together",
        ),
        ([node("y", "Unpack", ["x"], num=0)], "a node with 0 outputs"),
        ([AXIS, node("y", "Split", ["a", "x"], num_split=2**40)], "outputs"),
        ([node("y", "ReadVariableOp", ["x"])], "reads what is not a variable"),
        ([node("y", "Neg", ["x"], T=3), node("z", "Relu6", ["x"], T=3)], "of the wrong kind"),
    ],
)
def test_what_cannot_be_is_refused(nodes: list[pb.NodeDef], reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        lower(*nodes)


@pytest.mark.parametrize("operation", ["Div", "FloorDiv", "TruncateDiv", "FloorMod"])
@pytest.mark.parametrize(("kind", "least"), [(INT32, -(2**31)), (INT64, -(2**63))])
def test_no_division_ends_the_process(operation: str, kind: int, least: int) -> None:
    both = [placeholder(name, (-1,), kind) for name in ("a", "b")]
    divided = node("y", operation, ["a", "b"], T=("type", kind))
    chosen = GraphDefFormat()
    model = chosen.load(chosen.lower(to_bytes(graph(*both, divided)), Hints()))
    columns = {"a": np.array([least, -7, 7]), "b": np.array([-1, 2, -1])}
    expected = {"FloorDiv": [-4, -7], "FloorMod": [1, 0]}.get(operation, [-3, -7])
    assert model.score(columns)["y"].tolist()[1:] == expected
    with pytest.raises(ModelFailed, match="by zero"):
        model.score({"a": np.array([1, 2]), "b": np.array([1, 0])})


@pytest.mark.parametrize("operation", ["FloorDiv", "FloorMod", "DivNoNan"])
def test_a_division_is_of_the_type_that_it_says(operation: str) -> None:
    both = [placeholder(name, (-1,), INT32) for name in ("a", "b")]
    divided = node("y", operation, ["a", "b"], T=("type", FLOAT))
    with pytest.raises(InvalidModel, match="ONNX Runtime cannot load"):
        GraphDefFormat().lower(to_bytes(graph(*both, divided)), Hints())


def test_an_output_may_not_bear_the_name_of_an_input() -> None:
    made = graph(placeholder("in"), node("out", "Neg", ["in"]))
    asked = {"serving_default": signature({"x": info("in")}, {"x": info("out")})}
    with pytest.raises(UnsupportedModel, match="an input and an output have the same name: 'x'"):
        SavedModelFormat().lower(tarred({"saved_model.pb": saved_model(made, asked)}), Hints())


def test_what_is_fed_stays_so_where_its_node_runs_for_another_output() -> None:
    made = graph(
        placeholder("in", (-1, 2)),
        constant("k", np.array(1, np.int32)),
        node("best", "TopKV2", ["in", "k"]),
        node("place", "Cast", ["best:1"], SrcT=("type", INT32), DstT=("type", FLOAT)),
        node("out", "Add", ["best", "place"]),
    )
    inputs = {"x": info("in"), "value": info("best:0", (-1, 1))}
    asked = {"serving_default": signature(inputs, {"y": info("out")})}
    chosen = SavedModelFormat()
    lowered = chosen.lower(tarred({"saved_model.pb": saved_model(made, asked)}), Hints())
    columns = {"x": np.array([[1.0, 5.0], [4.0, 3.0]]), "value": np.array([10.0, 20.0])}
    assert chosen.load(lowered).score(columns)["y"].tolist() == [11.0, 20.0]


def test_what_needs_a_placeholder_that_is_not_fed_is_refused() -> None:
    made = graph(placeholder("in"), placeholder("rate"), node("out", "Mul", ["in", "rate"]))
    asked = {"serving_default": signature({"x": info("in")}, {"y": info("out")})}
    with pytest.raises(InvalidModel, match="the placeholder 'rate', which is no input"):
        SavedModelFormat().lower(tarred({"saved_model.pb": saved_model(made, asked)}), Hints())
