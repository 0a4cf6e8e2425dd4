"""The trees of a LightGBM text model as nodes: what `Tree::Decision` does, said once and for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.trees.layout import Nodes
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL, MEMBER
from modelstream.messages import Column

# Bits of `decision_type`, and the values of its missing type.
_CATEGORICAL = 1
_DEFAULT_LEFT = 2
_MISSING_SHIFT = 2
_AS_ZERO, _ZERO_TOO, _ONLY_NAN = 0, 1, 2

_ZERO = limits.LIGHTGBM_ZERO
_NO_CATEGORY = 0.5  # no whole number is this


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """The nodes of all trees, what each adds where it is a leaf, and how features are read.

    `categorical` features are only in set tests; in tests of `zero_is_missing` ones a zero is as
    missing as a NaN.
    """

    nodes: Nodes
    added: Column
    categorical: frozenset[int]
    zero_is_missing: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """The columns of one tree: `tests` of them, and one leaf more."""

    feature: Column
    threshold: Column
    decision: Column
    left: Column
    right: Column
    added: Column
    sets: list[Column]


def read_forest(trees: Sequence[dict[str, str]], features: int) -> Forest:
    """Return the trees. Raises InvalidModel, UnsupportedModel."""
    read: list[_Tree] = []
    room = limits.TREE_MEMBERS_MAX
    for keys in trees:
        read.append(_read_tree(keys, features, room))
        room -= sum(map(len, read[-1].sets))
    tests = np.array([len(tree.feature) for tree in read])
    sizes = 2 * tests + 1
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    count = int(sizes.sum())
    # Tests of a tree stand before its leaves, trees one after the other.
    test = np.concatenate(
        [np.arange(first, first + size) for first, size in zip(roots, tests, strict=True)]
    )
    leaf = np.ones(count, np.bool_)
    leaf[test] = False
    feature = np.concatenate([tree.feature for tree in read])
    decision = np.concatenate([tree.decision for tree in read])
    categorical, zero_is_missing = _kinds(feature, decision)
    threshold = _beside_zero(np.concatenate([tree.threshold for tree in read]))
    set_test = decision & _CATEGORICAL != 0
    missing_left = np.where(
        decision >> _MISSING_SHIFT == _AS_ZERO, threshold >= 0, decision & _DEFAULT_LEFT != 0
    )

    def of_tests(values: Column, fill: float = 0) -> Column:
        column = np.full(count, fill, values.dtype)
        column[test] = values
        return column

    nodes = Nodes(
        roots=roots,
        leaf=leaf,
        feature=of_tests(feature),
        mode=of_tests(np.where(set_test, MEMBER, LESS_OR_EQUAL)),
        split=of_tests(np.where(set_test, 0.0, threshold)),
        true=of_tests(_children(read, roots, tests, "left")),
        false=of_tests(_children(read, roots, tests, "right")),
        missing_is_true=of_tests(missing_left & ~set_test),
        members=dict(
            zip(test[set_test].tolist(), (each for tree in read for each in tree.sets), strict=True)
        ),
    )
    added = np.zeros(count)
    added[leaf] = np.concatenate([tree.added for tree in read])
    return Forest(nodes, added, categorical, zero_is_missing)


def _read_tree(keys: dict[str, str], features: int, room: int) -> _Tree:
    """Return a tree with at most `room` members of sets."""
    if keys.get("is_linear", "0") != "0":
        raise UnsupportedModel(
            "trees with linear models in their leaves are not evaluated; train without linear_tree"
        )
    leaves = _single(keys, "num_leaves")
    if not 1 <= leaves <= limits.TREE_TESTS_MAX:
        raise InvalidModel(f"num_leaves of a tree is {leaves}")
    tests = leaves - 1
    feature = _whole(keys, "split_feature", tests)
    decision = _whole(keys, "decision_type", tests)
    left, right = _whole(keys, "left_child", tests), _whole(keys, "right_child", tests)
    if ((feature < 0) | (feature >= features)).any():
        raise InvalidModel("a test of a tree reads a feature that is not there")
    if ((decision < 0) | (decision >> _MISSING_SHIFT > _ONLY_NAN)).any():
        raise InvalidModel("a decision_type of a tree has bits that are not known")
    for child in (left, right):
        if ((child >= tests) | (child < -leaves)).any():
            raise InvalidModel("a test of a tree leads to a child that is not there")
    threshold = _real(keys, "threshold", tests)
    chosen = threshold[decision & _CATEGORICAL != 0] if tests else threshold
    return _Tree(
        feature, threshold, decision, left, right,
        added=_real(keys, "leaf_value", leaves),
        sets=_sets(keys, chosen, room) if len(chosen) else [],
    )  # fmt: skip


def _sets(keys: dict[str, str], chosen: Column, room: int) -> list[Column]:
    """Return the categories of each set test, whose threshold is the number of a set of bits."""
    count = _single(keys, "num_cat")
    if not 1 <= count <= limits.TREE_TESTS_MAX:
        raise InvalidModel(f"num_cat of a tree is {count}")
    bounds = _whole(keys, "cat_boundaries", count + 1)
    words = _whole(keys, "cat_threshold", None)
    sizes = np.diff(bounds)
    sound = bounds[0] == 0 and bool((sizes >= 0).all()) and bounds[-1] == len(words)
    sound = sound and bool(((words >= 0) & (words < 2**32)).all())
    sound = sound and bool(((chosen >= 0) & (chosen < count) & (chosen == np.floor(chosen))).all())
    if not sound:
        raise InvalidModel("the categories of a tree do not fit each other")
    if sizes.max() > limits.LIGHTGBM_SET_WORDS_MAX:
        raise InvalidModel(
            f"a set of categories has {sizes.max()} words, {limits.LIGHTGBM_SET_WORDS_MAX} are "
            "allowed; number categories from 0 on"
        )
    sets = []
    for number in chosen.astype(np.int64):
        sets.append(_members(words[bounds[number] : bounds[number + 1]]))
        room -= len(sets[-1])
        if room < 0:
            raise InvalidModel(f"sets have more than {limits.TREE_MEMBERS_MAX} members in all")
    return sets


def _members(words: Column) -> Column:
    """Return the categories of a set; the kernel wants one at least."""
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little")
    found: Column = np.flatnonzero(bits).astype(np.float64)
    return found if len(found) else np.array([_NO_CATEGORY])


def _kinds(feature: Column, decision: Column) -> tuple[frozenset[int], frozenset[int]]:
    """Return which features are categorical, and for which zeros are missing."""
    set_test = decision & _CATEGORICAL != 0
    missing = np.where(set_test, -1, decision >> _MISSING_SHIFT)
    categorical = frozenset(feature[set_test].tolist())
    if not categorical.isdisjoint(feature[~set_test].tolist()):
        raise UnsupportedModel("a feature is a number for one tree and a category for another")
    zero_too = frozenset(feature[missing == _ZERO_TOO].tolist())
    if not zero_too.isdisjoint(feature[missing == _ONLY_NAN].tolist()):
        raise UnsupportedModel(
            "a zero of a feature is missing for one tree and not for another; "
            "train all of them with one zero_as_missing"
        )
    return categorical, zero_too


def _beside_zero(threshold: Column) -> Column:
    """Return thresholds that take what LightGBM takes for zero, and drops, as it takes zero."""
    moved = np.where((threshold >= 0) & (threshold < _ZERO), _ZERO, threshold)
    below = (threshold < 0) & (threshold >= -_ZERO)
    return np.where(below, np.nextafter(-_ZERO, -np.inf), moved)


def _children(read: Sequence[_Tree], roots: Column, tests: Column, side: str) -> Column:
    """Return the children as nodes; below zero they are leaves of their tree."""
    child: Column = np.concatenate([getattr(tree, side) for tree in read])
    inside: Column = np.where(child < 0, np.repeat(tests, tests) - 1 - child, child)
    children: Column = inside + np.repeat(roots, tests)
    return children


def _single(keys: dict[str, str], name: str) -> int:
    return int(_whole(keys, name, 1)[0])


def _whole(keys: dict[str, str], name: str, count: int | None) -> Column:
    words = _words(keys, name, count)
    try:
        return np.array(list(map(int, words)), np.int64)
    except (ValueError, OverflowError) as error:
        raise InvalidModel(f"{name} of a tree cannot be read: {error}") from error


def _real(keys: dict[str, str], name: str, count: int) -> Column:
    words = _words(keys, name, count)
    try:
        numbers = np.array(list(map(float, words)), np.float64)
    except ValueError as error:
        raise InvalidModel(f"{name} of a tree cannot be read: {error}") from error
    if np.isnan(numbers).any():
        raise InvalidModel(f"{name} of a tree holds what is not a number")
    return numbers


def _words(keys: dict[str, str], name: str, count: int | None) -> list[str]:
    if name not in keys:
        if count == 0:
            return []
        raise InvalidModel(f"a tree has no {name}")
    words = keys[name].split()
    if count is not None and len(words) != count:
        raise InvalidModel(f"{name} of a tree has {len(words)} entries, not {count}")
    return words
