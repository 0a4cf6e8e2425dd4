"""Which characters the parts of a regular expression can begin with, as sets that are numbers.

A set has a bit for each ASCII character and one for each kind of other characters; it rather holds
too much than too little. `follows` tells what may come after each token of a pattern.
"""

import re
from collections.abc import Sequence

Token = tuple[str, str]  # its kind, in the words of `patterns`, and its text

# Other characters by kind: blanks, those of words (among them what a letter is when case is no
# matter), and the rest.
_OTHERS = ("\u00a0", "\u00e9\u017f\u212a\u0130\u0131\u0661", "\u20ac")
_ALL = (1 << (128 + len(_OTHERS))) - 1
FREE = _ALL + 1  # the whole pattern may have matched
_END = 1 << ord("\n")  # what is left where `$` matches
_AT_THE_END = frozenset({"$", r"\Z"})
_ASSERTIONS = _AT_THE_END | {"^", r"\b", r"\B", r"\A"}


def characters(token: str) -> int:
    """Return the characters that a token of one character can be, in either case."""
    if not token.isascii():
        return _ALL
    try:
        one = re.compile(token, re.IGNORECASE | re.DOTALL)
    except re.error:
        return _ALL
    found = sum(1 << code for code in range(128) if one.fullmatch(chr(code)))
    for kind, others in enumerate(_OTHERS, start=128):
        found |= any(map(one.fullmatch, others)) << kind
    return found


def follows(tokens: Sequence[Token]) -> list[int]:
    """Return for each token what the rest of the pattern can begin with.

    A group is optional or stands once, as `patterns` demands of it. FREE: the rest can be nothing.
    """
    known: dict[str, int] = {}
    after: list[int] = []
    groups: list[tuple[int, int, bool]] = []  # what follows, what branches begin with, if optional
    current, optional = FREE, False
    for kind, text in reversed(tokens):
        after.append(current)
        if kind == "repeat":
            optional = text[0] in "*?" or re.match(r"\{0*[,}]", text) is not None
            continue
        if kind == "close":
            groups.append((current, 0, optional))
        elif kind == "or" and groups:
            follow, begun, skipped = groups.pop()
            groups.append((follow, begun | current, skipped))
            current = follow
        elif kind == "or":
            current = FREE
        elif kind == "open" and groups:
            follow, begun, skipped = groups.pop()
            current |= begun | (follow if skipped else 0)
        elif text in _ASSERTIONS:
            current = _END if text in _AT_THE_END and not optional else _ALL
        elif kind != "flags":
            if text not in known:
                known[text] = characters(text)
            current = known[text] | (current if optional else 0)
        optional = False
    return after[::-1]
