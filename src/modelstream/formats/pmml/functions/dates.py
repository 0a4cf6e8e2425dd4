"""Built-in functions of dates and times (DMG 4.4, Built-in functions: date and time functions)."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields import moments
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import cast, is_text, texts
from modelstream.formats.pmml.functions.base import Builtin, Call, Getter, depth_of
from modelstream.formats.pmml.functions.datepatterns import date_writer
from modelstream.formats.pmml.functions.text import map_rows
from modelstream.messages import Column

_YEAR_MAX = 9999


def date_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        "dateDaysSinceYear": Builtin(2, 2, _days_since_year),
        "dateSecondsSinceYear": Builtin(2, 2, _seconds_since_year),
        "dateSecondsSinceMidnight": Builtin(1, 1, _seconds_since_midnight),
        "formatDatetime": Builtin(2, 2, _format_datetime),
    }


def _days_since_year(call: Call) -> Compiled:
    return _since_year(call, lambda seconds: np.floor(seconds / moments.SECONDS_A_DAY))


def _seconds_since_year(call: Call) -> Compiled:
    return _since_year(call, np.floor)


def _since_year(call: Call, count: Callable[[Column], Column]) -> Compiled:
    year = call.arguments[1].constant
    if year is None or not isinstance(year[0], float):
        raise UnsupportedModel(f"function {call.name!r} is evaluated with a constant year only")
    if not (0.0 <= year[0] <= _YEAR_MAX and year[0].is_integer()):
        raise InvalidModel(f"function {call.name!r}: {year[0]} is not a year from 0 to {_YEAR_MAX}")
    first = moments.first_day(int(year[0])) * moments.SECONDS_A_DAY
    evaluate, source = _moment(call, "dateTime")

    def elapsed(batch: Batch) -> Column:
        return count(moments.to_seconds(evaluate(batch), source) - first)

    return Compiled("integer", elapsed, depth_of(call.arguments))


def _seconds_since_midnight(call: Call) -> Compiled:
    evaluate, source = _moment(call, "time")

    def seconds(batch: Batch) -> Column:
        column = evaluate(batch)
        if source not in moments.CLOCK:
            column = np.mod(moments.to_seconds(column, source), moments.SECONDS_A_DAY)
        return np.floor(column)

    return Compiled("integer", seconds, depth_of(call.arguments))


def _format_datetime(call: Call) -> Compiled:
    """Compile `formatDatetime(moment, pattern)`; the pattern is one of POSIX strftime."""
    pattern = call.arguments[1].constant
    if pattern is None or not isinstance(pattern[0], str):
        raise UnsupportedModel(
            "function 'formatDatetime' is evaluated with a constant pattern only"
        )
    evaluate, source = _moment(call, "dateTime")
    write = date_writer(pattern[0], clock=source in moments.CLOCK)

    def read(batch: Batch) -> Column:
        column = evaluate(batch)
        return column if source in moments.CLOCK else moments.to_seconds(column, source)

    def text(seconds: float) -> str:
        return write(moments.EPOCH + timedelta(seconds=seconds))

    return Compiled(
        "string",
        lambda batch: texts(map_rows(batch, [Getter(read)], text, strict=call.strict)),
        depth_of(call.arguments),
    )


def _moment(call: Call, read_as: DataType) -> tuple[Callable[[Batch], Column], DataType]:
    """Return what reads the first argument, and its type; a string is read as a moment."""
    argument = call.arguments[0]
    if is_text(argument.data_type):
        evaluate = argument.evaluate
        return (lambda batch: cast(evaluate(batch), "string", read_as)), read_as
    if argument.data_type in {"integer", "float", "double", "boolean"}:
        raise UnsupportedModel(f"function {call.name!r} needs a date or time, not a number")
    return argument.evaluate, argument.data_type
