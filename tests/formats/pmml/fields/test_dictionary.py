"""Values that are missing, invalid or out of bounds, and values of other types than declared."""

from typing import Any

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.inputs import read_input
from tests.support.pmml import Y, column, document, load, plain, regression, schema, score

ECHO = '<Output><OutputField name="o" feature="transformedValue"><FieldRef field="x"/></OutputField></Output>'


def echo(
    field: str, mining: str = "", data_type: str = "double", optype: str = "continuous"
) -> bytes:
    """Return a document whose output `o` is the field as the model sees it."""
    x = f'<DataField name="x" optype="{optype}" dataType="{data_type}">{field}</DataField>'
    body = regression(inner=ECHO).replace(
        '<MiningField name="x"/>', f'<MiningField name="x" {mining}/>'
    )
    return document(body, x + Y)


RANGE = '<Interval closure="closedOpen" leftMargin="0" rightMargin="10"/>'


@pytest.mark.parametrize(
    ("mining", "answers", "rejected"),
    [
        ("", [0.0, None, 5.0, None, None], {1, 3}),
        ('invalidValueTreatment="returnInvalid"', [0.0, None, 5.0, None, None], {1, 3}),
        ('invalidValueTreatment="asIs"', [0.0, 10.0, 5.0, -1.0, None], set()),
        ('invalidValueTreatment="asMissing"', [0.0, None, 5.0, None, None], set()),
        (
            'invalidValueTreatment="asMissing" missingValueReplacement="3"',
            [0.0, 3.0, 5.0, 3.0, 3.0],
            set(),
        ),
        (
            'invalidValueTreatment="asValue" invalidValueReplacement="7"',
            [0.0, 7.0, 5.0, 7.0, None],
            set(),
        ),
        ('missingValueReplacement="2"', [0.0, None, 5.0, None, 2.0], {1, 3}),
    ],
)
def test_a_value_outside_its_interval_is_treated_as_declared(
    mining: str, answers: list[float | None], rejected: set[int]
) -> None:
    found = score(echo(RANGE, mining), x=[0, 10, 5, -1, None])
    assert plain(found["o"]) == answers
    assert set(found.errors) == rejected
    for row in rejected:
        assert found.errors[row].startswith("field 'x': ")


@pytest.mark.parametrize(
    ("closure", "inside"),
    [
        ("openOpen", [False, True, False]),
        ("openClosed", [False, True, True]),
        ("closedOpen", [True, True, False]),
        ("closedClosed", [True, True, True]),
    ],
)
def test_the_ends_of_intervals_are_open_or_closed(closure: str, inside: list[bool]) -> None:
    interval = f'<Interval closure="{closure}" leftMargin="1" rightMargin="2"/>'
    found = score(echo(interval), x=[1, 1.5, 2])
    assert [row not in found.errors for row in range(3)] == inside


def test_margins_are_rounded_as_the_values_of_the_field() -> None:
    interval = '<Interval closure="closedClosed" leftMargin="609.72" rightMargin="700.1"/>'
    assert not score(echo(interval, data_type="float"), x=[609.72, 700.1]).errors


@pytest.mark.parametrize(
    ("mining", "answers"),
    [
        ('outliers="asExtremeValues" lowValue="0" highValue="1"', [0.0, 0.5, 1.0, None]),
        ('outliers="asMissingValues" lowValue="0" highValue="1"', [None, 0.5, None, None]),
        (
            'outliers="asMissingValues" lowValue="0" highValue="1" missingValueReplacement="9"',
            [9.0, 0.5, 9.0, 9.0],
        ),
    ],
)
def test_outliers_are_capped_or_missing(mining: str, answers: list[float | None]) -> None:
    assert plain(score(echo("", mining), x=[-3, 0.5, 3, None])["o"]) == answers


def test_declared_values_restrict_a_category_but_not_a_number() -> None:
    values = '<Value value="1"/><Value value="2"/>'
    assert set(score(echo(values, optype="categorical"), x=[1, 2, 3, None]).errors) == {2}
    assert not score(echo(values), x=[1, 2, 3, None]).errors


def test_a_declared_missing_value_is_missing_and_an_invalid_one_invalid() -> None:
    values = '<Value value="-999" property="missing"/><Value value="13" property="invalid"/>'
    found = score(echo(values, 'missingValueReplacement="4"'), x=[-999, 13, 5])
    assert plain(found["o"]) == [4.0, None, 5.0]
    assert set(found.errors) == {1}


def test_a_missing_mark_need_not_be_of_the_fields_type() -> None:
    found = score(echo('<Value value="?" property="missing"/>'), x=["?", "5"])
    assert plain(found["o"]) == [None, 5.0]
    assert not found.errors


@pytest.mark.parametrize(
    ("treatment", "answer", "rejected"),
    [
        ("returnInvalid", None, True),
        ("asIs", None, True),
        ("asMissing", None, False),
        ('asValue" invalidValueReplacement="8', 8.0, False),
    ],
)
def test_a_value_of_another_type_is_an_invalid_value(
    treatment: str, answer: float | None, rejected: bool
) -> None:
    found = score(echo("", f'invalidValueTreatment="{treatment}"'), x=["high", "1.5"])
    assert plain(found["o"]) == [answer, 1.5]
    assert bool(found.errors) is rejected


def test_an_inner_model_replaces_what_is_missing_for_itself_alone() -> None:
    inner = (
        '<RegressionModel functionName="regression"><MiningSchema>'
        '<MiningField name="x" missingValueReplacement="5"/></MiningSchema>'
        '<RegressionTable intercept="0"><NumericPredictor name="x" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    body = (
        f'<MiningModel functionName="regression">{schema("x", target="y")}{ECHO}'
        '<Segmentation multipleModelMethod="sum"><Segment><True/>'
        f"{inner}</Segment></Segmentation></MiningModel>"
    )
    found = score(document(body), x=[None, 2])
    assert plain(found["y"]) == [5.0, 2.0]
    assert plain(found["o"]) == [None, 2.0]


@pytest.mark.parametrize(
    ("outer", "inner", "answers", "rejected"),
    [
        ("asIs", 'invalidValueTreatment="asMissing"', [2.0, None], set()),
        (
            "asIs",
            'invalidValueTreatment="asMissing" missingValueReplacement="4"',
            [2.0, 4.0],
            set(),
        ),
        ("asIs", 'invalidValueTreatment="asValue" invalidValueReplacement="6"', [2.0, 6.0], set()),
        ("asIs", "", [2.0, 11.0], set()),
        ("returnInvalid", 'invalidValueTreatment="asMissing"', [2.0, None], {1}),
    ],
)
def test_an_inner_model_replaces_the_invalid_values_that_were_let_through(
    outer: str, inner: str, answers: list[float | None], rejected: set[int]
) -> None:
    segment = (
        f'<RegressionModel functionName="regression"><MiningSchema><MiningField name="x" {inner}/>'
        '</MiningSchema><RegressionTable intercept="0"><NumericPredictor name="x" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    body = (
        '<MiningModel functionName="regression"><MiningSchema><MiningField name="y" '
        f'usageType="target"/><MiningField name="x" invalidValueTreatment="{outer}"/>'
        f'</MiningSchema><Segmentation multipleModelMethod="sum"><Segment><True/>{segment}'
        "</Segment></Segmentation></MiningModel>"
    )
    x = f'<DataField name="x" optype="continuous" dataType="double">{RANGE}</DataField>'
    found = score(document(body, x + Y), x=[2, 11])
    assert plain(found["y"]) == answers
    assert set(found.errors) == rejected


def test_a_taxonomy_of_values_is_refused_by_name() -> None:
    artifact = echo("").replace(b'name="x" optype', b'name="x" taxonomy="t" optype')
    with pytest.raises(UnsupportedModel, match="taxonomy"):
        load(artifact)


@pytest.mark.parametrize(
    "mining",
    [
        'missingValueReplacement="high"',
        'invalidValueTreatment="asValue"',
        'outliers="asExtremeValues" lowValue="1"',
    ],
)
def test_a_treatment_that_cannot_work_is_refused(mining: str) -> None:
    with pytest.raises(InvalidModel, match="'x'"):
        load(echo('<Interval closure="openOpen" leftMargin="0"/>', mining))


@pytest.mark.parametrize(
    ("data_type", "given", "read", "uncast"),
    [
        ("double", [1, 2.5, None, True], [1.0, 2.5, None, 1.0], []),
        ("double", ["1", " 2.5 ", "-1e3", "NaN"], [1.0, 2.5, -1000.0, None], []),
        ("double", ["TRUE", "false", "1_0", "", "x"], [1.0, 0.0, None, None, None], [2, 3, 4]),
        ("float", [0.1], [float(np.float32(0.1))], []),
        ("integer", [3, 3.0, "7", None], [3.0, 3.0, 7.0, None], []),
        ("integer", [3.5, "7.5", "x", 2], [None, None, None, 2.0], [0, 1, 2]),
        ("integer", [np.inf, 1.5], [None, None], [0, 1]),
        (
            "boolean",
            [True, False, 1, 0, "true", "0", None],
            [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, None],
            [],
        ),
        ("boolean", [2, "yes"], [None, None], [0, 1]),
        ("string", ["a", None, 5, 5.0, 2.5, True], ["a", None, "5", "5", "2.5", "true"], []),
        ("string", [float("nan"), "b"], [None, "b"], []),
        ("date", ["1970-01-02", "2000-02-29", "soon"], [1.0, 11016.0, None], [2]),
        ("dateDaysSince[1960]", ["1960-01-03", "7", 7], [2.0, 7.0, 7.0], []),
        ("time", ["00:01:01.5"], [61.5], []),
        ("dateTime", ["1970-01-01T00:01:00", "1970-01-01T01:00:00+01:00"], [60.0, 0.0], []),
    ],
)
def test_values_are_read_as_the_declared_type(
    data_type: DataType, given: list[Any], read: list[Any], uncast: list[int]
) -> None:
    raw = np.empty(len(given), dtype=object)
    raw[:] = given
    found, wrong = read_input(raw, data_type)
    assert plain(found) == read
    assert sorted(wrong) == uncast


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32", "float64", "bool"])
def test_columns_of_any_numbers_are_read(dtype: str) -> None:
    found, wrong = read_input(np.array([0, 1], dtype=dtype), "double")
    assert found.dtype == np.float64
    assert plain(found) == [0.0, 1.0]
    assert not wrong
    assert plain(read_input(column([1.0, None]), "string")[0]) == ["1", None]
