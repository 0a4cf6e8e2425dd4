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


def _compiled(pattern: str) -> re.Pattern[str]:
    if len(pattern) > PFA_PATTERN_CHARS_MAX or not _PLAIN.fullmatch(pattern):
        raise Fault(f"the pattern {pattern[:40]!r} is not evaluated, or is none", 35000)
    try:
        compiled = re.compile(pattern, re.ASCII)
    except re.error as error:
        raise Fault(f"unparseable pattern: {error}", 35000) from error
    if compiled.match(""):
        raise Fault(f"the pattern {pattern[:40]!r} finds nothing at all", 35000)
    return compiled


def _split(haystack: str, pattern: str) -> list[str]:
    parts = _compiled(pattern).split(haystack)
    if len(parts) == 1:
        return parts
    return parts[parts[0] == "" : len(parts) - (parts[-1] == "")]


def _replace(haystack: str, pattern: str, replacement: str) -> str:
    check_size(len(haystack) + (len(haystack) + 1) * len(replacement))
    return _compiled(pattern).sub(lambda _found: replacement, haystack)


def _of_text(name: str, result: str, rule: Callable[[str, str], Any]) -> LibraryFunction:
    return plain(f"re.{name}", f"(haystack: string, pattern: string) -> {result}", rule=rule)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _of_text("contains", "boolean", lambda text, p: _compiled(p).search(text) is not None),
    _of_text("split", "[string]", _split),
    plain(
        "re.replaceall",
        "(haystack: string, pattern: string, replacement: string) -> string",
        rule=_replace,
    ),
)
