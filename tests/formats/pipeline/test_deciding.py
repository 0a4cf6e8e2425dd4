from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from tests.support.pipelines import loaded, plain, scored

NAN = float("nan")


def test_a_text_becomes_a_column_a_category() -> None:
    step = {"one_hot": {"column": "t", "categories": ["Bonn", "Ulm"]}}
    scores = scored({"t": ["Ulm", "Bonn", "Köln", None]}, step)
    assert plain(scores) == {"t(Bonn)": [0.0, 1.0, None, None], "t(Ulm)": [1.0, 0.0, None, None]}
    assert scores.errors == {
        2: "step 1 (one_hot): column 't': 'Köln' is none of its categories",
        3: "step 1 (one_hot): column 't': None is none of its categories",
    }


def test_an_unknown_value_is_no_category_where_that_is_said() -> None:
    step = {"one_hot": {"column": "t", "categories": [1, 2.5], "unknown": "zeros"}}
    assert loaded(step).inputs == (Field("t", "float64", optional=True),)
    scores = scored({"t": [1, 2.5, 3, NAN]}, step)
    assert plain(scores) == {"t(1)": [1.0, 0.0, 0.0, 0.0], "t(2.5)": [0.0, 1.0, 0.0, 0.0]}


def test_the_largest_is_chosen_and_the_first_of_several() -> None:
    columns: dict[str, list[Any]] = {"a": [1, 2, 3, NAN], "b": [5, 2, 1, 9]}
    labelled = {"argmax": {"columns": ["a", "b"], "labels": ["no", "yes"], "as": "label"}}
    scores = scored(columns, labelled)
    assert plain(scores) == {"label": ["yes", "no", "no", None]}
    assert scores.errors == {
        3: "step 1 (argmax): column 'a' is missing, so there is nothing to decide by"
    }
    model = loaded({"argmax": {"columns": ["a", "b"], "as": "at"}})
    assert model.outputs == (Field("at", "int64"),)


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9), st.floats(-5, 5))
def test_a_threshold_is_reached_from_below(values: list[float], at: float) -> None:
    options: dict[str, Any] = {"column": "p", "at": at, "as": "d"}
    number = scored({"p": values}, {"threshold": options})
    assert number["d"].tolist() == [int(each >= at) for each in values]
    assert number["d"].dtype == "int64"
    text = scored({"p": values}, {"threshold": options | {"labels": ["no", "yes"]}})
    assert text["d"].tolist() == ["yes" if each >= at else "no" for each in values]


def test_nothing_is_decided_by_what_is_missing() -> None:
    scores = scored({"p": [NAN, 1]}, {"threshold": {"column": "p", "at": 0, "as": "d"}})
    assert list(scores.errors) == [0]
    assert plain(scores) == {"d": [None, 1]}


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"one_hot": {"column": "t", "categories": []}}, "of length >= 1"),
        ({"one_hot": {"column": "t", "categories": ["a", 1]}}, "they are all of one kind"),
        ({"one_hot": {"column": "t", "categories": ["a", "a"]}}, "'a' is given twice"),
        ({"one_hot": {"column": "t", "categories": ["a"], "unknown": "?"}}, "enum value '\\?'"),
        ({"one_hot": {"column": "p", "categories": ["a"]}}, "'p' is a number .float64. where a t"),
        ({"one_hot": {"column": "p", "categories": list(range(1001))}}, "of length <= 1000"),
        ({"argmax": {"columns": ["p"], "labels": ["a", "b"], "as": "d"}}, "2 labels are given for"),
        ({"argmax": {"columns": ["p", "p"], "as": "d"}}, "'p' is given twice"),
        ({"argmax": {"columns": ["p"]}}, "missing required field `as`"),
        ({"threshold": {"column": "p", "at": 1, "as": "p"}}, "column 'p' is there already"),
        ({"threshold": {"column": "p", "at": "x", "as": "d"}}, "Expected `float`"),
        ({"threshold": {"column": "p", "at": 1, "as": "d", "labels": ["a"]}}, "2 labels or none"),
    ],
)
def test_what_does_not_fit_is_told(step: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidModel, match=rf"step 1 \(\w+\): .*{reason}"):
        loaded(step, inputs={"p": "float64", "t": "string"})
