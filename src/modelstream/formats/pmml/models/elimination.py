"""Sums of products of tables, a variable summed out at a time.

What is not summed out in a clever order is a table of all combinations of all variables. Nothing
here knows what the variables mean.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats import limits
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """A table for each row, an axis a variable after the axis of the rows.

    A table that all rows have in common has an axis of the rows of length 1.
    """

    names: tuple[str, ...]
    cells: Column


def sum_out(factors: Iterable[Factor], order: Iterable[str]) -> Factor:
    """Return the product with the variables of `order` summed out.

    A row's table is right but for a positive constant, so that long products do not underflow.
    """
    left = list(factors)
    for name in order:
        touched = [factor for factor in left if name in factor.names]
        if not touched:
            continue
        product = multiply(touched)
        axis = product.names.index(name)
        names = product.names[:axis] + product.names[axis + 1 :]
        left = [factor for factor in left if name not in factor.names]
        left.append(Factor(names, product.cells.sum(axis=axis + 1)))
    return multiply(left)


def multiply(factors: Iterable[Factor]) -> Factor:
    """Return the product of tables, each row's scaled to a greatest cell of one."""
    names: tuple[str, ...] = ()
    cells = np.ones(1)
    for factor in factors:
        joined = tuple(dict.fromkeys((*names, *factor.names)))
        cells = arrange(Factor(names, cells), joined) * arrange(factor, joined)
        names = joined
        peak = cells.max(axis=tuple(range(1, cells.ndim)), keepdims=True)
        cells = np.where(peak > 0.0, cells / peak, cells)
    return Factor(names, cells)


def arrange(factor: Factor, names: tuple[str, ...]) -> Column:
    """Return the cells with an axis for each of the names, of length 1 where it has none."""
    own = [name for name in names if name in factor.names]
    axes = [0, *(factor.names.index(name) + 1 for name in own)]
    lengths = iter(factor.cells.transpose(axes).shape[1:])
    shape = [next(lengths) if name in factor.names else 1 for name in names]
    return factor.cells.transpose(axes).reshape(len(factor.cells), *shape)


def elimination_order(
    lengths: Mapping[str, int], tables: Iterable[Collection[str]], kept: Collection[str]
) -> tuple[tuple[str, ...], int]:
    """Return all variables but those kept in an order with small tables, and the largest's cells.

    With some of the variables fixed the same order needs no larger tables. Raises
    UnsupportedModel when it needs larger ones than are held.
    """
    near: dict[str, set[str]] = {name: set() for name in lengths}
    for table in (*tables, kept):
        for name in table:
            near[name].update(table)

    def cells(name: str) -> int:
        # A variable with one value counts for two: tables have a limit of axes, too.
        return math.prod(max(lengths[other], 2) for other in near[name] | {name})

    left = dict.fromkeys(name for name in lengths if name not in kept)
    order, largest = [], math.prod(max(lengths[name], 2) for name in kept)
    while left:
        chosen = min(left, key=cells)
        largest = max(largest, cells(chosen))
        del left[chosen]
        order.append(chosen)
        clique = near.pop(chosen) - {chosen}
        for name in clique:
            near[name] = (near[name] | clique) - {chosen}
    if largest > limits.PMML_FACTOR_CELLS_MAX:
        raise UnsupportedModel(
            f"exact inference in this network takes tables of {largest} cells a record; "
            f"up to {limits.PMML_FACTOR_CELLS_MAX} are held"
        )
    return tuple(order), largest
