"""A document that brings records along is only served if they come out as it says."""

import pytest

from modelstream.errors import InvalidModel
from tests.support.pmml import document, load, lower, schema


def verified(cells: str, fields: str = "") -> bytes:
    body = (
        f'<RegressionModel functionName="regression">{schema("x", target="y")}'
        '<RegressionTable intercept="1"><NumericPredictor name="x" coefficient="2"/>'
        '</RegressionTable><ModelVerification recordCount="2"><VerificationFields>'
        '<VerificationField field="x" column="d:in"/><VerificationField field="y"/>'
        f"{fields}</VerificationFields>"
        f'<InlineTable xmlns:d="d">{cells}</InlineTable></ModelVerification></RegressionModel>'
    )
    return document(body)


def row(given: str, answer: str) -> str:
    return f"<row><d:in>{given}</d:in><y>{answer}</y></row>"


def test_records_that_come_out_as_declared_are_no_hindrance() -> None:
    artifact = verified(row("1", "3") + row("2.5", "6.0000000001") + "<row><d:in>9</d:in></row>")
    assert [field.name for field in load(artifact).outputs] == ["y"]
    assert b"Verification" not in lower(artifact)


@pytest.mark.parametrize(
    ("given", "answer"), [("1", "3.1"), ("1", "-3"), ("0", "0"), ("1", "NaN"), ("1", "high")]
)
def test_a_record_that_comes_out_otherwise_is_named(given: str, answer: str) -> None:
    with pytest.raises(InvalidModel, match=f"row 1: the document's 'y' is {answer}"):
        load(verified(row("1", "3") + row(given, answer)))


def test_a_record_that_cannot_be_scored_is_named() -> None:
    with pytest.raises(InvalidModel, match="row 0: field 'x'"):
        load(verified(row("one", "3")))


def test_a_declared_precision_is_granted() -> None:
    loose = verified(row("1", "3.2")).replace(b'field="y"', b'field="y" precision="0.1"')
    assert [field.name for field in load(loose).outputs] == ["y"]
