"""The kernel adds up what trees answer, as a loop over them does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from modelstream.formats import limits
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL

TREES, FEATURES = 211, 3  # as many tests as rows are sorted for


@dataclass(frozen=True)
class Forest:
    kernel: LeafKernel
    matrix: npt.NDArray[Any]
    values: npt.NDArray[Any]


@pytest.fixture
def forest() -> Forest:
    """Return trees of three tests each, some rows for them, and a number for each leaf."""
    rng = np.random.default_rng(5)
    roots = np.arange(0, 3 * TREES, 3)
    true, false = np.empty(3 * TREES, "<i4"), np.empty(3 * TREES, "<i4")
    for tree, root in enumerate(roots.tolist()):
        leaf = -1 - 4 * tree
        true[root : root + 3] = root + 1, leaf, leaf - 2
        false[root : root + 3] = root + 2, leaf - 1, leaf - 3
    trees = Trees(
        roots=roots.astype("<i4").tobytes(),
        feature=rng.integers(0, FEATURES, 3 * TREES).astype("<i4").tobytes(),
        mode=np.full(3 * TREES, LESS_OR_EQUAL, "<u1").tobytes(),
        split=rng.normal(size=3 * TREES).tobytes(),
        true=true.tobytes(),
        false=false.tobytes(),
        missing_is_true=np.zeros(3 * TREES, "<u1").tobytes(),
    )
    kernel = LeafKernel(trees, FEATURES, 4 * TREES)
    values = rng.normal(size=4 * TREES) * 10.0 ** rng.integers(-9, 9, 4 * TREES)
    return Forest(kernel, rng.normal(size=(300, FEATURES)), values)


@pytest.mark.parametrize("rows", [0, 1, 2, limits.TREE_ROWS_SORTED_MIN - 1, 300])
def test_sums_are_to_the_last_bit_those_of_a_loop(forest: Forest, rows: int) -> None:
    matrix = forest.matrix[:rows]
    add_up = forest.kernel.sums(np.zeros(4 * TREES, np.intp), forest.values, 1)
    total = np.zeros(rows)
    for leaves in forest.kernel.leaves(matrix):
        total += forest.values[leaves]
    assert add_up(matrix)[:, 0].tolist() == total.tolist()


def test_leaves_add_to_the_sum_that_is_theirs(forest: Forest) -> None:
    numbers = np.arange(4 * TREES) % 3
    found = forest.kernel.sums(numbers, np.ones(4 * TREES), 3)(forest.matrix)
    leaves = forest.kernel.leaves(forest.matrix)
    for number in range(3):
        assert found[:, number].tolist() == (numbers[leaves] == number).sum(axis=0).tolist()


def test_a_leaf_without_a_number_leaves_its_rows_without_one(forest: Forest) -> None:
    values = np.where(np.arange(4 * TREES) == 5, np.nan, 1.0)
    found = forest.kernel.sums(np.zeros(4 * TREES, np.intp), values, 1)(forest.matrix)[:, 0]
    touched = (forest.kernel.leaves(forest.matrix) == 5).any(axis=0)
    assert touched.any()
    assert not touched.all()
    assert np.isnan(found).tolist() == touched.tolist()


@pytest.mark.parametrize("other", [-np.inf, np.inf, np.nan, 0.0])
def test_a_row_is_led_to_the_same_leaves_among_many_as_alone(
    forest: Forest, other: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = forest.matrix.copy()
    matrix[::7, 0] = matrix[::5, 1] = matrix[::3, 2] = other
    among_many = forest.kernel.leaves(matrix)
    alone = [forest.kernel.leaves_of_one(row) for row in matrix]
    assert among_many.T.tolist() == [leaves.tolist() for leaves in alone]
    monkeypatch.setattr(limits, "TREE_ROWS_SORTED_MIN", len(matrix) + 1)
    assert forest.kernel.leaves(matrix).tolist() == among_many.tolist()
