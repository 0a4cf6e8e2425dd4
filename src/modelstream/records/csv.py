"""CSV files to JSON records. A column has one type in the whole file, which a first pass finds.

So a file is read twice, and a record's types never hang on the batch it happens to be in.
"""

import csv
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from modelstream.errors import InvalidRecord
from modelstream.limits import SHOWN_CHARS_MAX
from modelstream.records.json_lines import Chunk, Fault, Lines, opened, struct_of

# What a column holds; "" while it has had no value.
Kind = Literal["", "number", "boolean", "text"]
_log = logging.getLogger("modelstream")


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How a CSV file is laid out. `columns` are their names where the file has no header.

    A column of `strings` is text whatever is in it. A value of a column of `numbers` that is no
    number is text alone, so that a flow rejects that record and no other.
    """

    delimiter: str = ","
    columns: tuple[str, ...] = ()
    strings: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


def read_csv(path: Path, layout: CsvLayout) -> Iterator[Chunk]:
    """Read a CSV file (RFC 4180, UTF-8) as JSON records.

    A column whose every value is a JSON number is one of numbers, one of true and false is
    boolean, any other is text. An empty value is missing: the record has no such key. A row that
    is broken or of another width is a fault. Raises InvalidRecord.
    """
    if str(path) == "-":
        raise InvalidRecord("CSV is read twice and cannot be piped; give a file, or JSON lines")
    kinds = _kinds(path, layout)
    with opened(path) as file:
        table = _Table(path, file, layout)
        struct = struct_of(table.names, Any)
        for numbers, columns in table.blocks():
            cells = map(_cells, columns, kinds)
            rows = map(struct, *cells)
            yield _encoded(list(rows), numbers, table.lines)
        yield table.lines.chunk([], [])


class _Table:
    """The rows of a CSV file, as blocks of columns."""

    def __init__(self, path: Path, file: BinaryIO, layout: CsvLayout) -> None:
        self.lines = Lines(file)
        self._rows = self._read(layout.delimiter)
        first: tuple[int, Sequence[str]] = (1, ()) if layout.columns else next(self._rows, (1, ()))
        self.names = layout.columns or tuple(first[1])
        _check_names(path, self.names, layout.strings | layout.numbers)

    def blocks(self) -> Iterator[tuple[list[int], list[tuple[str, ...]]]]:
        """Yield the lines that some rows begin at, and the rows' columns."""
        width = len(self.names)
        while taken := self.lines.take(self._rows):
            for number, row in taken:
                if len(row) != width:
                    reason = f"{len(row)} values where there are {width} columns"
                    self.lines.faults.append(Fault(number, reason))
            rows = [(number, row) for number, row in taken if len(row) == width]
            numbers, whole = [number for number, _ in rows], [row for _, row in rows]
            yield numbers, list(zip(*whole, strict=True)) if whole else [()] * width

    def _read(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with the line it begins at; a byte that is no UTF-8 is kept in sight."""
        texts = (line.decode("utf-8", "surrogateescape") for _, line in self.lines)
        reader = csv.reader(texts, delimiter=delimiter, strict=True)
        before = 0
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.lines.faults.append(Fault(self.lines.number, f"not valid CSV: {error}"))
                row = []
            first = self.lines.number - (reader.line_num - before) + 1
            before = reader.line_num
            if row:
                yield first, row


def _check_names(path: Path, names: Sequence[str], told: frozenset[str]) -> None:
    """Check a table's columns, and that those told of are among them."""
    if not names:
        raise InvalidRecord(f"{path} is empty; a CSV file begins with the names of its columns")
    for index, name in enumerate(names):
        if not name or name in names[:index]:
            what = f"the name {name!r} twice" if name else f"no name for column {index + 1}"
            raise InvalidRecord(f"{path}:1: {what}; give other names with --columns")
    unknown = sorted(told - set(names))
    if unknown:
        raise InvalidRecord(f"{path} has no column {unknown[0]!r}; it has {', '.join(names)}")


# -- types ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Column:
    """What is known of a column; `odd` is where one of numbers, so far, had something else."""

    kind: Kind = ""
    odd: tuple[int, str] | None = None


def _kinds(path: Path, layout: CsvLayout) -> list[Kind]:
    """Return the kind of each column; one without any value is text."""
    with opened(path) as file:
        table = _Table(path, file, layout)
        columns = [_Column("text" if name in layout.strings else "") for name in table.names]
        for numbers, values in table.blocks():
            for column, block in zip(columns, values, strict=True):
                _learn(column, numbers, block)
    kinds: list[Kind] = []
    for name, column in zip(table.names, columns, strict=True):
        if name in layout.numbers:
            kinds.append("number")
            continue
        kinds.append(column.kind or "text")
        if column.odd is not None:
            line, value = column.odd
            _log.warning(
                "%s:%s: column %r is text because of %r; if it should be numbers, use "
                "--numbers %r, and if not, --strings %r",
                *(path, line, name, value[:SHOWN_CHARS_MAX], name, name),
            )
    return kinds


def _learn(column: _Column, numbers: Sequence[int], block: Sequence[str]) -> None:
    """Take a block of values into account."""
    if column.kind == "text":
        return
    before, found = column.kind, _kind_of([value for value in block if value])
    if not before or not found:
        column.kind = before or found
    elif found != before:
        column.kind = "text"
    if column.kind == "text":
        rows = [(line, value) for line, value in zip(numbers, block, strict=True) if value]
        odd = [(line, value) for line, value in rows if _kind_of([value]) != "number"]
        if before == "number" or len(odd) < len(rows) / 2:
            column.odd = odd[0]


def _kind_of(values: Sequence[str]) -> Kind:
    """Return the one kind that all of some values have."""
    if not values:
        return ""
    if all(value in {"true", "false"} for value in values):
        return "boolean"
    return "number" if _are_numbers(values) else "text"


def _are_numbers(values: Sequence[str]) -> bool:
    """Tell whether every value is a JSON number, by reading all of them as one JSON array."""
    try:
        text = f"[{','.join(values)}]".encode()
        return len(msgspec.json.decode(text, type=list[float])) == len(values)
    except (msgspec.MsgspecError, UnicodeError):
        return False


# -- records --------------------------------------------------------------------------------------


def _cells(values: Sequence[str], kind: Kind) -> list[Any]:
    """Return a column's values as what encodes to their JSON; a missing one is left out."""
    if kind == "text":
        return [value or msgspec.UNSET for value in values]
    if kind == "boolean" or _are_numbers([value for value in values if value]):
        return [_raw(value) if value else msgspec.UNSET for value in values]
    return [_raw(value) if _are_numbers([value]) else value or msgspec.UNSET for value in values]


def _raw(value: str) -> msgspec.Raw:
    return msgspec.Raw(value.strip().encode())


def _encoded(rows: Sequence[msgspec.Struct], numbers: Sequence[int], lines: Lines) -> Chunk:
    """Write rows as JSON; one with bytes that are no UTF-8 is a fault."""
    encode = msgspec.json.Encoder().encode
    try:
        return lines.chunk([encode(row) for row in rows], numbers)
    except UnicodeError:
        values: list[bytes] = []
        kept: list[int] = []
        for row, number in zip(rows, numbers, strict=True):
            try:
                values.append(encode(row))
                kept.append(number)
            except UnicodeError:
                lines.faults.append(Fault(number, "not UTF-8"))
        return lines.chunk(values, kept)
