"""Which leaf each tree takes each row to: onnxruntime's TreeEnsemble, in float64."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from modelstream.formats.runtime import open_session, run_session
from modelstream.formats.trees.arrays import Trees, checked
from modelstream.formats.trees.onnx_graph import INPUT, OUTPUT, tree_ensemble
from modelstream.messages import Column


class LeafKernel:
    """Trees ready to run on a matrix of `features` columns.

    `arrays` are what it runs, with leaves of its own; `leaf_of` tells which leaf each of those is.
    Raises InvalidModel.
    """

    def __init__(self, trees: Trees, features: int, leaves: int) -> None:
        self.arrays, self.leaf_of = checked(trees, features, leaves)
        self.trees = len(self.arrays.roots)
        self._session = open_session(tree_ensemble(self.arrays))

    def leaves(self, matrix: Column) -> Column:
        """Return the leaf of each tree (row) for each row of a float64 matrix (column).

        NaN is a missing value. Raises ModelFailed.
        """
        if not len(matrix):
            return np.zeros((self.trees, 0), dtype=np.intp)
        found = run_session(self._session, [OUTPUT], {INPUT: matrix})[0]
        # Trees first in memory, too: sums over them then run in their order, and faster.
        leaves: Column = self.leaf_of[np.ascontiguousarray(found.T, dtype=np.intp)]
        return leaves

    def leaves_of_one(self, row: Sequence[float]) -> Column:
        """Return the leaf of each tree for one row. Raises ModelFailed."""
        found = run_session(self._session, [OUTPUT], {INPUT: np.array([row])})[0]
        leaves: Column = self.leaf_of[found[0].astype(np.intp)]
        return leaves

    def sums(self, numbers: Column, values: Column, count: int) -> Callable[[Column], Column]:
        """Return what adds up the values of the leaves that the trees take each row to.

        `values` has one a leaf, and `numbers` which of `count` sums it is added to. Of a float64
        matrix it gives (rows, count); addends come in the order of the trees, after a nought.
        """
        arrays = replace(
            self.arrays, leaf_tree=numbers[self.leaf_of], leaf_value=values[self.leaf_of]
        )
        session = open_session(tree_ensemble(arrays, count))

        def add_up(matrix: Column) -> Column:
            if not len(matrix):
                return np.zeros((0, count))
            total: Column = run_session(session, [OUTPUT], {INPUT: matrix})[0]
            return total

        return add_up
