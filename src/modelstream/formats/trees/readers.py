"""Columns of records as the matrix that trees read."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from modelstream.errors import InvalidRecord
from modelstream.formats import limits
from modelstream.formats.base import Field
from modelstream.formats.trees.cityhash import city_hash64
from modelstream.formats.trees.ensemble import EnsembleInput
from modelstream.messages import Column, Columns

# Takes a column of records, and where it puts why a row of it cannot be scored.
_Reader = Callable[[Column, dict[int, str]], Column]
_NUMERIC = "fiub"  # kinds of columns that the matrix takes as they are
# Changes columns of the matrix: all of them at once, for there may be thousands.
_Step = Callable[[Column], Column]


class InputMatrix:
    """What makes a matrix of columns of records: a row each, and a column an input."""

    def __init__(self, inputs: Sequence[EnsembleInput]) -> None:
        self.fields = tuple(_field(each) for each in inputs)
        self._names = [each.name for each in inputs]
        self._has_categories = any(x.categories or x.numbers or x.hashed for x in inputs)
        self._readers = [_reader_of(each) for each in inputs]
        self._steps = [
            (slice(None) if all(asked) else np.flatnonzero(asked), step)
            for asked, step in (
                ([each.single for each in inputs], _rounded),
                ([each.missing_is_zero for each in inputs], _missing_as_zero),
                ([each.missing_is_infinite for each in inputs], _missing_as_infinite),
                ([each.zero_is_missing for each in inputs], _without_zeros),
                ([each.whole for each in inputs], np.trunc),
            )
            if any(asked)
        ]

    def of(self, columns: Columns, errors: dict[int, str]) -> Column:
        """Return the matrix, and put why a row cannot be scored where `errors` are.

        An input without a column is missing in each row. Raises InvalidRecord.
        """
        given = [columns.get(name) for name in self._names]
        rows = self._count(given)
        matrix = self._joined(given)
        if matrix is None:
            matrix = np.full((rows, len(given)), np.nan)
            self._fill(matrix, given, errors)
        for which, step in self._steps:
            matrix[:, which] = step(matrix[:, which])
        return matrix

    def _joined(self, given: Sequence[Column | None]) -> Column | None:
        """Return the matrix where it is nothing but the columns, which is faster; None elsewhere."""
        there = [column for column in given if column is not None]
        if self._has_categories or len(there) < len(given):
            return None
        joined = np.concatenate(there)
        if joined.dtype.kind not in _NUMERIC:
            return None
        return np.ascontiguousarray(joined.reshape(len(there), len(there[0])).T, np.float64)

    def _fill(self, matrix: Column, given: Sequence[Column | None], errors: dict[int, str]) -> None:
        for number, (field, read) in enumerate(zip(self.fields, self._readers, strict=True)):
            column = given[number]
            if column is None and not field.optional:
                raise InvalidRecord(f"the input {field.name!r} is missing")
            if column is not None:
                matrix[:, number] = read(column, errors)

    def _count(self, given: Sequence[Column | None]) -> int:
        """Return how many rows there are."""
        shapes = {column.shape for column in given if column is not None}
        if not shapes:
            raise InvalidRecord("none of the inputs is given; every record would be the same")
        if len(shapes) > 1:
            raise InvalidRecord(f"columns are of different lengths: {self._lengths(given)}")
        (shape,) = shapes
        if len(shape) != 1:
            raise InvalidRecord(f"columns have the shape {shape}; give one number or text a row")
        return int(shape[0])

    def _lengths(self, given: Sequence[Column | None]) -> dict[str, int]:
        pairs = zip(self._names, given, strict=True)
        return {name: len(column) for name, column in pairs if column is not None}


def _field(known: EnsembleInput) -> Field:
    text = bool(known.categories) or known.hashed
    return Field(known.name, "string" if text else "float64", optional=not known.hashed)


def _reader_of(known: EnsembleInput) -> _Reader:
    if known.hashed:
        return _hash_reader(known)
    if known.categories:
        return _text_reader(known)
    return _code_reader(known) if known.numbers else _number_reader(known)


def _rounded(numbers: Column) -> Column:
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as for the libraries
        return numbers.astype(np.float32)


def _missing_as_zero(numbers: Column) -> Column:
    return np.where(np.isnan(numbers), 0.0, numbers)


def _missing_as_infinite(numbers: Column) -> Column:
    return np.where(np.isnan(numbers), np.inf, numbers)


def _without_zeros(numbers: Column) -> Column:
    return np.where(np.abs(numbers) <= limits.LIGHTGBM_ZERO, np.nan, numbers)


def _number_reader(known: EnsembleInput) -> _Reader:
    return lambda column, _errors: _numbers(known.name, column)


def _text_reader(known: EnsembleInput) -> _Reader:
    codes: dict[object, float] = {text: float(at) for at, text in enumerate(known.categories)}
    codes[None] = np.nan
    unknown = np.nan if known.unknown_is_missing else -1.0

    def read(column: Column, errors: dict[int, str]) -> Column:
        texts = column.tolist()
        found = np.array([codes.get(text, unknown) for text in texts])
        _tell_unknown(known.name, found, texts, errors)
        return found

    return read


def _hash_reader(known: EnsembleInput) -> _Reader:
    remembered = lru_cache(limits.CATBOOST_HASHES_MAX)(_hash_of)

    def read(column: Column, errors: dict[int, str]) -> Column:
        texts = column.tolist()
        for row in [number for number, text in enumerate(texts) if not isinstance(text, str)]:
            errors.setdefault(row, f"{texts[row]!r} is no text, and {known.name!r} has to be one")
            texts[row] = ""
        return np.array([remembered(text) for text in texts], np.float64)

    return read


def _hash_of(text: str) -> int:
    """Return the hash of a category as the signed number that CatBoost makes of it."""
    low = city_hash64(text.encode(errors="surrogatepass")) & 0xFFFF_FFFF
    return low - (low >> 31 << 32)


def _code_reader(known: EnsembleInput) -> _Reader:
    values = np.array(known.numbers)
    order = np.argsort(values, kind="stable")
    sorted_values = values[order]
    unknown = np.nan if known.unknown_is_missing else -1.0

    def read(column: Column, errors: dict[int, str]) -> Column:
        numbers = _numbers(known.name, column)
        at = np.minimum(np.searchsorted(sorted_values, numbers), len(values) - 1)
        found = np.where(sorted_values[at] == numbers, order[at].astype(np.float64), unknown)
        found[np.isnan(numbers)] = np.nan
        _tell_unknown(known.name, found, numbers.tolist(), errors)
        return found

    return read


def _numbers(name: str, column: Column) -> Column:
    if column.dtype.kind in _NUMERIC:
        return column
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidRecord(f"column {name!r} does not hold numbers: {error}") from error


def _tell_unknown(name: str, found: Column, given: list[object], errors: dict[int, str]) -> None:
    for row in np.flatnonzero(found == -1.0).tolist():
        errors.setdefault(row, f"{given[row]!r} is none of the categories of {name!r}")
