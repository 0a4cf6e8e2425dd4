"""PMML matrices as NumPy tables (DMG 4.4, General structure: Matrix)."""

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.matrices import Matrix
from modelstream.formats.pmml.fields.arrays import array_items
from modelstream.messages import Column


def matrix_table(matrix: Matrix, where: str) -> Column:
    """Return a matrix as a float64 table. Raises InvalidModel when it is not one."""
    table = _of_arrays(matrix, where) if matrix.rows else _of_cells(matrix, where)
    shape = (matrix.nb_rows or table.shape[0], matrix.nb_cols or table.shape[1])
    if table.shape != shape:
        raise InvalidModel(f"{where}: the Matrix is of shape {table.shape}, not {shape}")
    return table


def _of_arrays(matrix: Matrix, where: str) -> Column:
    try:
        rows = [[float(item) for item in array_items(row)] for row in matrix.rows]
    except ValueError as error:
        raise InvalidModel(f"{where}: the Matrix does not hold numbers: {error}") from None
    if matrix.kind == "diagonal" and len(rows) == 1:
        return np.diag(np.array(rows[0]))
    if matrix.kind == "symmetric" and [len(row) for row in rows] == list(range(1, len(rows) + 1)):
        triangle = np.zeros((len(rows), len(rows)))
        for number, row in enumerate(rows):
            triangle[number, : number + 1] = triangle[: number + 1, number] = row
        return triangle
    if len({len(row) for row in rows}) != 1:
        raise InvalidModel(f"{where}: the rows of the Matrix are not of one length")
    return np.array(rows, dtype=np.float64)


def _of_cells(matrix: Matrix, where: str) -> Column:
    rows = matrix.nb_rows or max((cell.row for cell in matrix.cells), default=0)
    cols = matrix.nb_cols or max((cell.col for cell in matrix.cells), default=0)
    if not 0 < rows * cols <= limits.PMML_TABLE_ROWS_MAX:
        raise InvalidModel(f"{where}: a Matrix of {rows} rows and {cols} columns")
    table = np.full((rows, cols), matrix.off_diag_default or 0.0)
    np.fill_diagonal(table, matrix.diag_default or 0.0)
    for cell in matrix.cells:
        if not (1 <= cell.row <= rows and 1 <= cell.col <= cols):
            raise InvalidModel(f"{where}: MatCell {cell.row}, {cell.col} is outside the Matrix")
        table[cell.row - 1, cell.col - 1] = cell.value
        if matrix.kind == "symmetric":
            table[cell.col - 1, cell.row - 1] = cell.value
    return table
