"""Built-in functions of truth, from the standard's own definitions.

Missing values are unknown: `and` and `or` know their answer where the other arguments decide it.
"""

import pytest

from modelstream.errors import InvalidModel
from tests.support.pmml import document, load, plain, regression, score
from tests.support.pmml_functions import Case, Given, answer, fixed, given, nothing

NO, NO_TEXT, NO_TRUTH = nothing(), nothing("string"), nothing("boolean")
DAY, LATER = Given("date", "1959-12-31"), Given("date", "1960-01-01")
COMPARISONS: list[Case] = [
    ("equal", (1, 1.0), True, "numbers of two types"),
    ("equal", (1, 2), False, ""),
    ("equal", ("a", "a"), True, "strings"),
    ("equal", ("a", "A"), False, "letters are told apart by case"),
    ("equal", (True, 1), True, "a truth is one"),
    ("equal", (DAY, fixed("1959-12-31")), True, "a declared string is read as a date"),
    ("equal", (5.0, fixed("5")), True, "a declared string is read as a number"),
    ("notEqual", (1, 2), True, ""),
    ("notEqual", ("a", "a"), False, ""),
    ("lessThan", (1, 2.5), True, "numbers of two types"),
    ("lessThan", (2, 2), False, ""),
    ("lessThan", ("a", "b"), True, "strings by their letters"),
    ("lessThan", ("10", "9"), True, "strings of digits, too"),
    ("lessThan", ("Z", "a"), True, "capitals come first"),
    ("lessThan", (DAY, LATER), True, "dates"),
    ("lessOrEqual", (2, 2), True, ""),
    ("lessOrEqual", (3, 2), False, ""),
    ("greaterThan", (3, 2), True, ""),
    ("greaterThan", (DAY, LATER), False, "dates"),
    ("greaterOrEqual", (2.0, 2), True, ""),
    ("greaterOrEqual", ("a", "b"), False, "strings"),
    ("isIn", (2, 1, 2, 3), True, "among numbers"),
    ("isIn", (4, 1, 2, 3), False, "not among numbers"),
    ("isIn", ("b", "a", "b"), True, "among strings"),
    ("isIn", (1, 1), True, "among one"),
    ("isIn", (2, 1, fixed(2.5)), False, "a real number is not cut off"),
    ("isIn", (2, fixed(1), fixed(2.5)), False, "a real number is not cut off"),
    ("isIn", (2, fixed(1), fixed("2")), True, "a declared string is read as a number"),
    ("isIn", ("2", fixed(1), fixed(2)), True, "a declared number is written as a string"),
    ("isNotIn", (4, 1, 2, 3), True, ""),
    ("isNotIn", ("b", "a", "b"), False, ""),
    ("not", (True,), False, ""),
    ("not", (False,), True, ""),
    ("x-modulo", (5, 3), 2, "a function of the same spelling as before"),
]
UNKNOWN: list[Case] = [
    ("isIn", (1, 1, nothing("integer")), True, "found, whatever the other is"),
    ("isIn", (1, 2, nothing("integer")), None, "the other may be it"),
    ("isNotIn", (1, 1, nothing("integer")), False, "found, whatever the other is"),
    ("isNotIn", (1, 2, nothing("integer")), None, "the other may be it"),
    ("and", (False, NO_TRUTH), False, "false, whatever the other is"),
    ("and", (NO_TRUTH, False), False, "in any order"),
    ("and", (True, NO_TRUTH), None, "the other decides"),
    ("and", (True, True, NO_TRUTH, False), False, "of many"),
    ("and", (True, True), True, ""),
    ("or", (True, NO_TRUTH), True, "true, whatever the other is"),
    ("or", (NO_TRUTH, True), True, "in any order"),
    ("or", (False, NO_TRUTH), None, "the other decides"),
    ("or", (False, False), False, ""),
    ("or", (False, False, True), True, "of many"),
    ("and", (True, fixed("true")), True, "a declared string is read as a truth"),
    ("not", (NO_TRUTH,), None, ""),
    ("isMissing", (NO,), True, ""),
    ("isMissing", (0,), False, "zero is there"),
    ("isMissing", ("",), False, "an empty string is there"),
    ("isNotMissing", (NO_TEXT,), False, ""),
    ("isNotMissing", (False,), True, "false is there"),
    ("isValid", (1,), True, "there, and not invalid"),
    ("isValid", (NO,), False, "a missing value is not valid"),
    ("isNotValid", (NO_TEXT,), True, "a missing value is not valid"),
    ("isNotValid", ("a",), False, ""),
]
CHOICES: list[Case] = [
    ("if", (True, 1, 2), 1, "whole stays whole"),
    ("if", (False, 1, 2), 2, ""),
    ("if", (True, 1, 2.5), 1.0, "one type for both branches"),
    ("if", (True, "a", 2), "a", "a string for both branches"),
    ("if", (False, "a", 2), "2", "a string for both branches"),
    ("if", (True, DAY, LATER), "1959-12-31", "dates"),
    ("if", (True, "a"), "a", "without an otherwise"),
    ("if", (False, "a"), None, "without an otherwise"),
    ("if", (NO_TRUTH, 1, 2), None, "unknown"),
    ("if", (True, 1, nothing("integer")), 1, "the branch that is not taken is no matter"),
    ("if", (False, nothing("integer"), 2), 2, "the branch that is not taken is no matter"),
    ("if", (True, nothing("integer"), 2), None, "the branch that is taken is missing"),
]


@pytest.mark.parametrize(
    ("function", "arguments", "expected", "why"), COMPARISONS + UNKNOWN + CHOICES
)
def test_functions_of_truth(
    function: str, arguments: tuple[object, ...], expected: object, why: str
) -> None:
    found = answer(function, *arguments)
    assert (type(found), found) == (type(expected), expected), why


@pytest.mark.parametrize(
    ("function", "arguments"), sorted({case[0]: case[1] for case in COMPARISONS}.items())
)
def test_a_comparison_with_a_missing_value_is_unknown(
    function: str, arguments: tuple[object, ...]
) -> None:
    for place, argument in enumerate(arguments[:2]):
        without = [*arguments[:2]]
        without[place] = nothing(given(argument).data_type)
        assert answer(function, *without) is None


@pytest.mark.parametrize("function", ["and", "or"])
def test_a_string_is_no_truth(function: str) -> None:
    with pytest.raises(InvalidModel, match="needs truths"):
        answer(function, True, "true")
    with pytest.raises(InvalidModel, match="'yes'"):
        answer(function, True, fixed("yes"))


def sized(output: str, optype: str = "ordinal", treatment: str = "asIs") -> bytes:
    """Return a document with an ordinal field `s`, small before medium before large."""
    values = "".join(f'<Value value="{v}"/>' for v in ("small", "medium", "large"))
    fields = f'<DataField name="s" optype="{optype}" dataType="string">{values}</DataField>'
    inner = f'<Output><OutputField name="out" feature="transformedValue">{output}</OutputField></Output>'
    body = regression(inner=inner, names=("s",)).replace(
        '<MiningField name="s"/>', f'<MiningField name="s" invalidValueTreatment="{treatment}"/>'
    )
    return document(body, fields)


def call(function: str, *arguments: str) -> str:
    return f'<Apply function="{function}">{"".join(arguments)}</Apply>'


S, MEDIUM = '<FieldRef field="s"/>', "<Constant>medium</Constant>"
SIZES = ["small", "medium", "large", "huge", None]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("lessThan", [True, False, False, None, None]),
        ("lessOrEqual", [True, True, False, None, None]),
        ("greaterThan", [False, False, True, None, None]),
        ("greaterOrEqual", [False, True, True, None, None]),
    ],
)
def test_ordinals_are_compared_by_their_declared_order(
    function: str, expected: list[bool | None]
) -> None:
    assert plain(score(sized(call(function, S, MEDIUM)), s=SIZES)["out"]) == expected
    mirrored = call(function.replace("less", "more").replace("greater", "less"), MEDIUM, S)
    mirrored = mirrored.replace("more", "greater")
    assert plain(score(sized(mirrored), s=SIZES)["out"]) == expected


def test_categories_without_an_order_are_compared_by_their_letters() -> None:
    found = score(sized(call("lessThan", S, MEDIUM), "categorical"), s=["large", "small"])
    assert plain(found["out"]) == [True, False]


@pytest.mark.parametrize(
    ("treatment", "valid", "rejected"),
    [
        ("asIs", [True, True, True, False, False], set()),
        ("asMissing", [True, True, True, False, False], set()),
        ('asValue" invalidValueReplacement="small', [True, True, True, True, False], set()),
        ("returnInvalid", [True, True, True, None, False], {3}),
    ],
)
def test_a_value_is_invalid_only_where_it_is_left_as_it_is(
    treatment: str, valid: list[bool | None], rejected: set[int]
) -> None:
    found = score(sized(call("isValid", S), treatment=treatment), s=SIZES)
    assert plain(found["out"]) == valid
    assert set(found.errors) == rejected
    found = score(sized(call("isNotValid", S), treatment=treatment), s=SIZES)
    assert plain(found["out"]) == [None if v is None else not v for v in valid]


def test_two_ordinals_of_other_orders_are_not_compared() -> None:
    other = (
        '<DataField name="t" optype="ordinal" dataType="string"><Value value="small"/></DataField>'
    )
    artifact = sized(call("lessThan", S, '<FieldRef field="t"/>')).decode()
    artifact = artifact.replace("</DataDictionary>", f"{other}</DataDictionary>").replace(
        "<MiningSchema>", '<MiningSchema><MiningField name="t"/>'
    )
    with pytest.raises(InvalidModel, match="different orders"):
        load(artifact.encode())
