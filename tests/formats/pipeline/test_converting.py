from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from tests.support.pipelines import inline, loaded, plain, scored, truths

NAN = float("nan")


@pytest.mark.parametrize(
    ("source", "values", "to", "answers"),
    [
        ("float64", [1, -2.5, 1e30, NAN], "string", ["1", "-2.5", "1e+30", None]),
        ("bool", [True, False], "string", ["true", "false"]),
        ("bool", [True, False], "float64", [1.0, 0.0]),
        ("bool", [True, False], "int32", [1, 0]),
        ("float64", [2.9, -2.9, 0], "int64", [2, -2, 0]),
        ("float64", [2.9, 0, -1], "bool", [True, False, True]),
        ("float64", [0.1], "float32", [float(np.float32(0.1))]),
        ("string", ["1", " -2.5 ", "1e3", None], "float64", [1.0, -2.5, 1000.0, None]),
        ("string", ["7", "-7.9"], "int32", [7, -7]),
        ("string", ["true", "false"], "bool", [True, False]),
        ("string", ["x", None], "string", ["x", None]),
    ],
)
def test_columns_are_cast(source: str, values: list[Any], to: str, answers: list[Any]) -> None:
    declared = {"a": {"type": source, "optional": NAN in values or None in values}}
    model = loaded({"cast": {"a": to}}, inputs=declared)
    assert [each.type for each in model.outputs] == [to]
    scores = scored({"a": values}, {"cast": {"a": to}}, inputs=declared)
    assert scores.errors == {}
    assert plain(scores) == {"a": answers}
    assert scores["a"].dtype == np.dtype({"string": object}.get(to, to))


@pytest.mark.parametrize(
    ("source", "values", "to", "reason"),
    [
        ("string", ["no number", "1"], "float64", "column 'a': 'no number' is no number"),
        ("string", ["1_0", "1"], "int64", "'1_0' is no number"),
        ("string", ["nan", "1"], "float64", "'nan' is no number"),
        ("string", ["1", "true"], "bool", "'1' is no truth"),
        ("string", [None, "1"], "int64", "'a' is missing and cannot be of type int64"),
        ("float64", [NAN, 1], "bool", "'a' is missing and cannot be of type bool"),
        ("float64", [2**31, 1], "int32", "'a' is too large for int32"),
        ("float64", [1e300, 1], "int64", "'a' is too large for int64"),
        ("float64", [float("inf"), 1], "int64", "'a' is too large for int64"),
    ],
)
def test_a_row_that_a_type_cannot_hold_is_an_error(
    source: str, values: list[Any], to: str, reason: str
) -> None:
    scores = scored({"a": values}, {"cast": {"a": to}}, inputs={"a": source})
    assert list(scores.errors) == [0]
    assert reason in scores.errors[0]
    assert plain(scores)["a"][0] is None
    assert plain(scores)["a"][1] is not None


def test_what_a_model_answers_is_cast() -> None:
    scores = scored(
        {"x": [2.5, -1]}, inline(truths()), {"cast": {"big": "string", "text": "int32"}}
    )
    assert plain(scores) == {"big": ["true", "true"], "text": [2, -1]}


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_number_survives_being_a_text(values: list[float]) -> None:
    steps = [{"cast": {"a": "string"}}, {"cast": {"a": "float64"}}]
    scores = scored({"a": values}, *steps, inputs={"a": "float64"})
    assert scores["a"].tolist() == values


def test_columns_are_scaled_in_either_way() -> None:
    options = {"a": {"mean": 2, "deviation": 4}, "b": {"min": -1, "max": 3}}
    scores = scored({"a": [6, NAN], "b": [1, 3]}, {"scale": options})
    assert plain(scores) == {"a": [1.0, None], "b": [0.5, 1.0]}


def test_a_tensor_is_scaled_as_a_whole() -> None:
    declared = {"v": {"type": "float64", "shape": [2, 2]}}
    model = loaded({"scale": {"v": {"min": 0, "max": 255}}}, inputs=declared)
    assert model.outputs == (Field("v", "float64", (2, 2)),)
    assert model.score({"v": np.full((1, 2, 2), 51.0)})["v"].tolist() == [[[0.2, 0.2], [0.2, 0.2]]]


def test_what_is_missing_is_imputed() -> None:
    model = loaded({"impute": {"a": 7, "t": "Bonn", "b": False}})
    assert model.inputs == (
        Field("a", "float64", optional=True),
        Field("t", "string", optional=True),
        Field("b", "bool", optional=True),
    )
    steps = {"impute": {"a": 7, "t": "Bonn", "b": False}}
    columns: dict[str, list[Any]] = {"a": [1, NAN], "t": ["Ulm", None], "b": [None, True]}
    assert plain(scored(columns, steps)) == {
        "a": [1.0, 7.0], "t": ["Ulm", "Bonn"], "b": [False, True],
    }  # fmt: skip


def test_an_absent_field_is_missing_in_all_rows() -> None:
    model = loaded({"impute": {"a": 7, "t": "Bonn", "b": True}})
    scores = model.score({"a": np.array([1.0, 2.0])})
    assert plain(scores) == {"a": [1.0, 2.0], "t": ["Bonn", "Bonn"], "b": [True, True]}


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({"cast": {}}, "no column is cast"),
        ({"cast": {"a": "date"}}, "Invalid enum value 'date'"),
        ({"cast": {"v": "string"}}, "column 'v' is no single value; split it before"),
        ({"cast": {"o": "int64"}}, "column 'o' may be missing; impute it before"),
        ({"scale": {}}, "no column is scaled"),
        ({"scale": {"a": {}}}, "give mean and deviation, or min and max"),
        ({"scale": {"a": {"mean": 1, "min": 1}}}, "give mean and deviation, or min and max"),
        ({"scale": {"a": {"mean": 1, "deviation": 0}}}, "a deviation is above 0"),
        ({"scale": {"a": {"min": 1, "max": 1}}}, "a max above its min"),
        ({"scale": {"a": {"sigma": 1}}}, "unknown field `sigma`"),
        ({"scale": {"t": {"min": 0, "max": 1}}}, "'t' is a text .string. where a number is read"),
        ({"impute": {}}, "no column is imputed"),
        ({"impute": {"a": "text"}}, "'a' is a number .float64. where a text is read"),
        ({"impute": {"a": None}}, "got `null`"),
    ],
)
def test_what_does_not_fit_is_told(step: dict[str, Any], reason: str) -> None:
    declared = {
        "a": "float64", "t": "string", "o": {"type": "string", "optional": True},
        "v": {"type": "float64", "shape": [2]},
    }  # fmt: skip
    with pytest.raises(InvalidModel, match=rf"step 1 \(\w+\): .*{reason}"):
        loaded(step, inputs=declared)
