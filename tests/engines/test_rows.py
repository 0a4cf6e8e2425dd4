"""Records in, answers out: the same whether a model answers records itself or by columns."""

import json
import math
from collections import OrderedDict, defaultdict
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream import InvalidRecord, UnsupportedModel, score_rows
from modelstream.errors import ModelFailed
from modelstream.formats import limits
from modelstream.formats.base import Field, RowModel
from modelstream.formats.pmml.model import PmmlModel
from tests.support.fake_models import FakeModel
from tests.support.pmml import Y, document, load, output_of, schema
from tests.support.pmml_expressions import FIELDS_OF_ALL, NAMES, VALUE, call, ref
from tests.support.pmml_rows import TOLERANCE, same

# What a record may hold, right or wrong, whatever its field is.
ANY = st.one_of(
    VALUE,
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from(["a", "b ", "", "1", "1.5", "true", 2**53, 2**53 + 1, -(2**60), 10**400]),
    st.sampled_from([math.nan, math.inf, [1.0], {"a": 1}, np.float64(2.5), np.int64(3)]),
)
RECORD = st.dictionaries(st.sampled_from([*NAMES, "more"]), ANY)
CHAIN = "".join(
    f'<RegressionTable intercept="{n}" targetCategory="{label}"><NumericPredictor name="x" '
    f'coefficient="0.25"/><CategoricalPredictor name="w" value="a" coefficient="{n}"/></RegressionTable>'
    for n, label in enumerate(("u", "v", "w"))
)
KIND = '<DataField name="kind" optype="categorical" dataType="string"/>'
DAY = '<DataField name="d" optype="continuous" dataType="date"/>'


def by_columns(model: PmmlModel, rows: list[Any]) -> list[Any]:
    return list(score_rows(replace(model, rowwise=None), rows))


def told(answer: Any) -> Any:
    """Return an answer to compare: NaN as a word, an error as its text, and types beside values."""
    if isinstance(answer, InvalidRecord):
        return str(answer)
    return {name: (type(value), repr(value)) for name, value in answer.items()}


def regression(attributes: str = "") -> PmmlModel:
    mining = schema("x", "w", target="kind").replace('name="x"', f'name="x" {attributes}')
    return load(
        document(
            f'<RegressionModel functionName="classification" normalizationMethod="softmax">{mining}'
            '<Output><OutputField name="p" feature="probability" value="u"/></Output>'
            f"{CHAIN}</RegressionModel>",
            FIELDS_OF_ALL + KIND,
        )
    )


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        'missingValueReplacement="7"',
        'missingValueTreatment="returnInvalid"',
        'outliers="asExtremeValues" lowValue="-1" highValue="2"',
    ],
)
@given(rows=st.lists(RECORD, max_size=4))
@settings(max_examples=60, deadline=None)
def test_records_are_answered_and_refused_as_columns_are(
    attributes: str, rows: list[dict[str, Any]]
) -> None:
    model = regression(attributes)
    assert list(map(told, score_rows(model, rows))) == list(map(told, by_columns(model, rows)))


@pytest.mark.parametrize(
    "expression",
    [
        call("+", ref("x"), ref("f")),
        call("if", call("isMissing", ref("k")), ref("k"), ref("f")),
        call("not", ref("b")),
        call("concat", ref("w"), ref("k")),
        call("pow", ref("x"), ref("y")),
        call("ln", ref("x")),
        call("*", ref("k"), ref("k")),
    ],
)
@given(record=RECORD)
@settings(max_examples=60, deadline=None)
def test_values_of_all_types_are_those_of_columns(expression: str, record: dict[str, Any]) -> None:
    model = load(output_of(expression, FIELDS_OF_ALL, names=NAMES))
    assert isinstance(model, PmmlModel)
    assert list(map(told, score_rows(model, [record]))) == list(
        map(told, by_columns(model, [record]))
    )


def test_a_few_records_are_answered_without_columns() -> None:
    model: RowModel = regression()
    for count, few in ((1, True), (limits.PMML_RECORDS_MAX, True), (0, False), (99, False)):
        assert (model.score_rows([{"x": 1.0, "w": "a"}] * count) is not None) == few
        assert len(score_rows(model, [{"x": 1.0, "w": "a"}] * count)) == count


def test_many_records_are_answered_as_few_are() -> None:
    rows = [{"x": float(n), "w": "ab"[n % 2]} for n in range(50)]
    model = regression()
    alone = [score_rows(model, [row])[0] for row in rows]
    assert score_rows(model, rows) == alone
    assert {type(value) for answer in alone if isinstance(answer, dict) for value in answer.values()} == {str, float}  # fmt: skip


def test_a_record_that_cannot_be_scored_harms_no_other() -> None:
    model = regression('missingValueTreatment="returnInvalid"')
    good, absent, wrong = score_rows(model, [{"x": 1.0, "w": "a"}, {"w": "a"}, {"x": "1"}])
    assert isinstance(good, dict)
    assert isinstance(absent, InvalidRecord)
    assert isinstance(wrong, InvalidRecord)
    assert str(absent).startswith("missing_field: ")
    assert str(wrong).startswith("wrong_type: ")
    assert good == score_rows(model, [{"x": 1.0, "w": "a"}])[0]


def test_a_field_that_is_named_with_a_dot_may_be_nested() -> None:
    fields = '<DataField name="a.b" optype="continuous" dataType="double"/>' + Y
    model = load(output_of(ref("a.b"), fields, names=("a.b",)))
    told = score_rows(model, [{"a.b": 2.0}, {"a": {"b": 3.0}}, {"a.b": 4.0, "a": {"b": 5.0}}])
    assert [answer["out"] for answer in told if isinstance(answer, dict)] == [2.0, 3.0, 4.0]
    assert told[0] == score_rows(model, [{"a.b": 2.0}])[0]
    assert told[1] == score_rows(model, [{"a": {"b": 3.0}}])[0]


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType, json.dumps])
def test_records_need_not_be_dicts(kind: Any) -> None:
    model = regression()
    record = kind({"x": 1.5, "w": "a"})
    given_as: Any = record.encode() if isinstance(record, str) else record
    assert score_rows(model, [given_as]) == score_rows(model, [{"x": 1.5, "w": "a"}])


def test_records_are_left_alone() -> None:
    record: defaultdict[str, Any] = defaultdict(float, w="a")
    assert isinstance(score_rows(regression(), [record])[0], dict)
    assert list(record) == ["w"]


def test_whole_numbers_are_whole_beside_missing_ones() -> None:
    model = load(output_of(call("*", ref("k"), ref("k")), FIELDS_OF_ALL, names=NAMES))
    rows: list[dict[str, Any]] = [{"k": 3}, {"k": None}] * 20
    whole, missing = (answer for answer in score_rows(model, rows)[:2] if isinstance(answer, dict))
    assert told(whole)["out"] == (int, "9")
    assert math.isnan(missing["out"])


def test_dates_are_written_as_they_are_in_columns() -> None:
    model = load(output_of(ref("d"), DAY + Y, names=("d",)))
    rows = [{"d": "2024-02-29"}]
    assert score_rows(model, rows) == by_columns(model, rows)


def test_a_model_without_a_way_for_records_is_asked_by_columns() -> None:
    model = FakeModel()
    assert score_rows(model, [{"x": 1}, {"x": None}, {"x": 2.5, "more": 1}])[::2] == [
        {"y": 1.0},
        {"y": 2.5},
    ]
    assert score_rows(model, []) == []


def test_what_a_model_raises_at_is_told_of_the_one_record() -> None:
    class Failing(FakeModel):
        def score(self, columns: Any) -> Any:
            if (columns["x"] == 2.0).any():
                raise ModelFailed("two")
            return super().score(columns)

    first, second, third = score_rows(Failing(), [{"x": 1.0}, {"x": 2.0}, {"x": 3.0}])
    assert (first, third) == ({"y": 1.0}, {"y": 3.0})
    assert str(second) == "model_error: ModelFailed: two"


def test_fields_of_the_same_names_and_other_types_are_read_as_their_own() -> None:
    number, word = FakeModel(), FakeModel(inputs=(Field("x", "string"),))
    assert isinstance(score_rows(number, [{"x": 1.0}])[0], dict)
    assert str(score_rows(word, [{"x": 1.0}])[0]).startswith("wrong_type: ")


def _rows_of(root: Path, case: dict[str, Any], model: PmmlModel) -> list[dict[str, Any]]:
    lines = (root / "pmml" / case["input"]).read_text().splitlines()[:5]
    head, *records = [line.split(",") for line in lines]
    types = {field.name: field.type for field in model.inputs}
    return [
        {name: _value(text, types[name]) for name, text in zip(head, record, strict=False) if name in types}
        for record in records
    ]  # fmt: skip


def _value(text: str, kind: str) -> Any:
    if text in {"N/A", "NA"}:
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        return text.strip('"') if kind == "string" else float(text)
    except ValueError:
        return text


def test_models_of_many_producers_answer_records_as_they_answer_columns(shared_data: Path) -> None:
    wrong, answered = [], 0
    for case in json.loads((shared_data / "pmml/manifest.json").read_text()):
        path = shared_data / "pmml" / case["pmml"]
        if path.stat().st_size > 200_000:
            continue
        try:
            model = load(path.read_bytes())
        except UnsupportedModel:
            continue
        rows = _rows_of(shared_data, case, model)
        for one, other in zip(score_rows(model, rows), by_columns(model, rows), strict=True):
            if isinstance(one, InvalidRecord) or isinstance(other, InvalidRecord):
                wrong += [case["id"]] if str(one) != str(other) else []
                continue
            answered += 1
            wrong += [case["id"] for name in other if not same(other[name], one[name], TOLERANCE)]
    assert wrong == []
    assert answered > 100
