"""The transactions of the rows of a batch, and where in them the sets of a sequence can stand.

DMG 4.4, Sequence rules. A row holds a sequence in one field, as JSON: a list with a list of items,
or one item, for each transaction. Each transaction is a time window of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.elements.sequences import Delimiter
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Field
from modelstream.formats.pmml.models.baskets import Entry, item_text
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Transactions:
    """The transactions of all rows of a batch, one after the other.

    `row` is the row that each is of, `first` the place of the first one of that row, `items` which
    items (rows) each has (columns).
    """

    row: Column
    first: Column
    items: Column


def read_transactions(field: Field, numbers: Mapping[str, int]) -> Callable[[Batch], Transactions]:
    """Return what reads the transactions of a batch; items that have no number are left out."""

    def read(batch: Batch) -> Transactions:
        rows = [_transactions(text) for text in batch.read(field.cell).tolist()]
        lengths = np.array([len(row) for row in rows], dtype=np.intp)
        items = np.zeros((len(numbers), int(lengths.sum())), dtype=np.bool_)
        every = (transaction for row in rows for transaction in row)
        for place, transaction in enumerate(every):
            items[[numbers[item] for item in transaction if item in numbers], place] = True
        starts = np.cumsum(lengths) - lengths
        return Transactions(
            np.repeat(np.arange(len(rows)), lengths), np.repeat(starts, lengths), items
        )

    return read


def _transactions(text: str | None) -> list[list[str]]:
    """Return the items of each transaction of a sequence; any other text is one of one item."""
    if text is None:
        return []
    if not text.startswith("["):
        return [[text]]
    try:
        entries = msgspec.json.decode(text, type=list[Entry | list[Entry]])
    except msgspec.DecodeError:
        return [[text]]
    return [
        [item_text(item) for item in (entry if isinstance(entry, list) else [entry])]
        for entry in entries
    ]


def reach(matched: Column, delimiter: Delimiter, transactions: Transactions) -> Column:
    """Return where the next set can stand, of where the sets before it have been found."""
    if delimiter.delimiter == "sameTimeWindow":
        return matched
    places = np.arange(len(matched))
    found = np.where(matched, places, -1)
    before = np.full(len(matched), -1)
    if delimiter.gap == "false":
        before[1:] = found[:-1]
    else:
        before[1:] = np.maximum.accumulate(found)[:-1]
    reached: Column = before >= transactions.first
    return reached


def find_sets(
    sets: Sequence[Sequence[int]], delimiters: Sequence[Delimiter], transactions: Transactions
) -> tuple[Column, ...]:
    """Return where sets stand one after the other: for each, where it and those before it do."""
    found: list[Column] = []
    for number, members in enumerate(sets):
        here: Column = np.logical_and.reduce(transactions.items[list(members)], axis=0)
        if number:
            here = here & reach(found[-1], delimiters[number - 1], transactions)
        found.append(here)
    return tuple(found)


def rows_with(found: Column, transactions: Transactions, rows: int) -> Column:
    """Return which rows have a transaction that is found."""
    has = np.zeros(rows, dtype=np.bool_)
    has[transactions.row[found]] = True
    return has


def check_delimiter(delimiter: Delimiter, where: str) -> None:
    """Raise UnsupportedModel when it is not told whether sets follow each other at once."""
    if delimiter.delimiter == "acrossTimeWindows" and delimiter.gap == "unknown":
        raise UnsupportedModel(
            f"{where}: a Delimiter across time windows with gap='unknown' does not say what may "
            "lie between the sets; gap='true' and gap='false' are evaluated"
        )
