"""Tables of combinations: what is hashed, what is found, and what is refused."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.trees.lookups import Lookup, checked_lookup

MULTIPLIER = 0x4906BA494954CB65


@dataclass(frozen=True)
class Combination:
    """A word's hash, whether a number is above 1, whether another is 7; and what it stands for."""

    parts: tuple[int, int, int]
    values: tuple[float, float]

    @property
    def key(self) -> int:
        key = 0
        for part in self.parts:
            key = MULTIPLIER * (key + MULTIPLIER * part) % 2**64
        return key


KNOWN = (
    Combination((-5, 0, 0), (1.5, 10.0)),
    Combination((-5, 1, 0), (2.5, 20.0)),
    Combination((2**31 - 1, 1, 1), (3.5, 30.0)),
)


def lookup(**changes: Any) -> Lookup:
    ordered = sorted(KNOWN, key=lambda each: each.key)
    values = np.array([*(each.values for each in ordered), (-1.0, -2.0)]).T
    whole = Lookup(
        hashed=(0,), above=((1, 1.0),), equal=((2, 7.0),), columns=2,
        keys=np.array([each.key for each in ordered], "<u8").tobytes(),
        values=values.tobytes(),
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


def test_a_combination_has_its_numbers_and_any_other_has_the_last() -> None:
    matrix = np.array(
        [
            [-5.0, 1.0, 0.0],
            [-5.0, 1.5, np.nan],
            [2.0**31 - 1, 2.0, 7.0],
            [-5.0, np.nan, 0.0],
            [-5.0, 2.0, 7.0],
            [0.0, 0.0, 0.0],
        ]
    )
    found = checked_lookup(lookup(), 3)(matrix).tolist()
    other = [-1.0, -2.0]
    assert found == [[1.5, 10.0], [2.5, 20.0], [3.5, 30.0], [1.5, 10.0], other, other]
    assert checked_lookup(lookup(), 3)(matrix[:0]).shape == (0, 2)


def test_a_table_may_be_empty() -> None:
    empty = lookup(keys=b"", values=np.array([4.0, 5.0]).tobytes())
    assert checked_lookup(empty, 3)(np.zeros((1, 3))).tolist() == [[4.0, 5.0]]


@pytest.mark.parametrize(
    "changes",
    [
        {"hashed": (3,)},
        {"above": ((-1, 0.0),)},
        {"equal": ((3, 0.0),)},
        {"columns": 0},
        {"columns": 3},
        {"keys": lookup().keys[:-8]},
        {"keys": lookup().keys[8:] + lookup().keys[:8]},
        {"keys": lookup().keys[:-1]},
    ],
)
def test_a_table_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidModel):
        checked_lookup(lookup(**changes), 3)
