"""What a document is said to be: fields, answers, header."""

import pytest

from modelstream.formats.base import Header, InputFacts, OutputFacts
from tests.support.pmml import document, load, regression, schema
from tests.support.pmml_documents import CHAIN, DOCUMENTS, FUNCTIONS, doc, outputs, tree


def test_inputs_are_told_with_their_treatment() -> None:
    x, z, c = load(DOCUMENTS["logistic"]).describe().inputs
    assert x == InputFacts(
        "x",
        "float64",
        optional=True,
        declared="double",
        intervals=("[-100, 100)",),
        invalid="returnInvalid",
    )
    assert z == InputFacts(
        "z",
        "float32",
        optional=True,
        declared="float",
        missing="asMean",
        replacement="0.5",
        outliers="asExtremeValues [-9, 9]",
        invalid="returnInvalid",
    )
    assert (c.type, c.values, c.missing, c.invalid) == ("string", ("u", "v"), "", "asMissing")


def test_an_input_that_must_not_be_missing_is_not_optional() -> None:
    body = regression().replace(
        '<MiningField name="x"/>', '<MiningField name="x" missingValueTreatment="returnInvalid"/>'
    )
    (x,) = load(document(body)).describe().inputs
    assert (x.optional, x.missing, x.replacement) == (False, "returnInvalid", None)


@pytest.mark.parametrize(
    ("interval", "told"),
    [
        ('closure="openClosed" rightMargin="1.5"', "(-inf, 1.5]"),
        ('closure="closedClosed" leftMargin="0"', "[0, inf)"),
        ('closure="openOpen" leftMargin="0" rightMargin="1e9"', "(0, 1e+09)"),
    ],
)
def test_intervals_are_written_as_mathematics_does(interval: str, told: str) -> None:
    fields = (
        '<DataField name="x" optype="continuous" dataType="double">'
        f"<Interval {interval}/></DataField>"
    )
    (x,) = load(document(regression(), fields)).describe().inputs
    assert x.intervals == (told,)


def test_outputs_are_told_with_what_they_tell_and_of_which_classes() -> None:
    body = tree(more=outputs("probability", "entityId"))
    assert load(doc(body)).describe().outputs == (
        OutputFacts("kind", "string", (), "string", "predictedValue", ("a", "b")),
        OutputFacts("probability", "float64", (), "double", "probability", ("a",)),
        OutputFacts("entityId", "string", (), "string", "entityId"),
    )


def test_the_outputs_of_segments_are_told_too() -> None:
    target, first = load(doc(CHAIN, FUNCTIONS)).describe().outputs
    assert (target.name, target.feature, target.labels) == ("y", "predictedValue", ())
    assert (first.name, first.feature) == ("first", "predictedValue")


def with_header(header: str) -> bytes:
    return document(regression()).replace(b"<Header/>", header.encode())


def test_the_header_is_told() -> None:
    header = (
        '<Header copyright="(c) us" description="all of it" modelVersion="3"><Extension name="x"/>'
        '<Application name="R" version="4.1"><Extension/></Application>'
        "<Annotation>notes</Annotation><Timestamp>2024-01-02\n</Timestamp></Header>"
    )
    assert load(with_header(header)).describe().header == Header(
        application="R",
        version="4.1",
        model_version="3",
        description="all of it",
        copyright="(c) us",
        created="2024-01-02",
    )


@pytest.mark.parametrize(
    "header",
    [
        "<Header unknown='1'>text<What><Application name='no'/></What><Application/></Header>",
        "<Header/><Header/>",
        "<Extension><Header copyright='no'/></Extension>",
        "",
    ],
)
def test_nothing_in_a_header_is_a_reason_to_refuse(header: str) -> None:
    assert load(with_header(header)).describe().header == Header()


def test_the_version_is_the_document_s() -> None:
    text = document(regression()).replace(b'version="4.4"', b'version="3.2"')
    assert load(text).describe().version == "3.2"


def test_a_target_that_no_field_declares_has_its_classes() -> None:
    body = tree().replace(schema("x", "z", "c", target="kind"), schema("x", "z", "c"))
    (target,) = load(doc(body)).describe().outputs
    assert target.labels == ("a", "b")
