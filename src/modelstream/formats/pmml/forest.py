"""Run a lowered forest: which leaf each tree takes each row to.

The arrays are checked as any other input before the kernel, onnxruntime's TreeEnsemble in
float64, sees them.
"""

from collections.abc import Callable

import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.forests import (
    ChoiceInput,
    CodeInput,
    Forest,
    ForestInput,
    NumberInput,
)
from modelstream.formats.pmml.onnx_graph import (
    EQUAL,
    INPUT,
    LESS_OR_EQUAL,
    MEMBER,
    OUTPUT,
    TreeArrays,
    tree_ensemble,
)
from modelstream.formats.pmml.predicates import compile_predicate
from modelstream.formats.pmml.scope import Scope
from modelstream.formats.pmml.values import Scalar, is_text, parse_declared
from modelstream.formats.runtime import open_session, run_session
from modelstream.messages import Column

Reader = Callable[[Batch], Column]


class Kernel:
    """A forest ready to run over the fields of a scope.

    `score` is a number a leaf; `distribution` and `confidence` have a row a leaf and a column a
    label, and are empty where the forest has none.
    """

    def __init__(self, forest: Forest, scope: Scope) -> None:
        self.labels = forest.labels
        self.ids = forest.ids
        self.score = _array(forest.score, "<f8")
        self.distribution = self._table(forest.distribution)
        self.confidence = self._table(forest.confidence)
        if len(forest.ids) != len(self.score):
            raise InvalidModel("a lowered forest has not as many ids as leaves")
        if not _positions_hold(self.score, len(forest.labels)):
            raise InvalidModel("a leaf of a lowered forest answers a label that it does not have")
        self._readers = [_reader(known, scope) for known in forest.inputs]
        self.trees = len(forest.roots) // 4
        arrays, self._leaf_of = _checked(forest, len(self.score))
        scope.context.count_kernel()
        self._session = open_session(tree_ensemble(arrays))

    def leaves(self, batch: Batch) -> Column:
        """Return the leaf of each tree (row) for each row of the batch (column)."""
        if not batch.rows:
            return np.zeros((self.trees, 0), dtype=np.intp)
        matrix = np.empty((batch.rows, len(self._readers)))
        for number, read in enumerate(self._readers):
            matrix[:, number] = read(batch)
        found = run_session(self._session, [OUTPUT], {INPUT: matrix})[0]
        # Trees first in memory, too: sums over them then run in their order, and faster.
        leaves: Column = self._leaf_of[np.ascontiguousarray(found.T, dtype=np.intp)]
        return leaves

    def _table(self, data: bytes) -> Column:
        """Return a table with a row a leaf and a column a label."""
        cells = _array(data, "<f8")
        if cells.size not in {0, len(self.score) * len(self.labels)}:
            raise InvalidModel("a table of a lowered forest has not a cell a leaf and label")
        return cells.reshape(len(self.score) if cells.size else 0, len(self.labels))


def _positions_hold(score: Column, labels: int) -> bool:
    if not labels:
        return True
    known = score[~np.isnan(score)]
    return bool(((known >= 0) & (known < labels) & (np.trunc(known) == known)).all())


def _array(data: bytes, dtype: str) -> Column:
    kind = np.dtype(dtype)
    if len(data) % kind.itemsize:
        raise InvalidModel("an array of a lowered forest is cut off")
    return np.frombuffer(data, kind)


def _checked(forest: Forest, leaves: int) -> tuple[TreeArrays, Column]:
    """Return the arrays of a forest once they are known to be trees, and what its leaves are.

    Raises InvalidModel.
    """
    roots, feature = _array(forest.roots, "<i4"), _array(forest.feature, "<i4")
    mode, split = _array(forest.mode, "<u1"), _array(forest.split, "<f8")
    true, false = _array(forest.true, "<i4"), _array(forest.false, "<i4")
    missing_is_true, members = _array(forest.missing_is_true, "<u1"), _array(forest.members, "<f8")
    tests = len(feature)
    sound = len(roots) > 0 and all(
        len(column) == tests for column in (mode, split, true, false, missing_is_true)
    )
    sound = sound and roots[0] == 0 and bool((np.diff(roots) > 0).all()) and roots[-1] < tests
    sound = sound and bool(((feature >= 0) & (feature < len(forest.inputs))).all())
    sound = sound and bool(np.isin(mode, (LESS_OR_EQUAL, EQUAL, MEMBER)).all())
    sound = sound and not np.isnan(split).any() and bool((missing_is_true <= 1).all())
    sound = sound and _members_hold(members, int((mode == MEMBER).sum()))
    if not sound:
        raise InvalidModel("the arrays of a lowered forest do not fit each other")
    tree = np.searchsorted(roots, np.arange(tests), side="right") - 1
    _check_leaves(true, false, tree, leaves)
    _check_shape(roots, true, false, tree)
    true, false, leaf_of = _with_own_leaves(true, false)
    value = np.arange(len(leaf_of), dtype=np.float64)
    leaf_tree = np.concatenate([tree[true < 0], tree[false < 0]])
    arrays = TreeArrays(
        roots, feature, mode, split, true, false, missing_is_true, members, leaf_tree, value,
        len(forest.inputs),
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
            raise InvalidModel("a test of a lowered forest leads to a leaf that is not there")
        leaf_tree[leaf] = tree[at_leaf]
    for child in (true, false):
        at_leaf = child < 0
        if (leaf_tree[-1 - child[at_leaf]] != tree[at_leaf]).any():
            raise InvalidModel("two trees of a lowered forest share a leaf")


def _check_shape(roots: Column, true: Column, false: Column, tree: Column) -> None:
    """Raise InvalidModel unless all tests form trees of bounded depth."""
    number = np.arange(len(true))
    for child in (true, false):
        inner = child >= 0
        inside = child[inner]
        if (inside <= number[inner]).any() or inside.max(initial=0) >= len(true):
            raise InvalidModel("a test of a lowered forest leads back, or to none")
        if (tree[inside] != tree[inner]).any():
            raise InvalidModel("a test of a lowered forest leads into another tree")
    both = np.concatenate([true, false])
    reached = np.bincount(both[both >= 0], minlength=len(true))
    reached[roots] += 1
    if (reached != 1).any():
        raise InvalidModel("a test of a lowered forest is reached twice, or never")
    level = roots
    for _ in range(limits.PMML_DECISION_DEPTH_MAX):
        level = np.concatenate([true[level], false[level]])
        level = level[level >= 0]
        if not len(level):
            return
    raise InvalidModel(f"a lowered forest is deeper than {limits.PMML_DECISION_DEPTH_MAX} tests")


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


def _reader(known: ForestInput, scope: Scope) -> Reader:
    if isinstance(known, NumberInput):
        field = scope.find(known.field)
        if is_text(field.data_type):
            raise InvalidModel(f"a lowered forest reads field {known.field!r} as a number")
        return lambda batch: batch.read(field.cell)
    if isinstance(known, CodeInput):
        return _code_reader(known, scope)
    return _choice_reader(known, scope)


def _code_reader(known: CodeInput, scope: Scope) -> Reader:
    """Return what gives the positions of values; -1 for others, NaN where one is missing."""
    field = scope.find(known.field)
    where = f"lowered forest, field {known.field!r}"
    codes: dict[Scalar, float] = {
        parse_declared(text, field.data_type, where): float(code)
        for code, text in enumerate(known.values)
    }
    codes[None] = np.nan
    cell = field.cell

    def read(batch: Batch) -> Column:
        column = batch.read(cell)
        found = np.array([codes.get(value, -1.0) for value in column.tolist()])
        return found if column.dtype == object else np.where(np.isnan(column), np.nan, found)

    return read


def _choice_reader(known: ChoiceInput, scope: Scope) -> Reader:
    """Return what gives the position of the first true predicate."""
    tests = [compile_predicate(predicate, scope) for predicate in known.predicates]
    none_true, unknown = float(len(tests)), known.unknown

    def read(batch: Batch) -> Column:
        chosen = np.full(batch.rows, none_true)
        open_ = np.ones(batch.rows, dtype=np.bool_)
        for number, test in enumerate(tests):
            outcome = test(batch)
            chosen[open_ & (outcome == 1.0)] = number
            open_ &= outcome != 1.0
            if unknown is not None:
                chosen[open_ & np.isnan(outcome)] = unknown
                open_ &= ~np.isnan(outcome)
        return chosen

    return read
