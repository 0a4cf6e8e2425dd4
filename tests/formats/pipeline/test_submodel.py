from typing import Any

import numpy as np
import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.messages import Table
from tests.support import graphs
from tests.support.pipelines import TREE, inline, loaded, plain, plus, scored, truths


def test_a_model_reads_and_makes_columns_of_other_names() -> None:
    model = loaded(plus(1.0, inputs={"x": "dose"}, outputs={"score": "more"}))
    assert model.inputs == (Field("dose", "float32"),)
    assert model.outputs == (Field("more", "float32"),)
    assert model.score({"dose": np.array([1.0])})["more"].tolist() == [2.0]


def test_outputs_that_are_not_named_are_left_out_where_others_are() -> None:
    scores = scored({"age": [50], "town": ["Ulm"]}, inline(TREE, outputs={"chance": "p"}))
    assert plain(scores) == {"p": [0.75]}
    everything = scored({"age": [50], "town": ["Ulm"]}, inline(TREE))
    assert plain(everything) == {"answer": ["yes"], "chance": [0.75]}


def test_two_models_of_the_same_names_stand_beside_each_other() -> None:
    steps = [plus(1.0, outputs={"score": "one"}), plus(2.0, outputs={"score": "two"})]
    scores = scored({"x": [1]}, *steps, outputs=["one", "two"])
    assert plain(scores) == {"one": [2.0], "two": [3.0]}
    with pytest.raises(InvalidModel, match=r"step 2 \(model\): column 'score' is there already"):
        loaded(plus(1.0), plus(2.0))


def test_whole_numbers_of_a_model_are_numbers_to_the_next() -> None:
    steps = [inline(truths()), plus(1.0, inputs={"x": "whole"})]
    assert plain(scored({"x": [2.5]}, *steps)) == {"score": [3.0]}


def test_features_and_labels_are_those_of_the_step() -> None:
    model = loaded(inline(graphs.linear(), features=["a", "b"], outputs={"y": "c"}))
    assert [each.name for each in model.inputs] == ["a", "b"]
    assert plain(scored({"a": [1], "b": [2]}, inline(graphs.linear(), features=["a", "b"]))) == {
        "y": [21.0]
    }


def test_the_matrix_of_the_records_gets_to_a_model_that_reads_it() -> None:
    model = loaded(inline(graphs.linear(), features=["a", "b"]), {"expression": {"z": "y + a"}})
    matrix = np.arange(6.0).reshape(3, 2)
    table = Table(("a", "b"), matrix)
    given: list[Any] = []
    inner = model.steps[0].model
    assert inner is not None
    score = type(inner).score

    class Watched(type(inner)):  # type: ignore[misc]
        def score(self, columns: Any) -> Any:
            given.append(columns)
            return score(self, columns)

    inner.__class__ = Watched
    scores = model.score(table)
    assert given == [table]
    assert given[0] is table
    assert scores["z"].tolist() == (scores["z"] * 0 + model.score(dict(table))["z"]).tolist()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (plus(1.0, inputs={"z": "x"}), "the model has no input 'z'; it has x"),
        (plus(1.0, outputs={"z": "x"}), "the model has no output 'z'; it has score"),
        (plus(1.0, inputs={"x": "town"}), "'town' is a text .string. where a number is read"),
        (inline("no model!"), "the format of these 9 bytes cannot be told"),
        (inline("no model!", format="h2o"), "format 'h2o' cannot be served"),
        (inline("<PMML/>", format="pmml"), "PMML"),
        ({"model": {"format": "onnx"}}, "missing required field `data`"),
        ({"model": "a@1", "color": 1}, "unknown field `color`"),
    ],
)
def test_what_does_not_fit_is_told(step: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidModel, match=rf"step 1 'm' \(model\): .*{reason}"):
        loaded({"name": "m", **step}, inputs={"town": "string"})
