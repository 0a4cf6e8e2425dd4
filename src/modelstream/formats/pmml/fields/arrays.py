"""PMML arrays as text: values separated by blanks, strings in double quotes where need be.

DMG 4.4, General structure: Arrays.
"""

import re

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.predicates import Array
from modelstream.messages import Column

_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def array_items(array: Array) -> list[str]:
    """Return the texts of an array's values. Raises InvalidModel when they are not `n`."""
    items = [bare or _ESCAPED.sub(r"\1", quoted) for quoted, bare in _ITEM.findall(array.text)]
    if array.n is not None and array.n != len(items):
        raise InvalidModel(f"an Array declares {array.n} values and holds {len(items)}")
    return items


def array_numbers(array: Array, where: str) -> Column:
    """Return an array's values as numbers. Raises InvalidModel when they are not, or not `n`."""
    return parse_numbers(array_items(array), where)


def parse_numbers(items: list[str], where: str) -> Column:
    """Return texts as finite numbers. Raises InvalidModel when they are anything else."""
    try:
        numbers = np.array([float(item) for item in items], dtype=np.float64)
    except ValueError as error:
        raise InvalidModel(f"{where}: {error}") from None
    if not np.isfinite(numbers).all():
        raise InvalidModel(f"{where}: an array holds a number that is not finite")
    return numbers
