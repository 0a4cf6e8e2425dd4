"""A pipeline is the composition of its steps, for the rows that none of them has failed."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream import load_model
from modelstream.errors import InvalidRecord, ModelFailed, ModelstreamError
from modelstream.formats.base import Part
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.messages import Columns, Scores
from tests.support.pipelines import TREE, document, inline, loaded, plain, plus, scored

NAN = float("nan")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["Bonn", "Ulm"])), max_size=12),
    st.floats(-5, 5, width=32),
)
def test_a_pipeline_is_its_steps_done_by_hand(rows: list[tuple[float, str]], amount: float) -> None:
    age = np.array([each[0] for each in rows], np.float64)
    town = np.array([each[1] for each in rows] + [None], dtype=object)[:-1]
    pipeline = loaded(
        {"one_hot": {"column": "town", "categories": ["Bonn", "Ulm"]}},
        inline(TREE, name="tree"),
        plus(amount, inputs={"x": "chance"}, outputs={"score": "risk"}),
        {"expression": {"cost": "risk * age + `town(Ulm)`"}},
        {"scale": {"cost": {"mean": 10, "deviation": 4}}},
        {"threshold": {"column": "cost", "at": 0, "labels": ["no", "yes"], "as": "ask"}},
        outputs=["ask", "cost", "risk", "answer"],
    )
    got = pipeline.score({"age": age, "town": town})
    tree = load_model(TREE.encode()).score({"age": age, "town": town})
    adder = loaded(plus(amount)).score({"x": tree["chance"]})
    cost = (adder["score"].astype(np.float64) * age + (town == "Ulm") - 10) / 4
    assert got.errors == {}
    np.testing.assert_array_equal(got["risk"], adder["score"])
    np.testing.assert_array_equal(got["cost"], cost)
    assert got["ask"].tolist() == ["yes" if each >= 0 else "no" for each in cost]
    assert got["answer"].tolist() == tree["answer"].tolist()


@settings(deadline=None)
@given(st.lists(st.sampled_from(["1", "2.5", "x", "7", "nine"]), min_size=1, max_size=9))
def test_rows_that_fail_do_not_touch_the_others(values: list[str]) -> None:
    steps: list[dict[str, Any]] = [
        {"cast": {"t": "float64"}},
        {"expression": {"y": "t + 1"}},
        {"one_hot": {"column": "t", "categories": [1, 2.5]}},
    ]
    scores = scored({"t": values}, *steps, inputs={"t": "string"}, outputs=["y", "t(1)"])
    for row, text in enumerate(values):
        alone = scored({"t": [text]}, *steps, inputs={"t": "string"}, outputs=["y", "t(1)"])
        assert (row in scores.errors) == (0 in alone.errors) == (text not in {"1", "2.5"})
        assert scores.errors.get(row) == alone.errors.get(0)
        assert [each[row] for each in plain(scores).values()] == [
            each[0] for each in plain(alone).values()
        ]
    assert list(scores.errors) == sorted(scores.errors)


def test_a_row_is_told_with_the_step_that_failed_it_and_others_do_not_see_it() -> None:
    steps = [
        {"name": "parse", "cast": {"t": "float64"}},
        {"name": "size", "threshold": {"column": "u", "at": 1, "as": "big"}},
    ]
    scores = scored({"t": ["x", "1", "2"], "u": [NAN, 2, NAN]}, *steps, inputs={"t": "string"})
    assert scores.errors == {
        0: "step 1 'parse' (cast): column 't': 'x' is no number",
        2: "step 2 'size' (threshold): column 'u' is missing, so there is nothing to decide by",
    }
    assert plain(scores) == {"big": [None, 1, None]}


def test_all_rows_may_fail() -> None:
    scores = scored(
        {"t": ["x"]}, {"cast": {"t": "float64"}}, plus(1.0, "t"), inputs={"t": "string"}
    )
    assert list(scores.errors) == [0]
    assert plain(scores) == {"score": [None]}


def test_row_errors_of_a_model_inside_are_those_of_the_pipeline() -> None:
    tree = TREE.replace(
        '<MiningField name="age"/>',
        '<MiningField name="age" invalidValueTreatment="returnInvalid"/>',
    ).replace(
        '<DataField name="age" optype="continuous" dataType="double"/>',
        '<DataField name="age" optype="continuous" dataType="double">'
        '<Interval closure="closedClosed" leftMargin="0" rightMargin="120"/></DataField>',
    )
    scores = scored(
        {"age": [50, 500, 20], "town": ["Ulm", "Ulm", "Ulm"]},
        inline(tree),
        {"expression": {"p": "chance * 100"}},
    )
    assert list(scores.errors) == [1]
    assert scores.errors[1].startswith("step 1 (model): ")
    assert plain(scores) == {"p": [75.0, None, pytest.approx(100 / 6)]}


class Raising:
    """A step that raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, columns: Columns, faults: dict[int, str]) -> Columns:
        raise self.error


@pytest.mark.parametrize("kind", [InvalidRecord, ModelFailed])
def test_what_a_model_raises_is_told_with_its_step(kind: type[ModelstreamError]) -> None:
    model = loaded(plus(1.0))
    step = model.steps[0]
    raising = type(step)(step.label, step.placed, Raising(kind("no")), step.made)
    broken = PipelineModel(model.inputs, model.outputs, (raising,), model.opened)
    with pytest.raises(kind, match=r"step 1 \(model\): no"):
        broken.score({"x": np.array([1.0])})


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "input 'x' is missing"),
        ({"x": np.array(["a"])}, "'x' is a column of <U1, not float64"),
        ({"x": np.array([None])}, "'x' is a column of object, not float64"),
        ({"x": np.zeros((2, 2))}, r"'x' is of shape \(2,\), not \(\)"),
        ({"x": np.zeros(2), "t": np.array(["a"])}, "of different lengths"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: Columns, reason: str) -> None:
    model = loaded({"impute": {"t": "Bonn"}}, {"expression": {"y": "x"}})
    with pytest.raises(InvalidRecord, match=reason):
        model.score(columns)


def test_records_without_any_input_are_refused() -> None:
    with pytest.raises(InvalidRecord, match="none of the inputs is given"):
        loaded({"impute": {"x": 1}}).score({"other": np.zeros(2)})


def test_arithmetic_without_an_answer_is_missing_and_warns_of_nothing() -> None:
    steps: list[dict[str, Any]] = [
        {"scale": {"x": {"min": 0, "max": 1e-300}}},
        {"cast": {"x": "float32"}},
    ]
    scores = scored({"x": [1e300, 0]}, *steps)
    assert scores["x"].tolist() == [np.inf, 0.0]


def test_closing_closes_every_model_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    inner = document(plus(1.0)).decode()
    kind = type(loaded(plus(2.0)).steps[0].model)

    def close(inside: object) -> None:
        closed.append(inside)

    monkeypatch.setattr(kind, "close", close)
    model = loaded(inline(inner), plus(2.0, outputs={"score": "y"}))
    closed.clear()  # what lowering loaded, it has closed
    model.close()
    model.close()
    assert len(closed) == 2


def test_the_steps_are_the_parts_of_the_description() -> None:
    model = loaded(
        inline(TREE, name="tree", outputs={"chance": "p"}),
        inline(document({"scale": {"p": {"min": 0, "max": 2}}}).decode(), name="inner"),
        {"rename": {"p": "half"}},
    )
    structure = model.describe().structure
    assert (structure.kind, structure.facts) == ("pipeline", {"steps": 3})
    tree, inner, rename = structure.parts
    assert tree.facts == {
        "name": "tree", "version": "(in the document)", "format": "pmml", "makes": "p",
    }  # fmt: skip
    assert [each.kind for each in tree.parts] == ["TreeModel"]
    assert inner.parts == (Part("pipeline", {"steps": 1}, (Part("scale", {"makes": "p"}),)),)
    assert rename == Part("rename", {"makes": "half"})
    assert json.loads(json.dumps([each.name for each in model.inputs])) == ["age", "town"]


def test_a_long_pipeline_is_described_in_part() -> None:
    steps = [{"expression": {f"y{number}": "x"}} for number in range(50)]
    structure = loaded(*steps).describe().structure
    assert (len(structure.parts), structure.more) == (20, 30)


def test_scores_have_the_types_of_the_outputs() -> None:
    scores: Scores = loaded(
        {"expression": {"w": "x"}}, {"cast": {"w": "int32"}}, {"combine": {"v": ["x", "w"]}},
        outputs=["w", "v"],
    ).score({"x": np.zeros(0)})  # fmt: skip
    assert {name: (str(each.dtype), each.shape) for name, each in scores.items()} == {
        "w": ("int32", (0,)),
        "v": ("float64", (0, 2)),
    }
