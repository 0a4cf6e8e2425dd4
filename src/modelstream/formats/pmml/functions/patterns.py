r"""Regular expressions that cannot hang: which are accepted, and how long a text each may see.

A pattern comes with a model and a text with a record, so neither is trusted, and Python's engine
backtracks. Its work on a text of n characters is bounded by (ways) * n ** (1 + unbounded), where
`unbounded` counts the repeats without an upper limit that can end in several ways and `ways`
multiplies what the others can do. Repeats of a group (`(a+)+`), look-around and back-references have no such bound and are
refused; the bound gives every other pattern its longest text.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.functions.charsets import FREE, Token, characters, follows

_TOKEN = re.compile(
    r"""
    (?P<escape>\\.)
  | (?P<class>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])
  | (?P<open>\((?:\?:|\?P?<[A-Za-z]\w*>|(?!\?)))
  | (?P<flags>\(\?[iu]+\))
  | (?P<close>\))
  | (?P<repeat>(?:[*+?]|\{\d*,?\d*\})\??)
  | (?P<or>\|)
  | (?P<atom>[^\\\[\]()*+?{}|])
    """,
    re.VERBOSE | re.DOTALL,
)
_REPLACEMENT = re.compile(r"[$\\](?P<group>\d+)|\\(?P<escaped>[$\\])|(?P<character>.)", re.DOTALL)
# Words to choose from are told apart by their first letters, so many in a step.
_WORDS_A_STEP = 16
# Classes of ASCII characters that Java has names for.
_CLASSES = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Lower": "a-z",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r" \t-\r",
    "Upper": "A-Z",
}
_NAMED = re.compile(r"(?P<escape>\\[^p])|\\p\{(?P<name>\w+)\}|(?P<class>\[)|(?P<end>\])", re.DOTALL)
_BACKREFERENCE = re.compile(r"\\[1-9kg]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that is safe on texts of up to `chars` characters."""

    compiled: re.Pattern[str]
    chars: int


def compile_pattern(source: str) -> Pattern:
    """Return a pattern with its bound. Raises UnsupportedModel for one that could hang."""
    source = _spelled_out(source)
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


def _spelled_out(source: str) -> str:
    """Return a pattern without the classes that Java has names for."""
    inside = False

    def spell(found: re.Match[str]) -> str:
        nonlocal inside
        name = found["name"]
        if name is None:
            inside = found.lastgroup == "class" or (inside and found.lastgroup != "end")
            return found.group()
        listed = _CLASSES.get(name)
        if listed is None:
            raise _unsupported(source, f"has a class \\p{{{name}}}, which is not evaluated")
        return listed if inside else f"[{listed}]"

    return _NAMED.sub(spell, source)


def replacement(source: str) -> str:
    r"""Return a replacement text as Python writes it.

    `$1` or `\1` stands for a group, `\$` and `\\` for the character after the backslash.
    """

    def spell(found: re.Match[str]) -> str:
        if found.lastgroup == "group":
            return f"\\g<{found['group']}>"
        return (found["escaped"] or found["character"]).replace("\\", "\\\\")

    return _REPLACEMENT.sub(spell, source)


def _cost(source: str) -> tuple[float, int]:
    """Return the ways that bounded choices multiply to, and the number of unbounded repeats.

    A group has as many ways as its branches together, a sequence the product of its parts'. A
    repeat of what cannot begin the rest has one way to end: all such count for one together.
    """
    unbounded, determined, previous = 0, 0, ("", "")
    groups = [_Ways()]
    tokens = list(_tokens(source))
    for (kind, token), rest in zip(tokens, follows(tokens), strict=True):
        if kind == "open":
            groups.append(_Ways())
        elif kind == "close" and len(groups) > 1:
            inner = groups.pop()
            groups[-1].product *= inner.total()
            groups[-1].meet(None)
        elif kind == "or":
            groups[-1].finish_branch()
        elif kind == "repeat":
            groups[-1].meet(None)
            low, high = _bounds(token)
            if previous[0] == "close" and (low, high) != (0, 1):
                raise _unsupported(source, "repeats a group, which can take for ever")
            if high is not None:
                groups[-1].product *= max(1, high - low + 1)
            elif rest & FREE:
                pass  # after it nothing can fail
            elif characters(previous[1]) & rest:
                unbounded += 1
            else:
                determined += 1
        else:
            groups[-1].meet(token if kind == "atom" else None)
        previous = kind, token
    return groups[0].total() * (1 + determined), unbounded + (determined > 0)


def _tokens(source: str) -> Iterator[Token]:
    """Yield the kind and text of each token."""
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
        yield str(token.lastgroup), token.group()


@dataclass(slots=True)
class _Ways:
    """How many ways the branches of one group can match."""

    finished: float = 0.0
    product: float = 1.0
    word: str = ""
    words: Counter[str] | None = field(default_factory=Counter)  # None: not of words alone

    def meet(self, letter: str | None) -> None:
        """Take in what stands in the group itself: a letter of a word, or anything else."""
        if letter is None or self.words is None or not letter.isascii() or letter in "^$.":
            self.words = None
        else:
            self.word += letter.lower()

    def finish_branch(self) -> None:
        """Begin another branch."""
        self.finished += self.product
        self.product = 1.0
        if self.words is not None:
            self.words[self.word] += 1
        self.word = ""

    def total(self) -> float:
        """Return the ways of all branches; of words only those of several lengths can match."""
        self.finish_branch()
        if self.words is None:
            return self.finished
        times: dict[int, int] = {}
        for word, number in self.words.items():
            times[len(word)] = max(number, times.get(len(word), 0))
        return max(sum(times.values()), self.words.total() / _WORDS_A_STEP)


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
