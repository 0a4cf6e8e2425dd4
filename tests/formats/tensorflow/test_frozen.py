"""Frozen graphs: those of the tutorials, and what is told of inputs and outputs without a signature."""

from pathlib import Path

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import recognise
from modelstream.formats.base import Field, Hints, Model
from modelstream.formats.tensorflow import GraphDefFormat
from tests.support import graphs, tensorflow
from tests.support.tensorflow import call, constant, function, graph, node, placeholder, to_bytes

WINE = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
]


def loaded(data: bytes, hints: Hints | None = None) -> Model:
    chosen = GraphDefFormat()
    return chosen.load(chosen.lower(data, hints or Hints()))


def test_the_wines_of_the_tutorial_are_scored_as_tensorflow_scores_them(shared_data: Path) -> None:
    wine = shared_data / "wine"
    records = np.loadtxt(wine / "winequality_red.csv", delimiter=";")
    labels = tuple(str(quality) for quality in range(9))
    model = loaded((wine / "optimized_WineQuality.pb").read_bytes(), Hints(tuple(WINE), labels))
    assert [field.name for field in model.inputs] == WINE
    assert model.outputs[5] == Field("probability(5)", "float32")
    scores = model.score({name: records[:, at] for at, name in enumerate(WINE)})
    answers = np.stack([scores[field.name] for field in model.outputs], axis=1)
    assert answers[0, 5] == pytest.approx(0.69121635, rel=1e-6)
    assert answers[0].argmax() == 5
    assert (answers.argmax(axis=1) == records[:, 11]).mean() == pytest.approx(0.5929, abs=5e-5)


def test_a_graph_of_one_record_is_opened_to_many(shared_data: Path) -> None:
    model = loaded((shared_data / "anomaly" / "model.pb").read_bytes())
    assert model.inputs == (Field("input", "float32", (3,)),)
    records = np.array([[0.2, 0.4, 0.3], [0.5, 0.7, 4.0], [0.1, 0.1, 0.1]])
    answers = model.score({"input": records})["output"]
    assert answers.shape == (3, 2)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-6)
    alone = [model.score({"input": row[np.newaxis]})["output"][0] for row in records]
    np.testing.assert_allclose(answers, alone, rtol=1e-6)


def test_the_width_of_a_row_is_told_by_the_first_weights() -> None:
    model = loaded(tensorflow.perceptron())
    assert model.inputs == (Field("x", "float32", (2,)),)
    assert model.score({"x": np.array([[1.0, 2.0]])})["y"].tolist() == pytest.approx([2.0])


def test_the_width_is_told_through_what_leaves_rows_as_they_are() -> None:
    data = to_bytes(
        graph(
            placeholder("x", None),
            constant("mean", [1.0, 2.0, 3.0]),
            node("centred", "Sub", ["x", "mean"]),
            constant("w", np.ones((1, 3))),
            node("y", "MatMul", ["centred", "w"], transpose_b=True),
        )
    )
    model = loaded(data, Hints(("a", "b", "c")))
    row = {"a": np.array([1.0]), "b": np.array([4.0]), "c": np.array([9.0])}
    assert model.score(row)["y"].tolist() == [8.0]


def test_an_input_of_no_told_shape_takes_rows_of_any_length() -> None:
    data = to_bytes(graph(placeholder("x", None), node("y", "Neg", ["x"])))
    assert loaded(data).inputs == (Field("x", "float32", (None,)),)


def test_an_input_that_no_output_needs_is_left_out() -> None:
    data = to_bytes(graph(placeholder("x"), placeholder("rate", ()), node("y", "Neg", ["x"])))
    assert [field.name for field in loaded(data).inputs] == ["x"]


def test_a_node_with_several_outputs_that_nobody_reads_has_them_all() -> None:
    data = to_bytes(
        graph(
            placeholder("x", (-1, 3)),
            constant("k", np.array(2, np.int32)),
            node("best", "TopKV2", ["x", "k"]),
        )
    )
    scores = loaded(data).score({"x": np.array([[1.0, 3.0, 2.0]])})
    assert scores["best"].tolist() == [[3.0, 2.0]]
    assert scores["best:1"].tolist() == [[1, 2]]


def test_a_call_that_nobody_reads_has_all_outputs_of_its_function() -> None:
    body = function(
        "both", ["v"], {"a": "n:y:0", "b": "v"}, node("n", "Neg", ["v"]), controls=["n"]
    )
    data = to_bytes(graph(placeholder("x"), call("f", "both", ["x"]), functions=[body]))
    scores = loaded(data).score({"x": np.array([[1.0, 2.0]])})
    assert scores["f"].tolist() == [[-1.0, -2.0]]
    assert scores["f:1"].tolist() == [[1.0, 2.0]]


def test_a_signature_names_what_is_fed_and_what_is_answered() -> None:
    data = to_bytes(
        graph(
            placeholder("x"),
            placeholder("rate", ()),
            constant("one", np.array(1.0)),
            node("bias", "PlaceholderWithDefault", ["one"], dtype=("type", 1)),
            node("hidden", "Sub", ["x", "bias"]),
            node("y", "Mul", ["hidden", "rate"]),
        )
    )
    model = loaded(data, Hints(signature=" -> hidden:0"))
    assert [field.name for field in model.outputs] == ["hidden"]
    assert [field.name for field in model.inputs] == ["x"]
    with pytest.raises(InvalidModel, match="need the placeholder 'rate', which is no input"):
        loaded(data, Hints(signature="x:0 ->"))
    asked = Hints(signature="x, bias:0 -> hidden")
    both = loaded(data, asked)
    assert [field.name for field in both.inputs] == ["x", "bias"]


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("serving_default", "no signature of a frozen graph; one is 'input,"),
        ("x -> nowhere", "the graph has no node 'nowhere'"),
        ("product -> y", "'product' is no placeholder"),
        ("x:1 -> y", "'x' is no placeholder"),
        ("x -> y:z", "'y:z' is not an output of a node"),
    ],
)
def test_a_signature_that_is_none_is_refused(signature: str, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        loaded(tensorflow.perceptron(), Hints(signature=signature))


def test_what_is_beside_the_way_to_the_outputs_is_not_looked_at() -> None:
    data = to_bytes(
        graph(
            placeholder("x"),
            node("y", "Neg", ["x"]),
            constant("file", np.array(1.0)),
            node("z", "PlaceholderWithDefault", ["file"]),
        )
    )
    assert [field.name for field in loaded(data).outputs] == ["y"]


@pytest.mark.parametrize("operation", ["ReadFile", "WriteFile", "PyFunc", "RandomUniform", "While"])
def test_any_other_operation_is_refused_by_name(operation: str) -> None:
    data = to_bytes(graph(placeholder("x"), node("a", operation, ["x"]), node("y", "Neg", ["a"])))
    with pytest.raises(UnsupportedModel, match=rf"{operation} \(node 'a'\); .* tf2onnx"):
        loaded(data)


def test_an_operation_that_only_runs_before_is_refused_too() -> None:
    data = to_bytes(
        graph(placeholder("x"), node("a", "AssignAdd", ["x"]), node("y", "Neg", ["x", "^a"]))
    )
    with pytest.raises(UnsupportedModel, match="AssignAdd"):
        loaded(data)


def test_a_variable_that_was_not_frozen_is_named() -> None:
    data = to_bytes(graph(placeholder("x"), node("w", "VariableV2"), node("y", "Mul", ["x", "w"])))
    with pytest.raises(InvalidModel, match="the variable 'w' has no value here; freeze the graph"):
        loaded(data)


def test_a_graph_without_ends_has_no_outputs() -> None:
    with pytest.raises(InvalidModel, match="no outputs"):
        loaded(to_bytes(graph(placeholder("x"))))
    with pytest.raises(InvalidModel, match="no nodes"):
        loaded(b"")


def test_a_graph_is_recognised_by_its_first_node() -> None:
    assert recognise(tensorflow.perceptron()).name == "tensorflow"
    long = to_bytes(graph(placeholder("a/" * 90 + "x"), node("y", "Neg", ["a/" * 90 + "x"])))
    assert recognise(long).name == "tensorflow"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n\n<PMML/>",
        b"\n<?xml version='1.0'?><PMML/>",
        b'\n\n{"a": 1}',
        graphs.linear(),
        b"\x0a\x05wine1\x12\x04data",
        b"\x08\x01\x12\x05",
        b"\x80\x04\x95",
    ],
    ids=["none", "line", "lines", "xml", "json", "onnx", "descriptor", "saved", "pickle"],
)
def test_other_bytes_are_no_graph(data: bytes) -> None:
    assert not GraphDefFormat().recognises(data)


def test_the_description_tells_where_a_graph_comes_from() -> None:
    description = loaded(tensorflow.perceptron()).describe()
    assert description.format == "tensorflow"
    assert description.version == "GraphDef 1087"
    assert description.header.application == "TensorFlow"
    assert description.structure.facts["parameters"] == 12
