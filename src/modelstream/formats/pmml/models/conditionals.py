"""The nodes of a Bayesian network, each with its distribution conditional on its parents.

DMG 4.4, Bayesian Network Models. A node's parents are those that its ParentValues name and those
whose numbers its DerivedFields and the parameters of its distributions are computed from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.codes import MISSING
from modelstream.formats.pmml.models.elimination import Factor
from modelstream.messages import Column

# The values of discrete nodes that are known in some rows, as positions; below zero: no such value.
Known = Mapping[str, Column]


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Which conditional of a node holds for which values of its parents.

    `index` has the conditionals' numbers, an axis a selector, then one a discrete parent.
    Selectors are positions of values of fields that are not nodes; `sources` are the continuous
    parents.
    """

    selectors: tuple[Cell[Column], ...]
    parents: tuple[str, ...]
    sources: tuple[str, ...]
    index: Column

    def select(self, batch: Batch, rows: Column, known: Known) -> tuple[tuple[str, ...], Column]:
        """Return the parents that are not known, and the conditional for all their values.

        The conditionals are numbers, an axis of rows before those of the parents; -1 is none.
        """
        codes = [batch.read(selector)[rows] for selector in self.selectors]
        axes = list(range(len(codes)))
        for axis, parent in enumerate(self.parents, start=len(codes)):
            if parent in known:
                codes.append(known[parent])
                axes.append(axis)
        hidden = tuple(parent for parent in self.parents if parent not in known)
        if not codes:
            return hidden, self.index[None]
        moved = np.moveaxis(self.index, axes, range(len(axes)))
        chosen = moved[tuple(np.maximum(code, 0) for code in codes)]
        chosen[np.logical_or.reduce([code < 0 for code in codes])] = -1
        return hidden, chosen


@dataclass(frozen=True, slots=True, eq=False)
class DiscreteVariable:
    """A node with values; `given` holds their positions in a batch, if it is an input.

    `table` has a row a conditional and a column a value, and a last row and column of zeros.
    """

    name: str
    labels: tuple[str, ...]
    conditions: Conditions
    table: Column
    given: Cell[Column] | None

    def is_known(self, batch: Batch) -> Column:
        """Return in which rows an input is not missing."""
        known: Column = batch.read(present(self.given)) != MISSING
        return known

    def factor(self, batch: Batch, rows: Column, known: Known) -> Factor:
        """Return the probabilities of its values, or of the one that is known."""
        hidden, chosen = self.conditions.select(batch, rows, known)
        if self.name not in known:
            return Factor((*hidden, self.name), self.table[chosen][..., :-1])
        own = known[self.name].reshape(-1, *[1] * len(hidden))
        return Factor(hidden, self.table[chosen, np.where(own < 0, -1, own)])


@dataclass(frozen=True, slots=True, eq=False)
class ContinuousVariable:
    """A node that is a number; `given` holds its numbers in a batch, if it is an input.

    `log_densities` of the number that is given, and `moments`, have a row a row and a column a
    conditional; they are absent where the node is never asked for them.
    """

    name: str
    conditions: Conditions
    given: Cell[Column] | None
    log_densities: Cell[Column] | None
    moments: Cell[Column] | None

    def is_known(self, batch: Batch) -> Column:
        """Return in which rows an input is not missing."""
        return ~np.isnan(batch.read(present(self.given)))

    def factor(self, batch: Batch, rows: Column, known: Known) -> Factor:
        """Return the density of the number that is given, but for a positive factor a row."""
        hidden, chosen = self.conditions.select(batch, rows, known)
        logs = take(batch.read(present(self.log_densities))[rows], chosen, -np.inf)
        peak = logs.max(axis=tuple(range(1, logs.ndim)), keepdims=True)
        return Factor(hidden, np.exp(logs - np.where(np.isneginf(peak), 0.0, peak)))


Variable = DiscreteVariable | ContinuousVariable


def parents_of(variable: Variable) -> tuple[str, ...]:
    """Return the names of a node's parents."""
    return (*variable.conditions.parents, *variable.conditions.sources)


def present(cell: Cell[Column] | None) -> Cell[Column]:
    """Return a cell that is there, as it is of every node that inference asks for it."""
    assert cell is not None
    return cell


def take(table: Column, chosen: Column, other: float) -> Column:
    """Return what a table has for the conditionals chosen: a row a row, a column a conditional."""
    padded = np.concatenate([table, np.full((len(table), 1), other)], axis=1)
    rows = np.arange(len(table)).reshape(-1, *[1] * (chosen.ndim - 1))
    taken: Column = padded[rows, chosen]
    return taken
