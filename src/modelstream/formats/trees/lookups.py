"""Columns of the matrix that are looked up by what several inputs have together.

So CatBoost knows categories that are too many to test for: a table gives numbers for each
combination that training saw, by a hash of its parts.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.trees.arrays import array_of
from modelstream.messages import Column

# CatBoost's own (`CalcHash` in catboost/libs/model/hash.h); it wraps around at 2^64.
_MULTIPLIER = np.uint64(0x4906BA494954CB65)


class Lookup(msgspec.Struct, kw_only=True, frozen=True):
    """A table: what is hashed, the hashes in ascending order, and some columns of numbers.

    The parts are inputs known by their hashes, tests for more than a border, and tests for a
    value. Each column has a number a key, and one more for what is no key.
    """

    hashed: tuple[int, ...]
    above: tuple[tuple[int, float], ...]
    equal: tuple[tuple[int, float], ...]
    keys: bytes  # uint64
    values: bytes  # float64
    columns: int


def checked_lookup(lookup: Lookup, inputs: int) -> Callable[[Column], Column]:
    """Return what gives the columns (rows, columns) of a matrix of inputs. Raises InvalidModel."""
    keys, values = array_of(lookup.keys, "<u8"), array_of(lookup.values, "<f8")
    read = [*lookup.hashed, *(at for at, _ in (*lookup.above, *lookup.equal))]
    sound = lookup.columns > 0 and len(values) == lookup.columns * (len(keys) + 1)
    sound = (
        sound and all(0 <= each < inputs for each in read) and bool((keys[1:] > keys[:-1]).all())
    )
    if not sound:
        raise InvalidModel("a table of a lowered ensemble does not fit it")
    table = values.reshape(lookup.columns, -1).T
    padded = np.append(keys, np.uint64(0))

    def columns_of(matrix: Column) -> Column:
        wanted = _hashes(lookup, matrix)
        at = np.searchsorted(keys, wanted)
        found: Column = table[np.where(padded[at] == wanted, at, len(keys))]
        return found

    return columns_of


def _hashes(lookup: Lookup, matrix: Column) -> Column:
    hashes = np.zeros(len(matrix), np.uint64)
    with np.errstate(invalid="ignore"):  # no hash is infinite; the lowered form might say so
        parts = [matrix[:, at].astype(np.int64).view(np.uint64) for at in lookup.hashed]
    parts += [(matrix[:, at] > border).astype(np.uint64) for at, border in lookup.above]
    parts += [(matrix[:, at] == value).astype(np.uint64) for at, value in lookup.equal]
    for part in parts:
        hashes = _MULTIPLIER * (hashes + _MULTIPLIER * part)
    return hashes
