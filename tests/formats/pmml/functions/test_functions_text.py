"""Built-in functions of strings, from the standard's own definitions and examples."""

import math

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml_functions import REJECTED, Case, Given, answer, fixed, given, nothing

STRINGS: list[Case] = [
    ("uppercase", ("aBc9",), "ABC9", "the standard's example"),
    ("uppercase", ("straße",), "STRASSE", "a letter can become two"),
    ("lowercase", ("aB'c9",), "ab'c9", "the standard's example"),
    ("lowercase", ("ÄÖ",), "äö", "of any script"),
    ("stringLength", ("aBc9",), 4, "characters"),
    ("stringLength", ("",), 0, "an empty string is no missing one"),
    ("stringLength", ("ä€",), 2, "characters, not bytes"),
    ("trimBlanks", ("  aBc9x   ",), "aBc9x", "the standard's example"),
    ("trimBlanks", (" a b ",), "a b", "blanks inside stay"),
    ("trimBlanks", ("   ",), "", "nothing but blanks"),
    ("substring", ("aBc9x", 2, 3), "Bc9", "the standard's example: the first position is 1"),
    ("substring", ("aBc9x", 1, 0), "", "no characters"),
    ("substring", ("aBc9x", 4, 9), "9x", "up to the end"),
    ("substring", ("aBc9x", 6, 1), "", "beyond the end"),
    ("substring", ("aBc9x", 2.0, 1.0), "B", "whole numbers of another type"),
    ("substring", ("aBc9x", 0, 1), REJECTED, "there is no position 0"),
    ("substring", ("aBc9x", -1, 1), REJECTED, "positions are positive"),
    ("substring", ("aBc9x", 1, -1), REJECTED, "lengths are not negative"),
    ("substring", ("aBc9x", math.inf, 1), REJECTED, "no position is infinite"),
    ("substring", (12345, 2, 2), "23", "of a number as it is written"),
    ("concat", ("2", "-", "2000"), "2-2000", "the standard's example"),
    ("concat", (2, "-", 2000), "2-2000", "whole numbers are written without a point"),
    ("concat", (2.5, True), "2.5true", "numbers and truths are written"),
    ("concat", (Given("date", "2020-02-29"), "!"), "2020-02-29!", "dates are written"),
    ("concat", ("", ""), "", "nothing"),
]
PATTERNS: list[Case] = [
    ("replace", ("BBBB", fixed("B+"), fixed("c")), "c", "the standard's example"),
    ("replace", ("aBBaB", fixed("B+"), fixed("c")), "acac", "each match"),
    ("replace", ("abc", fixed("x"), fixed("y")), "abc", "no match"),
    ("replace", ("xaby", fixed("(a)(b)"), fixed("$2$1")), "xbay", "groups, as XQuery writes them"),
    ("matches", ("January", fixed("ar?y")), True, "the standard's example"),
    ("matches", ("May", fixed("ar?y")), True, "the standard's example"),
    ("matches", ("April", fixed("ar?y")), False, "the standard's example"),
    ("matches", ("abcd", fixed("^abc$")), False, "anchors hold the whole string"),
    ("matches", ("", fixed("^$")), True, "an empty string"),
    ("formatNumber", (2, fixed("%3d")), "  2", "the standard's example"),
    ("formatNumber", (2.71828, fixed("%3d")), "  2", "a real number is cut off"),
    ("formatNumber", (-2.75, fixed("%i")), "-2", "towards zero"),
    ("formatNumber", (3.14159, fixed("%.2f")), "3.14", "decimals"),
    ("formatNumber", (3.14159, fixed("%08.3f")), "0003.142", "zeros in front"),
    ("formatNumber", (12345.678, fixed("%.3e")), "1.235e+04", "an exponent"),
    ("formatNumber", (0.5, fixed("~%.0f%%!")), "~0%!", "other characters stay"),
    ("formatNumber", ("7", fixed("%d")), "7", "a string is read as a number"),
    ("formatNumber", (math.inf, fixed("%d")), REJECTED, "no whole number is infinite"),
]


@pytest.mark.parametrize(("function", "arguments", "expected", "why"), STRINGS + PATTERNS)
def test_functions_of_strings(
    function: str, arguments: tuple[object, ...], expected: object, why: str
) -> None:
    found = answer(function, *arguments)
    assert (type(found), found) == (type(expected), expected), why


@pytest.mark.parametrize(
    ("function", "arguments"),
    sorted({case[0]: case[1] for case in STRINGS + PATTERNS}.items()),
)
def test_a_missing_argument_in_any_place_makes_the_result_missing(
    function: str, arguments: tuple[object, ...]
) -> None:
    for place, argument in enumerate(arguments):
        if not given(argument).fixed:
            without = [*arguments]
            without[place] = nothing(given(argument).data_type)
            assert answer(function, *without) is None


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        ("matches", ("a", "a"), "constant regular expression"),
        ("replace", ("a", "a", fixed("b")), "constant regular expression"),
        ("replace", ("a", fixed("a"), "b"), "constant replacement"),
        ("matches", ("a", fixed("(a+)+")), "repeats a group"),
        ("formatNumber", (1, fixed("%d %d")), "one constant printf"),
        ("formatNumber", (1, fixed("no number")), "one constant printf"),
        ("formatNumber", (1, fixed("%n")), "one constant printf"),
        ("formatNumber", (1, "%d"), "one constant printf"),
    ],
)
def test_a_pattern_that_is_not_evaluated_is_refused(
    function: str, arguments: tuple[object, ...], named: str
) -> None:
    with pytest.raises(UnsupportedModel, match=named):
        answer(function, *arguments)


def test_a_replacement_of_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidModel, match="replacement"):
        answer("replace", "a", fixed("a"), fixed("$3"))
