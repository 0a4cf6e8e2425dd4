"""Built-in functions of dates and times, from the standard's own definitions and examples."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.functions.datepatterns import date_writer
from tests.support.pmml_functions import REJECTED, Case, Given, answer, fixed, nothing

CASES: list[Case] = [
    ("dateDaysSinceYear", ("2003-04-01", fixed(1960)), 15796, "the standard's example"),
    ("dateDaysSinceYear", ("1960-01-01", fixed(1960)), 0, "the first day"),
    ("dateDaysSinceYear", ("1959-12-31", fixed(1960)), -1, "the day before"),
    ("dateDaysSinceYear", ("1960-12-31", fixed(1960)), 365, "a leap year"),
    ("dateDaysSinceYear", ("1900-03-01", fixed(1900)), 59, "no leap year"),
    ("dateDaysSinceYear", ("2000-03-01", fixed(2000)), 60, "a leap year of a full century"),
    ("dateDaysSinceYear", ("2000-02-29", fixed(1970)), 11016, "a leap day"),
    ("dateDaysSinceYear", ("1969-12-31T23:59:59", fixed(1970)), -1, "a moment before the year"),
    ("dateDaysSinceYear", ("0001-01-01", fixed(0)), 366, "year 0 is a leap year"),
    ("dateDaysSinceYear", (Given("date", "2003-04-01"), fixed(1970)), 12143, "a date"),
    ("dateDaysSinceYear", (Given("dateTime", "2003-04-01T23:59:59"), fixed(1960)), 15796, "a day"),
    ("dateDaysSinceYear", (Given("dateDaysSince[1960]", "15796"), fixed(1970)), 12143, "a count"),
    ("dateDaysSinceYear", ("soon", fixed(1960)), None, "no date"),
    ("dateDaysSinceYear", ("2001-02-29", fixed(1960)), None, "no day of that year"),
    (
        "dateSecondsSinceYear",
        ("1960-01-03T03:30:03", fixed(1960)),
        185403,
        "the standard's example",
    ),
    ("dateSecondsSinceYear", ("1969-12-31T23:59:59", fixed(1970)), -1, "a second before"),
    ("dateSecondsSinceYear", ("1970-01-01T00:00:00.9", fixed(1970)), 0, "whole seconds"),
    ("dateSecondsSinceYear", ("2000-02-29", fixed(2000)), 59 * 86400, "the midnight of a date"),
    ("dateSecondsSinceYear", (Given("date", "1960-01-02"), fixed(1960)), 86400, "a date"),
    ("dateSecondsSinceYear", ("0001-01-01T00:00:00+05:00", fixed(1960)), None, "before year 1"),
    ("dateSecondsSinceMidnight", ("05:23:30",), 19410, "the standard's example"),
    ("dateSecondsSinceMidnight", (Given("time", "23:59:59.9"),), 86399, "whole seconds"),
    ("dateSecondsSinceMidnight", (Given("dateTime", "1959-12-31T00:00:01"),), 1, "of any day"),
    ("dateSecondsSinceMidnight", (Given("timeSeconds", "61"),), 61, "a count"),
    ("formatDatetime", ("2004-08-20", fixed("%m/%d/%y")), "08/20/04", "the standard's example"),
    (
        "formatDatetime",
        (Given("date", "0099-03-01"), fixed("%Y %C %y")),
        "0099 00 99",
        "four digits",
    ),
    (
        "formatDatetime",
        (Given("dateTime", "1969-12-31T23:59:59"), fixed("%F %T")),
        "1969-12-31 23:59:59",
        "",
    ),
    (
        "formatDatetime",
        (Given("date", "2020-02-29"), fixed("%j %a %B %%")),
        "060 Sat February %",
        "",
    ),
    ("formatDatetime", (Given("time", "00:05:00"), fixed("%I:%M %p")), "12:05 AM", "a time"),
    ("formatDatetime", (Given("dateDaysSince[1960]", "15796"), fixed("%D")), "04/01/03", "a count"),
    (
        "formatDatetime",
        (Given("dateTimeSecondsSince[1970]", "9" * 20), fixed("%Y")),
        REJECTED,
        "no year",
    ),
    ("formatDatetime", ("soon", fixed("%Y")), None, "no date"),
]


@pytest.mark.parametrize(("function", "arguments", "expected", "why"), CASES)
def test_functions_of_dates(
    function: str, arguments: tuple[object, ...], expected: object, why: str
) -> None:
    found = answer(function, *arguments)
    assert (type(found), found) == (type(expected), expected), why


@pytest.mark.parametrize("data_type", ["string", "date", "dateTime"])
def test_a_missing_date_makes_the_result_missing(data_type: str) -> None:
    missing = nothing(data_type)
    assert answer("dateDaysSinceYear", missing, fixed(1960)) is None
    assert answer("dateSecondsSinceYear", missing, fixed(1960)) is None
    assert answer("dateSecondsSinceMidnight", missing) is None
    assert answer("formatDatetime", missing, fixed("%Y")) is None


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        ("dateDaysSinceYear", ("2003-04-01", 1960), "constant year"),
        ("dateDaysSinceYear", (5, fixed(1960)), "not a number"),
        ("dateSecondsSinceMidnight", (5.5,), "not a number"),
        ("formatDatetime", ("2003-04-01", "%Y"), "constant pattern"),
        ("formatDatetime", ("2003-04-01", fixed("%Z")), "%Z"),
        ("formatDatetime", ("2003-04-01", fixed("%")), "conversion % of"),
        ("formatDatetime", (Given("time", "00:00:00"), fixed("%Y")), "without a date"),
    ],
)
def test_what_is_not_evaluated_is_refused(
    function: str, arguments: tuple[object, ...], named: str
) -> None:
    with pytest.raises(UnsupportedModel, match=named):
        answer(function, *arguments)


@pytest.mark.parametrize("year", [-1, 10_000, 1960.5])
def test_a_year_that_is_none_is_refused(year: float) -> None:
    with pytest.raises(InvalidModel, match="year"):
        answer("dateDaysSinceYear", "2003-04-01", fixed(year))


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  # PMML has no zones
def test_conversions_write_as_posix_does_in_english(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    for conversion in "aAbBcdDeFgGhHIjmMnprRStTuUVwWxXyY%":
        wanted = moment.strftime(f"%{conversion}")
        assert date_writer(f"%{conversion}", clock=False)(moment) == wanted, conversion
    century = moment.year // 100
    assert date_writer("%C", clock=False)(moment) == f"{century:02d}"
    assert date_writer("[%H%%]", clock=True)(moment + timedelta(0)) == f"[{moment.hour:02d}%]"
