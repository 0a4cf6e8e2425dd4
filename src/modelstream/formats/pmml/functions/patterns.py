r"""Regular expressions that cannot hang: which are accepted, and how long a text each may see.

A pattern comes with a model and a text with a record, so neither is trusted, and Python's engine
backtracks. Its work on a text of n characters is bounded by (ways) * n ** (1 + unbounded), where
`unbounded` counts the repeats without an upper limit and `ways` multiplies what the others can
do. Repeats of a group (`(a+)+`), look-around and back-references have no such bound and are
refused; the bound gives every other pattern its longest text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits

_TOKEN = re.compile(
    r"""
    (?P<escape>\\.)
  | (?P<class>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])
  | (?P<open>\((?:\?:|\?P?<[A-Za-z]\w*>|(?!\?)))
  | (?P<flags>\(\?u\))
  | (?P<close>\))
  | (?P<repeat>(?:[*+?]|\{\d*,?\d*\})\??)
  | (?P<or>\|)
  | (?P<atom>[^\\\[\]()*+?{}|])
    """,
    re.VERBOSE | re.DOTALL,
)
_BACKREFERENCE = re.compile(r"\\[1-9kg]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is safe on texts of up to `chars` characters."""

    compiled: re.Pattern[str]
    chars: int


def compile_pattern(source: str) -> Pattern:
    """Return a pattern with its bound. Raises UnsupportedModel for one that could hang."""
    ways, unbounded = _cost(source)
    chars = int((limits.PMML_PATTERN_STEPS_MAX / ways) ** (1.0 / (1 + unbounded)))
    if chars < limits.PMML_PATTERN_TEXT_CHARS_MIN:
        raise UnsupportedModel(
            f"regular expression {source!r:.80} can take too many steps; use fewer repeats"
        )
    try:
        compiled = re.compile(source)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidModel(f"regular expression {source!r:.80}: {error}") from None
    return Pattern(compiled, min(chars, limits.PMML_STRING_CHARS_MAX))


def replacement(source: str) -> str:
    """Return a replacement text (`$1` for a group) as Python writes it."""
    escaped = source.replace("\\", "\\\\")
    return re.sub(r"\$(\d+)", r"\\g<\1>", escaped)


def _cost(source: str) -> tuple[float, int]:
    """Return the ways that bounded choices multiply to, and the number of unbounded repeats.

    A group has as many ways as its branches together, a sequence the product of its parts'.
    """
    unbounded, previous = 0, ""
    groups = [_Ways()]
    for kind, token, rest in _tokens(source):
        if kind == "open":
            groups.append(_Ways())
        elif kind == "close" and len(groups) > 1:
            inner = groups.pop()
            groups[-1].product *= inner.total()
        elif kind == "or":
            groups[-1].finish_branch()
        elif kind == "repeat":
            low, high = _bounds(token)
            if previous == "close" and (low, high) != (0, 1):
                raise _unsupported(source, "repeats a group, which can take for ever")
            if high is not None:
                groups[-1].product *= max(1, high - low + 1)
            elif rest.strip(")"):  # after the last one nothing can fail
                unbounded += 1
        previous = kind
    return groups[0].total(), unbounded


def _tokens(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield the kind and text of each token, and what follows it."""
    if len(source) > limits.PMML_PATTERN_CHARS_MAX:
        raise UnsupportedModel(
            f"a regular expression is longer than {limits.PMML_PATTERN_CHARS_MAX} characters"
        )
    at = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None or _BACKREFERENCE.match(token.group()):
            raise _unsupported(source, f"is not evaluated from {source[at : at + 10]!r} on")
        at = token.end()
        yield str(token.lastgroup), token.group(), source[at:]


@dataclass(slots=True)
class _Ways:
    """How many ways the branches of one group can match."""

    finished: float = 0.0
    product: float = 1.0

    def finish_branch(self) -> None:
        self.finished += self.product
        self.product = 1.0

    def total(self) -> float:
        return self.finished + self.product


def _unsupported(source: str, why: str) -> UnsupportedModel:
    return UnsupportedModel(f"regular expression {source!r:.80} {why}")


def _bounds(repeat: str) -> tuple[int, int | None]:
    """Return the least and the greatest number of repeats; None: no greatest.

    A lazy repeat tries the same numbers in another order.
    """
    repeat = repeat[:-1] if len(repeat) > 1 and repeat.endswith("?") else repeat
    if repeat in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[repeat]
    low, comma, high = repeat[1:-1].partition(",")
    least = int(low or 0)
    if not comma:
        return least, least
    return least, int(high) if high else None
