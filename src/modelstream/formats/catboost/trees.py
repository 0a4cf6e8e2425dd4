"""CatBoost's trees as nodes, and what each of their leaves adds to each sum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.catboost import document as cb
from modelstream.formats.catboost.features import Tests
from modelstream.formats.trees.layout import Nodes
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL
from modelstream.messages import Column

_LEAF = -1  # instead of the number of a test


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """The nodes of all trees, and for each that is a leaf what it adds to each sum (column)."""

    nodes: Nodes
    added: Column


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """A tree: the test of each node or _LEAF, its children, and the values of its leaves.

    Leaves are in the order of their nodes.
    """

    test: Column
    without: Column  # the child where the test fails
    with_: Column  # and where it holds
    values: Column  # (leaves, sums)


def read_forest(saved: cb.Document, tests: Tests) -> Forest | None:
    """Return the trees; None where there are none. Raises InvalidModel, UnsupportedModel."""
    if (saved.oblivious_trees is None) == (saved.trees is None):
        raise InvalidModel("a CatBoost model has either oblivious_trees or trees")
    read = (
        [_symmetric(tree, tests) for tree in _bounded(saved.oblivious_trees)]
        if saved.oblivious_trees is not None
        else [_any_shape(root, tests) for root in saved.trees or []]
    )
    if len(read) > limits.TREES_MAX:
        raise InvalidModel(f"{len(read)} trees; a model has at most {limits.TREES_MAX}")
    if len({tree.values.shape[1] for tree in read}) > 1:
        raise InvalidModel("the leaves of trees have not the same number of values")
    return _joined(read, tests) if read else None


def _bounded(trees: Sequence[cb.SymmetricTree]) -> Sequence[cb.SymmetricTree]:
    """Return the trees once it is known that they are not too many tests when written out."""
    depths = [len(tree.splits or []) for tree in trees]
    if max(depths, default=0) > limits.CATBOOST_DEPTH_MAX:
        raise InvalidModel(f"a symmetric tree is deeper than {limits.CATBOOST_DEPTH_MAX} tests")
    nodes = sum(2 << depth for depth in depths)
    if nodes > limits.TREE_TESTS_MAX:
        raise InvalidModel(f"{nodes} nodes; trees have at most {limits.TREE_TESTS_MAX}")
    return trees


def _symmetric(tree: cb.SymmetricTree, tests: Tests) -> _Tree:
    """Write a tree out: level by level, in a level by the bits of the tests above."""
    splits = [_number(split, tests) for split in tree.splits or []]
    depth = len(splits)
    leaves = 1 << depth
    if not tree.leaf_values or len(tree.leaf_values) % leaves:
        raise InvalidModel(f"{len(tree.leaf_values)} values do not make {leaves} leaves")
    sizes = 1 << np.arange(depth)
    level = np.repeat(sizes, sizes)
    without = np.full(2 * leaves - 1, _LEAF)
    # A level of 2^n nodes begins with node 2^n - 1, and bit n tells the children of each apart.
    without[: leaves - 1] = np.arange(leaves - 1) + level
    with_ = without.copy()
    with_[: leaves - 1] += level
    return _Tree(
        test=np.concatenate([np.repeat(splits, sizes), np.full(leaves, _LEAF)]).astype(np.int64),
        without=without,
        with_=with_,
        values=np.array(tree.leaf_values).reshape(leaves, -1),
    )


def _any_shape(root: cb.Node, tests: Tests) -> _Tree:
    """Return a tree with its nodes numbered level by level."""
    nodes = [root]
    test: list[int] = []
    without: list[int] = []
    values: list[list[float]] = []
    for node in nodes:
        if node.split is None:
            test.append(_LEAF)
            without.append(_LEAF)
            values.append(_values(node))
            continue
        if node.left is None or node.right is None:
            raise InvalidModel("a test of a tree has not two children")
        test.append(_number(node.split, tests))
        without.append(len(nodes))
        nodes += (node.left, node.right)
    if len({len(each) for each in values}) > 1:
        raise InvalidModel("the leaves of a tree have not the same number of values")
    first = np.array(without)
    return _Tree(np.array(test), first, first + 1, np.array(values))


def _values(leaf: cb.Node) -> list[float]:
    values = [leaf.value] if isinstance(leaf.value, float) else leaf.value
    if not values:
        raise InvalidModel("a leaf of a tree has no value")
    return values


def _number(split: cb.Split, tests: Tests) -> int:
    """Return the number of a test, which has to be one of its kind."""
    if split.split_type not in {"FloatFeature", "OneHotFeature", "OnlineCtr"}:
        raise UnsupportedModel(f"splits of the type {split.split_type!r} are not evaluated")
    number = split.split_index
    if number >= len(tests.kinds) or tests.kinds[number] != split.split_type:
        raise InvalidModel(f"split {number} is no {split.split_type} of the features")
    return number


def _joined(read: Sequence[_Tree], tests: Tests) -> Forest:
    sizes = [len(tree.test) for tree in read]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    shift = np.repeat(roots, sizes)
    test = np.concatenate([tree.test for tree in read])
    leaf = test == _LEAF
    without = np.concatenate([tree.without for tree in read]) + shift
    with_ = np.concatenate([tree.with_ for tree in read]) + shift
    # A leaf reads no test; where there are no tests at all, it needs one to stand in.
    mode = np.append(tests.mode, LESS_OR_EQUAL)[test]
    equal = mode == EQUAL
    nodes = Nodes(
        roots=roots,
        leaf=leaf,
        feature=np.append(tests.column, 0)[test],
        mode=mode,
        split=np.append(tests.split, 0.0)[test],
        # A number is above its border where it is not at most that; no missing one is above any.
        true=np.where(equal, with_, without),
        false=np.where(equal, without, with_),
        missing_is_true=~equal,
        members={},
    )
    added = np.zeros((len(test), read[0].values.shape[1]))
    added[leaf] = np.concatenate([tree.values for tree in read])
    return Forest(nodes, added)
