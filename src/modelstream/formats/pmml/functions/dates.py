"""Built-in functions of dates and times (DMG 4.4, Built-in functions: date and time functions)."""

from collections.abc import Callable

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml import moments
from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.functions.base import Builtin, Call, depth_of
from modelstream.formats.pmml.scope import Compiled
from modelstream.formats.pmml.values import cast, is_text
from modelstream.messages import Column


def date_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        "dateDaysSinceYear": Builtin(2, 2, _days_since_year),
        "dateSecondsSinceYear": Builtin(2, 2, _seconds_since_year),
        "dateSecondsSinceMidnight": Builtin(1, 1, _seconds_since_midnight),
    }


def _days_since_year(call: Call) -> Compiled:
    return _since_year(call, lambda days, first: np.floor(days) - first)


def _seconds_since_year(call: Call) -> Compiled:
    def seconds(days: Column, first: float) -> Column:
        return np.round((days - first) * moments.SECONDS_A_DAY)

    return _since_year(call, seconds)


def _since_year(call: Call, count: Callable[[Column, float], Column]) -> Compiled:
    year = call.arguments[1].constant
    if year is None or not isinstance(year[0], float):
        raise UnsupportedModel(f"function {call.name!r} is evaluated with a constant year only")
    first = moments.first_day(int(year[0]))
    evaluate, source = _moment(call, "dateTime")

    def elapsed(batch: Batch) -> Column:
        return count(moments.to_days(evaluate(batch), source), first)

    return Compiled("integer", elapsed, depth_of(call.arguments))


def _seconds_since_midnight(call: Call) -> Compiled:
    evaluate, source = _moment(call, "time")

    def seconds(batch: Batch) -> Column:
        column = evaluate(batch)
        if source in moments.CLOCK:
            return np.floor(column)
        days = moments.to_days(column, source)
        return np.round((days - np.floor(days)) * moments.SECONDS_A_DAY)

    return Compiled("integer", seconds, depth_of(call.arguments))


def _moment(call: Call, read_as: DataType) -> tuple[Callable[[Batch], Column], DataType]:
    """Return what reads the first argument, and its type; a string is read as a moment."""
    argument = call.arguments[0]
    if is_text(argument.data_type):
        evaluate = argument.evaluate
        return (lambda batch: cast(evaluate(batch), "string", read_as)), read_as
    if argument.data_type in {"integer", "float", "double", "boolean"}:
        raise UnsupportedModel(f"function {call.name!r} needs a date or time, not a number")
    return argument.evaluate, argument.data_type
