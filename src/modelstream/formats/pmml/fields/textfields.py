"""Fields of strings in the records: what a MiningSchema does, done once for each value they have."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelstream.formats import limits
from modelstream.formats.pmml.fields.batch import Batch, Cell, Cells
from modelstream.formats.pmml.fields.coded import Coded, code
from modelstream.formats.pmml.fields.inputs import are_texts
from modelstream.formats.pmml.fields.rows import Declined, Twin, treated
from modelstream.formats.pmml.fields.values import texts
from modelstream.messages import Column

# What is done to one value, one after the other; see `rows`.
Treatments = Sequence[Callable[[Any], Any]]


def text_cell(
    cells: Cells,
    name: str,
    declared: Sequence[str],
    treatments: Treatments,
    *,
    by_rows: Callable[[Batch], Column],
    row: Twin,
) -> Cell[Column]:
    """Return the cell of a field of strings.

    Values that are `declared` are known beforehand, as is a missing one. A column that holds
    anything but strings, or a value that rejects its row, is treated `by_rows`.
    """
    known = _Known(declared, treatments)

    def compute(batch: Batch) -> Column:
        raw = batch.input(name)
        coded = None if raw is None else known.code(raw) or _treated(raw, treatments)
        if coded is None:
            return by_rows(batch)
        batch.keep(cell, coded)
        column: Column = texts(list(coded.items))[coded.rows]
        return column

    cell = cells.make(compute, row)
    return cell


class _Known:
    """Codes columns of values that are known beforehand."""

    def __init__(self, values: Sequence[str], treatments: Treatments) -> None:
        self._positions: dict[Any, int] = {}
        self._items: list[Any] = []
        for value in (None, *values[: limits.PMML_LASTING_VALUES_MAX]):
            try:
                item = treated(value, treatments)
            except Declined:
                continue
            self._positions[value] = len(self._items)
            self._items.append(item)

    def code(self, raw: Column) -> Coded | None:
        """Return a column by its values, or None when it has others."""
        position = self._positions.__getitem__
        try:
            rows = np.fromiter(map(position, raw.tolist()), np.intp, len(raw))
        except (KeyError, TypeError):  # another string, or what cannot be a key, a list
            return None
        return Coded(self._items, rows, lasting=True)


def _treated(raw: Column, treatments: Treatments) -> Coded | None:
    try:
        coded = code(raw)
    except TypeError:  # a list, say
        return None
    if not are_texts(coded.items):
        return None
    items = coded.items
    try:
        for treatment in treatments:
            items = [treatment(item) for item in items]
    except Declined:
        return None
    return Coded(items, coded.rows)
