"""Some trees as those of `formats.trees`, and how all rows of a batch walk them: see `forests`."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.limits import PFA_DECISION_DEPTH_MAX, PFA_FOREST_CELLS_MAX
from modelstream.formats.pfa.columns import Batch, Structs
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.treetests import Comparison
from modelstream.formats.pfa.values import Struct
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.formats.trees.layout import Nodes, lay_out
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL
from modelstream.messages import Column

# From here on two whole numbers may be the same float64.
_EXACT = 2.0**53
_ORDERS = frozenset({"<=", "<", ">", ">="})


class Unsuited(Exception):
    """These trees cannot be put into tables."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """What a node asks: how a feature compares with a number, and where rows go that do so or not."""

    feature: int
    mode: int
    split: float
    true: str
    false: str


@dataclass(slots=True)
class _Builder:
    """Trees while they are filled. A node's two ends stand in `ends`: the false one, the true one."""

    comparison: Comparison
    node: str
    features: dict[Any, tuple[int, Any]] = field(default_factory=dict)
    feature: list[int] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    split: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    leaves: dict[int, Any] = field(default_factory=dict)

    def add_tree(self, root: Any) -> int:
        """Add a tree; return the number of its root."""
        top = len(self.feature)
        pending: list[tuple[Any, int | None, int]] = [(root, None, 0)]
        while pending:
            node, end, depth = pending.pop()
            number = self._add(end)
            if type(node) is not Struct or node.name != self.node:
                self.leaves[number] = node
                continue
            if depth >= PFA_DECISION_DEPTH_MAX:
                raise Unsuited
            ask = self._ask(node)
            if "missing" in node:
                # A number is at most infinity, a missing one is not.
                self._set(number, ask.feature, LESS_OR_EQUAL, math.inf)
                pending.append((node["missing"], 2 * number, depth + 1))
                number = self._add(2 * number + 1)
            self._set(number, ask.feature, ask.mode, ask.split)
            pending.append((node[ask.true], 2 * number + 1, depth + 1))
            pending.append((node[ask.false], 2 * number, depth + 1))
        return top

    def nodes(self, roots: list[int]) -> Nodes:
        """Return all trees as nodes with children."""
        count = len(self.feature)
        leaf = np.zeros(count, np.bool_)
        leaf[list(self.leaves)] = True
        return Nodes(
            roots=np.array(roots, np.intp),
            leaf=leaf,
            feature=np.array(self.feature, np.intp),
            mode=np.array(self.mode, np.intp),
            split=np.array(self.split),
            true=np.array(self.ends[1::2], np.intp),
            false=np.array(self.ends[::2], np.intp),
            missing_is_true=np.zeros(count, np.bool_),
            members={},
        )

    def _add(self, end: int | None) -> int:
        number = len(self.feature)
        if end is not None:
            self.ends[end] = number
        self.feature.append(0)
        self.mode.append(LESS_OR_EQUAL)
        self.split.append(math.inf)
        self.ends += [0, 0]
        return number

    def _set(self, number: int, feature: int, mode: int, split: float) -> None:
        self.feature[number], self.mode[number], self.split[number] = feature, mode, split

    def _ask(self, node: Struct) -> _Ask:
        operator, name, value = node["operator"], node["field"], node["value"]
        exact = type(value) is float or (type(value) is int and abs(value) <= _EXACT)
        if self.comparison.is_number(name) and exact and operator in {*_ORDERS, "==", "!="}:
            if not math.isfinite(value):
                raise Unsuited
            feature = self._feature((name,), None)
            ends = ("fail", "pass") if operator in {">", ">=", "!="} else ("pass", "fail")
            if operator not in _ORDERS:
                return _Ask(feature, EQUAL, float(value), *ends)
            strict = operator in {"<", ">="}
            split = math.nextafter(value, -math.inf) if strict else float(value)
            return _Ask(feature, LESS_OR_EQUAL, split, *ends)
        if not self.comparison.is_scalar(name):
            raise Unsuited
        # The test's outcome is the feature: 1 where it holds, 0 where it does not.
        feature = self._feature((name, operator, repr(value)), node)
        return _Ask(feature, LESS_OR_EQUAL, 0.5, "fail", "pass")

    def _feature(self, key: Any, node: Any) -> int:
        return self.features.setdefault(key, (len(self.features), node))[0]


def build_forest(comparison: Comparison, node: str, trees: list[Any]) -> "Forest":
    """Return some trees ready to be walked. Raises Unsuited."""
    if not trees:
        raise Unsuited
    builder = _Builder(comparison, node)
    nodes = builder.nodes([builder.add_tree(tree) for tree in trees])
    features = tuple((key[0], asked) for key, (_, asked) in builder.features.items())
    try:
        arrays, leaves = lay_out(nodes)
        kernel = LeafKernel(arrays, max(len(features), 1), len(leaves))
    except InvalidModel as error:  # deeper or larger than trees may be there
        raise Unsuited from error
    return Forest(
        comparison, features, kernel, _answers([builder.leaves[leaf] for leaf in leaves.tolist()])
    )


def _answers(leaves: list[Any]) -> Column:
    """Return the values of leaves as a column."""
    for kind, dtype in ((float, np.float64), (bool, np.bool_)):
        if all(type(leaf) is kind for leaf in leaves):
            return np.array(leaves, dtype)
    if all(type(leaf) is int and -(2**63) <= leaf < 2**63 for leaf in leaves):
        return np.array(leaves, np.int64)
    column = np.empty(len(leaves), dtype=object)
    for place, leaf in enumerate(leaves):
        column[place] = leaf
    return column


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees ready to be walked; each of their leaves has an answer.

    `features` are fields, with the node that asks for more than their number.
    """

    comparison: Comparison
    features: tuple[tuple[str, Any], ...]
    kernel: LeafKernel
    answers: Column

    def walk(self, batch: Batch, datum: Structs) -> Column:
        """Return the leaf of each tree (columns) for each row."""
        asked = np.zeros((batch.rows, max(len(self.features), 1)))
        for number, (name, node) in enumerate(self.features):
            if node is None:
                asked[:, number] = _numbers(batch, datum.fields[name])
            else:
                asked[:, number] = self._outcomes(batch, name, node, datum.fields[name])
        part = max(PFA_FOREST_CELLS_MAX // self.kernel.trees, 1)
        parts = [
            self.kernel.leaves(asked[start : start + part])
            for start in range(0, max(batch.rows, 1), part)
        ]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        # Rows lie side by side in memory: sums over trees then take whole columns at once.
        leaves: Column = self.answers.take(found).T
        return leaves

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
        inexact = (np.abs(column) >= _EXACT) & (value.dtype.kind == "i")
        batch.doubt(np.isnan(column) | inexact)
        return column
    listed = batch.list_of(value)
    column = np.array([math.nan if each is None else each for each in listed], np.float64)
    null = np.array([each is None for each in listed], np.bool_)
    batch.doubt((np.isnan(column) & ~null) | (np.abs(column) >= _EXACT))
    return column
