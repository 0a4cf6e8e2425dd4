"""Columns made up from a model's inputs, to warm a model up before its first record."""

import numpy as np

from modelstream.formats.base import Field
from modelstream.messages import Column, Columns


def synthetic_columns(inputs: tuple[Field, ...], rows: int) -> Columns:
    """Return `rows` rows of zeros, empty texts and false; an open dimension has length 1."""
    return {field.name: _column(field, rows) for field in inputs}


def _column(field: Field, rows: int) -> Column:
    shape = (rows, *(1 if size is None else size for size in field.shape))
    if field.type == "string":
        return np.full(shape, "", dtype=object)
    return np.zeros(shape, dtype=np.bool_ if field.type == "bool" else np.float64)
