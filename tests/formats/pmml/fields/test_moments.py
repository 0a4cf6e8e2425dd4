"""Dates and times as numbers, and back."""

from datetime import date, datetime, timedelta
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields import moments
from modelstream.formats.pmml.fields.values import cast

EPOCHS = {"[0]": -719528, "[1960]": -3653, "[1970]": 0, "[1980]": 3652}
LATER = {"[1990]": 7305, "[2000]": 10957, "[2010]": 14610, "[2020]": 18262}


@given(st.dates())
def test_dates_are_days_and_come_back(day: date) -> None:
    days = moments.parse(day.isoformat(), "date")
    assert days == (day - date(1970, 1, 1)).days
    assert moments.write(days, "date") == day.isoformat()


@given(st.datetimes(min_value=datetime(1000, 1, 1)))  # noqa: DTZ001 - PMML has no zones
def test_moments_are_seconds_and_come_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    seconds = moments.parse(whole.isoformat(), "dateTime")
    assert seconds == (whole - datetime(1970, 1, 1)) / timedelta(seconds=1)  # noqa: DTZ001
    assert moments.write(seconds, "dateTime") == whole.isoformat()


@pytest.mark.parametrize(
    ("prefix", "suffix", "first"),
    [("", *epoch) for epoch in EPOCHS.items()] + [("x-", *epoch) for epoch in LATER.items()],
)
def test_counts_begin_with_their_year(prefix: str, suffix: str, first: int) -> None:
    days: DataType = f"{prefix}dateDaysSince{suffix}"  # type: ignore[assignment]
    seconds: DataType = f"{prefix}dateTimeSecondsSince{suffix}"  # type: ignore[assignment]
    assert {days, seconds} <= set(get_args(DataType))
    assert moments.parse("1970-01-01", days) == -first
    assert moments.parse("1970-01-01T00:00:05", seconds) == -first * 86400 + 5
    assert cast(np.array([0.0]), "date", days).tolist() == [-first]
    assert cast(np.array([0.0]), days, "date").tolist() == [first]
    assert cast(np.array([86399.0]), "dateTime", days).tolist() == [-first]


def test_times_count_from_midnight_and_counts_are_counts() -> None:
    assert moments.parse("01:02:03.5", "time") == 3723.5
    assert moments.parse("3600", "timeSeconds") == 3600.0
    assert moments.write(3723.0, "time") == "01:02:03"
    assert moments.write(7.0, "dateDaysSince[1960]") == "7"


def test_a_moment_in_no_year_is_missing() -> None:
    assert moments.write(1e12, "date") is None
    assert moments.write(-1e300, "dateTime") is None


@pytest.mark.parametrize("text", ["", "yesterday", "2020-13-01", "25:00:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    types: tuple[DataType, ...] = ("date", "dateTime", "time", "dateDaysSince[1960]")
    for data_type in types:
        with pytest.raises(ValueError):
            moments.parse(text, data_type)
