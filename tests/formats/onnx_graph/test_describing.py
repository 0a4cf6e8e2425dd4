"""What a graph is said to be."""

import numpy as np
import pytest

from modelstream.formats import load_model
from modelstream.formats.base import Description, InputFacts, OutputFacts
from tests.support import graphs, trained
from tests.support.graphs import constant, model, node, to_bytes, value


def described(data: bytes, *labels: str) -> Description:
    return load_model(data, "onnx", labels=labels).describe()


def test_a_graph_is_told_by_its_operators_and_their_numbers() -> None:
    description = load_model(graphs.linear(), feature_names=("a", "b")).describe()
    assert description.version == "IR 9"
    assert description.inputs == (
        InputFacts("a", "float32", declared="float32"),
        InputFacts("b", "float32", declared="float32"),
    )
    assert description.outputs == (OutputFacts("y", "float32", declared="float32"),)
    assert description.structure.kind == "graph"
    assert description.structure.facts == {
        "name": "g",
        "opsets": "ai.onnx 17, ai.onnx.ml 3",
        "nodes": 1,
        "operators": "MatMul 1",
        "parameters": 2,
    }


def test_a_classifier_is_told_with_its_classes() -> None:
    description = described(trained.MODELS["logistic"]().onnx, "one", "two", "three")
    label, *shares = description.outputs
    assert label.labels == ("one", "two", "three")
    assert [(each.feature, each.labels) for each in shares] == [
        ("probability", ("one",)),
        ("probability", ("two",)),
        ("probability", ("three",)),
    ]
    assert description.header.application == "skl2onnx"
    assert description.header.version


@pytest.mark.parametrize("name", ["forest", "boosted"])
def test_trees_are_counted(name: str) -> None:
    facts = described(trained.MODELS[name]().onnx).structure.facts
    assert isinstance(facts["trees"], int)
    assert isinstance(facts["tree nodes"], int)
    assert 1 < facts["trees"] < facts["tree nodes"]


def test_nodes_in_branches_are_counted() -> None:
    body = graphs.graph(
        [node("Identity", ["one"], ["out"])],
        [],
        [value("out", shape=(1,))],
        [constant("one", np.array([1], np.float32))],
    )
    nodes = [
        node("If", ["yes"], ["one"], then_branch=body, else_branch=body),
        node("Add", ["x", "one"], ["score"]),
    ]
    data = to_bytes(
        model(
            nodes,
            [value("x", shape=("N",))],
            [value("score", shape=("N",))],
            [constant("yes", np.array(True))],
        )
    )
    facts = described(data).structure.facts
    assert facts["nodes"] == 4
    assert facts["operators"] == "Identity 2, If 1, Add 1"
    assert facts["parameters"] == 3


def test_metadata_are_told() -> None:
    proto = graphs.parsed(graphs.linear())
    proto.metadata_props.add(key="feature_names", value="a,b")
    facts = described(to_bytes(proto)).structure.facts
    assert facts["metadata feature_names"] == "a,b"
