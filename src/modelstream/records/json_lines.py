"""Record files: their lines, read in batches, and the keys of records. JSON lines are read here.

A line that is no record is told by its number and harms no other. JSON lines are handed on as they
are: whether one is good JSON is for the flow to say, which keeps what it rejects.
"""

import codecs
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from modelstream.errors import InvalidRecord
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX, RECORD_BYTES_MAX

Row = TypeVar("Row")
# A record of the largest size and its line end.
_LINE_BYTES_MAX = RECORD_BYTES_MAX + 2


class Fault(NamedTuple):
    """A line that gives no record, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records of a file in order, the line each begins at, and the faults among them."""

    values: list[bytes]
    lines: list[int]
    faults: list[Fault]


@dataclass(slots=True)
class Lines:
    """The numbered lines of a file; one that is too long is skipped and is a fault."""

    file: BinaryIO
    number: int = 0
    bytes_read: int = 0
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while line := self.file.readline(_LINE_BYTES_MAX):
            self.number += 1
            self.bytes_read += len(line)
            if len(line) == _LINE_BYTES_MAX and not line.endswith(b"\n"):
                self._skip_rest()
                self._refuse(self.number)
            else:
                yield self.number, line.removeprefix(codecs.BOM_UTF8) if self.number == 1 else line

    def take(self, rows: Iterator[Row]) -> list[Row]:
        """Take as many rows, made of these lines, as a batch may have; none at the end."""
        taken: list[Row] = []
        until = self.bytes_read + BATCH_BYTES_MAX
        for row in rows:
            taken.append(row)
            if len(taken) == BATCH_RECORDS_MAX or self.bytes_read >= until:
                break
        return taken

    def chunk(self, values: Sequence[bytes], numbers: Sequence[int]) -> Chunk:
        """Return records as a chunk, with the faults since the last one."""
        fit = [len(value) <= RECORD_BYTES_MAX for value in values]
        for number, ok in zip(numbers, fit, strict=True):
            if not ok:
                self._refuse(number)
        faults, self.faults = sorted(self.faults), []
        return Chunk(
            [value for value, ok in zip(values, fit, strict=True) if ok],
            [number for number, ok in zip(numbers, fit, strict=True) if ok],
            faults,
        )

    def _refuse(self, number: int) -> None:
        self.faults.append(
            Fault(number, f"too long: a record has at most {RECORD_BYTES_MAX} bytes")
        )

    def _skip_rest(self) -> None:
        while (more := self.file.readline(_LINE_BYTES_MAX)) and not more.endswith(b"\n"):
            pass


def opened(path: Path) -> AbstractContextManager[BinaryIO]:
    """Open a record file; `-` is standard input. Raises InvalidRecord."""
    if str(path) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidRecord(f"cannot read the records: {error}") from error


def read_json_lines(path: Path) -> Iterator[Chunk]:
    """Read a file of one JSON record a line; `-` is standard input; empty lines are left out.

    Raises InvalidRecord when the file cannot be read.
    """
    with opened(path) as file:
        lines = Lines(file)
        stripped = ((number, line.strip()) for number, line in lines)
        records = (each for each in stripped if each[1])
        while taken := lines.take(records):
            yield lines.chunk([value for _, value in taken], [number for number, _ in taken])
        yield lines.chunk([], [])


def keyed(chunk: Chunk, key_field: str) -> tuple[Chunk, list[bytes]]:
    """Return a chunk's records that have a key, and the keys: text as it is, others as in JSON.

    The key is a field at the top of a record; records without it are among the faults. Raises
    InvalidRecord when no field can have that name.
    """
    read_key = _key_reader(key_field)
    kept = Chunk([], [], list(chunk.faults))
    keys: list[bytes] = []
    for value, line in zip(chunk.values, chunk.lines, strict=True):
        try:
            keys.append(read_key(value))
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            kept.faults.append(Fault(line, f"no key in field {key_field!r}: {error}"))
            continue
        kept.values.append(value)
        kept.lines.append(line)
    kept.faults.sort()
    return kept, keys


def struct_of(names: Sequence[str], kind: object) -> type[msgspec.Struct]:
    """Make a struct whose attributes f0, f1 ... stand for JSON keys. Raises InvalidRecord."""
    attributes = {f"f{index}": name for index, name in enumerate(names)}
    fields = [(attribute, kind) for attribute in attributes]
    try:
        return msgspec.defstruct("Record", fields, rename=attributes, gc=False)
    except ValueError as error:
        raise InvalidRecord(f"a field cannot have this name: {error}") from error


def _key_reader(key_field: str) -> Callable[[bytes], bytes]:
    """Return a function that reads one field of a JSON object as a record's key."""
    decode = msgspec.json.Decoder(struct_of([key_field], str | int | float | bool)).decode
    get = operator.attrgetter("f0")

    def read(value: bytes) -> bytes:
        key = get(decode(value))
        return key.encode() if isinstance(key, str) else msgspec.json.encode(key)

    return read
