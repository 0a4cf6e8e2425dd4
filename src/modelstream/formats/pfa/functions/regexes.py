"""Regular expressions (PFA 0.8.1, re.*): only those that no text can make slow.

PFA means POSIX's; Python's agree where a pattern is a row of characters, sets of them and classes
of them, of which one may be repeated. Others are refused.
"""

import re
from collections.abc import Callable
from typing import Any

from modelstream.formats.limits import PFA_PATTERN_CHARS_MAX
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.library import LibraryFunction, plain

_ATOM = r"(?:[^\\\[\](){}*+?^$|]|\\[^0-9A-Za-z]|\\[dDsSwWtnr]|\[\^?[^\[\]\\]+\])"
# One atom alone may be repeated: then a search takes one pass from each character at most.
_PLAIN = re.compile(rf"\^?{_ATOM}*(?:{_ATOM}[*+?])?{_ATOM}*\$?")


Pattern = re.Pattern[str]


def _compiled(pattern: str, code: int) -> Pattern:
    if len(pattern) > PFA_PATTERN_CHARS_MAX or not _PLAIN.fullmatch(pattern):
        raise Fault(f"the pattern {pattern[:40]!r} is not evaluated, or is none", code)
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error as error:
        raise Fault(f"unparseable pattern: {error}", code) from error
    if compiled.match(""):
        raise Fault(f"the pattern {pattern[:40]!r} finds nothing at all", code)
    return compiled


def _first(pattern: Pattern, text: str) -> str | None:
    found = pattern.search(text)
    return None if found is None else found.group()


def _split(pattern: Pattern, text: str) -> list[str]:
    parts = pattern.split(text)
    if len(parts) == 1:
        return parts
    return parts[parts[0] == "" : len(parts) - (parts[-1] == "")]


def _replace_all(pattern: Pattern, text: str, new: str) -> str:
    check_size(len(text) + (len(text) + 1) * len(new))
    return pattern.sub(lambda _found: new, text)


def _replace_last(pattern: Pattern, text: str, new: str) -> str:
    last = None
    for found in pattern.finditer(text):
        last = found
    return text if last is None else text[: last.start()] + new + text[last.end() :]


def _of_text(
    name: str, code: int, result: str, rule: Callable[[Pattern, str], Any]
) -> LibraryFunction:
    return plain(
        f"re.{name}",
        f"(haystack: string, pattern: string) -> {result}",
        rule=lambda text, pattern: rule(_compiled(pattern, code), text),
    )


def _replacing(name: str, code: int, rule: Callable[[Pattern, str, str], str]) -> LibraryFunction:
    return plain(
        f"re.{name}",
        "(haystack: string, pattern: string, replacement: string) -> string",
        rule=lambda text, pattern, new: rule(_compiled(pattern, code), text, new),
    )


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _of_text("contains", 35010, "boolean", lambda p, text: p.search(text) is not None),
    _of_text("count", 35020, "int", lambda p, text: len(p.findall(text))),
    _of_text("findall", 35060, "[string]", lambda p, text: p.findall(text)),
    _of_text("findfirst", 35070, "string|null", _first),
    _replacing("replacefirst", 35110, lambda p, text, new: p.sub(lambda _found: new, text, 1)),
    _replacing("replacelast", 35120, _replace_last),
    _of_text("split", 35130, "[string]", _split),
    _replacing("replaceall", 35140, _replace_all),
)
