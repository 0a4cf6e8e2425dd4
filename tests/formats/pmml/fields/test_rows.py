"""One row in plain Python values: expressions, trees and inputs as columns and the standard have them."""

import math
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modelstream.errors import UnsupportedModel
from tests.support.pmml import document, load, output_of, plain
from tests.support.pmml_expressions import (
    FIELDS_OF_ALL,
    NAMES,
    ROW,
    call,
    columns_of,
    numbers,
    ref,
    truths,
)
from tests.support.pmml_reference import Row, Tree
from tests.support.pmml_rows import (
    differences,
    objects,
    row_of,
)
from tests.support.pmml_trees import FIELDS, rows, trees


@given(numbers(), st.lists(ROW, min_size=2, max_size=6))
@settings(max_examples=250, deadline=None)
def test_expressions_of_numbers_are_the_same_by_rows_and_by_columns(
    expression: str, records: list[Row]
) -> None:
    try:
        model = load(output_of(expression, FIELDS_OF_ALL, names=NAMES))
    except UnsupportedModel:
        return  # a constant that is not a number, say
    assume(model.rowwise is not None)  # constants without a result are for columns alone
    assert differences(model, columns_of(records)) == []


@given(truths(), st.lists(ROW, min_size=2, max_size=6))
@settings(max_examples=100, deadline=None)
def test_expressions_of_truth_are_the_same_by_rows_and_by_columns(
    expression: str, records: list[Row]
) -> None:
    model = load(output_of(expression, FIELDS_OF_ALL, names=NAMES))
    assert differences(model, columns_of(records)) == []


@pytest.mark.parametrize(
    "expression",
    [
        call("uppercase", ref("w")),
        call("trimBlanks", ref("w")),
        call("concat", ref("w"), ref("k")),
        call("stringLength", ref("w")),
        call("substring", ref("w"), ref("k"), ref("k")),
        call("substring", ref("w"), ref("k"), ref("k"), invalidValueTreatment="asMissing"),
        call("formatNumber", ref("x"), '<Constant dataType="string">%3d</Constant>'),
        call("matches", ref("w"), '<Constant dataType="string">^A</Constant>'),
    ],
)
@given(records=st.lists(ROW, min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_functions_of_strings_are_the_same_by_rows_and_by_columns(
    expression: str, records: list[Row]
) -> None:
    model = load(output_of(expression, FIELDS_OF_ALL, names=NAMES))
    assert differences(model, columns_of(records)) == []


@given(trees(), rows())
@settings(max_examples=150, deadline=None)
def test_trees_answer_one_row_as_the_standard_says(element: str, records: list[Row]) -> None:
    model = load(document(element, FIELDS))
    assert model.rowwise is not None
    tree = Tree(ET.fromstring(element))  # written a moment ago
    assert differences(model, columns_of(records)) == []
    for place, record in enumerate(records):
        scores = model.rowwise.score(row_of(columns_of(records), place))
        winner = tree.winner(record)
        assert scores is not None
        assert plain(scores["kind"]) == [None if winner is None else winner.attrib["score"]]


TREATMENTS = [
    'invalidValueTreatment="asMissing"',
    'invalidValueTreatment="asValue" invalidValueReplacement="a"',
    'invalidValueTreatment="asIs"',
    'missingValueReplacement="b"',
    'missingValueTreatment="returnInvalid"',
    "",
]


@pytest.mark.parametrize("treatment", TREATMENTS)
@given(words=st.lists(st.sampled_from(["a", "b", "c", "-", None, 1.0]), min_size=2, max_size=6))
@settings(max_examples=20, deadline=None)
def test_words_are_treated_the_same_by_rows_and_by_columns(
    treatment: str, words: list[Any]
) -> None:
    values = (
        '<Value value="a"/><Value value="b"/><Value value="-" property="missing"/>'
        '<Value value="1" property="invalid"/>'
    )
    field = f'<DataField name="x" optype="categorical" dataType="string">{values}</DataField>'
    model = load(_echo(field, treatment))
    assert differences(model, {"x": objects(words)}) == []


NUMERIC_TREATMENTS = [
    'invalidValueTreatment="asMissing"',
    'invalidValueTreatment="asValue" invalidValueReplacement="1"',
    'outliers="asExtremeValues" lowValue="1" highValue="3"',
    'outliers="asMissingValues" lowValue="1" highValue="3" invalidValueTreatment="asIs"',
    'missingValueReplacement="2"',
    "",
]


@pytest.mark.parametrize("kind", ["double", "float", "integer"])
@pytest.mark.parametrize("treatment", NUMERIC_TREATMENTS)
@given(
    given_numbers=st.lists(
        st.sampled_from([0.0, 1, 2.0, 2.5, 4.0, -9.0, None, "3", "x", True, math.inf]),
        min_size=2,
        max_size=6,
    )
)
@settings(max_examples=10, deadline=None)
def test_numbers_are_treated_the_same_by_rows_and_by_columns(
    kind: str, treatment: str, given_numbers: list[Any]
) -> None:
    interval = '<Interval closure="closedOpen" leftMargin="0" rightMargin="4"/>'
    values = '<Value value="-9" property="missing"/>'
    field = (
        f'<DataField name="x" optype="continuous" dataType="{kind}">{interval}{values}</DataField>'
    )
    model = load(_echo(field, treatment))
    assert differences(model, {"x": objects(given_numbers)}) == []


def _echo(field: str, treatment: str) -> bytes:
    inner = '<Output><OutputField name="out" feature="transformedValue"><FieldRef field="x"/></OutputField></Output>'
    return document(
        '<RegressionModel functionName="regression"><MiningSchema>'
        f'<MiningField name="x" {treatment}/></MiningSchema>{inner}'
        '<RegressionTable intercept="0"/></RegressionModel>',
        field,
    )
