"""Built-in functions of numbers, from the standard's own definitions (DMG 4.4, Built-in functions).

The standard says that they follow XQuery's, whose numbers are those of IEEE 754.
"""

import math

import pytest

from tests.support.pmml_functions import REJECTED, Case, Given, answer, given, nothing

INF = math.inf
ARITHMETIC: list[Case] = [
    ("+", (1, 2), 3, "the sum of whole numbers is whole"),
    ("+", (1, 2.5), 3.5, "of others it is not"),
    ("-", (2.5, 4.0), -1.5, "the standard's example"),
    ("-", (1, 2), -1, "below zero"),
    ("*", (3, 2.5), 7.5, "whole times real is real"),
    ("*", (True, 3), 3, "a truth counts as one"),
    ("/", (7, 2), 3.5, "whole numbers are not divided with a remainder"),
    ("/", (6, 3), 2.0, "a quotient is real even where it is whole"),
    ("/", (1.0, 0.0), INF, "IEEE 754"),
    ("/", (-1.0, 0.0), -INF, "IEEE 754"),
    ("/", (0.0, 0.0), REJECTED, "no number"),
    ("/", (1, 0), REJECTED, "no whole number is divided by zero"),
    ("+", ("3", 4), 7.0, "a string is read as a number"),
    ("+", (Given("float", 0.5), Given("float", 0.25)), 0.75, "single precision"),
    ("modulo", (7, 3), 1, "the remainder"),
    ("modulo", (-7, 3), 2, "has the sign of the divisor"),
    ("modulo", (7, -3), -2, "has the sign of the divisor"),
    ("modulo", (-7, -3), -1, "has the sign of the divisor"),
    ("modulo", (4.5, 1.5), 0.0, "of real numbers"),
    ("modulo", (5.5, 2), 1.5, "of mixed numbers"),
    ("modulo", (7, 0), REJECTED, "there is no remainder"),
    ("x-modulo", (-7, 3), 2, "spelled as before PMML 4.4"),
    ("pow", (2, 10), 1024.0, "a power is real"),
    ("pow", (2, -1), 0.5, "of a whole number, too"),
    ("pow", (0, 0), 1.0, "the standard says so"),
    ("pow", (2.25, 0.5), 1.5, "a root"),
    ("pow", (-8.0, 0.5), REJECTED, "no real root"),
    ("threshold", (3, 2), 1, "above"),
    ("threshold", (2.0, 2.0), 0, "not above"),
    ("threshold", (1, 2), 0, "below"),
    ("hypot", (3, 4), 5.0, "the hypotenuse"),
    ("atan2", (1.0, 1.0), math.pi / 4, "y comes first"),
    ("atan2", (-1.0, 0.0), -math.pi / 2, "of all four quadrants"),
]
OF_ONE: list[Case] = [
    ("abs", (-3,), 3, "whole stays whole"),
    ("abs", (-2.5,), 2.5, "real stays real"),
    ("floor", (-1.5,), -2, "the greatest whole number not above"),
    ("floor", (2,), 2, "itself"),
    ("ceil", (-1.5,), -1, "the least whole number not below"),
    ("ceil", (1.000001,), 2, "the least whole number not below"),
    ("round", (2.5,), 3, "halves upwards"),
    ("round", (-2.5,), -2, "halves upwards below zero, too"),
    ("round", (-2.500001,), -3, "the nearest"),
    ("round", (0.49999999999999994,), 0, "the greatest number below a half"),
    ("round", (4503599627370497.5,), 4503599627370498, "where halves are the last fractions"),
    ("rint", (2.5,), 2.0, "halves to the even number, and real"),
    ("rint", (3.5,), 4.0, "halves to the even number"),
    ("rint", (-2.5,), -2.0, "halves to the even number"),
    ("sqrt", (2.25,), 1.5, ""),
    ("sqrt", (4,), 2.0, "real of whole"),
    ("sqrt", (-1.0,), REJECTED, "no real root"),
    ("exp", (0,), 1.0, ""),
    ("exp", (1000.0,), INF, "beyond the greatest number"),
    ("expm1", (1e-9,), math.expm1(1e-9), "exact near zero"),
    ("ln", (math.e,), 1.0, ""),
    ("ln", (0.0,), -INF, "IEEE 754"),
    ("ln", (-1.0,), REJECTED, "no logarithm"),
    ("ln1p", (1e-9,), math.log1p(1e-9), "exact near zero"),
    ("ln1p", (-2.0,), REJECTED, "no logarithm"),
    ("log10", (1000.0,), 3.0, ""),
    ("log10", (-10.0,), REJECTED, "no logarithm"),
    ("sin", (0.5,), math.sin(0.5), ""),
    ("cos", (0.5,), math.cos(0.5), ""),
    ("tan", (0.5,), math.tan(0.5), ""),
    ("asin", (0.5,), math.asin(0.5), ""),
    ("asin", (2.0,), REJECTED, "no angle"),
    ("acos", (0.5,), math.acos(0.5), ""),
    ("acos", (-2.0,), REJECTED, "no angle"),
    ("atan", (0.5,), math.atan(0.5), ""),
    ("sinh", (0.5,), math.sinh(0.5), ""),
    ("cosh", (0.5,), math.cosh(0.5), ""),
    ("tanh", (0.5,), math.tanh(0.5), ""),
    ("erf", (0.5,), math.erf(0.5), ""),
    ("x-sin", (0.5,), math.sin(0.5), "spelled as before PMML 4.4"),
    ("x-rint", (0.5,), 0.0, "spelled as before PMML 4.4"),
    ("x-ln1p", (0,), 0.0, "spelled as before PMML 4.4"),
]
DISTRIBUTIONS: list[Case] = [
    ("stdNormalCDF", (1.96,), 0.9750021048517795, "a table's value"),
    ("stdNormalPDF", (0,), 0.3989422804014327, "1 / sqrt(2 pi)"),
    ("stdNormalIDF", (0.975,), 1.959963984540054, "a table's value"),
    ("stdNormalIDF", (0.5,), 0.0, "the middle"),
    ("stdNormalIDF", (1.0,), REJECTED, "no quantile"),
    ("stdNormalIDF", (0.0,), REJECTED, "no quantile"),
    ("normalCDF", (3.0, 1.0, 2.0), 0.8413447460685429, "x, mean, deviation"),
    ("normalPDF", (3.0, 1.0, 2.0), 0.12098536225957168, "x, mean, deviation"),
    ("normalIDF", (0.975, 1.0, 2.0), 4.919927969080108, "p, mean, deviation"),
    ("normalCDF", (3.0, 1.0, 0.0), REJECTED, "a deviation is above zero"),
    ("normalPDF", (3.0, 1.0, -1.0), REJECTED, "a deviation is above zero"),
    ("normalIDF", (0.5, 1.0, 0.0), REJECTED, "a deviation is above zero"),
]
NO = nothing()
DAY, NO_DAY = Given("date", "2020-02-29"), nothing("date")
AGGREGATES: list[Case] = [
    ("min", (2.5, 4.0, 1.5), 1.5, "the standard's example"),
    ("min", (3, 2), 2, "whole of whole"),
    ("max", (3, 2.5), 3.0, "real of mixed"),
    ("sum", (1, 2, 3), 6, "whole of whole"),
    ("sum", (True, True), 2, "truths are counted"),
    ("sum", (1, 2.5), 3.5, "real of mixed"),
    ("product", (2, 3, 4), 24, "whole of whole"),
    ("product", (2, 0.5), 1.0, "real of mixed"),
    ("avg", (1, 2), 1.5, "an average is real"),
    ("avg", (4,), 4.0, "of one"),
    ("median", (9, 1, 2), 2.0, "the middle one"),
    ("median", (4, 1, 2, 9), 3.0, "between the middle ones"),
    ("min", (NO, 4.0, 1.5), 1.5, "missing values are ignored"),
    ("max", (2.5, NO), 2.5, "missing values are ignored"),
    ("sum", (NO, 1.5, NO), 1.5, "missing values are ignored"),
    ("product", (3.0, NO), 3.0, "missing values are ignored"),
    ("avg", (1.0, NO, 2.0), 1.5, "and not counted"),
    ("median", (NO, 1.0, 2.0, 9.0), 2.0, "and not counted"),
    ("min", (DAY, Given("date", "2019-12-31")), "2019-12-31", "the earliest day is a day"),
    ("max", (DAY, NO_DAY), "2020-02-29", "the latest that is there"),
]
CASES = ARITHMETIC + OF_ONE + DISTRIBUTIONS + AGGREGATES


@pytest.mark.parametrize(("function", "arguments", "expected", "why"), CASES)
def test_functions_of_numbers(
    function: str, arguments: tuple[object, ...], expected: object, why: str
) -> None:
    found = answer(function, *arguments)
    assert type(found) is type(expected), why
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-14, abs=1e-15), why
    else:
        assert found == expected, why


@pytest.mark.parametrize(
    ("function", "arguments"),
    sorted({case[0]: case[1] for case in ARITHMETIC + OF_ONE + DISTRIBUTIONS}.items()),
)
def test_a_missing_argument_in_any_place_makes_the_result_missing(
    function: str, arguments: tuple[object, ...]
) -> None:
    for place in range(len(arguments)):
        without = [*arguments]
        without[place] = nothing(given(arguments[place]).data_type)
        assert answer(function, *without) is None


@pytest.mark.parametrize("function", ["min", "max", "sum", "avg", "median", "product"])
def test_an_aggregate_of_nothing_is_missing(function: str) -> None:
    assert answer(function, NO, NO) is None


@pytest.mark.parametrize(
    ("function", "arguments"), [("ln", (-1.0,)), ("/", (0.0, 0.0)), ("modulo", (1, 0))]
)
def test_a_result_that_is_no_number_is_treated_as_declared(
    function: str, arguments: tuple[object, ...]
) -> None:
    for treatment in ("asMissing", "asIs"):
        attributes = f'invalidValueTreatment="{treatment}"'
        assert answer(function, *arguments, attributes=attributes) is None
    assert answer(function, *arguments, attributes='defaultValue="5"') == 5
    assert answer(function, *arguments, attributes='mapMissingTo="5"') is REJECTED


def test_a_default_stands_in_for_a_missing_result_and_a_map_for_missing_arguments() -> None:
    assert answer("+", 1, nothing("integer"), attributes='defaultValue="5"') == 5
    assert answer("+", 1, nothing("integer"), attributes='mapMissingTo="6"') == 6
    both = 'defaultValue="5" mapMissingTo="6"'
    assert answer("+", 1, nothing("integer"), attributes=both) == 6
    assert answer("min", 1, nothing("integer"), attributes=both) == 6
