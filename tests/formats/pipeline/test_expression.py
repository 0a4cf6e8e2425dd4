import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from tests.support.pipelines import inline, loaded, plain, scored, truths

NAN = float("nan")


def test_columns_are_computed_from_what_was_there_before() -> None:
    step = {"expression": {"a": "a + 1", "b": "a * 2"}}
    assert plain(scored({"a": [1, 2]}, step)) == {"a": [2.0, 3.0], "b": [2.0, 4.0]}


def test_only_what_is_asked_for_may_be_missing() -> None:
    model = loaded({"expression": {"c": "if(isnan(a), 0, a) + b"}})
    assert model.inputs == (Field("a", "float64", optional=True), Field("b", "float64"))


def test_what_may_be_missing_makes_an_answer_that_may_be() -> None:
    declared = {"a": {"type": "float64", "optional": True}}
    step = {"expression": {"b": "a + 1"}}
    assert plain(scored({"a": [1, NAN]}, step, inputs=declared)) == {"b": [2.0, None]}
    with pytest.raises(InvalidModel, match=r"step 2 \(threshold\): column 'b' may be missing"):
        loaded(step, {"threshold": {"column": "b", "at": 1, "as": "c"}}, inputs=declared)


def test_truths_are_numbers_to_an_expression() -> None:
    steps = [inline(truths()), {"expression": {"y": "big + whole"}}]
    assert plain(scored({"x": [3, 0]}, *steps)) == {"y": [4.0, 0.0]}


def test_a_fault_of_the_expression_is_one_of_the_step() -> None:
    with pytest.raises(InvalidModel, match=r"step 1 'ratio' \(expression\): expression 'a /'"):
        loaded({"name": "ratio", "expression": {"y": "a /"}})
    with pytest.raises(InvalidModel, match="'a' is a text"):
        loaded({"expression": {"y": "a + 1"}}, inputs={"a": "string"})
    with pytest.raises(InvalidModel, match="1 to 10000 expressions make a step"):
        loaded({"expression": {}}, inputs={"a": "string"})
    with pytest.raises(InvalidModel, match="reads nothing of a record"):
        loaded({"expression": {"y": "1 + 1"}})
