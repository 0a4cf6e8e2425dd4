"""PFA as a format: what its bytes look like, and what is refused."""

import json
import sys

import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.base import Hints
from modelstream.formats.pfa import PfaFormat
from tests.support.pfa import document

DOCUMENT = document([{"+": ["input", 1]}], "double", "double", name="Adder", doc="adds one")


@pytest.mark.parametrize(
    ("data", "is_pfa"),
    [
        (json.dumps(DOCUMENT).encode(), True),
        (b'\xef\xbb\xbf {"input": "int", "action": []}', True),
        (b"name: x\ninput: double\noutput: int\n", True),
        (b'{"input": {}}', False),
        (b'{"learner": {}}', False),
        (b"<PMML/>", False),
        (b"", False),
    ],
)
def test_a_document_is_told_by_its_keys(data: bytes, is_pfa: bool) -> None:
    assert PfaFormat().recognises(data) is is_pfa


@pytest.mark.parametrize(
    "data",
    [b"{}", b"[]", b'{"input": "int"', b'{"input": [], "output": 1, "action": 2}', b"{" * 5000],
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidModel):
        PfaFormat().lower(data, Hints())


def test_expressions_nested_too_deeply_are_refused() -> None:
    action: object = 1
    for _ in range(300):
        action = {"u-": [action]}
    with pytest.raises(InvalidModel, match="nested too deeply"):
        PfaFormat().lower(json.dumps(document([action], "int", "int")).encode(), Hints())


def test_a_lowered_form_of_another_version_is_refused() -> None:
    lowered = PfaFormat().lower(json.dumps(DOCUMENT).encode(), Hints())
    changed = lowered.replace(b"version\x01", b"version\x02")
    assert changed != lowered
    with pytest.raises(InvalidModel, match="lower the document again"):
        PfaFormat().load(changed)


def test_yaml_is_read_where_pyyaml_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"input: double\noutput: double\naction:\n- {+: [input, 1]}\n"
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(InvalidModel, match="needs PyYAML"):
        PfaFormat().lower(text, Hints())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: &x [1]\nb: *x\n", "alias or anchor"),
        (b"a: !!python/object:os.system {}\n", "a tag"),
        (b"a: [", "cannot be read"),
    ],
)
def test_yaml_that_is_more_than_json_is_refused(text: bytes, words: str) -> None:
    pytest.importorskip("yaml", reason="PyYAML is optional and not installed")
    with pytest.raises(InvalidModel, match=words):
        PfaFormat().lower(text, Hints())


def test_a_document_in_yaml_is_the_same_as_in_json() -> None:
    pytest.importorskip("yaml", reason="PyYAML is optional and not installed")
    text = (
        b"name: Adder\ndoc: adds one\ninput: double\noutput: double\naction:\n- {+: [input, 1]}\n"
    )
    chosen = PfaFormat()
    assert chosen.load(chosen.lower(text, Hints())).describe().header.application == "Adder"


def test_no_text_of_a_document_is_run() -> None:
    evil = "'+__import__('os').system('true')+'"
    given = {
        "type": "record",
        "name": "R",
        "doc": evil,
        "fields": [{"name": "x", "type": ["null", "double"], "doc": evil}],
    }
    action = [{"ifnotnull": {"x": "input.x"}, "then": "x", "else": 0.0}]
    model = PfaFormat().load(
        PfaFormat().lower(json.dumps(document(action, given, "double", doc=evil)).encode(), Hints())
    )
    assert model.describe().header.description == evil
