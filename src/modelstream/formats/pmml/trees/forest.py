"""Run a lowered forest over the fields of a document: which leaf each tree takes each row to."""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.forests import Forest
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.trees.forest_readers import make_reader
from modelstream.formats.pmml.trees.forest_row import leaves_row
from modelstream.formats.trees.arrays import array_of
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.messages import Column


class Kernel:
    """A forest ready to run over the fields of a scope.

    `score` is a number a leaf; `distribution` and `confidence` have a row a leaf and a column a
    label, and are empty where the forest has none.
    """

    def __init__(self, forest: Forest, scope: Scope) -> None:
        self.labels = forest.labels
        self.ids = forest.ids
        self.score = array_of(forest.score, "<f8")
        self.distribution = self._table(forest.distribution)
        self.confidence = self._table(forest.confidence)
        if len(forest.ids) != len(self.score):
            raise InvalidModel("a lowered forest has not as many ids as leaves")
        if not _positions_hold(self.score, len(forest.labels)):
            raise InvalidModel("a leaf of a lowered forest answers a label that it does not have")
        self._readers = [make_reader(known, scope) for known in forest.inputs]
        scope.context.count_kernel()
        self._kernel = LeafKernel(forest.trees, len(forest.inputs), len(self.score))
        self.trees = self._kernel.trees
        # The same as `leaves` for one row: an array, or a list of as many numbers.
        self.row = leaves_row(self._kernel, [reader.row for reader in self._readers])

    def leaves(self, batch: Batch) -> Column:
        """Return the leaf of each tree (row) for each row of the batch (column)."""
        return self._kernel.leaves(self._matrix(batch))

    @property
    def always_answers(self) -> bool:
        """Whether every leaf that a row can be taken to has an answer."""
        return not np.isnan(self.score[self._kernel.leaf_of]).any()

    def votes(self) -> Callable[[Batch], Column]:
        """Return what counts the trees that answer each label, a row a row; see `totals`."""
        last = len(self.labels) - 1  # it has what the others leave, so it needs no sum
        counted = self.score < last
        labels = np.where(counted, self.score, 0).astype(np.intp)
        counts = np.where(np.isnan(self.score), np.nan, counted.astype(np.float64))
        others = self._sums(labels, counts, max(last, 1))

        def count(batch: Batch) -> Column:
            found = others(batch)
            rest = self.trees - found.sum(axis=1, keepdims=True)
            return np.concatenate([found[:, :last], rest], axis=1)

        return count

    def totals(self) -> Callable[[Batch], Column]:
        """Return what adds up the numbers that the trees answer; NaN where one has no answer."""
        sums = self._sums(np.zeros(len(self.score), np.intp), self.score, 1)
        return lambda batch: sums(batch)[:, 0]

    def _sums(self, numbers: Column, values: Column, count: int) -> Callable[[Batch], Column]:
        add_up = self._kernel.sums(numbers, values, count)
        return lambda batch: add_up(self._matrix(batch))

    def _matrix(self, batch: Batch) -> Column:
        matrix = np.empty((batch.rows, len(self._readers)))
        for number, reader in enumerate(self._readers):
            matrix[:, number] = reader.column(batch)
        return matrix

    def _table(self, data: bytes) -> Column:
        """Return a table with a row a leaf and a column a label."""
        cells = array_of(data, "<f8")
        if cells.size not in {0, len(self.score) * len(self.labels)}:
            raise InvalidModel("a table of a lowered forest has not a cell a leaf and label")
        return cells.reshape(len(self.score) if cells.size else 0, len(self.labels))


def _positions_hold(score: Column, labels: int) -> bool:
    if not labels:
        return True
    known = score[~np.isnan(score)]
    return bool(((known >= 0) & (known < labels) & (np.trunc(known) == known)).all())
