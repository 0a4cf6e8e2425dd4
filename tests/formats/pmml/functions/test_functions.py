"""Built-in functions: what all of one kind have in common. Tables of each are beside this."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.expressions.calls import builtin_functions
from tests.formats.pmml.functions.test_functions_dates import CASES as DATES
from tests.formats.pmml.functions.test_functions_logic import CHOICES, COMPARISONS, UNKNOWN
from tests.formats.pmml.functions.test_functions_numbers import CASES as NUMBERS
from tests.formats.pmml.functions.test_functions_text import PATTERNS, STRINGS
from tests.support.pmml import C, X, Y, evaluate, load, output_of, plain
from tests.support.pmml_functions import Given, answers, fixed, nothing

STRING = '<DataField name="s" optype="categorical" dataType="string"/>'
BOTH = X + Y


def call(name: str, *arguments: str, attributes: str = "") -> str:
    return f'<Apply function="{name}" {attributes}>{"".join(arguments)}</Apply>'


def number(value: float) -> str:
    return f'<Constant dataType="double">{value!r}</Constant>'


def text(value: str) -> str:
    return f'<Constant dataType="string">{value}</Constant>'


FX, FY, FS = '<FieldRef field="x"/>', '<FieldRef field="y"/>', '<FieldRef field="s"/>'


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(-4, 4)), min_size=3, max_size=3), min_size=1)
)
def test_aggregates_pass_over_what_is_missing(rows: list[list[int | None]]) -> None:
    z = '<DataField name="z" optype="continuous" dataType="double"/>'
    columns = {name: [row[n] for row in rows] for n, name in enumerate("xyz")}
    wanted: dict[str, list[float | None]] = {
        "min": [],
        "max": [],
        "sum": [],
        "avg": [],
        "median": [],
    }
    for row in rows:
        known = sorted(value for value in row if value is not None)
        middle = known[(len(known) - 1) // 2] + known[len(known) // 2] if known else 0
        wanted["min"].append(known[0] if known else None)
        wanted["max"].append(known[-1] if known else None)
        wanted["sum"].append(sum(known) if known else None)
        wanted["avg"].append(sum(known) / len(known) if known else None)
        wanted["median"].append(middle / 2 if known else None)
    for name, expected in wanted.items():
        found = evaluate(call(name, FX, FY, '<FieldRef field="z"/>'), BOTH + z, "", **columns)
        assert plain(found["out"]) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("ln", -1), ("sqrt", -1), ("asin", 2), ("stdNormalIDF", 2)]
)
def test_a_result_that_is_undefined_rejects_its_row_unless_declared_otherwise(
    name: str, value: float
) -> None:
    found = evaluate(call(name, FX), BOTH, x=[value, 0.5])
    assert found.errors == {0: f"function {name!r} has no value for its arguments"}
    lenient = call(name, FX, attributes='invalidValueTreatment="asMissing"')
    found = evaluate(lenient, BOTH, x=[value])
    assert (plain(found["out"]), found.errors) == ([None], {})
    default = call(name, FX, attributes='defaultValue="-1"')
    found = evaluate(default, BOTH, x=[value, None])
    assert (plain(found["out"]), found.errors) == ([-1.0, -1.0], {})


def test_a_branch_that_is_not_taken_rejects_nothing() -> None:
    positive = call("greaterThan", FX, number(0.0))
    expression = call("if", positive, call("ln", FX), number(0.0))
    found = evaluate(expression, BOTH, x=[-1, 1, None])
    assert (plain(found["out"]), found.errors) == ([0.0, 0.0, None], {})


def test_missing_arguments_can_be_mapped() -> None:
    expression = call("+", FX, FY, attributes='mapMissingTo="9"')
    assert plain(evaluate(expression, BOTH, x=[1, None], y=[1, 1])["out"]) == [2.0, 9.0]


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("equal", [False, True, False]),
        ("notEqual", [True, False, True]),
        ("lessThan", [True, False, False]),
        ("lessOrEqual", [True, True, False]),
        ("greaterThan", [False, False, True]),
        ("greaterOrEqual", [False, True, True]),
    ],
)
def test_comparisons_of_numbers_and_strings(name: str, answers: list[bool]) -> None:
    numbers = evaluate(call(name, FX, FY), BOTH, x=[1, 2, 3, None], y=[2, 2, 2, 2])
    assert plain(numbers["out"]) == [*answers, None]
    words = evaluate(call(name, FS, text("b")), STRING, s=["a", "b", "c", None])
    assert plain(words["out"]) == [*answers, None]


def test_a_string_constant_is_read_as_the_number_it_is_compared_with() -> None:
    assert plain(evaluate(call("equal", FX, text("5")), BOTH, x=[5, 6])["out"]) == [True, False]
    assert plain(
        evaluate(call("equal", FS, "<Constant>5</Constant>"), STRING, s=["5", "6"])["out"]
    ) == [
        True,
        False,
    ]


KLEENE: list[Any] = [True, False, None]


def truth(field: str) -> str:
    """Return an expression that is true, false or missing as the field is 1, 0 or missing."""
    return call("equal", f'<FieldRef field="{field}"/>', number(1.0))


@pytest.mark.parametrize("one", KLEENE)
@pytest.mark.parametrize("other", KLEENE)
def test_and_or_and_not_are_three_valued(one: bool | None, other: bool | None) -> None:
    columns = {name: [None if v is None else int(v)] for name, v in (("x", one), ("y", other))}
    both = plain(evaluate(call("and", truth("x"), truth("y")), BOTH, "", **columns)["out"])
    either = plain(evaluate(call("or", truth("x"), truth("y")), BOTH, "", **columns)["out"])
    neither = plain(evaluate(call("not", truth("x")), BOTH, "", **columns)["out"])
    assert both == [False if False in {one, other} else None if None in {one, other} else True]
    assert either == [True if True in {one, other} else None if None in {one, other} else False]
    assert neither == [None if one is None else not one]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_membership_of_constants(count: int) -> None:
    members = [text(word) for word in ("p", "q", "r", "s", "t")[:count]]
    inside = evaluate(call("isIn", FS, *members), STRING, s=["p", "z", None])
    assert plain(inside["out"]) == [True, False, None]
    outside = evaluate(call("isNotIn", FS, *members), STRING, s=["p", "z", None])
    assert plain(outside["out"]) == [False, True, None]
    numbers = [number(float(n)) for n in range(count)]
    assert plain(evaluate(call("isIn", FX, *numbers), BOTH, x=[0, 9, None])["out"]) == [
        True,
        False,
        None,
    ]


def test_a_choice_without_an_otherwise_is_missing_there() -> None:
    expression = call("if", call("lessThan", FX, number(0.0)), text("under"))
    assert plain(evaluate(expression, BOTH, x=[-1, 1, None])["out"]) == ["under", None, None]


def test_whole_numbers_are_written_without_a_point() -> None:
    whole = '<DataField name="k" optype="continuous" dataType="integer"/>'
    k = '<FieldRef field="k"/>'
    assert plain(evaluate(call("concat", k, text("/"), k), whole, k=[70])["out"]) == ["70/70"]
    assert plain(evaluate(call("concat", FX, text("")), BOTH, x=[70])["out"]) == ["70.0"]


def test_whole_numbers_beyond_counting_stay_floats() -> None:
    endless = evaluate(call("floor", call("/", FX, number(0.0))), BOTH, x=[1])
    assert plain(endless["out"]) == [math.inf]
    assert plain(evaluate(call("floor", FX), BOTH, x=[1e300])["out"]) == [1e300]


# DMG 4.4.1, Built-in functions.
STANDARD = """
    + - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round modulo
    isMissing isNotMissing isValid isNotValid equal notEqual lessThan lessOrEqual greaterThan
    greaterOrEqual and or not isIn isNotIn if uppercase lowercase stringLength substring trimBlanks
    concat replace matches formatNumber formatDatetime dateDaysSinceYear dateSecondsSinceYear
    dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF stdNormalPDF erf normalIDF stdNormalIDF
    expm1 hypot ln1p rint sin asin sinh cos acos cosh tan atan atan2 tanh
"""


def test_every_function_of_the_standard_is_built_in_and_has_a_table_of_cases() -> None:
    known = {name for name in builtin_functions() if not name.startswith("x-")}
    tables = [*NUMBERS, *COMPARISONS, *UNKNOWN, *CHOICES, *STRINGS, *PATTERNS, *DATES]
    standard = set(STANDARD.split())
    assert known == standard
    assert {function for function, *_ in tables} >= standard


HOSTILE: list[Any] = [
    *(0, -1, 2**53, 0.5, 1e300, math.inf, -math.inf, True, "", "a", "5", "2003-04-01", "%d"),
    *("0001-01-01T00:00:00+05:00", Given("date", "9999-12-31"), Given("time", "23:59:59.5")),
    *(Given("dateTimeSecondsSince[0]", "9" * 14), nothing(), nothing("string"), nothing("date")),
]


@pytest.mark.parametrize("name", sorted(builtin_functions()))
@settings(max_examples=8, deadline=None)
@given(st.data())
def test_no_arguments_break_a_function_and_one_row_is_as_many(
    name: str, data: st.DataObject
) -> None:
    builtin = builtin_functions()[name]
    most = builtin.least + 2 if builtin.most is None else builtin.most
    value = st.sampled_from(HOSTILE)
    value = st.one_of(value, value.map(lambda v: v if isinstance(v, Given) else fixed(v)))
    arguments = data.draw(st.lists(value, min_size=builtin.least, max_size=most))
    try:
        found = answers(name, tuple(arguments))
    except InvalidModel:
        return  # what cannot be computed is refused before it is served
    assert len({(type(answer), answer) for answer in found[:4]}) == 1
    assert len({(type(answer), answer) for answer in found[4:]}) == 1


def test_an_unknown_function_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnsupportedModel, match=r"'com\.acme\.Evil'.*uppercase"):
        load(output_of(call("com.acme.Evil", FX)))


def test_every_function_refuses_a_wrong_number_of_arguments() -> None:
    for name, builtin in builtin_functions().items():
        if builtin.least > 0:
            with pytest.raises(InvalidModel, match="called with 0 arguments"):
                load(output_of(call(name.replace("<", "&lt;"))))
        if builtin.most is not None:
            with pytest.raises(InvalidModel, match="arguments"):
                load(output_of(call(name, *[FX] * (builtin.most + 1))))


def test_constants_alone_are_computed_when_the_model_is_loaded() -> None:
    assert plain(evaluate(call("+", number(1.0), number(2.0)), BOTH, x=[0, 0])["out"]) == [3.0, 3.0]


def test_a_constant_of_a_type_that_cannot_be_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="'WIDTH'"):
        load(output_of(call("substring", FS, number(1), text("WIDTH")), STRING, names=("s",)))
    assert C != STRING
