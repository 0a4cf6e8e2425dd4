"""Columns to tensors and tensors to columns, a whole batch at a time.

ONNX Runtime takes None and numbers for strings without a word, and casting makes numbers of NaN:
so values are checked here. NaN is a missing number, and is passed on only where the model says so:
most graphs answer something to it, a tree its right branch, that no one has learnt.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from modelstream.errors import InvalidModel, InvalidRecord
from modelstream.formats.onnx_graph.plan import FIELD_TYPES, Binding
from modelstream.messages import Column, Columns, Table

_NUMBERS = frozenset("fiub")  # numpy's kinds: float, int, unsigned, bool
_STRINGS = frozenset("OU")


def laid_out(bindings: Sequence[Binding], columns: Columns) -> dict[str, Column] | None:
    """Return the tensor of a model that reads one matrix, where the columns are just that one.

    None as well where a number is missing that may not be.
    """
    (first, *others) = bindings
    if others or not isinstance(columns, Table) or columns.names != first.columns:
        return None
    if not first.element.startswith("float") or first.shape != (len(first.columns),):
        return None
    if len(first.optional) < len(first.columns) and np.isnan(columns.matrix).any():
        return None
    with np.errstate(over="ignore"):
        return {first.tensor: columns.matrix.astype(first.element)}


def given_columns(binding: Binding, columns: Mapping[str, Column], rows: int) -> list[Column]:
    """Return the columns of one input tensor.

    Raises InvalidRecord when one is missing, or of the wrong kind or shape.
    """
    wanted = (rows, *binding.row_shape)
    kinds = _STRINGS if binding.element == "string" else _NUMBERS
    try:
        given = [columns[name] for name in binding.columns]
    except KeyError as error:
        has = ", ".join(columns)
        raise InvalidRecord(f"input {error.args[0]!r} is missing; the records have {has}") from None
    # Hundreds of columns are alike as a rule; each is looked at alone only when they are not.
    if {each.shape for each in given} != {wanted} or {each.dtype.kind for each in given} - kinds:
        for name, column in zip(binding.columns, given, strict=True):
            if column.dtype.kind not in kinds:
                told = f"a column of {column.dtype}, not {binding.element}"
                raise InvalidRecord(f"input {name!r} is {told}")
            if not _fits(column.shape, wanted):
                raise InvalidRecord(f"input {name!r} is of shape {column.shape}, not {wanted}")
    return given


def row_errors(bindings: Sequence[Binding], given: Sequence[list[Column]]) -> dict[int, str]:
    """Return the rows with a value that its tensor cannot hold, and why."""
    errors: dict[int, str] = {}
    for binding, columns in zip(bindings, given, strict=True):
        if binding.element.startswith("float"):
            continue
        for name, column in zip(binding.columns, columns, strict=True):
            _find_errors(name, column, binding, errors)
    return errors


def find_missing(
    bindings: Sequence[Binding], given: Sequence[list[Column]], errors: dict[int, str]
) -> None:
    """Add the rows with a missing number where the model takes none."""
    for binding, columns in zip(bindings, given, strict=True):
        optional = frozenset(binding.optional)
        for name, column in zip(binding.columns, columns, strict=True):
            if name in optional or column.dtype.kind != "f":
                continue
            missing = np.isnan(column)
            if missing.any():
                for row in np.flatnonzero(missing.reshape(len(column), -1).any(axis=1)).tolist():
                    errors.setdefault(row, f"input {name!r} ({binding.element}): is missing")


def to_tensor(binding: Binding, given: list[Column], rows: int) -> Column:
    """Return one input tensor, (rows, ...), of columns that have no row errors."""
    dtype = np.dtype(object if binding.element == "string" else binding.element)
    # A number beyond the tensor's range becomes infinite, as in any other conversion of floats.
    with np.errstate(over="ignore"):
        if len(given) > 1:
            matrix = np.concatenate(given, dtype=dtype, casting="unsafe").reshape(len(given), rows)
            return np.ascontiguousarray(matrix.T)
        tensor = np.ascontiguousarray(given[0], dtype=dtype)
    return tensor.reshape(rows, 1) if binding.shape == (1,) else tensor


def to_columns(binding: Binding, tensor: Column, rows: int) -> Columns:
    """Return the columns of one output tensor. Raises InvalidModel when it has another shape."""
    if not _fits(tensor.shape, (rows, *binding.shape)):
        raise InvalidModel(
            f"output {binding.tensor!r} is of shape {tensor.shape}, not {(rows, *binding.shape)}"
        )
    kind = FIELD_TYPES[binding.element]
    if kind not in {binding.element, "string"}:
        tensor = tensor.astype(kind)
    if len(binding.columns) > 1:
        return {name: tensor[:, at] for at, name in enumerate(binding.columns)}
    return {binding.columns[0]: tensor.reshape(rows) if binding.shape == (1,) else tensor}


def no_rows(binding: Binding) -> Columns:
    """Return the columns of one output for a batch of no rows."""
    kind = FIELD_TYPES[binding.element]
    shape = (0, *(size or 0 for size in binding.row_shape))
    return {
        name: np.empty(shape, dtype=object if kind == "string" else kind)
        for name in binding.columns
    }


def spread(column: Column, rows: int, kept: list[int]) -> Column:
    """Return a column of `rows` entries with the given ones at `kept` and the others missing.

    Missing is NaN for floats; integers, booleans and strings become objects with None.
    """
    missing = np.nan if column.dtype.kind == "f" else None
    dtype = column.dtype if column.dtype.kind == "f" else np.dtype(object)
    wide = np.full((rows, *column.shape[1:]), missing, dtype=dtype)
    wide[kept] = column
    return wide


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return shape == wanted or (
        len(shape) == len(wanted)
        and all(want in {None, size} for size, want in zip(shape, wanted, strict=True))
    )


def _find_errors(name: str, column: Column, binding: Binding, errors: dict[int, str]) -> None:
    bad = _bad_values(column, binding)
    if bad is None or not bad.any():
        return
    flat = column.reshape(len(column), -1)
    spots = bad.reshape(flat.shape)
    for row in np.flatnonzero(spots.any(axis=1)).tolist():
        value = flat[row, int(spots[row].argmax())]
        told = "is missing" if _is_missing(value) else f"{str(value)[:80]!r} is not a value of it"
        errors.setdefault(row, f"input {name!r} ({binding.element}): {told}")


def _bad_values(column: Column, binding: Binding) -> Column | None:
    """Return where values cannot be the tensor's; None where all can be."""
    if binding.element == "string":
        if column.dtype.kind == "U" or set(map(type, column.ravel().tolist())) <= {str}:
            return None
        found = np.fromiter((not isinstance(v, str) for v in column.flat), np.bool_, column.size)
        return found.reshape(column.shape)
    if binding.element == "bool":
        return None if column.dtype.kind == "b" else ~((column == 0) | (column == 1))
    least, most = int(np.iinfo(binding.element).min), int(np.iinfo(binding.element).max)
    if column.dtype.kind != "f":
        return (column < least) | (column > most)
    # The floats of `most` may round up to the first number out of range, so that one is excluded.
    inside = (column >= float(least)) & (column < float(most + 1))
    outside: Column = ~(inside & (column == np.trunc(column)))
    return outside


def _is_missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN alone differs from itself
