"""Strings (PFA 0.8.1, s.*)."""

import re
from collections.abc import Callable
from typing import Any

from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.arrays import span
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import WHOLE

_HAYSTACK = "(haystack: string, needle: string) -> {}"
_REPLACE = "(s: string, original: string, replacement: string) -> string"
_STRIP = "(s: string, chars: string) -> string"
# Numbers in between are written without an exponent, unless a call says otherwise.
_PLAIN_FROM, _PLAIN_TO = 0.0001, 100_000.0


def _substr_to(s: str, start: int, end: int, replacement: str) -> str:
    first, last = span(len(s), start, end)
    return s[:first] + replacement + s[last:]


def _join(array: list[str], sep: str) -> str:
    check_size(sum(map(len, array)) + len(sep) * len(array))
    return sep.join(array)


def _split(s: str, sep: str) -> list[str]:
    return s.split(sep) if sep else []


def _concat(x: str, y: str) -> str:
    check_size(len(x) + len(y))
    return x + y


def _repeat(s: str, n: int) -> str:
    check_size(len(s) * max(n, 0))
    return s * n


def _replace(s: str, original: str, replacement: str) -> str:
    check_size(len(s) + (len(s) + 1) * len(replacement))
    return s.replace(original, replacement)


def _replace_last(s: str, original: str, replacement: str) -> str:
    before, found, after = s.rpartition(original) if original else (s, "", "")
    if original and not found:
        return s
    return before + replacement + after


def _translate(s: str, old: str, new: str) -> str:
    table = {ord(char): new[at : at + 1] for at, char in reversed(list(enumerate(old)))}
    return s.translate(table)


def _padded(text: str, width: int, zero_pad: bool, code: int) -> str:
    """Pad a whole number to a width, of which a negative one pads on the right."""
    check_size(abs(width))
    if width == 0:
        return ""
    if zero_pad:
        if width < 0:
            raise Fault("negative width cannot be used with zero-padding", code)
        return text.zfill(width)
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _whole(letter: str, code: int) -> Rule:
    def rule(x: int, width: int | None = None, zero_pad: bool = False) -> str:
        if letter == "x" and x < 0:
            raise Fault("negative number", code + 1)
        text = format(x, letter)
        return text if width is None else _padded(text, width, zero_pad, code)

    return rule


def _number(call: Call) -> Rule:
    return _whole("d", 39120) if call.params[0] in WHOLE else _real


def _real(
    x: float,
    width: int | None,
    precision: int | None,
    low: float = _PLAIN_FROM,
    high: float = _PLAIN_TO,
) -> str:
    if precision is not None and precision < 0:
        raise Fault("negative precision", 39121)
    check_size(max(abs(width or 0), precision or 0))
    x = x or 0.0  # zero has no sign
    letter = "f" if x == 0.0 or low <= abs(x) <= high else "e"
    text = format(x, f".{6 if precision is None else precision}{letter}")
    if precision is None:
        text = re.sub(r"(\.[0-9]+?)0+(?=$|e)", r"\1", text)
    if width is None:
        return text
    if width == 0 and precision is None and text != format(x, f".6{letter}"):
        return ""
    return text.ljust(-width) if width < 0 else text.rjust(width)


def _search(name: str, result: str, rule: Callable[[str, str], Any]) -> LibraryFunction:
    return plain(f"s.{name}", _HAYSTACK.format(result), rule=rule)


_PADDED = ("(x: long) -> string", "(x: long, width: int, zeroPad: boolean) -> string")
_REAL = "x: double, width: int|null, precision: int|null"
FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain("s.len", "(s: string) -> int", rule=len),
    plain(
        "s.substr",
        "(s: string, start: int, end: int) -> string",
        rule=lambda s, start, end: s[slice(*span(len(s), start, end))],
    ),
    plain(
        "s.substrto",
        "(s: string, start: int, end: int, replacement: string) -> string",
        rule=_substr_to,
    ),
    _search("contains", "boolean", lambda s, needle: needle in s),
    _search("count", "int", lambda s, needle: s.count(needle) if needle else 0),
    _search("index", "int", lambda s, needle: s.find(needle)),
    _search("rindex", "int", lambda s, needle: s.rfind(needle)),
    _search("startswith", "boolean", lambda s, needle: s.startswith(needle)),
    _search("endswith", "boolean", lambda s, needle: s.endswith(needle)),
    plain("s.join", "(array: [string], sep: string) -> string", rule=_join),
    plain("s.split", "(s: string, sep: string) -> [string]", rule=_split),
    plain("s.hex", *_PADDED, rule=_whole("x", 39110)),
    plain("s.int", *_PADDED, rule=_whole("d", 39240)),
    LibraryFunction(
        "s.number",
        (
            *_PADDED,
            f"({_REAL}) -> string",
            f"({_REAL}, minNoExp: double, maxNoExp: double) -> string",
        ),
        _number,
    ),
    plain("s.concat", "(x: string, y: string) -> string", rule=_concat),
    plain("s.repeat", "(s: string, n: int) -> string", rule=_repeat),
    plain("s.lower", "(s: string) -> string", rule=lambda s: s.lower()),
    plain("s.upper", "(s: string) -> string", rule=lambda s: s.upper()),
    plain("s.lstrip", _STRIP, rule=lambda s, chars: s.lstrip(chars)),
    plain("s.rstrip", _STRIP, rule=lambda s, chars: s.rstrip(chars)),
    plain("s.strip", _STRIP, rule=lambda s, chars: s.strip(chars)),
    plain("s.replaceall", _REPLACE, rule=_replace),
    plain("s.replacefirst", _REPLACE, rule=lambda s, old, new: s.replace(old, new, 1)),
    plain("s.replacelast", _REPLACE, rule=_replace_last),
    plain(
        "s.translate", "(s: string, oldchars: string, newchars: string) -> string", rule=_translate
    ),
)
