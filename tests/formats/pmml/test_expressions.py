"""Transformations: constants, fields, tables, and functions that documents define."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import (
    C,
    X,
    Y,
    derived,
    document,
    evaluate,
    load,
    output_of,
    plain,
    regression,
    score,
)


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("<Constant>5</Constant>", 5.0),
        ("<Constant>5.0</Constant>", 5.0),
        ("<Constant>1e3</Constant>", 1000.0),
        ("<Constant>five</Constant>", "five"),
        ("<Constant>true</Constant>", "true"),
        ('<Constant dataType="string">5</Constant>', "5"),
        ('<Constant dataType="boolean">true</Constant>', True),
        ('<Constant dataType="double" missing="true"/>', None),
        ('<Constant dataType="date">1970-01-02</Constant>', "1970-01-02"),
        ('<Constant dataType="dateTime">1970-01-02T00:00:01</Constant>', "1970-01-02T00:00:01"),
        ('<Constant dataType="time">23:59:59</Constant>', "23:59:59"),
    ],
)
def test_a_constant_has_its_declared_type_or_the_one_it_reads_as(constant: str, value: Any) -> None:
    assert plain(evaluate(constant, x=[1, 2])["out"]) == [value, value]


def test_a_missing_field_is_mapped() -> None:
    assert plain(evaluate('<FieldRef field="x" mapMissingTo="-1"/>', x=[1, None])["out"]) == [1, -1]
    assert plain(evaluate('<FieldRef field="x"/>', x=[1, None])["out"]) == [1, None]


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


def test_a_table_without_a_type_has_that_of_its_field() -> None:
    body = regression('<NumericPredictor name="d" coefficient="1"/>', derived(mapped()), ("c", "x"))
    assert plain(score(document(body, C + X), c=["p"], x=[2])["_target"]) == [20.0]


def test_a_derived_field_may_hide_the_field_it_reads() -> None:
    twice = '<Apply function="*"><FieldRef field="x"/><Constant>2</Constant></Apply>'
    inner = derived(twice).replace('name="d"', 'name="x"')
    body = regression('<NumericPredictor name="x" coefficient="1"/>', inner)
    assert plain(score(document(body), x=[4])["_target"]) == [8.0]


def test_a_field_computed_from_itself_is_refused() -> None:
    loop = (
        '<LocalTransformations><DerivedField name="a" optype="continuous" dataType="double">'
        '<FieldRef field="b"/></DerivedField><DerivedField name="b" optype="continuous" '
        'dataType="double"><FieldRef field="a"/></DerivedField></LocalTransformations>'
    )
    with pytest.raises(InvalidModel, match="computed from itself"):
        load(document(regression('<NumericPredictor name="a" coefficient="1"/>', loop)))


def test_a_field_that_is_nowhere_is_named() -> None:
    with pytest.raises(InvalidModel, match="'nowhere'"):
        load(output_of('<FieldRef field="nowhere"/>'))


DEFINED = "<TransformationDictionary>{}</TransformationDictionary>"


def function(name: str, parameters: str, body: str, attributes: str = "") -> str:
    fields = "".join(f'<ParameterField name="{p}"/>' for p in parameters)
    return f'<DefineFunction name="{name}" optype="continuous" {attributes}>{fields}{body}</DefineFunction>'


def call(name: str, *arguments: str) -> str:
    return f'<Apply function="{name}">{"".join(arguments)}</Apply>'


def ref(name: str) -> str:
    return f'<FieldRef field="{name}"/>'


def test_a_defined_function_is_called_with_its_arguments() -> None:
    minus = function("less", "ab", call("-", ref("a"), ref("b")))
    expression = call("less", call("less", ref("x"), ref("y")), ref("y"))
    answers = evaluate(expression, transformations=DEFINED.format(minus), x=[10], y=[3])
    assert plain(answers["out"]) == [4.0]


def test_a_function_casts_what_it_takes_and_gives() -> None:
    body = call("concat", ref("a"), "<Constant>!</Constant>")
    text = function("t", "a", body, 'dataType="string"').replace(
        'name="a"/>', 'name="a" dataType="integer"/>', 1
    )
    answers = evaluate(call("t", ref("x")), transformations=DEFINED.format(text), x=[3.0])
    assert plain(answers["out"]) == ["3!"]


def test_a_function_must_be_called_with_as_many_arguments_as_it_takes() -> None:
    one = function("one", "a", ref("a"))
    with pytest.raises(InvalidModel, match="takes 1 arguments"):
        load(output_of(call("one", ref("x"), ref("x")), transformations=DEFINED.format(one)))


def test_a_function_that_calls_itself_is_refused() -> None:
    ping = function("ping", "a", call("pong", ref("a")))
    pong = function("pong", "a", call("ping", ref("a")))
    with pytest.raises(InvalidModel, match="calls itself"):
        load(output_of(call("ping", ref("x")), transformations=DEFINED.format(ping + pong)))


def test_functions_that_double_their_calls_are_refused() -> None:
    functions = function("f0", "a", ref("a"))
    for number in range(1, 40):
        previous = call(f"f{number - 1}", ref("a"))
        functions += function(f"f{number}", "a", call("+", previous, previous))
    with pytest.raises(InvalidModel, match=str(limits.PMML_CALLS_MAX)):
        load(output_of(call("f39", ref("x")), transformations=DEFINED.format(functions)))


def chain(length: int) -> str:
    """Return a field that stands on as many others."""
    fields = "".join(
        f'<DerivedField name="d{n}" optype="continuous" dataType="double">'
        f"{call('+', ref(f'd{n - 1}' if n else 'x'), '<Constant>1</Constant>')}</DerivedField>"
        for n in range(length)
    )
    return f"<LocalTransformations>{fields}</LocalTransformations>"


def test_fields_may_stand_on_each_other_up_to_a_limit() -> None:
    half = limits.PMML_EXPRESSION_DEPTH_MAX // 2 - 2
    term = f'<NumericPredictor name="d{half - 1}" coefficient="1"/>'
    assert plain(score(document(regression(term, chain(half))), x=[0])["_target"]) == [half]
    with pytest.raises(InvalidModel, match="nested deeper"):
        load(document(regression('<NumericPredictor name="d400" coefficient="1"/>', chain(401))))


def test_nested_calls_up_to_the_limit_run() -> None:
    depth = limits.PMML_EXPRESSION_DEPTH_MAX - 5
    expression = ref("x")
    for _ in range(depth):
        expression = call("+", expression, "<Constant>1</Constant>")
    assert plain(evaluate(expression, x=[0])["out"]) == [depth]
    for _ in range(50):
        expression = call("+", expression, "<Constant>1</Constant>")
    with pytest.raises(InvalidModel, match="nested deeper"):
        load(output_of(expression))


def test_strings_that_double_end_at_the_limit() -> None:
    fields = '<DerivedField name="s0" optype="categorical" dataType="string"><FieldRef field="c"/></DerivedField>'
    for number in range(1, 41):
        doubled = call("concat", ref(f"s{number - 1}"), ref(f"s{number - 1}"))
        fields += (
            f'<DerivedField name="s{number}" optype="categorical" dataType="string">{doubled}'
            "</DerivedField>"
        )
    inner = (
        f"<LocalTransformations>{fields}</LocalTransformations>"
        f'<Output><OutputField name="out" feature="transformedValue">{ref("s40")}</OutputField></Output>'
    )
    answers = score(document(regression(inner=inner, names=("c",)), C), c=["ab", None])
    assert answers.errors == {
        0: f"function 'concat' gives more than {limits.PMML_STRING_CHARS_MAX} characters"
    }


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


def test_what_is_not_evaluated_is_refused_by_name() -> None:
    for element in ('<Lag field="x"/>', '<Aggregate field="x" function="sum"/>'):
        with pytest.raises(UnsupportedModel, match=element[1:4]):
            load(output_of(element))
    located = mapped().replace("InlineTable", "TableLocator")
    with pytest.raises(UnsupportedModel, match="TableLocator"):
        load(output_of(located, C + X, names=("c", "x")))


def test_each_column_is_computed_once() -> None:
    body = regression(
        '<NumericPredictor name="d" coefficient="1"/><NumericPredictor name="d" coefficient="2"/>',
        derived(call("*", ref("x"), "<Constant>2</Constant>")),
    )
    assert plain(load(document(body)).score({"x": np.array([1.0])})["_target"]) == [6.0]
    assert Y not in body
