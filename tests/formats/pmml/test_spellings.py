"""Attributes spelled as XML Schema allows, or as producers did before a word was in the standard."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelstreamError, UnsupportedModel
from modelstream.formats.pmml.spellings import respell
from tests.support.pmml import X, document, load, plain, regression, schema, score


def line(coefficient: str, more: str = "") -> bytes:
    return document(regression(f'<NumericPredictor name="x" coefficient="{coefficient}"{more}/>'))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (".5", 0.5),
        ("-.5", -0.5),
        ("+.5e1", 5.0),
        ("5.", 5.0),
        ("5.E-1", 0.5),
        ("+3", 3.0),
        (" 2.5\n", 2.5),
        ("1e-05", 1e-5),
        ("INF", float("inf")),
    ],
)
def test_a_number_is_read_as_xml_schema_writes_it(text: str, number: float) -> None:
    assert plain(score(line(text), x=[1.0])["_target"]) == [number]
    assert plain(score(line(text, ' exponent=" +1 "'), x=[1.0])["_target"]) == [number]


@pytest.mark.parametrize("text", ["", ".", "1_0", "1,5", "0x1", "5 5", "--5", ".e1", "five"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="NumericPredictor"):
        load(line(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_way_to_write_a_number_reads_as_the_number(number: float) -> None:
    written = repr(number)
    for text in (written, f" {written} ", written.replace("0.", "."), f"{written}"):
        content: dict[str, str] = {"coefficient": text}
        respell(content, {"coefficient": True})
        assert float(content["coefficient"]) == float(text)


def test_blanks_around_a_word_or_a_truth_are_passed_over() -> None:
    spelled = line("2").replace(b'functionName="regression"', b'functionName=" regression "')
    spelled = spelled.replace(b"<RegressionModel", b'<RegressionModel isScorable=" 1 "')
    assert plain(score(spelled, x=[1.0])["_target"]) == [2.0]


def test_a_string_is_not_respelled() -> None:
    content = {"name": " .5 ", "coefficient": " .5 "}
    respell(content, {"coefficient": True})
    assert content == {"name": " .5 ", "coefficient": "0.5"}


def test_words_that_were_in_no_standard_yet_are_those_of_pmml_4_4() -> None:
    body = (
        '<RegressionModel functionName="regression"><MiningSchema>'
        '<MiningField name="x" missingValueTreatment="x-returnInvalid"/></MiningSchema>'
        '<RegressionTable intercept="1"/></RegressionModel>'
    )
    found = score(document(body), x=[None, 1.0])
    assert list(found.errors) == [0]


def test_the_treatment_of_missing_predictions_may_have_its_early_name() -> None:
    inner = (
        f'<RegressionModel functionName="regression">{schema("x")}<RegressionTable intercept="0">'
        '<NumericPredictor name="x" coefficient="1"/></RegressionTable></RegressionModel>'
    )
    fixed = inner.replace('coefficient="1"', 'coefficient="0"').replace('name="x"', 'name="z"')
    z = '<DataField name="z" optype="continuous" dataType="double"/>'
    body = (
        f'<MiningModel functionName="regression">{schema("x", "z")}'
        '<Segmentation multipleModelMethod="sum" x-missingPredictionTreatment="skipSegment" '
        f'x-missingThreshold=".6"><Segment><True/>{inner}</Segment>'
        f"<Segment><True/>{fixed}</Segment></Segmentation></MiningModel>"
    )
    assert plain(score(document(body, X + z), x=[2.0, None], z=[1.0, 1.0])["_target"]) == [2.0, 0.0]


def test_the_version_of_a_producers_dialect_is_read_over() -> None:
    dialect = line("2").replace(b'version="4.4"', b'version="4.4" x-baseVersion="4.3"')
    assert plain(score(dialect, x=[1.0])["_target"]) == [2.0]
    with pytest.raises(UnsupportedModel, match="x-other"):
        load(line("2").replace(b'version="4.4"', b'version="4.4" x-other="4.3"'))


@given(st.text(alphabet="+-.e0 5", max_size=6))
def test_no_text_of_digits_and_signs_breaks_the_reader(text: str) -> None:
    content: dict[str, str] = {"coefficient": text}
    respell(content, {"coefficient": True})
    with suppress(ModelstreamError):
        assert plain(score(line(text), x=[1.0])["_target"]) == [float(content["coefficient"])]
