"""Exact inference in a Bayesian network: which nodes matter, and what they say of the target.

Rows in which the same nodes are known are inferred together, all their hidden discrete nodes
summed out. Nothing here reads PMML.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.models.conditionals import (
    ContinuousVariable,
    DiscreteVariable,
    Known,
    Variable,
    parents_of,
)
from modelstream.formats.pmml.models.elimination import arrange, elimination_order, sum_out
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows in which the same nodes are known, and the probabilities of what is asked, a row a row.

    Asked for are the target's values, or those of the hidden discrete parents of a continuous one.
    """

    rows: Column
    known: Known
    weights: Column


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network ready for inference: `kept` are not summed out, the others are, in `order`."""

    variables: Mapping[str, Variable]
    target: str
    kept: tuple[str, ...]
    order: tuple[str, ...] = ()
    chunk: int = 1

    def infer(self, batch: Batch) -> Iterator[Part]:
        """Return the answers for all rows but those that are rejected."""
        for every, observed in self._patterns(batch):
            try:
                members = self.members(observed)
            except UnsupportedModel as refusal:
                for row in every.tolist():
                    batch.reject(row, str(refusal))
                continue
            for start in range(0, len(every), self.chunk):
                yield self._part(batch, every[start : start + self.chunk], observed, members)

    def members(self, observed: frozenset[str]) -> tuple[str, ...]:
        """Return the nodes whose distributions matter to the target's when some are observed.

        A node below all that is asked or observed does not matter, nor does one that shares no
        hidden node with the target, directly or by others. Raises UnsupportedModel where a hidden
        node that matters is continuous.
        """
        scopes = {
            name: {name, *parents_of(self.variables[name])} - observed
            for name in self.ancestors((*observed, self.target))
        }
        holders: dict[str, list[str]] = {}
        for name, scope in scopes.items():
            for variable in scope:
                holders.setdefault(variable, []).append(name)
        members: set[str] = set()
        met, stack = {self.target}, [self.target]
        while stack:
            for holder in holders[stack.pop()]:
                members.add(holder)
                stack.extend(scopes[holder] - met)
                met |= scopes[holder]
        for name in sorted(met - {self.target}):
            if isinstance(self.variables[name], ContinuousVariable):
                raise UnsupportedModel(
                    f"exact inference is not possible: the continuous node {name!r} is not known"
                )
        # In the document's order: the order of a product shows in its last digit.
        ordered = tuple(name for name in self.variables if name in members)
        if not isinstance(self.variables[self.target], ContinuousVariable):
            return ordered
        if len(holders[self.target]) > 1:
            raise UnsupportedModel(
                f"inference of the continuous target {self.target!r} from nodes that depend on it "
                "is not evaluated"
            )
        return tuple(name for name in ordered if name != self.target)

    def ancestors(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return nodes with all nodes above them."""
        met = dict.fromkeys(names)
        stack = list(names)
        while stack:
            above = [name for name in parents_of(self.variables[stack.pop()]) if name not in met]
            met.update(dict.fromkeys(above))
            stack.extend(above)
        return tuple(met)

    def given(self) -> tuple[str, ...]:
        """Return the nodes that are inputs."""
        return tuple(name for name, one in self.variables.items() if one.given is not None)

    def _patterns(self, batch: Batch) -> Iterator[tuple[Column, frozenset[str]]]:
        """Return the rows in which the same inputs are known, and these inputs."""
        names = self.given()
        known = np.zeros((batch.rows, len(names) + 1), dtype=np.bool_)
        for column, name in enumerate(names):
            known[:, column] = self.variables[name].is_known(batch)
        patterns, which = np.unique(known, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            observed = frozenset(
                name for name, is_known in zip(names, pattern[:-1], strict=True) if is_known
            )
            yield np.nonzero(which.reshape(-1) == number)[0], observed

    def _part(
        self, batch: Batch, rows: Column, observed: frozenset[str], members: tuple[str, ...]
    ) -> Part:
        known = {
            name: batch.read(one.given)[rows]
            for name, one in self.variables.items()
            if name in observed and isinstance(one, DiscreteVariable) and one.given is not None
        }
        factors = [self.variables[name].factor(batch, rows, known) for name in members]
        hidden = tuple(name for name in self.kept if name not in observed)
        cells = arrange(sum_out(factors, self.order), hidden)
        weights = np.broadcast_to(cells.reshape(len(cells), -1), (len(rows), cells[0].size))
        return Part(rows, known, weights / weights.sum(axis=1, keepdims=True))


def build_network(variables: Mapping[str, Variable], target: str) -> Network:
    """Return a network ready for inference of its target.

    Raises UnsupportedModel where inference is not exact even if all inputs are known, or takes
    larger tables than are held.
    """
    asked = variables[target]
    continuous = isinstance(asked, ContinuousVariable)
    kept = asked.conditions.parents if continuous else (target,)
    bare = Network(variables, target, kept)
    bare.members(frozenset(bare.given()))
    relevant = bare.ancestors((*bare.given(), target))
    lengths = {
        name: len(one.labels)
        for name in relevant
        if isinstance(one := variables[name], DiscreteVariable)
    }
    tables = [lengths.keys() & {name, *parents_of(variables[name])} for name in relevant]
    order, largest = elimination_order(lengths, tables, kept)
    chunk = max(1, limits.PMML_ENSEMBLE_CELLS_MAX // largest)
    return Network(variables, target, kept, order, chunk)
