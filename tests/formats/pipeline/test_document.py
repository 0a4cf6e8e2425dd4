import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.base import Field
from modelstream.formats.pipeline.document import (
    Inline,
    declared_fields,
    inline_data,
    is_pipeline,
    read_document,
    read_steps,
    references,
)
from tests.support.pipelines import document, inline

WORDS = ("model", "rename")
STEP: dict[str, Any] = {"rename": {"a": "b"}}


def test_a_pipeline_is_told_by_its_first_key() -> None:
    assert is_pipeline(document(STEP))
    assert is_pipeline(b' {\n "pipeline" : 2')
    assert not is_pipeline(b'{"steps": [], "pipeline": 1}')
    assert not is_pipeline(b'{"learner": {"pipeline": 1}}')


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "this is no pipeline"),
        (b"[1]", "Expected `object`"),
        (b'{"pipeline": 2, "steps": [{}]}', "Invalid enum value 2"),
        (b'{"pipeline": 1}', "missing required field `steps`"),
        (b'{"pipeline": 1, "steps": []}', "of length >= 1"),
        (document(*[STEP] * 101), "of length <= 100"),
        (document(STEP, more=1), "unknown field `more`"),
        (document(STEP, inputs={"a": "double"}), "Invalid enum value 'double'"),
        (document(STEP, outputs=[""]), "of length >= 1"),
        (b'{"pipeline": 1, "steps": ' + b"[" * 2000, "this is no pipeline"),
        (b'{"pipeline": 1, "steps": [{"\xff": 1}]}', "this is no pipeline"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        read_document(data)


def test_a_document_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PIPELINE_BYTES_MAX", 10)
    with pytest.raises(InvalidModel, match="10 are allowed; publish its models by themselves"):
        read_document(document(STEP))


def test_a_step_is_a_word_and_may_have_a_name() -> None:
    plain, named = read_steps(read_document(document(STEP, {"name": "x", **STEP})), WORDS)
    assert (plain.word, plain.label()) == ("rename", "step 1 (rename)")
    assert named.label() == "step 2 'x' (rename)"
    assert list(named.options) == ["rename"]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ({}, r"step 1 has the keys \(none\); it needs one of model, rename"),
        ({"sort": 1}, "step 1 has the keys sort; it needs one of"),
        ({"model": 1, "rename": 1}, "step 1 has the keys model, rename"),
        ({"name": 1, **STEP}, "step 1: its name is no text"),
        ({"name": "a\n", **STEP}, "step 1: a name is of up to 128 printable"),
    ],
)
def test_what_is_no_step_is_told_by_its_number(step: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        read_steps(read_document(document(step)), WORDS)


def test_fields_of_records_are_declared_by_type_or_in_full() -> None:
    told = {"a": "string", "v": {"type": "int64", "shape": [2, None], "optional": True}}
    assert declared_fields(read_document(document(STEP, inputs=told))) == {
        "a": Field("a", "string"),
        "v": Field("v", "int64", (2, None), optional=True),
    }


@settings(deadline=None)
@given(st.binary(min_size=1))
def test_bytes_are_inside_as_base64(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert inline_data(Inline(data=_raw(text))) == data


@settings(deadline=None)
@given(st.text(min_size=1).map(lambda text: f"<{text}>"))
def test_text_is_inside_as_it_is(text: str) -> None:
    assert inline_data(Inline(data=_raw(text))) == text.encode("utf-8")


def test_json_is_inside_as_it_is() -> None:
    assert json.loads(inline_data(Inline(data=_raw({"learner": [1]})))) == {"learner": [1]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [(1, "is text, base64 or a JSON object"), (None, "is text"), ("abc", "no base64")],
)
def test_what_is_neither_is_refused(data: object, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        inline_data(Inline(data=_raw(data)))


def test_references_are_found_once_and_in_pipelines_inside() -> None:
    inner = document({"model": "inner@1"}, {"model": "a@1"})
    inside = [inline(inner.decode()), inline(inner, format="pipeline")]
    steps = [{"model": "a@1"}, STEP, {"model": "b c@2"}, {"model": "a@1"}, *inside]
    assert references(document(*steps)) == ("a@1", "b c@2", "inner@1")
    assert references(document(STEP, inline("<PMML/>"))) == ()


def test_references_are_not_looked_for_deeper_than_pipelines_go() -> None:
    third = document({"model": "deep@1"})
    second = document({"model": {"data": json.loads(third)}}, {"model": "second@1"})
    assert references(document({"model": {"data": json.loads(second)}})) == ("second@1",)


def test_what_refers_to_too_much_is_refused() -> None:
    with pytest.raises(InvalidModel, match="refers to 33 versions, 32 are allowed"):
        references(document(*({"model": f"m@{number}"} for number in range(33))))
    with pytest.raises(InvalidModel, match="step 1: this is no model"):
        references(document({"model": 3}))


@pytest.mark.fuzz
@settings(deadline=None)
@given(st.binary(max_size=80))
def test_references_of_any_bytes_are_names_or_an_invalid_model(tail: bytes) -> None:
    for data in (tail, b'{"pipeline":1,"steps":[{"model":' + tail + b"}]}"):
        try:
            assert all(isinstance(each, str) for each in references(data))
        except InvalidModel:
            continue


def _raw(value: object) -> Any:
    return msgspec.Raw(json.dumps(value).encode())
