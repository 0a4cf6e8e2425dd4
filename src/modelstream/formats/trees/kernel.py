"""Run trees: onnxruntime's TreeEnsemble, in float64, which tells leaves or adds up their values."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from modelstream.formats import limits
from modelstream.formats.runtime import open_session, run_session
from modelstream.formats.trees.arrays import Trees, checked
from modelstream.formats.trees.onnx_graph import INPUT, OUTPUT, TreeArrays, tree_ensemble
from modelstream.messages import Column

# Makes of a float64 matrix what the trees add to each sum (column) for each row of it. It raises
# ModelFailed.
RunTrees = Callable[[Column], Column]


def open_trees(trees: TreeArrays, sums: int | None = None) -> RunTrees:
    """Return trees ready to run; see `tree_ensemble`. Raises InvalidModel.

    A row's answer depends on no other row. Where it pays, rows run in the order of what most trees
    ask first: those that are alike then follow each other, and the processor guesses right.
    """
    session = open_session(tree_ensemble(trees, sums))
    count = sums or len(trees.roots)
    asked_first = int(np.bincount(trees.feature[trees.roots]).argmax())
    pays = len(trees.feature) >= limits.TREE_TESTS_A_FEATURE_SORTED_MIN * trees.features

    def run(matrix: Column) -> Column:
        rows = len(matrix)
        if not rows:
            return np.zeros((0, count))
        if not pays or rows < limits.TREE_ROWS_SORTED_MIN:
            return run_session(session, [OUTPUT], {INPUT: matrix})[0]
        order = matrix[:, asked_first].argsort(kind="stable")
        found = run_session(session, [OUTPUT], {INPUT: matrix[order]})[0]
        sorted_back = np.empty_like(found)
        sorted_back[order] = found
        return sorted_back

    return run


class LeafKernel:
    """Trees ready to run on a matrix of `features` columns.

    `arrays` are what it runs, with leaves of its own; `leaf_of` tells which leaf each of those is.
    Raises InvalidModel.
    """

    def __init__(self, trees: Trees, features: int, leaves: int) -> None:
        self.arrays, self.leaf_of = checked(trees, features, leaves)
        self.trees = len(self.arrays.roots)
        self._run = open_trees(self.arrays)

    def leaves(self, matrix: Column) -> Column:
        """Return the leaf of each tree (row) for each row of a float64 matrix (column).

        NaN is a missing value. Raises ModelFailed.
        """
        found = self._run(matrix)
        # Trees first in memory, too: sums over them then run in their order, and faster.
        leaves: Column = self.leaf_of[np.ascontiguousarray(found.T, dtype=np.intp)]
        return leaves

    def leaves_of_one(self, row: Sequence[float]) -> Column:
        """Return the leaf of each tree for one row. Raises ModelFailed."""
        found = self._run(np.array([row]))
        leaves: Column = self.leaf_of[found[0].astype(np.intp)]
        return leaves

    def sums(self, numbers: Column, values: Column, count: int) -> RunTrees:
        """Return what adds up the values of the leaves that the trees take each row to.

        `values` has one a leaf, and `numbers` which of `count` sums it is added to. Of a float64
        matrix it gives (rows, count); addends come in the order of the trees, after a nought.
        """
        arrays = replace(
            self.arrays, leaf_tree=numbers[self.leaf_of], leaf_value=values[self.leaf_of]
        )
        return open_trees(arrays, count)
