"""Nodes become flat trees that lead every row to the leaf that a walk over the nodes finds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.formats.trees.layout import Nodes, lay_out
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL, MEMBER

FEATURES = 3


def grown(rng: np.random.Generator, trees: int, depth: int) -> Nodes:
    """Grow random trees whose nodes are numbered in a random order."""
    columns: list[list[float]] = []
    members = {}

    def grow(left: int) -> int:
        here = len(columns)
        columns.append([])
        if left == 0 or rng.random() < 0.2:
            columns[here] = [1, 0, 0, 0, 0, 0, 0]
            return here
        mode = MEMBER if rng.random() < 0.3 else LESS_OR_EQUAL
        if mode == MEMBER:
            members[here] = sorted(set(rng.integers(0, 5, 3).tolist()))
        true, false = grow(left - 1), grow(left - 1)
        missing = int(rng.random() < 0.5)
        split = 0.0 if mode == MEMBER else float(rng.integers(0, 5))
        columns[here] = [0, int(rng.integers(0, FEATURES)), mode, split, true, false, missing]
        return here

    roots = [grow(depth) for _ in range(trees)]
    order = rng.permutation(len(columns))
    place = np.argsort(order)  # where each node went
    table = np.array(columns)[order]
    leaf = table[:, 0] == 1
    return Nodes(
        roots=place[roots],
        leaf=leaf,
        feature=table[:, 1].astype(int),
        mode=table[:, 2].astype(int),
        split=table[:, 3],
        true=np.where(leaf, 0, place[table[:, 4].astype(int)]),
        false=np.where(leaf, 0, place[table[:, 5].astype(int)]),
        missing_is_true=table[:, 6] == 1,
        members={int(place[node]): values for node, values in members.items()},
    )


def walked(nodes: Nodes, root: int, row: np.ndarray) -> int:
    at = root
    while not nodes.leaf[at]:
        value = row[nodes.feature[at]]
        if np.isnan(value):
            goes = bool(nodes.missing_is_true[at])
        elif nodes.mode[at] == MEMBER:
            goes = value in nodes.members[at]
        else:
            goes = value <= nodes.split[at]
        at = int(nodes.true[at] if goes else nodes.false[at])
    return at


@given(seed=st.integers(0, 2**32 - 1), trees=st.integers(1, 4), depth=st.integers(0, 4))
def test_every_row_comes_to_the_leaf_that_a_walk_finds(seed: int, trees: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = grown(rng, trees, depth)
    laid_out, leaves = lay_out(nodes)
    matrix = rng.integers(0, 6, (20, FEATURES)).astype(np.float64)
    matrix[rng.random(matrix.shape) < 0.2] = np.nan
    found = leaves[LeafKernel(laid_out, FEATURES, len(leaves)).leaves(matrix)]
    expected = [[walked(nodes, root, row) for row in matrix] for root in nodes.roots.tolist()]
    assert found.tolist() == expected


def chain(length: int) -> Nodes:
    """Return one tree that goes on to the left."""
    count = 2 * length + 1
    number = np.arange(count)
    leaf = (number % 2 == 1) | (number == count - 1)
    return Nodes(
        roots=np.array([0]),
        leaf=leaf,
        feature=np.zeros(count, int),
        mode=np.zeros(count, int),
        split=np.zeros(count),
        true=np.where(leaf, 0, number + 2),
        false=np.where(leaf, 0, number + 1),
        missing_is_true=np.zeros(count, bool),
        members={},
    )


def test_trees_that_are_too_deep_are_refused() -> None:
    lay_out(chain(limits.TREE_DEPTH_MAX))
    with pytest.raises(InvalidModel, match="deeper"):
        lay_out(chain(limits.TREE_DEPTH_MAX + 1))


def test_nodes_that_are_no_trees_are_refused() -> None:
    sound = chain(3)
    for wrong, told in ((sound.true * 0, "twice"), (sound.true + 99, "not there")):
        with pytest.raises(InvalidModel, match=told):
            lay_out(replace(sound, true=wrong))


def test_more_nodes_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TREE_TESTS_MAX", 5)
    with pytest.raises(InvalidModel, match="at most 5"):
        lay_out(chain(3))
