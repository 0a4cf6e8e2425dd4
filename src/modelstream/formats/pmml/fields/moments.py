"""Dates and times as numbers: what the units are, and how they are read, written and converted.

date counts days and dateTime seconds from 1970-01-01; time and timeSeconds count seconds from
midnight; dateDaysSince[y] and dateTimeSecondsSince[y] count from the first day of that year.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import numpy as np

from modelstream.formats.pmml.elements.base import DataType
from modelstream.messages import Column

SECONDS_A_DAY = 86_400.0
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # PMML's dates and times bear no zone

DAYS = frozenset({"date"})
CLOCK = frozenset({"time", "timeSeconds"})


_WRITTEN: dict[DataType, Callable[[datetime], str]] = {
    "date": lambda moment: moment.date().isoformat(),
    "dateTime": lambda moment: moment.isoformat(),
    "time": lambda moment: moment.time().isoformat(),
}


def epoch_day(data_type: DataType) -> float:
    """Return the day, counted from 1970-01-01, at which a type that bears dates begins."""
    year = re.search(r"\[(\d+)\]", data_type)
    return 0.0 if year is None else first_day(int(year.group(1)))


def first_day(year: int) -> float:
    """Return the first day of a year, counted from 1970-01-01."""
    return float(np.datetime64(f"{year:04d}-01-01", "D").astype(np.int64))


def counts_days(data_type: DataType) -> bool:
    """Tell whether the unit is a day."""
    return data_type == "date" or "dateDaysSince" in data_type


def parse(text: str, data_type: DataType) -> float:
    """Read an ISO 8601 date or time, or a plain count. Raises ValueError."""
    word = text.strip()
    if data_type not in {"date", "time", "dateTime"} and re.fullmatch(r"[+-]?\d+(\.\d+)?", word):
        return float(word)
    if data_type in CLOCK:
        clock = time.fromisoformat(word)
        return clock.hour * 3600.0 + clock.minute * 60.0 + clock.second + clock.microsecond / 1e6
    moment = datetime.fromisoformat(word)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    seconds = (moment - EPOCH) / timedelta(seconds=1)
    if counts_days(data_type):
        return seconds // SECONDS_A_DAY - epoch_day(data_type)
    return seconds - epoch_day(data_type) * SECONDS_A_DAY


def write(value: float, data_type: DataType) -> str | None:
    """Write a value as ISO 8601, or as a plain count for types that are one.

    None: it is in no year from 1 to 9999.
    """
    unit = SECONDS_A_DAY if data_type == "date" else 1.0
    try:
        if data_type not in _WRITTEN:
            return str(int(value))
        return _WRITTEN[data_type](EPOCH + timedelta(seconds=value * unit))
    except OverflowError:
        return None


def convert(column: Column, source: DataType, target: DataType) -> Column:
    """Return a column of one date or time type as another; plain numbers are counts already."""
    if not _bears_date(source) or not _bears_date(target):
        return column
    days = to_days(column, source)
    if counts_days(target):
        return np.floor(days) - epoch_day(target)
    return (days - epoch_day(target)) * SECONDS_A_DAY


def to_seconds(column: Column, data_type: DataType) -> Column:
    """Return the seconds since 1970-01-01, exact for whole counts."""
    unit = SECONDS_A_DAY if counts_days(data_type) else 1.0
    return column * unit + epoch_day(data_type) * SECONDS_A_DAY


def to_days(column: Column, data_type: DataType) -> Column:
    """Return the days since 1970-01-01, with fractions for types that bear a time."""
    unit = 1.0 if counts_days(data_type) else SECONDS_A_DAY
    return column / unit + epoch_day(data_type)


def _bears_date(data_type: DataType) -> bool:
    return "date" in data_type
