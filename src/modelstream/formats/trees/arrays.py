"""Trees as flat arrays of bytes, and the check that such arrays are trees.

They are part of a lowered model, so they are checked as any other input before a kernel, which
is native code, sees them.
"""

import msgspec
import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats import limits
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL, MEMBER, TreeArrays
from modelstream.messages import Column


class Trees(msgspec.Struct, kw_only=True, frozen=True):
    """Binary trees over one input matrix; little-endian, so that many decode at once.

    Test i takes `true[i]` where its feature compares with `split[i]` as `mode[i]` says, and
    `false[i]` otherwise; a value below zero is leaf `-1 - value`. Tests stand before those they
    lead to. A set test (mode MEMBER) owns the next stretch of `members`, up to a NaN.
    """

    roots: bytes  # int32 a tree
    feature: bytes  # int32 a test
    mode: bytes  # uint8 a test
    split: bytes  # float64 a test
    true: bytes  # int32 a test
    false: bytes  # int32 a test
    missing_is_true: bytes  # uint8 a test
    members: bytes = b""  # float64


def array_of(data: bytes, dtype: str) -> Column:
    """Return the numbers of an array. Raises InvalidModel where it is cut off."""
    kind = np.dtype(dtype)
    if len(data) % kind.itemsize:
        raise InvalidModel("an array of lowered trees is cut off")
    return np.frombuffer(data, kind)


def checked(trees: Trees, features: int, leaves: int) -> tuple[TreeArrays, Column]:
    """Return arrays once they are known to be trees, and which leaf each of the kernel's is.

    `features` is the width of the matrix they read, `leaves` how many leaves there are. Raises
    InvalidModel.
    """
    roots, feature = array_of(trees.roots, "<i4"), array_of(trees.feature, "<i4")
    mode, split = array_of(trees.mode, "<u1"), array_of(trees.split, "<f8")
    true, false = array_of(trees.true, "<i4"), array_of(trees.false, "<i4")
    missing_is_true = array_of(trees.missing_is_true, "<u1")
    members = array_of(trees.members, "<f8")
    tests = len(feature)
    sound = len(roots) > 0 and all(
        len(column) == tests for column in (mode, split, true, false, missing_is_true)
    )
    sound = sound and roots[0] == 0 and bool((np.diff(roots) > 0).all()) and roots[-1] < tests
    sound = sound and bool(((feature >= 0) & (feature < features)).all())
    sound = sound and bool(np.isin(mode, (LESS_OR_EQUAL, EQUAL, MEMBER)).all())
    sound = sound and not np.isnan(split).any() and bool((missing_is_true <= 1).all())
    sound = sound and _members_hold(members, int((mode == MEMBER).sum()))
    if not sound:
        raise InvalidModel("the arrays of lowered trees do not fit each other")
    tree = np.searchsorted(roots, np.arange(tests), side="right") - 1
    _check_leaves(true, false, tree, leaves)
    _check_shape(roots, true, false, tree)
    true, false, leaf_of = _with_own_leaves(true, false)
    value = np.arange(len(leaf_of), dtype=np.float64)
    leaf_tree = np.concatenate([tree[true < 0], tree[false < 0]])
    arrays = TreeArrays(
        roots, feature, mode, split, true, false, missing_is_true, members, leaf_tree, value,
        features,
    )  # fmt: skip
    return arrays, leaf_of


def _members_hold(members: Column, sets: int) -> bool:
    """Tell whether there is one stretch of members a set test, none of them empty."""
    ends = np.nonzero(np.isnan(members))[0]
    if len(ends) != sets or (len(members) and not np.isnan(members[-1])):
        return False
    return bool((np.diff(ends, prepend=-1) > 1).all())


def _check_leaves(true: Column, false: Column, tree: Column, leaves: int) -> None:
    """Raise InvalidModel unless each leaf that tests lead to is there, and of one tree."""
    leaf_tree = np.full(leaves, -1, dtype=np.intp)
    for child in (true, false):
        at_leaf = child < 0
        leaf = -1 - child[at_leaf]
        if leaf.max(initial=0) >= leaves:
            raise InvalidModel("a test of lowered trees leads to a leaf that is not there")
        leaf_tree[leaf] = tree[at_leaf]
    for child in (true, false):
        at_leaf = child < 0
        if (leaf_tree[-1 - child[at_leaf]] != tree[at_leaf]).any():
            raise InvalidModel("two of the lowered trees share a leaf")


def _check_shape(roots: Column, true: Column, false: Column, tree: Column) -> None:
    """Raise InvalidModel unless all tests form trees of bounded depth."""
    number = np.arange(len(true))
    for child in (true, false):
        inner = child >= 0
        inside = child[inner]
        if (inside <= number[inner]).any() or inside.max(initial=0) >= len(true):
            raise InvalidModel("a test of lowered trees leads back, or to none")
        if (tree[inside] != tree[inner]).any():
            raise InvalidModel("a test of lowered trees leads into another tree")
    both = np.concatenate([true, false])
    reached = np.bincount(both[both >= 0], minlength=len(true))
    reached[roots] += 1
    if (reached != 1).any():
        raise InvalidModel("a test of lowered trees is reached twice, or never")
    level = roots
    for _ in range(limits.TREE_DEPTH_MAX):
        level = np.concatenate([true[level], false[level]])
        level = level[level >= 0]
        if not len(level):
            return
    raise InvalidModel(f"lowered trees are deeper than {limits.TREE_DEPTH_MAX} tests")


def _with_own_leaves(true: Column, false: Column) -> tuple[Column, Column, Column]:
    """Return the children with a leaf for each that is one, and which leaf each of these is.

    The kernel makes one test of two on one input that lead to equal subtrees, even where they
    send missing values apart; and it takes a root whose two children are one leaf for a leaf
    itself. With leaves of their own no two subtrees are equal.
    """
    both = np.concatenate([true, false])
    at_leaf = both < 0
    leaf_of = (-1 - both[at_leaf]).astype(np.intp)
    both[at_leaf] = -1 - np.arange(len(leaf_of))
    return both[: len(true)], both[len(true) :], leaf_of
