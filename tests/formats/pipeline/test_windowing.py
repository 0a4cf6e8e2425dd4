import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import modelstream as ms
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.messages import Reject, Result
from tests.support.pipelines import TREE, document, inline, loaded

EVERY = {each: each for each in ("count", "sum", "mean", "std", "min", "max", "last")}
NUMBERS = st.floats(-1e6, 1e6)


def window(column: str, made: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"window": {"column": column, "as": made, **more}}


def summed_up(values: list[float]) -> dict[str, float]:
    """Sum up by the definitions, a value at a time."""
    mean = math.fsum(values) / len(values)
    return {
        "count": len(values),
        "sum": math.fsum(values),
        "mean": mean,
        "std": math.sqrt(math.fsum((each - mean) ** 2 for each in values) / len(values)),
        "min": min(values),
        "max": max(values),
        "last": values[-1],
    }


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    rows, values = draw(st.integers(1, 8)), draw(st.integers(1, 40))
    row = st.lists(NUMBERS, min_size=values, max_size=values)
    return np.array(draw(st.lists(row, min_size=rows, max_size=rows)))


@given(tables(), st.integers(1, 50))
def test_the_last_values_of_each_list_are_summed_up(table: np.ndarray[Any, Any], last: int) -> None:
    scores = loaded(window("v", EVERY, last=last)).score({"v": table})
    for row, values in enumerate(table.tolist()):
        by_hand = summed_up(values[-last:])
        found = {name: float(scores[name][row]) for name in EVERY}
        assert found == pytest.approx(by_hand, rel=1e-9, abs=1e-3)


@given(tables(), st.integers(1, 50))
def test_a_record_has_the_same_answer_in_any_company(
    table: np.ndarray[Any, Any], last: int
) -> None:
    model = loaded(window("v", EVERY, last=last))
    together = model.score({"v": table})
    for row in range(len(table)):
        alone = model.score({"v": table[row : row + 1]})
        assert {name: alone[name][0] for name in EVERY} == {
            name: together[name][row] for name in EVERY
        }


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.lists(NUMBERS, max_size=30))
def test_what_lies_before_the_window_makes_no_difference(
    values: list[float], before: list[float]
) -> None:
    model = loaded(window("v", EVERY, last=len(values)))
    short, long = (model.score({"v": np.array([each])}) for each in (values, before + values))
    assert {name: short[name].tolist() for name in EVERY} == {
        name: long[name].tolist() for name in EVERY
    }


def test_lists_of_any_length_stand_in_one_stream() -> None:
    data = document(
        window("v", {"m": "mean", "n": "count"}, last=3), {"expression": {"y": "m + x"}}
    )
    records = [{"v": list(range(size)), "x": 1} for size in (1, 2, 5, 0, 5)]
    outcomes = list(ms.join([json.dumps(each).encode() for each in records], [data]))
    answers = [each.outputs["y"] for each in outcomes if isinstance(each, Result)]
    assert answers == [1.0, 1.5, 4.0, 4.0]
    (reject,) = [each for each in outcomes if isinstance(each, Reject)]
    assert "step 1 (window): column 'v' is empty, so that it has no mean" in reject.detail


def test_nothing_is_counted_and_summed_too() -> None:
    model = loaded(window("v", {"n": "count", "s": "sum"}))
    scores = model.score({"v": np.empty((2, 0))})
    assert (scores.errors, scores["n"].tolist(), scores["s"].tolist()) == ({}, [0, 0], [0, 0])


def test_missing_values_are_left_out_by_count_alone() -> None:
    scores = loaded(window("v", EVERY)).score({"v": np.array([[1, np.nan, 2.0]])})
    assert (scores["count"].tolist(), scores["last"].tolist()) == ([2], [2])
    assert all(np.isnan(scores[name][0]) for name in ("sum", "mean", "std", "min", "max"))


def test_a_window_slides_over_a_vector_that_steps_made() -> None:
    steps = [{"combine": {"v": ["a", "b", "c"]}}, window("v", {"s": "sum"}, last=2)]
    model = loaded(*steps)
    assert [each.name for each in model.inputs] == ["a", "b", "c"]
    columns = {name: np.array([value]) for name, value in zip("abc", [1.0, 2.0, 3.0], strict=True)}
    assert model.score(columns)["s"].tolist() == [5.0]


def test_the_list_is_an_input_of_open_length() -> None:
    assert loaded(window("v", {"s": "sum"})).inputs == (Field("v", "float64", (None,)),)


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (window("v", {}), "the window makes no column"),
        (window("v", {"m": "median"}), "Invalid enum value 'median'"),
        (window("v", {"m": "mean"}, last=0), ">= 1"),
        (window("v", {"m": "mean"}, key="id"), "unknown field `key`"),
        (window("age", {"m": "mean"}), r"has the shape \[\] where \[None\] is read"),
        (window("words", {"m": "mean"}), "is a text"),
        (window("maybe", {"m": "mean"}), "may be missing"),
        (window("v", {"age": "mean"}), "column 'age' is there already"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(step: dict[str, Any], why: str) -> None:
    inputs = {
        "age": "float64",
        "words": {"type": "string", "shape": [None]},
        "maybe": {"type": "float64", "shape": [None], "optional": True},
    }
    with pytest.raises(InvalidModel, match=rf"step 2 \(window\): .*{why}"):
        loaded(inline(TREE), step, inputs=inputs)
