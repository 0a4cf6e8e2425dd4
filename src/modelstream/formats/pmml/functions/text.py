"""Built-in functions of strings (DMG 4.4, Built-in functions: string functions).

Each distinct combination of arguments of a batch is computed once.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import Declined, Twin, applied
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import texts
from modelstream.formats.pmml.functions.base import Builtin, Call, Getter, finish, getter
from modelstream.formats.pmml.functions.patterns import Pattern, compile_pattern, replacement
from modelstream.messages import Column

# One conversion of a number, with other characters around it; two percent signs are one.
_NUMBER_FORMAT = re.compile(r"([^%]|%%)*%[-+ 0#]*\d{0,3}(\.\d{1,2})?(?P<kind>[difeEgGs])([^%]|%%)*")


def text_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        "uppercase": Builtin(1, 1, _strings(str.upper)),
        "lowercase": Builtin(1, 1, _strings(str.lower)),
        "trimBlanks": Builtin(1, 1, _strings(str.strip)),
        "concat": Builtin(2, None, _strings(_concat)),
        "stringLength": Builtin(1, 1, _length),
        "substring": Builtin(3, 3, _substring),
        "matches": Builtin(2, 2, _matches),
        "replace": Builtin(3, 3, _replace),
        "formatNumber": Builtin(2, 2, _format_number),
    }


def map_rows(
    batch: Batch, getters: list[Getter], function: Callable[..., Any], *, strict: bool
) -> list[Any]:
    """Return the function of each row's values, None where one is missing.

    Where the function raises ValueError the result is missing; if strict, the row is rejected.
    """
    known: dict[tuple[Any, ...], Any] = {}
    results = []
    columns = [_spread(get(batch), batch.rows) for get in getters]
    for row, values in enumerate(zip(*columns, strict=True)):
        if values not in known:
            known[values] = _call(function, values)
        result = known[values]
        if isinstance(result, ValueError):
            if strict:
                batch.reject(row, str(result))
            result = None
        results.append(result)
    return results


def _call(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    if any(value is None or value != value for value in values):  # noqa: PLR0124  # NaN
        return None
    try:
        return function(*values)
    except ValueError as error:
        return error
    except OverflowError:  # of an infinite number, where a whole one is due
        return ValueError(f"a function of strings has no value for {values!r:.80}")


def _spread(value: Any, rows: int) -> list[Any]:
    if isinstance(value, np.ndarray):
        items: list[Any] = value.tolist()
        return items
    return [value] * rows


def _strings(function: Callable[..., str]) -> Callable[[Call], Compiled]:
    """Return how a function of strings that gives a string is compiled."""

    def compile_call(call: Call) -> Compiled:
        getters = [getter(argument, "string") for argument in call.arguments]
        return _finish_text(call, getters, function)

    return compile_call


def _finish_text(call: Call, getters: list[Getter], function: Callable[..., str]) -> Compiled:
    row = _row(call, getters, function)
    return finish(call, "string", _text_rows(call, getters, function), row)


def _row(
    call: Call, getters: list[Getter], function: Callable[..., Any], nothing: float | None = None
) -> Twin:
    """Return the twin of a function of strings; a row that it rejects is declined."""

    def compute(*given: Any) -> Any:
        result = _call(function, given)
        if isinstance(result, ValueError) and call.strict:
            raise Declined
        return nothing if result is None or isinstance(result, ValueError) else result

    return applied([get.row for get in getters], compute)


def _text_rows(
    call: Call, getters: list[Getter], function: Callable[..., str]
) -> Callable[[Batch], Column]:
    return lambda batch: texts(map_rows(batch, getters, function, strict=call.strict))


def _finish_number(
    call: Call, data_type: DataType, getters: list[Getter], function: Callable[..., float]
) -> Compiled:
    def evaluate(batch: Batch) -> Column:
        return np.array(map_rows(batch, getters, function, strict=call.strict), np.float64)

    row = _row(call, getters, lambda *given: float(function(*given)), np.nan)
    return finish(call, data_type, evaluate, row)


def _concat(*parts: str) -> str:
    if sum(map(len, parts)) > limits.PMML_STRING_CHARS_MAX:
        raise ValueError(
            f"function 'concat' gives more than {limits.PMML_STRING_CHARS_MAX} characters"
        )
    return "".join(parts)


def _length(call: Call) -> Compiled:
    return _finish_number(call, "integer", [getter(call.arguments[0], "string")], len)


def _substring(call: Call) -> Compiled:
    text, start, length = call.arguments
    getters = [getter(text, "string"), getter(start, "integer"), getter(length, "integer")]

    def cut(value: str, position: float, count: float) -> str:
        if position < 1 or count < 0:
            raise ValueError(f"function 'substring' has no characters {position:g} to +{count:g}")
        first = int(position) - 1  # the first character has position 1
        return value[first : first + int(count)]

    return _finish_text(call, getters, cut)


def _declared_pattern(call: Call) -> Pattern:
    pattern = call.arguments[1].constant
    if pattern is None or not isinstance(pattern[0], str):
        raise UnsupportedModel(
            f"function {call.name!r} is evaluated with a constant regular expression only"
        )
    return compile_pattern(pattern[0])


def _bounded(pattern: Pattern, value: str) -> str:
    if len(value) > pattern.chars:
        raise ValueError(
            f"a text of {len(value)} characters is too long for its regular expression, "
            f"which is safe up to {pattern.chars}"
        )
    return value


def _matches(call: Call) -> Compiled:
    pattern = _declared_pattern(call)

    def search(value: str) -> float:
        return float(pattern.compiled.search(_bounded(pattern, value)) is not None)

    return _finish_number(call, "boolean", [getter(call.arguments[0], "string")], search)


def _replace(call: Call) -> Compiled:
    pattern = _declared_pattern(call)
    given = call.arguments[2].constant
    if given is None or not isinstance(given[0], str):
        raise UnsupportedModel("function 'replace' is evaluated with a constant replacement only")
    template = replacement(given[0])
    try:
        pattern.compiled.sub(template, "")
    except (re.error, IndexError) as error:
        raise InvalidModel(f"replacement {given[0]!r:.80}: {error}") from None

    def substitute(value: str) -> str:
        result = pattern.compiled.sub(template, _bounded(pattern, value))
        return _concat(result)

    return _finish_text(call, [getter(call.arguments[0], "string")], substitute)


def _format_number(call: Call) -> Compiled:
    """Compile `formatNumber(number, pattern)`; the pattern is one of C's printf."""
    pattern = call.arguments[1].constant
    template = None if pattern is None else pattern[0]
    if not isinstance(template, str) or not (format_ := _NUMBER_FORMAT.fullmatch(template)):
        raise UnsupportedModel(
            "function 'formatNumber' is evaluated with one constant printf conversion of a number"
        )
    whole = format_["kind"] in "di"

    def write(value: float) -> str:
        return template % (int(value) if whole else value)

    return _finish_text(call, [getter(call.arguments[0], "double")], write)
