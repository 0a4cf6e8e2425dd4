"""Fields of strings in the records: what a MiningSchema does, done once for each value they have."""

from collections.abc import Callable, Sequence
from typing import Any

from modelstream.formats.pmml.fields.batch import Batch, Cell, Cells
from modelstream.formats.pmml.fields.coded import Coded, code
from modelstream.formats.pmml.fields.inputs import holds_texts
from modelstream.formats.pmml.fields.rows import Declined, Twin
from modelstream.formats.pmml.fields.values import texts
from modelstream.messages import Column

# What is done to one value, one after the other; see `rows`.
Treatments = Sequence[Callable[[Any], Any]]


def text_cell(
    cells: Cells,
    name: str,
    treatments: Treatments,
    by_rows: Callable[[Batch], Column],
    row: Twin,
) -> Cell[Column]:
    """Return the cell of a field of strings.

    A column that holds anything else, or a value that rejects its row, is treated `by_rows`.
    """

    def compute(batch: Batch) -> Column:
        raw = batch.input(name)
        coded = None if raw is None else _treated(raw, treatments)
        if coded is None:
            return by_rows(batch)
        batch.keep(cell, coded)
        column: Column = texts(list(coded.items))[coded.rows]
        return column

    cell = cells.make(compute, row)
    return cell


def _treated(raw: Column, treatments: Treatments) -> Coded | None:
    if not holds_texts(raw):
        return None
    coded = code(raw)
    items = coded.items
    try:
        for treatment in treatments:
            items = [treatment(item) for item in items]
    except Declined:
        return None
    return Coded(items, coded.rows)
