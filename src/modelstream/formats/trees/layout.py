"""Lay out trees that are given as nodes with children: in the order and numbering of `Trees`.

The tree libraries number inner nodes and leaves together, in an order of their own. What they
give is untrusted: that it is trees at all is checked here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL, MEMBER
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The nodes of all trees, numbered through; all columns have an entry for each.

    A leaf has `leaf` true; what its other columns hold does not count. `members` are the values
    of each set test (mode MEMBER), by node.
    """

    roots: Column  # int, a tree
    leaf: Column  # bool
    feature: Column  # int
    mode: Column  # int
    split: Column  # float64
    true: Column  # int, a node
    false: Column  # int, a node
    missing_is_true: Column  # bool
    members: Mapping[int, Sequence[float] | Column]


def lay_out(nodes: Nodes) -> tuple[Trees, Column]:
    """Return the trees, and for each of their leaves the node that it is. Raises InvalidModel."""
    inner, tree, leaves = _in_order(nodes)
    count = len(nodes.leaf)
    order = np.argsort(tree, kind="stable")
    inner, tree = inner[order], tree[order]
    number = np.full(count, -1, dtype=np.int64)
    number[inner] = np.arange(len(inner))
    number[leaves] = -1 - np.arange(len(leaves))
    # A tree of one leaf: the kernel needs a test, and a test needs two children.
    alone = nodes.leaf[inner]
    true = np.where(alone, inner, nodes.true[inner])
    false = np.where(alone, inner, nodes.false[inner])
    mode = np.where(alone, LESS_OR_EQUAL, nodes.mode[inner])
    trees = Trees(
        roots=_bytes(np.searchsorted(tree, np.arange(len(nodes.roots))), "<i4"),
        feature=_bytes(np.where(alone, 0, nodes.feature[inner]), "<i4"),
        mode=_bytes(mode, "<u1"),
        split=_bytes(np.where(alone, np.inf, nodes.split[inner]), "<f8"),
        true=_bytes(number[true], "<i4"),
        false=_bytes(number[false], "<i4"),
        missing_is_true=_bytes(nodes.missing_is_true[inner] & ~alone, "<u1"),
        members=_members(nodes, inner[mode == MEMBER]),
    )
    return trees, leaves


def _in_order(nodes: Nodes) -> tuple[Column, Column, Column]:
    """Return the tests level by level with the tree of each, and the leaves by number.

    The root of a tree that is a leaf alone counts as a test, too.
    """
    count = len(nodes.leaf)
    if count > limits.TREE_TESTS_MAX:
        raise InvalidModel(f"{count} nodes; trees have at most {limits.TREE_TESTS_MAX}")
    level, tree = nodes.roots.astype(np.int64), np.arange(len(nodes.roots))
    reached = np.zeros(count, dtype=np.int64)
    tests, of_tree = [], []
    for depth in range(limits.TREE_DEPTH_MAX + 2):  # the last finds nothing left
        if not len(level):
            break
        if level.min() < 0 or level.max() >= count:
            raise InvalidModel("a node of a tree leads to one that is not there")
        np.add.at(reached, level, 1)
        if reached.max() > 1:
            raise InvalidModel("a node of a tree is reached twice")
        goes_on = ~nodes.leaf[level]
        kept = goes_on if depth else np.ones_like(goes_on)
        tests.append(level[kept])
        of_tree.append(tree[kept])
        level, tree = level[goes_on], tree[goes_on]
        level = np.concatenate([nodes.true[level], nodes.false[level]])
        tree = np.concatenate([tree, tree])
    else:
        raise InvalidModel(f"a tree is deeper than {limits.TREE_DEPTH_MAX} tests")
    leaves = np.flatnonzero(nodes.leaf & (reached > 0))
    return np.concatenate(tests), np.concatenate(of_tree), leaves


def _members(nodes: Nodes, tests: Column) -> bytes:
    parts = [np.array([*nodes.members[test], np.nan]) for test in tests.tolist()]
    return _bytes(np.concatenate(parts), "<f8") if parts else b""


def _bytes(column: Column, dtype: str) -> bytes:
    return np.ascontiguousarray(column, dtype=dtype).tobytes()
