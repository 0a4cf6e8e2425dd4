"""The tables of some trees, and how all rows of a batch walk them: see `forests`."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelstream.formats.limits import PFA_DECISION_DEPTH_MAX, PFA_FOREST_CELLS_MAX
from modelstream.formats.pfa.columns import Batch, Structs
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.treetests import Comparison
from modelstream.formats.pfa.values import Struct
from modelstream.messages import Column

# The largest whole number up to which all are exact as a float64.
_EXACT = 2.0**53
# A node's children in the table: not at most, at most, missing.
_NO, _YES, _MISSING = 0, 1, 2


class Unsuited(Exception):
    """These trees cannot be put into tables."""


@dataclass(slots=True)
class _Builder:
    """Tables while they are filled."""

    comparison: Comparison
    node: str
    features: dict[Any, tuple[int, Any]] = field(default_factory=dict)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    children: list[list[int]] = field(default_factory=list)
    leaves: list[Any] = field(default_factory=list)
    depth: int = 0

    def add_tree(self, root: Any) -> int:
        """Add a tree; return the number of its root."""
        top = len(self.feature)
        pending = [(root, -1, 0, 0)]
        while pending:
            node, parent, place, depth = pending.pop()
            self.depth = max(self.depth, depth)
            if depth > PFA_DECISION_DEPTH_MAX:
                raise Unsuited
            number = len(self.feature)
            if parent >= 0:
                self.children[parent][place] = number
            self.feature.append(0)
            self.threshold.append(math.inf)
            self.children.append([number, number, number])
            if type(node) is not Struct or node.name != self.node:
                self.leaves.append(node)
                continue
            self.leaves.append(...)  # no leaf: null may be one
            yes, no = self._ask(number, node)
            pending.append((node[yes], number, _YES, depth + 1))
            pending.append((node[no], number, _NO, depth + 1))
            if "missing" in node:
                pending.append((node["missing"], number, _MISSING, depth + 1))
        return top

    def _ask(self, number: int, node: Struct) -> tuple[str, str]:
        """Set a node's test; return the fields of the nodes for a true and a false one."""
        operator, name, value = node["operator"], node["field"], node["value"]
        plain = type(value) is float or (type(value) is int and abs(value) <= _EXACT)
        if operator in {"<=", "<", ">", ">="} and self.comparison.is_number(name) and plain:
            if not math.isfinite(value):
                raise Unsuited
            self.feature[number] = self._feature((name,), None)
            strict = operator in {"<", ">="}
            self.threshold[number] = math.nextafter(value, -math.inf) if strict else float(value)
            return ("pass", "fail") if operator in {"<=", "<"} else ("fail", "pass")
        if not self.comparison.is_scalar(name):
            raise Unsuited
        self.feature[number] = self._feature((name, operator, repr(value)), node)
        self.threshold[number] = 0.5  # between false and true
        return "fail", "pass"

    def _feature(self, key: Any, node: Any) -> int:
        return self.features.setdefault(key, (len(self.features), node))[0]


def build_forest(comparison: Comparison, node: str, trees: list[Any]) -> "Forest":
    """Return the tables of some trees. Raises Unsuited."""
    if not trees:
        raise Unsuited
    builder = _Builder(comparison, node)
    roots = [builder.add_tree(tree) for tree in trees]
    return Forest(
        comparison,
        tuple((key[0], asked) for key, (_, asked) in builder.features.items()),
        np.array(roots, np.intp),
        np.array(builder.feature, np.intp),
        np.array(builder.threshold),
        np.array(builder.children, np.intp).ravel(),
        _answers(builder.leaves),
        builder.depth,
    )


def _answers(leaves: list[Any]) -> Column:
    """Return the values of leaves, of which those of other nodes do not matter."""
    known = [leaf for leaf in leaves if leaf is not ...]
    for kind, dtype in ((float, np.float64), (bool, np.bool_)):
        if known and all(type(leaf) is kind for leaf in known):
            return np.array([0 if leaf is ... else leaf for leaf in leaves], dtype)
    if known and all(type(leaf) is int for leaf in known):
        return np.array([0 if leaf is ... else leaf for leaf in leaves], np.int64)
    column = np.empty(len(leaves), dtype=object)
    for place, leaf in enumerate(leaves):
        column[place] = leaf
    return column


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees as tables. `features` are fields with the node that asks for more than their number."""

    comparison: Comparison
    features: tuple[tuple[str, Any], ...]
    roots: Column
    feature: Column
    threshold: Column
    children: Column
    leaves: Column
    depth: int

    def walk(self, batch: Batch, datum: Structs) -> Column:
        """Return the leaf of each tree (columns) for each row."""
        width = max(len(self.features), 1)
        asked = np.zeros((batch.rows, width))
        for number, (name, node) in enumerate(self.features):
            if node is None:
                asked[:, number] = _numbers(batch, datum.fields[name])
            else:
                asked[:, number] = self._outcomes(batch, name, node, datum.fields[name])
        missing = bool(np.isnan(asked).any())
        part = max(PFA_FOREST_CELLS_MAX // len(self.roots), 1)
        parts = [
            self._leaves(asked[start : start + part], missing=missing)
            for start in range(0, max(batch.rows, 1), part)
        ]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        # Rows lie side by side in memory: sums over trees then take whole columns at once.
        leaves: Column = self.leaves.take(found).T
        return leaves

    def _leaves(self, asked: Column, *, missing: bool) -> Column:
        rows, width = asked.shape
        flat = asked.ravel()
        begin = np.arange(rows, dtype=np.intp) * width
        at = np.repeat(self.roots[:, None], rows, axis=1)
        for _ in range(self.depth):
            values = flat.take(self.feature.take(at) + begin)
            branch = (values <= self.threshold.take(at)).astype(np.intp)
            if missing:
                branch += _MISSING * np.isnan(values)
            at = self.children.take(3 * at + branch)
        return at

    def _outcomes(self, batch: Batch, name: str, node: Any, value: Any) -> Column:
        """Return 1 where a node's test holds, 0 where it does not, NaN where it cannot be told."""
        known: dict[Any, float] = {}
        outcomes = np.zeros(batch.rows)
        doubt = np.zeros(batch.rows, np.bool_)
        for row, each in enumerate(batch.list_of(value)):
            found = known.get(each)
            if found is None:
                try:
                    told = self.comparison({name: each}, node)
                    found = math.nan if told is None else float(told)
                except Fault:
                    found = math.inf
                known[each] = found
            outcomes[row] = found
            doubt[row] = found == math.inf
        batch.doubt(doubt)
        return outcomes


def _numbers(batch: Batch, value: Any) -> Column:
    """Return numbers as float64, NaN for null; rows whose number is NaN or inexact are in doubt."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        column = value.astype(np.float64)
        batch.doubt(np.isnan(column) | (np.abs(column) > _EXACT) & (value.dtype.kind == "i"))
        return column
    listed = batch.list_of(value)
    column = np.array([math.nan if each is None else each for each in listed], np.float64)
    null = np.array([each is None for each in listed], np.bool_)
    batch.doubt(np.isnan(column) & ~null)
    return column
