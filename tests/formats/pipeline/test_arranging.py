from typing import Any

import numpy as np
import pytest

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from tests.support.pipelines import loaded, plain, plus, scored

NUMBERS = {"a": "float64", "b": "float64"}


def test_columns_are_renamed_at_once_so_that_two_change_places() -> None:
    steps: list[dict[str, Any]] = [{"rename": {"a": "b", "b": "a"}}, {"select": ["a", "b"]}]
    assert plain(scored({"a": [1], "b": [2]}, *steps, inputs=NUMBERS)) == {"a": [2.0], "b": [1.0]}


def test_a_renamed_column_is_gone() -> None:
    with pytest.raises(
        InvalidModel,
        match=r"step 2 \(expression\): column 'a' is no longer there after step 1 \(rename\)",
    ):
        loaded({"rename": {"a": "c"}}, {"expression": {"d": "a"}}, inputs=NUMBERS)


def test_a_selection_is_the_answer_in_its_order() -> None:
    scores = scored({"a": [1, 2], "town": ["Ulm", None]}, {"select": ["town", "a"]},
                    inputs={"a": "float64", "town": "string"})  # fmt: skip
    assert list(scores) == ["town", "a"]
    assert plain(scores) == {"town": ["Ulm", None], "a": [1.0, 2.0]}


def test_nothing_but_the_selection_is_there_afterwards() -> None:
    with pytest.raises(InvalidModel, match=r"'b' is not among those that step 1 \(select\) left"):
        loaded({"select": ["a"]}, {"expression": {"c": "a + b"}}, inputs=NUMBERS)


def test_numbers_become_a_vector_and_a_vector_numbers() -> None:
    model = loaded({"combine": {"v": ["a", "b"]}}, {"split": {"v": ["c", "d"]}}, outputs=["v", "d"])
    assert model.inputs == (Field("a", "float64"), Field("b", "float64"))
    assert model.outputs == (Field("v", "float64", (2,)), Field("d", "float64"))
    scores = model.score({"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])})
    assert scores["v"].tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert scores["d"].tolist() == [3.0, 4.0]


def test_a_vector_of_records_is_split_to_a_model() -> None:
    model = loaded({"split": {"v": ["x", "y"]}}, plus(1.0))
    assert model.inputs == (Field("v", "float64", (2,)),)
    assert model.score({"v": np.array([[1.0, 9.0], [2.0, 9.0]])})["score"].tolist() == [2.0, 3.0]


def test_a_vector_of_texts_is_split_into_texts() -> None:
    declared = {"v": {"type": "string", "shape": [2]}}
    model = loaded({"split": {"v": ["x", "y"]}}, inputs=declared)
    assert model.outputs == (Field("x", "string"), Field("y", "string"))


def test_the_columns_of_all_vectors_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIELDS_MAX", 4)
    loaded({"combine": {"v": ["a", "b"]}}, {"combine": {"w": ["a", "b"]}}).close()
    with pytest.raises(
        InvalidModel, match=r"step 2 \(combine\): vectors are combined of more than 4"
    ):
        loaded({"combine": {"v": ["a", "b"]}}, {"combine": {"w": ["a", "b", "a"]}})


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"rename": {}}, "no column is renamed"),
        ({"rename": {"a": "c", "b": "c"}}, "column 'c' is there already"),
        ({"rename": {"z": "c"}}, "'z' is read, and nothing tells of which type it is; declare it"),
        ({"select": []}, "of length >= 1"),
        ({"select": ["a", "a"]}, "'a' is given twice"),
        ({"combine": {}}, "no column is named"),
        ({"combine": {"v": []}}, "of length >= 1"),
        ({"combine": {"a": ["b"], "v": ["a"]}}, "column 'a' is there already"),
        ({"split": {"a": ["c", "d"]}}, r"'a' has the shape \[\] where \[2\] is read"),
        ({"split": {"v": ["c", "c"]}}, "column 'c' is there already"),
        ({"combine": {"v": ["t"]}}, "'t' is a text .string. where a number is read; cast it"),
    ],
)
def test_what_does_not_fit_is_told(step: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidModel, match=rf"step 1 \(\w+\): .*{reason}"):
        loaded(step, inputs={**NUMBERS, "t": "string"})
