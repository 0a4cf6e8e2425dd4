"""What the trees of an ensemble add up to, in its order and precision."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from modelstream.errors import InvalidModel, ModelFailed
from modelstream.formats.arithmetic import sum_in_order
from modelstream.formats.trees.arrays import Trees, array_of, checked
from modelstream.formats.trees.ensemble import Ensemble
from modelstream.formats.trees.kernel import LeafKernel, open_trees
from modelstream.messages import Column

# Makes of a matrix what the trees add to each group (row) for each row of it (column).
Add = Callable[[Column], Column]


class TreeSums:
    """Trees on a matrix of so many `columns`, and what their leaves add. Raises InvalidModel."""

    def __init__(self, ensemble: Ensemble, columns: int) -> None:
        self._ensemble = ensemble
        groups = len(ensemble.base)
        values = array_of(ensemble.leaf_values, "<f8")
        self._group = array_of(ensemble.group, "<i4")
        if ensemble.vector and len(values) % groups:
            raise InvalidModel("a leaf of a lowered ensemble has not a value for each sum")
        if len(ensemble.bias) not in {0, groups}:
            raise InvalidModel("a lowered ensemble has not a bias for each sum")
        if not bool(((self._group >= 0) & (self._group < groups)).all()):
            raise InvalidModel("a lowered ensemble has trees that add to no sum")
        self.leaves = len(values) // groups if ensemble.vector else len(values)
        self.trees = 0 if ensemble.trees is None else len(array_of(ensemble.trees.roots, "<i4"))
        if len(self._group) != (0 if ensemble.vector else self.trees):
            raise InvalidModel("a lowered ensemble has not a sum for each of its trees")
        self._add = None if ensemble.trees is None else self._adder(ensemble.trees, columns, values)

    def of(self, matrix: Column) -> Column:
        """Return the sum of each group (row) for each row of the matrix (column).

        What is beyond the precision is infinite. Raises ModelFailed.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self._moved(self._added(matrix))

    def _added(self, matrix: Column) -> Column:
        ensemble, add = self._ensemble, self._add
        dtype = np.float32 if ensemble.single else np.float64
        if add is not None:
            return add(matrix)
        if self.trees:
            raise ModelFailed("the model was closed meanwhile; load it again")
        return np.repeat(np.array(ensemble.base, dtype)[:, None], len(matrix), axis=1)

    def _moved(self, sums: Column) -> Column:
        """Return sums as they are when all trees are added."""
        ensemble, dtype = self._ensemble, sums.dtype.type
        if ensemble.average:
            trees = np.maximum(np.bincount(self._group, minlength=len(sums)), 1)
            sums /= trees.astype(dtype)[:, None]
        if ensemble.factor != 1:
            sums *= dtype(ensemble.factor)
        if ensemble.bias:
            sums += np.array(ensemble.bias, dtype)[:, None]
        return sums

    def close(self) -> None:
        """Free the kernel's memory."""
        self._add = None

    def _adder(self, trees: Trees, columns: int, values: Column) -> Add:
        """Return what adds up; the kernel itself does where it can: it starts with a nought."""
        ensemble = self._ensemble
        groups = len(ensemble.base)
        if not ensemble.single and not any(ensemble.base) and (groups == 1 or not ensemble.vector):
            group = np.zeros(self.trees, np.int64) if ensemble.vector else self._group
            return _kernel_adder(trees, columns, values, group, groups)
        kernel = LeafKernel(trees, columns, self.leaves)
        if ensemble.vector:
            every = np.ascontiguousarray(values.reshape(-1, groups).T)
            return _vector_adder(kernel, every, ensemble.base)
        with np.errstate(over="ignore"):
            exact = values.astype(np.float32 if ensemble.single else np.float64)
        return _leaf_adder(kernel, exact, self._group, ensemble.base)


def _kernel_adder(trees: Trees, columns: int, values: Column, group: Column, groups: int) -> Add:
    """Return what adds up float64 values in the kernel, which takes the trees in their order."""
    arrays, leaf_of = checked(trees, columns, len(values))
    run = open_trees(
        replace(arrays, leaf_tree=group[arrays.leaf_tree], leaf_value=values[leaf_of]), groups
    )
    return lambda matrix: np.ascontiguousarray(run(matrix).T)


def _vector_adder(kernel: LeafKernel, values: Column, base: tuple[float, ...]) -> Add:
    """Return what adds up leaves that have a value (column) for each group (row)."""

    def add(matrix: Column) -> Column:
        leaves = kernel.leaves(matrix)
        groups = zip(values, base, strict=True)
        return np.stack([sum_in_order(mine[leaves], start) for mine, start in groups])

    return add


def _leaf_adder(kernel: LeafKernel, values: Column, group: Column, base: tuple[float, ...]) -> Add:
    """Return what adds up leaves, in the precision of their values, to the groups of the trees."""
    trees_of = [np.flatnonzero(group == number) for number in range(len(base))]

    def add(matrix: Column) -> Column:
        leaves = kernel.leaves(matrix)
        sums = np.empty((len(base), len(matrix)), values.dtype)
        for number, (start, trees) in enumerate(zip(base, trees_of, strict=True)):
            mine = leaves if len(trees) == len(leaves) else leaves[trees]
            sums[number] = sum_in_order(values[mine], start)
        return sums

    return add
