"""Linear algebra of vectors and matrices, as arrays or as maps (PFA 0.8.1, la.*).

A map lacks what is zero; its rows and columns are taken in the order of their names.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.numbers import add_up
from modelstream.formats.pfa.functions.regressions import dot
from modelstream.formats.pfa.library import Call, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Array, Map, Type
from modelstream.messages import Column

_MATRIX = ("[[double]]", "{{double}}")
_EITHER = ("[double]", *_MATRIX[:1], "{double}", *_MATRIX[1:])
Maps = dict[str, dict[str, float]]


def _each(x: Any, function: Callable[[float], float]) -> Any:
    """Apply a function to each number of a vector or matrix."""
    if isinstance(x, list):
        return [_each(item, function) for item in x]
    if isinstance(x, dict):
        return {key: _each(item, function) for key, item in x.items()}
    return function(x)


def _both(kind: Type, x: Any, y: Any, function: Callable[[float, float], float], code: int) -> Any:
    """Apply a function to each pair of numbers of two vectors or matrices of one kind."""
    if isinstance(kind, Array):
        if len(x) != len(y):
            raise Fault("misaligned matrices", code)
        return [_both(kind.items, a, b, function, code) for a, b in zip(x, y, strict=True)]
    if isinstance(kind, Map):
        if isinstance(kind.values, Map):
            columns = _names([*x.values(), *y.values()])
            empty = dict.fromkeys(columns, 0.0)
            return {
                key: _both(
                    kind.values, {**empty, **x.get(key, {})}, {**empty, **y.get(key, {})},
                    function, code,
                )
                for key in _names([x, y])
            }  # fmt: skip
        return {key: function(x.get(key, 0.0), y.get(key, 0.0)) for key in _names([x, y])}
    return function(x, y)


def _names(maps: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for each in maps for key in each))


def _pairwise(
    name: str, code: int, function: Callable[[Any, Any], Any], kinds: tuple[str, ...]
) -> LibraryFunction:
    def make(call: Call) -> Rule:
        kind = call.params[0]
        return lambda x, y: _both(kind, x, y, function, code)

    def columns(_batch: Batch, x: Any, y: Any) -> Any:
        if is_numbers(x) and is_numbers(y) and x.shape == y.shape:
            return function(x, y)
        return NotImplemented

    signatures = tuple(f"(x: {kind}, y: {kind}) -> {kind}" for kind in kinds)
    return LibraryFunction(name, signatures, make, lambda _call: columns)


def _zipmap(call: Call) -> Rule:
    kind = call.params[0]
    return lambda x, y, fcn: _both(kind, x, y, fcn, 24020)


def _scale_columns(_batch: Batch, x: Any, alpha: Any) -> Any:
    if not is_numbers(x) or not (type(alpha) is float or is_numbers(alpha)):
        return NotImplemented
    shaped = alpha if type(alpha) is float else alpha.reshape(-1, *[1] * (x.ndim - 1))
    return x * shaped


def _square(x: Any, codes: tuple[int, int | None, int | None]) -> tuple[Column, list[str]]:
    """Return a matrix, and the names of its rows, if it is a map. Raises Fault where it is none.

    The codes are those of an empty one, of a ragged one, and of one that is not square.
    """
    few, ragged, unequal = codes
    if isinstance(x, dict):
        names = sorted({*x, *_names(x.values())})
        if not names or not any(x.values()):
            raise Fault("too few rows/cols", few)
        return _laid(x, names, names), names
    _check_rows(x, few, ragged)
    if unequal is not None and len(x) != len(x[0]):
        raise Fault("non-square matrix", unequal)
    return np.array(x, np.float64), []


def _check_rows(x: list[list[float]], few: int, ragged: int | None) -> None:
    if not x or not x[0]:
        raise Fault("too few rows/cols", few)
    if any(len(row) != len(x[0]) for row in x):
        raise Fault("ragged columns", ragged)


def _laid(x: Maps, rows: list[str], columns: list[str]) -> Column:
    laid: Column = np.array(
        [[x.get(row, {}).get(column, 0.0) for column in columns] for row in rows], np.float64
    )
    return laid.reshape(len(rows), len(columns))


def _named(matrix: Column, rows: list[str], columns: list[str]) -> Maps:
    return {
        row: dict(zip(columns, values, strict=True))
        for row, values in zip(rows, matrix.tolist(), strict=True)
    }


def _dot(call: Call) -> Rule:
    second = call.params[1]
    inner = second.items if isinstance(second, Array) else getattr(second, "values", None)
    by_vector = not isinstance(inner, Array | Map)
    if isinstance(second, Map):
        return _dot_vector_map if by_vector else _dot_maps
    return _dot_vector if by_vector else _dot_matrix


def _check_finite(*rows: Iterable[float]) -> None:
    if not all(math.isfinite(value) for row in rows for value in row):
        raise Fault("contains non-finite value", 24052)


def _dot_vector(x: list[list[float]], y: list[float]) -> list[float]:
    if not x or not x[0] or not y:
        raise Fault("too few rows/cols", 24051)
    _check_finite(*x, y)
    if any(len(row) != len(y) for row in x):
        raise Fault("misaligned matrices", 24050)
    return [dot(row, y) for row in x]


def _dot_matrix(x: list[list[float]], y: list[list[float]]) -> list[list[float]]:
    if not x or not x[0] or not y or not y[0]:
        raise Fault("too few rows/cols", 24051)
    _check_finite(*x, *y)
    if any(len(row) != len(y) for row in x) or any(len(row) != len(y[0]) for row in y):
        raise Fault("misaligned matrices", 24050)
    check_size(len(x) * len(y) * len(y[0]))
    turned = list(zip(*y, strict=True))
    return [[dot(row, column) for column in turned] for row in x]


def _dot_vector_map(x: Maps, y: dict[str, float]) -> dict[str, float]:
    keys = sorted({*_names(x.values()), *y})
    if not x or not keys:
        raise Fault("too few rows/cols", 24051)
    _check_finite(*[row.values() for row in x.values()], y.values())
    return {
        name: float(add_up(row.get(key, 0.0) * y.get(key, 0.0) for key in keys))
        for name, row in x.items()
    }


def _dot_maps(x: Maps, y: Maps) -> Maps:
    inner, columns = sorted({*_names(x.values()), *y}), _names(y.values())
    if not x or not inner or not columns:
        raise Fault("too few rows/cols", 24051)
    _check_finite(*[row.values() for row in (*x.values(), *y.values())])
    check_size(len(x) * len(inner) * len(columns))
    turned = {column: {key: y.get(key, {}).get(column, 0.0) for key in inner} for column in columns}
    return {
        name: {
            column: float(add_up(row.get(key, 0.0) * turned[column][key] for key in inner))
            for column in columns
        }
        for name, row in x.items()
    }


def _transpose(x: Any) -> Any:
    if isinstance(x, dict):
        columns = _names(x.values())
        if not columns:
            raise Fault("too few rows/cols", 24060)
        if any(row.keys() != set(columns) for row in x.values()):
            raise Fault("ragged columns", 24061)
        return {column: {row: x[row][column] for row in x} for column in columns}
    _check_rows(x, 24060, 24061)
    return [list(column) for column in zip(*x, strict=True)]


def _inverse(x: Any) -> Any:
    matrix, names = _square(x, (24070, 24071, None))
    if isinstance(x, dict):
        rows, columns = sorted(x), sorted(_names(x.values()))
        matrix = _laid(x, rows, columns)
    if not np.isfinite(matrix).all():  # which NumPy would take for ever to find out
        raise Fault("the matrix has no inverse", None)
    try:
        found = (
            np.linalg.inv(matrix) if matrix.shape[0] == matrix.shape[1] else np.linalg.pinv(matrix)
        )
    except np.linalg.LinAlgError:
        raise Fault("the matrix has no inverse", None) from None
    return _named(found, columns, rows) if names else found.tolist()


def _trace(x: Any) -> float:
    if isinstance(x, dict):
        return float(add_up(row[key] for key, row in x.items() if key in row))
    if any(len(row) != len(x[0]) for row in x):
        raise Fault("ragged columns", 24080)
    return float(add_up(row[at] for at, row in enumerate(x) if at < len(row)))


def _det(x: Any) -> float:
    matrix, _ = _square(x, (24090, 24091, 24092))
    return float(np.linalg.det(matrix)) if np.isfinite(matrix).all() else math.nan


def _symmetric(x: Any, tol: float) -> bool:
    matrix, _ = _square(x, (24100, 24101, 24102))
    turned = matrix.T
    with np.errstate(all="ignore"):
        near = np.abs(matrix - turned) < tol
    same = (matrix == turned) & np.isinf(matrix) | np.isnan(matrix) & np.isnan(turned)
    return bool((near | same).all())


def _truncate(x: Any, keep: Any) -> Any:
    if isinstance(x, dict):
        if not x or not any(x.values()):
            raise Fault("too few rows/cols", 24120)
        return {key: row for key, row in x.items() if key in keep}
    _check_rows(x, 24120, 24121)
    return x[: max(keep, 0)]


def _of_matrix(name: str, result: str, rule: Callable[..., Any], more: str = "") -> LibraryFunction:
    signatures = tuple(f"(x: {kind}{more}) -> {result or kind}" for kind in _MATRIX)
    return plain(f"la.{name}", *signatures, rule=rule)


FUNCTIONS: tuple[LibraryFunction, ...] = (
    _of_matrix("map", "", _each, ", fcn: (double -> double)"),
    plain(
        "la.scale",
        *(f"(x: {kind}, alpha: double) -> {kind}" for kind in _EITHER),
        rule=lambda x, alpha: _each(x, lambda value: value * alpha),
        columns=_scale_columns,
    ),
    LibraryFunction(
        "la.zipmap",
        tuple(
            f"(x: {kind}, y: {kind}, fcn: (double, double -> double)) -> {kind}" for kind in _MATRIX
        ),
        _zipmap,
    ),
    _pairwise("la.add", 24030, lambda x, y: x + y, _EITHER),
    _pairwise("la.sub", 24040, lambda x, y: x - y, _EITHER),
    LibraryFunction(
        "la.dot",
        (
            "(x: [[double]], y: [double]) -> [double]",
            "(x: {{double}}, y: {double}) -> {double}",
            "(x: [[double]], y: [[double]]) -> [[double]]",
            "(x: {{double}}, y: {{double}}) -> {{double}}",
        ),
        _dot,
    ),
    _of_matrix("transpose", "", _transpose),
    _of_matrix("inverse", "", _inverse),
    _of_matrix("trace", "double", _trace),
    _of_matrix("det", "double", _det),
    _of_matrix("symmetric", "boolean", _symmetric, ", tol: double"),
    plain(
        "la.truncate",
        "(x: [[double]], keep: int) -> [[double]]",
        "(x: {{double}}, keep: [string]) -> {{double}}",
        rule=_truncate,
    ),
)
