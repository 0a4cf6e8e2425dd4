"""Expressions that are tables: points of a line, categories, intervals, and look-ups."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import (
    C,
    X,
    derived,
    document,
    evaluate,
    load,
    output_of,
    plain,
    regression,
    score,
)

POINTS = '<LinearNorm orig="0" norm="10"/><LinearNorm orig="2" norm="20"/><LinearNorm orig="4" norm="0"/>'


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ("", [5.0, 10.0, 15.0, 20.0, 10.0, 0.0, -20.0, None]),
        ('outliers="asMissingValues"', [None, 10.0, 15.0, 20.0, 10.0, 0.0, None, None]),
        ('outliers="asExtremeValues"', [10.0, 10.0, 15.0, 20.0, 10.0, 0.0, 0.0, None]),
        ('mapMissingTo="7"', [5.0, 10.0, 15.0, 20.0, 10.0, 0.0, -20.0, 7.0]),
    ],
)
def test_norm_continuous_joins_points_by_lines(
    attributes: str, answers: list[float | None]
) -> None:
    expression = f'<NormContinuous field="x" {attributes}>{POINTS}</NormContinuous>'
    assert plain(evaluate(expression, x=[-1, 0, 1, 2, 3, 4, 6, None])["out"]) == answers


@pytest.mark.parametrize(
    "points", ['<LinearNorm orig="0" norm="1"/>', '<LinearNorm orig="1" norm="0"/>' * 2]
)
def test_norm_continuous_needs_ascending_points(points: str) -> None:
    with pytest.raises(InvalidModel, match="ascending"):
        load(output_of(f'<NormContinuous field="x">{points}</NormContinuous>'))


def test_norm_discrete_tells_one_value_from_others() -> None:
    assert plain(evaluate('<NormDiscrete field="c" value="p"/>', C, c=["p", "q", None])["out"]) == [
        1.0,
        0.0,
        None,
    ]
    mapped = '<NormDiscrete field="x" value="2" mapMissingTo="0.5"/>'
    assert plain(evaluate(mapped, x=[2, 2.5, None])["out"]) == [1.0, 0.0, 0.5]


BINS = (
    '<DiscretizeBin binValue="low"><Interval closure="openOpen" rightMargin="0"/></DiscretizeBin>'
    '<DiscretizeBin binValue="zero"><Interval closure="closedClosed" leftMargin="0" rightMargin="0"/></DiscretizeBin>'
    '<DiscretizeBin binValue="some"><Interval closure="openClosed" leftMargin="0" rightMargin="5"/></DiscretizeBin>'
)


def test_discretize_gives_the_interval_a_value_lies_in() -> None:
    expression = (
        f'<Discretize field="x" defaultValue="high" mapMissingTo="none">{BINS}</Discretize>'
    )
    answers = evaluate(expression, x=[-1, 0, 0.1, 5, 5.1, None])["out"]
    assert plain(answers) == ["low", "zero", "some", "some", "high", "none"]
    bare = f'<Discretize field="x">{BINS}</Discretize>'
    assert plain(evaluate(bare, x=[-1, 9, None])["out"]) == ["low", None, None]


ROWS = (
    "<row><a>p</a><b>1</b><out>10</out></row>"
    "<row><d:a>p</d:a><d:b>2</d:b><d:out>20</d:out></row>"
    "<row><a>q</a><b>one</b><out>30</out></row>"
    "<row><a>p</a><b>1</b><out>99</out></row>"
    "<row><a>r</a><b>1</b></row>"
)


def mapped(attributes: str = "") -> str:
    return (
        f'<MapValues outputColumn="d:out" {attributes}><FieldColumnPair field="c" column="d:a"/>'
        '<FieldColumnPair field="x" column="b"/>'
        f'<InlineTable xmlns:d="d">{ROWS}</InlineTable></MapValues>'
    )


def test_map_values_looks_rows_up_by_several_columns() -> None:
    columns: dict[str, list[Any]] = {"c": ["p", "p", "q", "r", None], "x": [1, 2, 1, 1, 1]}
    assert plain(evaluate(mapped(), C + X, "", **columns)["out"]) == ["10", "20", None, None, None]
    filled = mapped('dataType="double" defaultValue="-1" mapMissingTo="-2"')
    assert plain(evaluate(filled, C + X, "", **columns)["out"]) == [10.0, 20.0, -1.0, -1.0, -2.0]


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ("", ["1", None, None]),
        ('defaultValue="0"', ["1", "0", None]),
        ('mapMissingTo="-1"', ["1", None, "-1"]),
        ('defaultValue="0" mapMissingTo="-1"', ["1", "0", "-1"]),
        ('defaultValue="0" dataType="integer"', [1, 0, None]),
    ],
)
def test_a_default_is_for_values_that_are_there_and_a_map_for_those_that_are_not(
    attributes: str, answers: list[Any]
) -> None:
    interval = '<Interval closure="closedOpen" leftMargin="0" rightMargin="1"/>'
    bins = f'<DiscretizeBin binValue="1">{interval}</DiscretizeBin>'
    discretized = f'<Discretize field="x" {attributes}>{bins}</Discretize>'
    assert plain(evaluate(discretized, x=[0, 1, None])["out"]) == answers
    looked_up = (
        f'<MapValues outputColumn="o" {attributes}><FieldColumnPair field="x" column="i"/>'
        "<InlineTable><row><i>0</i><o>1</o></row></InlineTable></MapValues>"
    )
    assert plain(evaluate(looked_up, x=[0, 1, None])["out"]) == answers


def test_a_table_of_numbers_is_not_for_strings() -> None:
    for expression in (
        f'<NormContinuous field="c">{POINTS}</NormContinuous>',
        f'<Discretize field="c">{BINS}</Discretize>',
    ):
        with pytest.raises(InvalidModel, match="not numeric"):
            load(output_of(expression, C, names=("c",)))


def test_a_column_may_be_named_as_an_element_that_is_passed_over() -> None:
    rows = "<row><Partition>1</Partition><Extension>?</Extension><Header>5</Header></row>"
    expression = (
        '<MapValues outputColumn="Header"><FieldColumnPair field="x" column="Partition"/>'
        f"<InlineTable>{rows}</InlineTable></MapValues>"
    )
    assert plain(evaluate(expression, x=[1])["out"]) == ["5"]


def test_a_table_without_a_type_has_that_of_its_field() -> None:
    body = regression('<NumericPredictor name="d" coefficient="1"/>', derived(mapped()), ("c", "x"))
    assert plain(score(document(body, C + X), c=["p"], x=[2])["_target"]) == [20.0]


def test_a_table_outside_the_document_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedModel, match=r"TableLocator.*outside the document"):
        load(output_of(mapped().replace("InlineTable", "TableLocator"), C + X, names=("c", "x")))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["openOpen", "openClosed", "closedOpen", "closedClosed"]),
            st.one_of(st.none(), st.integers(-3, 3)),
            st.one_of(st.none(), st.integers(-3, 3)),
        ),
        max_size=5,
    )
)
def test_the_first_interval_that_holds_a_value_counts(
    intervals: list[tuple[str, int | None, int | None]],
) -> None:
    bins = ""
    for number, (closure, low, high) in enumerate(intervals):
        left = "" if low is None else f' leftMargin="{low}"'
        right = "" if high is None else f' rightMargin="{high}"'
        bins += (
            f'<DiscretizeBin binValue="{number}"><Interval closure="{closure}"{left}{right}/>'
            "</DiscretizeBin>"
        )
    values = [number / 2 for number in range(-8, 9)]

    def holds(value: float, closure: str, low: int | None, high: int | None) -> bool:
        above = low is None or value > low or (value == low and closure.startswith("closed"))
        below = high is None or value < high or (value == high and closure.endswith("Closed"))
        return above and below

    wanted = [
        next((str(n) for n, interval in enumerate(intervals) if holds(value, *interval)), None)
        for value in values
    ]
    answers = evaluate(f'<Discretize field="x">{bins}</Discretize>', x=values)["out"]
    assert plain(answers) == wanted
