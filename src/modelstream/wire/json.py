"""JSON records to columns, as a model's inputs ask for them.

A record is parsed once, into a struct that has the inputs alone: what a model does not read is
skipped, not built. A record that does not fit is a failure of its own and harms no other.
"""

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from struct import Struct
from struct import error as PackError  # noqa: N812 - the module gives it no better name
from typing import Any

import msgspec
import numpy as np

from modelstream.formats.base import Field
from modelstream.limits import FIELD_PATH_DEPTH_MAX, RECORD_BYTES_MAX
from modelstream.messages import Column, Columns, Failure, Rows, Table
from modelstream.schemas import NOT_BOUND, Bind
from modelstream.wire.columns import (
    INTEGERS,
    NUMBERS,
    column_of,
    integer_faults,
    number_column,
    value_type,
)

Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Decoded:
    """The rows that could be read, their columns, and why the others could not."""

    rows: Rows
    columns: Columns
    failures: dict[int, Failure] = field(default_factory=dict)


class Decoder:
    """Reads records into the columns of some inputs.

    The input `a.b` is a record's key "a.b" or, without one, key "b" of the object under key "a".
    A key that a record has twice counts as its last value. `bind` tells which inputs have another
    name in a record, or are a vector of several of its fields. `needed` are the fields that a record
    must have; decoders of equal `key` read alike.
    """

    def __init__(self, inputs: Sequence[Field], bind: Bind = NOT_BOUND) -> None:
        fields = {f"f{index}": each for index, each in enumerate(inputs)}
        paths = {name: bind.get(each.name, each.name) for name, each in fields.items()}
        self.key = (tuple(inputs), tuple(map(str, paths.values())))
        own, shared = _attributes(paths)
        required = (paths[name] for name, each in fields.items() if not each.optional)
        self.needed = tuple(chain.from_iterable(map(_parts, required)))
        heads = _heads([*own.values(), *shared])
        names = own | {name: path for path, name in (shared | heads).items()}
        specs: list[Any] = [_spec(name, fields[name], path) for name, path in own.items()]
        specs += [(name, Any, msgspec.UNSET) for name in shared.values()]
        specs += [(name, Any, None) for name in heads.values()]
        # Fields without a default must come first in a struct.
        struct = msgspec.defstruct("Record", sorted(specs, key=len), rename=names, gc=False)
        self._parse_json = msgspec.json.Decoder(struct).decode
        self._parse_object = partial(_convert, struct)
        numbers = {name for name, path in own.items() if _is_plain_number(fields[name], path)}
        plain = [name for name in struct.__struct_fields__ if name in numbers]
        self._names = tuple(fields[name].name for name in plain)
        self._integers = tuple(fields[name] for name in plain if fields[name].type in INTEGERS)
        self._get_numbers = _numbers_getter(struct, plain)
        self._pack = Struct(f"{len(plain)}d").pack
        attributes = {path: name for name, path in own.items()} | shared
        self._others: tuple[tuple[Field, Getter], ...] = tuple(
            (each, _getter(attributes, paths[name], heads))
            for name, each in fields.items()
            if name not in numbers
        )

    def decode(self, values: Sequence[bytes]) -> Decoded:
        """Read a batch of JSON texts."""
        return self._decode(values, self._parse_json)

    def convert(self, values: Sequence[Any]) -> Decoded:
        """Read a batch of records that are objects already: dicts."""
        return self._decode(values, self._parse_object)

    def _decode(self, values: Sequence[Any], parse: Getter) -> Decoded:
        if not self._others:
            with suppress(PackError, msgspec.MsgspecError, UnicodeError, RecursionError):
                return self._decode_numbers(values, parse)
        failures: dict[int, Failure] = {}
        rows: Rows = range(len(values))
        try:
            parsed = [parse(value) for value in values]
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            parsed, rows = _parse_each(values, parse, failures)
        columns, faults = self._columns(parsed)
        if faults:
            failures.update({rows[index]: failure for index, failure in faults.items()})
            kept = [index for index in range(len(parsed)) if index not in faults]
            rows = [rows[index] for index in kept]
            columns, _ = self._columns([parsed[index] for index in kept])
        return Decoded(rows, columns, failures)

    def _decode_numbers(self, values: Sequence[Any], parse: Getter) -> Decoded:
        """Read records of numbers alone, in which nothing is wrong or missing, in one pass."""
        get, pack = self._get_numbers, self._pack
        packed = b"".join([pack(*get(parse(value))) for value in values])
        matrix = np.frombuffer(packed, np.float64).reshape(len(values), len(self._names))
        columns = Table(self._names, matrix)
        if any(integer_faults(each, columns[each.name]) for each in self._integers):
            raise PackError
        return Decoded(range(len(values)), columns)

    def _columns(self, parsed: list[Any]) -> tuple[Columns, dict[int, Failure]]:
        faults: dict[int, Failure] = {}
        columns: Columns = Table(self._names, self._matrix(parsed))
        for each in self._integers:
            faults.update(integer_faults(each, columns[each.name]))
        for each, get in self._others:
            columns[each.name], found = column_of(each, [get(row) for row in parsed])
            faults.update(found)
        return columns, faults

    def _matrix(self, parsed: list[Any]) -> Column:
        """Lay all number fields of all rows into one float64 matrix, (rows, fields)."""
        get, pack = self._get_numbers, self._pack
        try:
            flat: Column = np.frombuffer(b"".join([pack(*get(row)) for row in parsed]), np.float64)
        except PackError:  # a missing number somewhere
            flat = number_column(list(chain.from_iterable(map(get, parsed))))
        return flat.reshape(len(parsed), len(self._names))


def read_field(path: str) -> Callable[[bytes], str]:
    """Return a function that reads one text field, by dotted path, from a JSON record.

    It raises msgspec.MsgspecError or UnicodeError where a record has no such text.
    """
    inner: Any = str
    for part in reversed(path.split(".")):
        inner = msgspec.defstruct("Head", [("value", inner)], rename={"value": part})
    decode = msgspec.json.Decoder(inner).decode
    get: Getter = operator.attrgetter(".".join("value" for _ in path.split(".")))
    return lambda value: str(get(decode(value)))


def failure_of(value: Any, error: Exception) -> Failure:
    """Tell why a record could not be read."""
    if isinstance(value, bytes) and len(value) > RECORD_BYTES_MAX:
        return Failure("too_large", f"{len(value)} bytes; a record has at most {RECORD_BYTES_MAX}")
    if not isinstance(error, msgspec.ValidationError):
        return Failure("not_json", f"not valid JSON: {error}")
    if "missing required field" in str(error):
        return Failure("missing_field", str(error))
    return Failure("wrong_type", str(error))


def _convert(struct: type[msgspec.Struct], value: Any) -> Any:
    """Read an object; NumPy's numbers in it are numbers."""
    try:
        return msgspec.convert(value, struct)
    except msgspec.ValidationError:
        if not isinstance(value, dict):
            raise
        plain = {key: _plain(each) for key, each in value.items()}
        return msgspec.convert(plain, struct)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _parse_each(
    values: Sequence[Any], parse: Getter, failures: dict[int, Failure]
) -> tuple[list[Any], list[int]]:
    """Parse row by row, to find the ones that do not fit."""
    parsed: list[Any] = []
    rows: list[int] = []
    for row, value in enumerate(values):
        try:
            parsed.append(parse(value))
            rows.append(row)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            failures[row] = failure_of(value, error)
    return parsed, rows


def _numbers_getter(struct: type[msgspec.Struct], names: list[str]) -> Callable[[Any], Any]:
    """Return how to read the plain numbers of a parsed row; all of its fields at once if it can."""
    if len(names) == len(struct.__struct_fields__):
        return msgspec.structs.astuple
    if len(names) == 1:
        get = operator.attrgetter(*names)
        return lambda row: (get(row),)
    return operator.attrgetter(*names) if names else lambda _: ()


def _is_plain_number(field: Field, path: str) -> bool:
    return field.type in NUMBERS and not field.shape and "." not in path


def _parts(path: str | tuple[str, ...]) -> tuple[str, ...]:
    return (path,) if isinstance(path, str) else path


def _attributes(
    paths: Mapping[str, str | tuple[str, ...]],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the path of each input that has one to itself, and an attribute for each other path."""
    each_use = list(chain.from_iterable(map(_parts, paths.values())))
    uses = Counter(each_use)
    own = {name: path for name, path in paths.items() if isinstance(path, str) and uses[path] == 1}
    taken = set(own.values())
    shared = [path for path in dict.fromkeys(each_use) if path not in taken]
    return own, {path: f"s{index}" for index, path in enumerate(shared)}


def _heads(paths: Sequence[str]) -> dict[str, str]:
    """Name an attribute for each object that dotted paths may be nested in."""
    plain = set(paths)
    heads = [path.split(".", 1)[0] for path in paths if "." in path]
    nested = [head for head in dict.fromkeys(heads) if head and head not in plain]
    return {head: f"n{index}" for index, head in enumerate(nested)}


def _spec(attribute: str, field: Field, path: str) -> tuple[Any, ...]:
    """Declare one field of the struct; a dotted one may stand elsewhere, so it is optional."""
    kind = value_type(field)
    if "." in path:
        return attribute, kind | None | msgspec.UnsetType, msgspec.UNSET
    return (attribute, kind | None, None) if field.optional else (attribute, kind)


def _getter(
    attributes: Mapping[str, str], path: str | tuple[str, ...], heads: dict[str, str]
) -> Getter:
    """Return how to read an input's value from a parsed row."""
    if not isinstance(path, str):
        return partial(_vector, [_getter(attributes, part, heads) for part in path])
    head, _, rest = path.partition(".")
    if not rest or head not in heads:
        return operator.attrgetter(attributes[path])
    parts = rest.split(".", FIELD_PATH_DEPTH_MAX)
    return partial(_dig, attributes[path], heads[head], parts)


def _vector(getters: Sequence[Getter], row: Any) -> Any:
    """Read several fields as one value; where one is missing, all of it is."""
    values = [get(row) for get in getters]
    missing = any(value is None or value is msgspec.UNSET for value in values)
    return msgspec.UNSET if missing else values


def _dig(attribute: str, head: str, path: list[str], row: Any) -> Any:
    """Read a dotted field: its literal key first, then the nested one."""
    value = getattr(row, attribute)
    if value is not msgspec.UNSET:
        return value
    value = getattr(row, head)
    for part in path:
        value = value.get(part, msgspec.UNSET) if isinstance(value, dict) else msgspec.UNSET
    return value
