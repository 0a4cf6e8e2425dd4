"""Saved tree models, changed at random: each has to be a model, or refused with a reason.

MODELSTREAM_FUZZ says how many there are in all.
"""

import copy
import json
import os
from collections.abc import Callable
from random import Random
from typing import Any

from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats.base import Format, Hints
from modelstream.messages import Columns

Change = Callable[[bytes, Random], bytes]

COUNT = int(os.environ.get("MODELSTREAM_FUZZ", "400"))
_STRANGE: list[Any] = [
    None, -1, 0, 1, 7, 2**31, 2**70, -0.5, 1e300, "x", "", "7", [], {}, [1], True,
]  # fmt: skip
_WORDS = ["-1", "0", "1", "7", "16", "2147483648", "99999999999999999999", "-0.5", "1e300"]
_WORDS += ["1e999", "nan", "x", "", "1_0", "\u0664", "[]", "Tree=0"]


def tried(chosen: Format, data: bytes, columns: Columns) -> bool:
    """Lower, load and score; return whether it is a model. Only refusals may come of it."""
    try:
        lowered = chosen.lower(data, Hints())
    except (InvalidModel, UnsupportedModel):
        return False
    # What was lowered is sound: there is nothing left to refuse.
    model = chosen.load(lowered)
    model.describe()
    try:
        scores = model.score(columns)
    except InvalidRecord:
        return True
    rows = len(next(iter(columns.values())))
    assert {len(column) for column in scores.values()} == {rows}
    return True


def changed_bytes(data: bytes, chance: Random) -> bytes:
    """Cut a model, or change, drop or repeat some bytes of it."""
    at, size = chance.randrange(len(data)), chance.randrange(1, 40)
    kind = chance.randrange(4)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + chance.randbytes(1) + data[at + 1 :]
    return data[:at] + data[at + size :] if kind == 2 else data[: at + size] + data[at:]


def changed_text(data: bytes, chance: Random) -> bytes:
    """Change words and lines of a LightGBM model; the sizes of its trees are told anew, mostly."""
    lines = data.decode().split("\n")
    for _ in range(chance.randrange(1, 4)):
        number = chance.randrange(len(lines))
        key, equals, values = lines[number].partition("=")
        words = values.split(" ")
        kind = chance.randrange(8)
        if kind == 0:
            lines.insert(number, chance.choice(lines))
        elif kind == 1:
            del lines[number]
        elif equals:
            at = chance.randrange(len(words))
            if kind == 2:
                del words[at]
            elif kind == 3:
                words[at] = chance.choice(words)
            else:
                words[at] = chance.choice(_WORDS)
            lines[number] = f"{key}={' '.join(words)}"
    text = "\n".join(lines)
    return (sized(text) if chance.randrange(8) else text).encode()


def sized(text: str) -> str:
    """Return a LightGBM model with `tree_sizes` that are right."""
    body, _, _ = text.partition("\nend of trees")
    sizes = [str(len(block.encode()) + 6) for block in body.split("\nTree=")[1:]]
    lines = text.split("\n")
    return "\n".join(
        f"tree_sizes={' '.join(sizes)}" if line.startswith("tree_sizes=") else line
        for line in lines
    )


def changed_json(data: bytes, chance: Random) -> bytes:
    """Put something else in a few places of a JSON document, or take them away."""
    document = json.loads(data)
    for _ in range(chance.randrange(1, 4)):
        _change_somewhere(document, chance)
    return json.dumps(document).encode()


def _change_somewhere(document: Any, chance: Random) -> None:
    here = document
    while here:
        key = chance.choice(list(here) if isinstance(here, dict) else range(len(here)))
        inside = here[key]
        if isinstance(inside, dict | list) and inside and chance.randrange(8):
            here = inside
            continue
        if chance.randrange(4):
            here[key] = copy.deepcopy(chance.choice(_STRANGE))
        elif chance.randrange(2):
            del here[key]
        else:
            here[key] = copy.deepcopy(chance.choice([*_values(here)]))
        return


def _values(here: Any) -> list[Any]:
    return list(here.values()) if isinstance(here, dict) else here
