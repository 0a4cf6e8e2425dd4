"""Sums of leaves are those of a loop over the trees, whichever way they are added up."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelFailed
from modelstream.formats.trees.arrays import Trees
from modelstream.formats.trees.ensemble import VERSION, Ensemble, EnsembleInput
from modelstream.formats.trees.sums import TreeSums
from modelstream.messages import Column

COUNT = 40  # trees, each of one test: is x at most its number?


def ensemble(groups: int, **changes: Any) -> Ensemble:
    rng = np.random.default_rng(groups)
    number = np.arange(COUNT)
    trees = Trees(
        roots=number.astype("<i4").tobytes(),
        feature=np.zeros(COUNT, "<i4").tobytes(),
        mode=np.zeros(COUNT, "<u1").tobytes(),
        split=number.astype("<f8").tobytes(),
        true=(-1 - 2 * number).astype("<i4").tobytes(),
        false=(-2 - 2 * number).astype("<i4").tobytes(),
        missing_is_true=np.zeros(COUNT, "<u1").tobytes(),
    )
    width = groups if changes.get("vector") else 1
    values = rng.normal(size=2 * COUNT * width) * 10.0 ** rng.integers(-8, 8, 2 * COUNT * width)
    group = () if changes.get("vector") else number % groups
    whole = Ensemble(
        version=VERSION, producer="", objective="", inputs=(EnsembleInput(name="x"),), trees=trees,
        leaf_values=values.tobytes(), group=np.array(group, "<i4").tobytes(), base=(0.0,) * groups,
        single=False, link="identity",
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


def by_hand(known: Ensemble, x: float) -> list[float]:
    """Add up one row, one tree after the other."""
    dtype: Any = np.float32 if known.single else np.float64
    groups = len(known.base)
    values = np.frombuffer(known.leaf_values).astype(dtype)
    sums = [dtype(base) for base in known.base]
    for tree in range(COUNT):
        leaf = 2 * tree + (0 if x <= tree else 1)
        for group in range(groups):
            if known.vector:
                sums[group] += values[leaf * groups + group]
            elif tree % groups == group:
                sums[group] += values[leaf]
    if known.average:
        sums = [
            each / dtype(sum(t % groups == g for t in range(COUNT))) for g, each in enumerate(sums)
        ]
    sums = [each * dtype(known.factor) for each in sums]
    return [
        float(each + dtype(bias))
        for each, bias in zip(sums, known.bias or [0.0] * groups, strict=True)
    ]


CASES = {
    "one": ensemble(1),
    "three": ensemble(3),
    "single": ensemble(3, single=True, base=(0.5, -1.0, 1e-3)),
    "based": ensemble(2, base=(0.1, 0.2)),
    "average": ensemble(3, average=True),
    "vector of one": ensemble(1, vector=True),
    "vector": ensemble(3, vector=True),
    "vector, based": ensemble(3, vector=True, base=(0.1, 0.2, 0.3)),
    "moved": ensemble(2, factor=0.3, bias=(0.7, -0.1)),
}


@settings(max_examples=30, deadline=None)
@given(numbers=st.lists(st.integers(-1, COUNT + 1), min_size=1, max_size=9))
@pytest.mark.parametrize("name", CASES)
def test_sums_are_those_of_a_loop(name: str, numbers: list[int]) -> None:
    known = CASES[name]
    sums = TreeSums(known, 1)
    matrix: Column = np.array(numbers, np.float64)[:, None]
    expected = [by_hand(known, x) for x in numbers]
    assert sums.of(matrix).T.tolist() == expected
    assert sums.of(matrix[:1]).T.tolist() == expected[:1]
    assert sums.of(matrix[:0]).shape == (len(known.base), 0)


def test_without_trees_the_base_is_the_sum() -> None:
    bare = ensemble(1, trees=None, leaf_values=b"", group=b"", base=(1.5,))
    assert TreeSums(bare, 1).of(np.zeros((2, 1))).tolist() == [[1.5, 1.5]]


def test_what_was_closed_does_not_answer() -> None:
    sums = TreeSums(CASES["one"], 1)
    sums.close()
    with pytest.raises(ModelFailed, match="closed"):
        sums.of(np.zeros((1, 1)))


@pytest.mark.parametrize(
    "wrong",
    [
        ensemble(2, group=b""),
        ensemble(2, group=np.full(COUNT, 2, "<i4").tobytes()),
        ensemble(2, group=np.full(COUNT, -1, "<i4").tobytes()),
        ensemble(2, bias=(1.0,)),
        ensemble(2, vector=True, group=bytes(4 * COUNT)),
        ensemble(3, vector=True, leaf_values=bytes(8)),
        ensemble(1, trees=None),
        ensemble(1, leaf_values=bytes(8)),
    ],
)
def test_what_does_not_fit_is_refused(wrong: Ensemble) -> None:
    with pytest.raises(InvalidModel):
        TreeSums(wrong, 1)
