"""CatBoost's tables of categories (CTRs): counts of training as the numbers that tests read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.catboost import document as cb
from modelstream.formats.trees.lookups import Lookup
from modelstream.messages import Column

_NO_KEY = 2**64 - 1  # of a place in the hash map that is free
_MEANS = frozenset({"BinarizedTargetMeanValue", "FloatTargetMeanValue"})
_COUNTERS = frozenset({"Counter", "FeatureFreq"})


@dataclass(frozen=True, slots=True)
class Places:
    """Which input a feature is, by its number among those of its kind."""

    numbers: Mapping[int, int]
    texts: Mapping[int, int]


def read_tables(
    ctrs: Sequence[cb.Ctr], tables: Mapping[str, cb.CtrTable], places: Places, first: int
) -> tuple[tuple[Lookup, ...], list[int]]:
    """Return a lookup for each table, and which column of the matrix each number becomes.

    Columns of lookups begin with `first`. Raises InvalidModel, UnsupportedModel.
    """
    users: dict[str, list[int]] = {}
    for number, ctr in enumerate(ctrs):
        users.setdefault(ctr.identifier, []).append(number)
    lookups: list[Lookup] = []
    columns = [0] * len(ctrs)
    room = limits.CATBOOST_TABLE_ENTRIES_MAX
    for identifier, numbers in users.items():
        if identifier not in tables:
            raise InvalidModel(f"there is no table {identifier[:200]}")
        mine = [ctrs[number] for number in numbers]
        room -= len(mine) * len(tables[identifier].hash_map)
        if room < 0:
            raise InvalidModel(
                f"tables have more than {limits.CATBOOST_TABLE_ENTRIES_MAX} numbers in all"
            )
        lookups.append(_lookup(mine, tables[identifier], places))
        for number in numbers:
            columns[number] = first
            first += 1
    return tuple(lookups), columns


def _lookup(ctrs: Sequence[cb.Ctr], table: cb.CtrTable, places: Places) -> Lookup:
    keys, counts = _counts(table)
    order = np.argsort(keys)
    values = np.stack([_numbers(ctr, counts, table.counter_denominator) for ctr in ctrs])
    values[:, :-1] = values[:, order]
    elements = ctrs[0].elements
    return Lookup(
        hashed=tuple(
            _place(places.texts, each.cat_feature_index)
            for each in _of(elements, "cat_feature_value")
        ),
        above=tuple(
            (_place(places.numbers, each.float_feature_index), _single(each.border))
            for each in _of(elements, "float_feature")
        ),
        equal=tuple(
            (_place(places.texts, each.cat_feature_index), float(each.value))
            for each in _of(elements, "cat_feature_exact_value")
        ),
        keys=keys[order].astype("<u8").tobytes(),
        values=values.astype("<f8").tobytes(),
        columns=len(ctrs),
    )


def _single(border: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(border))


def _of(elements: Sequence[cb.Element], kind: str) -> list[cb.Element]:
    return [each for each in elements if each.combination_element == kind]


def _place(places: Mapping[int, int], number: int) -> int:
    if number not in places:
        raise InvalidModel("a table of categories reads a feature that is not there")
    return places[number]


def _counts(table: cb.CtrTable) -> tuple[Column, Column]:
    """Return the keys, and what was counted for each (row)."""
    stride, entries = table.hash_stride, table.hash_map
    if stride < 2 or len(entries) % stride:
        raise InvalidModel("a table of categories is cut off")
    try:
        keys = np.array([int(each) for each in entries[::stride]], np.uint64)
        counts = np.array(
            [[float(each) for each in entries[start::stride]] for start in range(1, stride)]
        ).T
    except (ValueError, OverflowError) as error:
        raise InvalidModel(f"a table of categories cannot be read: {error}") from error
    used = keys != _NO_KEY
    keys, counts = keys[used], counts[used]
    if len(np.unique(keys)) != len(keys) or not np.isfinite(counts).all():
        raise InvalidModel("a table of categories has a key twice, or what is no count")
    return keys, counts


def _numbers(ctr: cb.Ctr, counts: Column, denominator: int) -> Column:
    """Return the number for each key, and last for any other, in CatBoost's float32."""
    good, total = _good_and_total(ctr, counts)
    nothing = 0.0
    if ctr.ctr_type in _COUNTERS:
        total = np.full(len(good), float(denominator))
        nothing = float(denominator)
    with np.errstate(all="ignore"):  # what is not finite is on one side of a border, as there
        good = np.append(good, 0.0).astype(np.float32)
        total = np.append(total, nothing).astype(np.float32)
        chance = (good + np.float32(ctr.prior_numerator)) / (
            total + np.float32(ctr.prior_denomerator)
        )
        return ((chance + np.float32(ctr.shift)) * np.float32(ctr.scale)).astype(np.float64)


def _good_and_total(ctr: cb.Ctr, counts: Column) -> tuple[Column, Column]:
    """Return how often the target was as asked, and how often it was at all, for each key."""
    border, width = ctr.target_border_idx, counts.shape[1]
    if ctr.ctr_type in _MEANS and width == 2:
        return counts[:, 0], counts[:, 1]
    if ctr.ctr_type in _COUNTERS and width == 1:
        return counts[:, 0], counts[:, 0]
    if ctr.ctr_type == "Buckets" and border < width:
        return counts[:, border], counts.sum(axis=1)
    if ctr.ctr_type == "Borders" and width >= 2 and border < width - 1:
        return counts[:, border + 1 :].sum(axis=1), counts.sum(axis=1)
    if ctr.ctr_type in {"Buckets", "Borders"} | _MEANS | _COUNTERS:
        raise InvalidModel(f"a table of {width} counts a key does not fit a {ctr.ctr_type}")
    raise UnsupportedModel(
        f"numbers of the type {ctr.ctr_type!r} for categories are not evaluated; train with "
        "simple_ctr and combinations_ctr of Borders, Buckets, Counter or a mean value"
    )
