"""The element types of matrices (DMG 4.4, General structure: Matrix)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.predicates import Array


class MatCell(Element, kw_only=True, frozen=True):
    """One value of a matrix; rows and columns are counted from one."""

    row: int
    col: int
    value: float = msgspec.field(name="#text")


class Matrix(Element, kw_only=True, frozen=True):
    """A table of numbers: an Array a row, or cells with default values for the others."""

    kind: Literal["diagonal", "symmetric", "any"] = "any"
    nb_rows: int | None = None
    nb_cols: int | None = None
    diag_default: float | None = None
    off_diag_default: float | None = None
    rows: tuple[Array, ...] = msgspec.field(name="Array", default=())
    cells: tuple[MatCell, ...] = msgspec.field(name="MatCell", default=())
