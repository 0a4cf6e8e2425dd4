"""How each format knows its inputs: the table in docs/formats.md, line by line, by real records."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from modelstream.core.effects import Outcome
from modelstream.engines.loaded import ready, score
from modelstream.errors import InvalidModel
from modelstream.formats import format_named
from modelstream.formats.base import Field, FieldType, Hints, Model
from tests.support import format_cases, graphs, tensorflow, tensorflow_saved, xgboost_models

NUMBER: FieldType = "float64"
SINGLE: FieldType = "float32"
CASES = format_cases.CASES
# A remote model is bound by what its server says.
LOCAL = [name for name, case in CASES.items() if case.format != "remote"]


class Bound(NamedTuple):
    """An artifact, what its publisher says, and the inputs that it has then."""

    format: str
    artifact: bytes
    inputs: tuple[Field, ...]
    hints: Hints = Hints()
    case: str = ""


def of_case(name: str, *inputs: Field) -> Bound:
    return Bound(CASES[name].format, CASES[name].artifact(), inputs, case=name)


def numbers(*names: str, optional: bool = False, kind: FieldType = NUMBER) -> tuple[Field, ...]:
    return tuple(Field(name, kind, (), optional) for name in names)


def optional(*names: str) -> tuple[Field, ...]:
    return numbers(*names, optional=True)


def text(name: str, *, optional: bool = False) -> Field:
    return Field(name, "string", (), optional)


# Matrices whose columns nobody names but the publisher, or the model's metadata.
MATRICES = {
    "onnx": graphs.linear(),
    "tensorflow": tensorflow.perceptron(),
    "tensorflow-saved": tensorflow_saved.zipped(tensorflow_saved.scaled()),
}
OWN_NAMES = {
    "pmml": of_case("pmml-tree", *optional("age"), text("town", optional=True)),
    "pfa": of_case("pfa-trees", *numbers("age"), text("town")),
    "onnx": of_case(
        "onnx-mixed", Field("age", SINGLE, (), optional=True), text("town"), Field("rooms", "int64")
    ),
    "tensorflow-saved": of_case("tensorflow-saved", Field("a", "int64"), Field("b", SINGLE)),
    "xgboost": of_case(
        "xgboost-texts",
        text("a", optional=True), *optional("b"), text("c", optional=True), *optional("d"),
    ),
    "lightgbm": of_case(
        "lightgbm-classes",
        *optional("gaps"), text("town", optional=True), *optional("zeros", "code", "size"),
    ),
    "catboost": of_case(
        "catboost-counts", *optional("gaps"), text("town"), *optional("zeros", "code", "size")
    ),
    "pipeline": of_case("pipeline", *numbers("age"), text("town")),
}  # fmt: skip


def loaded(bound: Bound) -> Model:
    chosen = format_named(bound.format)
    return chosen.load(chosen.lower(bound.artifact, bound.hints))


def scored(model: Model, *records: Any) -> Outcome:
    values = [json.dumps(record).encode() for record in records]
    return score(ready(model, (1,)), values, range(len(values)), null_is_answer=True)


def answers(model: Model, *records: Any) -> list[Any]:
    outcome = scored(model, *records)
    assert outcome.failures == {}
    return [column.tolist() for column in outcome.columns.values()]


def rows_of(name: str, inputs: Sequence[Field]) -> list[dict[str, Any]]:
    """Return the rows of a case that JSON can hold and that have what they must."""
    columns = CASES[name].columns()
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    named = (dict(zip(columns, row, strict=True)) for row in rows)
    # A NaN has no JSON: it is a field that is not there.
    present = [
        {key: each for key, each in row.items() if not _is(math.isnan, each)} for row in named
    ]
    needed = {field.name for field in inputs if not field.optional}
    return [
        row
        for row in present
        if needed <= row.keys() and not any(_is(math.isinf, each) for each in row.values())
    ]


def _is(kind: Callable[[float], bool], value: Any) -> bool:
    return isinstance(value, float) and kind(value)


@pytest.mark.parametrize("format_name", OWN_NAMES)
def test_names_types_and_what_may_be_missing_are_the_models_own(format_name: str) -> None:
    bound = OWN_NAMES[format_name]
    assert loaded(bound).inputs == bound.inputs


@pytest.mark.parametrize("name", LOCAL)
def test_fields_are_found_by_name_in_whatever_order_a_record_has_them(name: str) -> None:
    case = CASES[name]
    model = loaded(Bound(case.format, case.artifact(), (), case.hints))
    rows = rows_of(name, model.inputs)
    assert len(rows) > 5
    backwards = [{"more": 0, **dict(reversed(row.items()))} for row in rows]
    assert answers(model, *rows) == answers(model, *backwards)


@pytest.mark.parametrize("format_name", OWN_NAMES)
def test_a_record_without_a_field_is_rejected_unless_the_model_takes_it(format_name: str) -> None:
    bound = OWN_NAMES[format_name]
    whole = max(rows_of(bound.case, bound.inputs), key=len)
    for field in bound.inputs:
        rest = {key: value for key, value in whole.items() if key != field.name}
        failures = scored(loaded(bound), rest).failures
        if field.optional:
            assert failures == {}
        else:
            assert failures[0].reason == "missing_field"
            assert field.name in failures[0].detail


@pytest.mark.parametrize("format_name", MATRICES)
def test_a_matrix_takes_its_order_from_the_publisher(format_name: str) -> None:
    first, second = (
        loaded(Bound(format_name, MATRICES[format_name], (), Hints(names)))
        for names in (("p", "q"), ("q", "p"))
    )
    assert first.inputs == numbers("p", "q", kind=SINGLE)
    record, turned = {"p": 1.0, "q": 2.0}, {"p": 2.0, "q": 1.0}
    assert answers(first, record) == answers(second, turned)
    assert answers(first, record) != answers(second, record)


def test_a_matrix_takes_its_order_from_the_metadata_unless_the_publisher_says_another() -> None:
    artifact = graphs.linear(metadata={"feature_names": '["p", "q"]'})
    inside = loaded(Bound("onnx", artifact, ()))
    assert inside.inputs == numbers("p", "q", kind=SINGLE)
    assert answers(inside, {"p": 1, "q": 2}) == [[21.0]]
    outside = loaded(Bound("onnx", artifact, (), Hints(("q", "p"))))
    assert answers(outside, {"p": 1, "q": 2}) == [[12.0]]


@pytest.mark.parametrize("format_name", MATRICES)
def test_a_matrix_that_nobody_names_is_one_list_under_the_tensors_name(format_name: str) -> None:
    artifact = MATRICES[format_name]
    model = loaded(Bound(format_name, artifact, ()))
    assert model.inputs == (Field("x", SINGLE, (2,)),)
    named = loaded(Bound(format_name, artifact, (), Hints(("p", "q"))))
    assert answers(model, {"x": [1.0, 2.0]}) == answers(named, {"p": 1.0, "q": 2.0})
    outcome = scored(model, {"x": [1.0]}, {"x": [1.0, 2.0]}, {"p": 1.0, "q": 2.0}, {"x": "ab"})
    assert list(outcome.rows) == [1]
    reasons = {row: failure.reason for row, failure in outcome.failures.items()}
    assert reasons == {0: "wrong_type", 2: "missing_field", 3: "wrong_type"}


@pytest.mark.parametrize("format_name", MATRICES)
@pytest.mark.parametrize("names", [("p",), ("p", "q", "r")])
def test_names_that_do_not_fit_a_matrix_are_refused(format_name: str, names: Sequence[str]) -> None:
    with pytest.raises(InvalidModel, match=f"{len(names)} feature names do not fit .*'x' has 2"):
        loaded(Bound(format_name, MATRICES[format_name], (), Hints(tuple(names))))


@pytest.mark.parametrize(
    ("format_name", "told"),
    [
        ("onnx", "the inputs have names of their own: age, town, rooms"),
        ("tensorflow-saved", "the inputs have names of their own: a, b"),
        ("xgboost", "2 feature names are given for 4 features"),
        ("lightgbm", "2 feature names are given for 5 features"),
        ("catboost", "2 feature names for 5 features"),
        ("pipeline", "a pipeline names its columns itself"),
    ],
)
def test_names_that_contradict_the_models_own_are_refused(format_name: str, told: str) -> None:
    with pytest.raises(InvalidModel, match=told):
        loaded(OWN_NAMES[format_name]._replace(hints=Hints(("p", "q"))))


@pytest.mark.parametrize("format_name", ["pmml", "pfa"])
def test_documents_that_declare_their_fields_need_nobodys_names(format_name: str) -> None:
    bound = OWN_NAMES[format_name]
    assert loaded(bound._replace(hints=Hints(("p", "q")))).inputs == bound.inputs


def test_features_of_trees_are_named_by_the_publisher_where_the_file_does_not() -> None:
    document = json.loads(xgboost_models.kept("poisson").model)
    document["learner"]["feature_names"] = []
    artifact = json.dumps(document).encode()
    assert loaded(Bound("xgboost", artifact, ())).inputs == optional("f0", "f1")
    named = loaded(Bound("xgboost", artifact, (), Hints(("left", "right"))))
    assert named.inputs == optional("left", "right")


@pytest.mark.parametrize("format_name", MATRICES)
def test_a_number_that_is_null_is_rejected_where_a_graph_cannot_say_that_it_may_be(
    format_name: str,
) -> None:
    model = loaded(Bound(format_name, MATRICES[format_name], (), Hints(("p", "q"))))
    outcome = scored(model, {"p": None, "q": 1.0}, {"p": 1.0, "q": 1.0})
    assert list(outcome.rows) == [1]
    assert outcome.failures[0].reason == "wrong_type"
    # Columns that a caller made may hold it as NaN.
    scores = model.score({"p": np.array([np.nan, 1.0]), "q": np.array([1.0, 1.0])})
    assert list(scores.errors) == [0]
