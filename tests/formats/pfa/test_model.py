"""Documents as models: columns in, columns out, and a reason for each row without an answer."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidRecord, ModelFailed, UnsupportedModel
from modelstream.formats.base import Field, Hints
from modelstream.formats.pfa import PfaFormat
from modelstream.formats.pfa.model import PfaModel
from tests.support.pfa import document

DOUBLES = {"type": "array", "items": "double"}


def loaded(action: Any, given: Any, made: Any, **more: Any) -> PfaModel:
    chosen = PfaFormat()
    data = json.dumps(document(action, given, made, **more)).encode()
    return chosen.load(chosen.lower(data, Hints()))


def record(**fields: Any) -> dict[str, Any]:
    parts = [{"name": name, "type": kind} for name, kind in fields.items()]
    return {"type": "record", "name": "Rec" + "".join(fields), "fields": parts}


def test_each_field_of_a_record_is_a_column() -> None:
    enum = {"type": "enum", "name": "E", "symbols": ["a", "b"]}
    given = record(
        x="double", n="int", big="long", yes="boolean", word="string", kind=enum,
        maybe=["null", "double"], many=DOUBLES, inner=record(y="float"),
    )  # fmt: skip
    model = loaded(["input.x"], given, "double")
    assert model.inputs == (
        Field("x", "float64"),
        Field("n", "int32"),
        Field("big", "int64"),
        Field("yes", "bool"),
        Field("word", "string"),
        Field("kind", "string"),
        Field("maybe", "float64", optional=True),
        Field("many", "float64", (None,)),
        Field("inner.y", "float32"),
    )
    assert model.outputs == (Field("output", "float64"),)


def test_what_is_no_record_is_one_column() -> None:
    model = loaded([{"a.sum": "input"}], DOUBLES, "double")
    assert model.inputs == (Field("input", "float64", (None,)),)
    assert model.score({"input": np.array([[1.0, 2.0], [3.0, 4.0]])})["output"].tolist() == [
        3.0,
        7.0,
    ]


@pytest.mark.parametrize(
    ("given", "made", "words"),
    [
        ({"type": "map", "values": "double"}, "int", "input 'input': no column has values of map"),
        (record(m=["int", "string"]), "int", "input 'm': no column"),
        ("bytes", "int", "input 'input'"),
        ("int", {"type": "map", "values": "int"}, "output 'output': no column"),
        ("int", "null", "output 'output'"),
        (record(), "int", "a record without fields"),
    ],
    ids=str,
)
def test_what_no_column_holds_is_refused_by_name(given: Any, made: Any, words: str) -> None:
    value = {"type": made, "value": {} if isinstance(made, dict) else None if made == "null" else 1}
    with pytest.raises(UnsupportedModel, match=words):
        loaded([value], given, made)


def test_values_that_are_not_of_their_type_fail_their_rows_alone() -> None:
    model = loaded([{"+": ["input.n", "input.m"]}], record(n="int", m="long"), "long")
    scores = model.score(
        {"n": np.array([1.0, 1.5, 2.0**31, 2.0]), "m": np.array([1.0, 1, 1, np.nan])}
    )
    assert scores["output"][0] == 2
    assert set(scores.errors) == {1, 2, 3}
    assert scores.errors[1] == "field 'n': a value is no int"
    assert np.isnan(scores["output"][1:]).all()


def test_a_missing_value_is_null_where_the_type_allows_it() -> None:
    action = [{"ifnotnull": {"x": "input.x"}, "then": {"*": ["x", 2]}, "else": -1.0}]
    model = loaded(action, record(x=["null", "double"], y="double"), "double")
    assert model.score({"x": np.array([1.0, np.nan]), "y": np.zeros(2)})["output"].tolist() == [
        2.0,
        -1.0,
    ]
    assert model.score({"y": np.zeros(2)})["output"].tolist() == [-1.0, -1.0]
    with pytest.raises(InvalidRecord, match="'y'"):
        model.score({"x": np.zeros(2)})


def test_missing_and_unknown_words_fail_their_rows() -> None:
    enum = {"type": "enum", "name": "E", "symbols": ["a", "b"]}
    model = loaded([{"enum.toInt": "input"}], enum, "int")
    scores = model.score({"input": np.array(["b", None, "c", "a"], dtype=object)})
    assert scores.errors == {1: "field 'input': None is no E", 2: "field 'input': 'c' is no E"}
    assert [scores["output"][0], scores["output"][3]] == [1.0, 0.0]


def test_answers_that_may_be_null_are_missing() -> None:
    action = [{"if": {">": ["input", 0]}, "then": {"m.sqrt": "input"}, "else": None}]
    found = loaded(action, "double", ["double", "null"]).score({"input": np.array([4.0, -1.0])})
    assert found.errors == {}
    assert found["output"][0] == 2.0
    assert np.isnan(found["output"][1])


def test_the_fields_of_an_answer_are_columns() -> None:
    made = record(a="double", b=record(c="int", d=DOUBLES))
    action = [
        {
            "new": {
                "a": "input",
                "b": {
                    "new": {"c": 7, "d": {"new": ["input", 1], "type": DOUBLES}},
                    "type": "Reccd",
                },
            },
            "type": "Recab",
        }
    ]
    scores = loaded(action, "double", made).score({"input": np.array([1.0, 2.0])})
    assert list(scores) == ["a", "b.c", "b.d"]
    assert scores["b.c"].tolist() == [7, 7]
    assert scores["b.d"].tolist() == [[1.0, 1.0], [2.0, 1.0]]


def test_answers_of_different_shapes_are_no_column() -> None:
    model = loaded(
        [
            {
                "a.filter": [
                    "input",
                    {"params": [{"x": "double"}], "ret": "boolean", "do": {">": ["x", 0]}},
                ]
            }
        ],
        DOUBLES,
        DOUBLES,
    )
    with pytest.raises(ModelFailed, match="differ in shape"):
        model.score({"input": np.array([[1.0, -1.0], [1.0, 1.0]])})
    assert model.score({"input": np.array([[1.0, -1.0]])})["output"].tolist() == [[1.0]]


def test_an_engine_emits_one_answer_a_record_or_the_row_fails() -> None:
    action = [
        {"if": {">": ["input", 0]}, "then": {"emit": "input"}},
        {"if": {">": ["input", 9]}, "then": {"emit": 0.0}},
    ]
    scores = loaded(action, "double", "double", method="emit").score(
        {"input": np.array([1.0, -1.0, 10.0])}
    )
    assert scores["output"][0] == 1.0
    assert scores.errors == {
        1: "the model emitted 0 answers; a record has exactly one",
        2: "the model emitted 2 answers; a record has exactly one",
    }


def test_a_row_that_takes_too_long_fails_alone() -> None:
    fcns = {
        "f": {
            "params": [{"n": "int"}],
            "ret": "int",
            "do": {"if": {"<": ["n", 1]}, "then": 0, "else": {"u.f": "n"}},
        }
    }
    scores = loaded([{"u.f": "input"}], "int", "int", fcns=fcns).score(
        {"input": np.array([0.0, 1.0])}
    )
    assert scores["output"][0] == 0
    assert scores.errors == {1: "the functions of the model call each other too deeply"}
    loop = [{"let": {"x": "input"}}, {"while": {">": ["x", 0]}, "do": {"doc": ""}}, "x"]
    scores = loaded(loop, "int", "int").score({"input": np.array([0.0, 1.0])})
    assert scores["output"][0] == 0
    assert "steps" in scores.errors[1]


def test_a_function_that_never_ends_fails_the_rows_that_call_it() -> None:
    endless = {
        "params": [{"x": "int"}],
        "ret": "boolean",
        "do": {"do": [{"while": True, "do": 1}, True]},
    }
    model = loaded([{"a.any": ["input", endless]}], {"type": "array", "items": "int"}, "boolean")
    lists = np.empty(2, dtype=object)
    lists[:] = [[1], []]
    scores = model.score({"input": lists})
    assert list(scores.errors) == [0]
    assert "steps" in scores.errors[0]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=8))
def test_a_row_has_one_answer_in_any_batch(numbers: list[int]) -> None:
    action = [
        {
            "if": {">": ["input", 0]},
            "then": {"*": ["input", 3]},
            "else": {"-": [{"//": ["input", 7]}, 1]},
        }
    ]
    model = loaded(action, "int", "int")
    whole = model.score({"input": np.array(numbers, np.float64)})
    for row, number in enumerate(numbers):
        alone = model.score({"input": np.array([number], np.float64)})
        assert alone.errors.get(0) == whole.errors.get(row)
        np.testing.assert_array_equal(alone["output"][0], whole["output"][row])
