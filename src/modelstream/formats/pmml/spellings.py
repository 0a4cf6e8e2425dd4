"""Attributes as XML Schema and well-known producers spell them, made as the elements declare them.

XML Schema allows blanks around what is no string, and numbers such as `.5`, `5.` and `+5`.
"""

import re
import typing
from collections.abc import Mapping
from typing import Any

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What a producer called words of PMML 4.4 before they were in the standard.
_EARLY = {"x-returnInvalid": "returnInvalid"}


def words(types: Mapping[str, Any]) -> dict[str, bool]:
    """Return the attributes that are numbers, truths or words of a list, and which are numbers."""
    kinds = {name: {type_, *typing.get_args(type_)} for name, type_ in types.items()}
    return {name: bool(kind & {int, float}) for name, kind in kinds.items() if str not in kind}


def respell(content: dict[str, Any], known: Mapping[str, bool]) -> None:
    """Change those attributes of an element to what its type reads; `known` is of `words`."""
    for name in content.keys() & known.keys():
        text = content[name]
        if isinstance(text, str):
            word = text.strip()
            content[name] = _number(word) if known[name] else _EARLY.get(word, word)


def _number(word: str) -> str:
    """Return a number with a digit before its point and one after it, as JSON has it."""
    if not _DECIMAL.fullmatch(word):
        return word
    padded = re.sub(r"^(-?)\.", r"\g<1>0.", word.removeprefix("+"))
    return re.sub(r"\.(?!\d)", "", padded)
