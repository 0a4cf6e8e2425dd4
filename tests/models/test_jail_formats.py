"""The jail says of an artifact what lowering it says outside, though nothing can be imported there."""

from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from modelstream.errors import InvalidModel
from modelstream.formats import format_named
from modelstream.formats.base import Hints
from modelstream.models.check import CheckRequest, Passed
from modelstream.models.jail import Jail
from tests.support import (
    format_cases,
    pmml_documents,
    tensorflow_answers,
    trained,
    tree_models,
    xgboost_models,
)

Artifacts = Iterator[tuple[str, str, bytes, Hints]]  # what it is called, its format, and itself
# Of the encodings that an XML document may name, those that Python reads with modules of its own.
ENCODINGS = ("windows-1252", "iso-8859-15", "koi8-r", "utf-16", "shift_jis", "no-such-encoding")


def cases() -> Artifacts:
    for name, case in format_cases.CASES.items():
        if case.format == "remote":
            continue  # nothing of it is parsed in the jail, which reaches no server
        yield name, case.format, case.artifact(), case.hints


def trees() -> Artifacts:
    for library in tree_models.LIBRARIES:
        for name in tree_models.names(library):
            yield f"{library} {name}", library, tree_models.kept(library, name).model, Hints()
    for name in xgboost_models.NAMES:
        yield f"xgboost {name}", "xgboost", xgboost_models.kept(name).model, Hints()


def tensorflow() -> Artifacts:
    for name, frozen in islice(tensorflow_answers.operations().items(), None, None, 8):
        yield name, "tensorflow", frozen.model, Hints()
    for name, saved in tensorflow_answers.saved_models().items():
        yield name, "tensorflow-saved", saved.model, Hints()


def pmml() -> Artifacts:
    for name, document in pmml_documents.DOCUMENTS.items():
        yield str(name), "pmml", document, Hints()
    plain = format_cases.CASES["pmml-line"].artifact().decode()
    for encoding in ENCODINGS:
        text = f'<?xml version="1.0" encoding="{encoding}"?>{plain}'
        known = "ascii" if encoding == "no-such-encoding" else encoding
        yield encoding, "pmml", text.encode(known), Hints()


def onnx() -> Artifacts:
    for name, train in trained.MODELS.items():
        yield name, "onnx", train().onnx, Hints(train().feature_names)


def lowered(format_name: str, data: bytes, hints: Hints) -> bytes | str:
    """Lower an artifact here; return what it became, or why it is refused."""
    try:
        return format_named(format_name).lower(data, hints)
    except InvalidModel as error:
        return str(error)


@pytest.mark.parametrize("artifacts", [cases, trees, tensorflow, pmml, onnx])
def test_an_artifact_passes_where_it_would_outside(
    jail: Jail, artifacts: Callable[[], Artifacts]
) -> None:
    for name, format_name, data, hints in artifacts():
        request = CheckRequest(
            data=data,
            format=format_name,
            feature_names=hints.feature_names,
            labels=hints.labels,
        )
        verdict = jail.check(request)
        inside = verdict.lowered if isinstance(verdict, Passed) else verdict.reason
        assert inside == lowered(format_name, data, hints), name
