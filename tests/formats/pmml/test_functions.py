"""Built-in functions, one by one, as the standard lists them."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.calls import builtin_functions
from tests.support.pmml import C, X, Y, evaluate, load, output_of, plain

STRING = '<DataField name="s" optype="categorical" dataType="string"/>'
BOTH = X + Y


def call(name: str, *arguments: str, attributes: str = "") -> str:
    return f'<Apply function="{name}" {attributes}>{"".join(arguments)}</Apply>'


def number(value: float) -> str:
    return f'<Constant dataType="double">{value!r}</Constant>'


def text(value: str) -> str:
    return f'<Constant dataType="string">{value}</Constant>'


FX, FY, FS = '<FieldRef field="x"/>', '<FieldRef field="y"/>', '<FieldRef field="s"/>'


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("abs", -2.5, 2.5),
        ("floor", -1.5, -2),
        ("ceil", -1.5, -1),
        ("round", 2.5, 3),
        ("round", -2.5, -2),
        ("rint", 2.5, 2.0),
        ("sqrt", 2.25, 1.5),
        ("exp", 1.5, math.exp(1.5)),
        ("expm1", 1e-9, math.expm1(1e-9)),
        ("ln", 2.0, math.log(2)),
        ("ln1p", 1e-9, math.log1p(1e-9)),
        ("log10", 1000.0, 3.0),
        ("sin", 0.5, math.sin(0.5)),
        ("cos", 0.5, math.cos(0.5)),
        ("tan", 0.5, math.tan(0.5)),
        ("asin", 0.5, math.asin(0.5)),
        ("acos", 0.5, math.acos(0.5)),
        ("atan", 0.5, math.atan(0.5)),
        ("sinh", 0.5, math.sinh(0.5)),
        ("cosh", 0.5, math.cosh(0.5)),
        ("tanh", 0.5, math.tanh(0.5)),
        ("erf", 0.5, math.erf(0.5)),
        ("stdNormalCDF", 1.96, 0.9750021048517795),
        ("stdNormalPDF", 0.0, 0.3989422804014327),
        ("stdNormalIDF", 0.975, 1.959963984540054),
    ],
)
def test_functions_of_one_number(name: str, value: float, answer: float) -> None:
    found = plain(evaluate(call(name, FX), BOTH, x=[value, None])["out"])
    assert found[0] == pytest.approx(answer, rel=1e-12)
    assert found[1] is None


@pytest.mark.parametrize(
    ("name", "one", "other", "answer"),
    [
        ("+", 1, 2.5, 3.5),
        ("-", 1, 2.5, -1.5),
        ("*", 3, 2.5, 7.5),
        ("/", 3, 2, 1.5),
        ("pow", 2, 10, 1024),
        ("modulo", 7, 3, 1),
        ("modulo", -7, 3, 2),
        ("hypot", 3, 4, 5),
        ("threshold", 3, 2, 1),
        ("threshold", 2, 2, 0),
        ("min", 3, 2, 2),
        ("max", 3, 2, 3),
        ("sum", 3, 2, 5),
        ("product", 3, 2, 6),
        ("avg", 3, 2, 2.5),
        ("median", 3, 2, 2.5),
    ],
)
def test_functions_of_two_numbers(name: str, one: float, other: float, answer: float) -> None:
    assert plain(evaluate(call(name, FX, FY), BOTH, x=[one], y=[other])["out"]) == [answer]


@pytest.mark.parametrize("name", ["+", "-", "*", "/", "pow", "modulo", "hypot", "threshold"])
def test_a_missing_argument_makes_the_result_missing(name: str) -> None:
    answers = evaluate(call(name, FX, FY), BOTH, x=[None, 1, None], y=[1, None, None])
    assert plain(answers["out"]) == [None, None, None]
    assert not answers.errors


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
    for name, answers in wanted.items():
        found = evaluate(call(name, FX, FY, '<FieldRef field="z"/>'), BOTH + z, "", **columns)
        assert plain(found["out"]) == answers


def test_distributions_take_a_mean_and_a_deviation() -> None:
    for name, answer in (("normalCDF", 0.8413447460685429), ("normalPDF", 0.12098536225957168)):
        answers = evaluate(call(name, FX, number(1.0), number(2.0)), BOTH, x=[3])["out"]
        assert plain(answers) == [pytest.approx(answer, rel=1e-12)]
    found = evaluate(call("normalIDF", FX, number(1.0), number(2.0)), BOTH, x=[0.5, 0.0])
    assert plain(found["out"])[0] == pytest.approx(1.0)
    assert set(found.errors) == {1}


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


def test_presence_is_always_known() -> None:
    assert plain(evaluate(call("isMissing", FX), BOTH, x=[1, None])["out"]) == [False, True]
    assert plain(evaluate(call("isNotMissing", FS), STRING, s=["a", None])["out"]) == [True, False]


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


@pytest.mark.parametrize(
    ("expression", "given", "answers"),
    [
        (call("uppercase", FS), ["aß", None], ["ASS", None]),
        (call("lowercase", FS), ["AbC"], ["abc"]),
        (call("trimBlanks", FS), ["  a b "], ["a b"]),
        (call("stringLength", FS), ["abcd", ""], [4, 0]),
        (call("substring", FS, number(2), number(3)), ["abcdef", "ab"], ["bcd", "b"]),
        (call("concat", FS, text("-"), FS), ["a", None], ["a-a", None]),
        (call("replace", FS, text("b+"), text("c")), ["aBBbba"], ["aBBca"]),
        (call("replace", FS, text("(a)(b)"), text("$2$1")), ["xaby"], ["xbay"]),
        (call("matches", FS, text("^a.c$")), ["abc", "abcd", None], [True, False, None]),
        (call("formatNumber", FS, text("%05.1f")), ["3.14159"], ["003.1"]),
        (call("formatNumber", FS, text("%3d")), ["5"], ["  5"]),
    ],
)
def test_functions_of_strings(expression: str, given: list[Any], answers: list[Any]) -> None:
    assert plain(evaluate(expression, STRING, s=given)["out"]) == answers


def test_whole_numbers_are_written_without_a_point() -> None:
    whole = '<DataField name="k" optype="continuous" dataType="integer"/>'
    k = '<FieldRef field="k"/>'
    assert plain(evaluate(call("concat", k, text("/"), k), whole, k=[70])["out"]) == ["70/70"]
    assert plain(evaluate(call("concat", FX, text("")), BOTH, x=[70])["out"]) == ["70.0"]


def test_a_substring_before_the_first_character_rejects_its_row() -> None:
    found = evaluate(call("substring", FS, number(0), number(1)), STRING, s=["abc"])
    assert "substring" in found.errors[0]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        (call("dateDaysSinceYear", FS, "<Constant>1960</Constant>"), 15796),
        (call("dateSecondsSinceYear", FS, "<Constant>1970</Constant>"), 1049200496),
        (call("dateSecondsSinceMidnight", FS), 45296),
    ],
)
def test_functions_of_dates(expression: str, answer: int) -> None:
    given_text = "12:34:56" if "Midnight" in expression else "2003-04-01T12:34:56"
    assert plain(evaluate(expression, STRING, s=[given_text, None])["out"]) == [answer, None]


def test_whole_numbers_beyond_counting_stay_floats() -> None:
    endless = evaluate(call("floor", call("/", FX, number(0.0))), BOTH, x=[1])
    assert plain(endless["out"]) == [math.inf]
    assert plain(evaluate(call("floor", FX), BOTH, x=[1e300])["out"]) == [1e300]


def test_dates_before_the_year_count_down() -> None:
    expression = call("dateDaysSinceYear", FS, "<Constant>1970</Constant>")
    assert plain(evaluate(expression, STRING, s=["1969-12-31", "1970-01-01"])["out"]) == [-1, 0]


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
