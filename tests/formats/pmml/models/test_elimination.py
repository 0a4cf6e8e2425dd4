"""Sums of products: the same as over all combinations, in the order that was found."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.models.elimination import Factor, arrange, elimination_order, sum_out
from modelstream.messages import Column

LENGTHS = {"a": 2, "b": 3, "c": 1, "d": 4, "e": 2}


@st.composite
def factors(draw: st.DrawFn) -> list[Factor]:
    """Return tables of some variables, each of one row or of three."""
    made = []
    for names in draw(st.lists(st.lists(st.sampled_from("abcde"), unique=True), min_size=1)):
        shape = (draw(st.sampled_from([1, 3])), *(LENGTHS[name] for name in names))
        seed = draw(st.integers(0, 1000))
        made.append(Factor(tuple(names), np.random.default_rng(seed).uniform(0.1, 1.0, shape)))
    return made


def literal(given_factors: list[Factor], kept: str) -> Column:
    """Return the sums over all combinations, normalized, a row a row."""
    table = np.zeros((3, *(LENGTHS[name] for name in kept)))
    for values in itertools.product(*(range(length) for length in LENGTHS.values())):
        at: dict[str, Any] = dict(zip(LENGTHS, values, strict=True))
        product = np.ones(3)
        for factor in given_factors:
            product = product * factor.cells[(slice(None), *(at[name] for name in factor.names))]
        table[(slice(None), *(at[name] for name in kept))] += product
    shares: Column = table / table.sum(axis=tuple(range(1, table.ndim)), keepdims=True)
    return shares


@settings(max_examples=100, deadline=None)
@given(factors(), st.sampled_from(["", "a", "b", "da", "ceb"]))
def test_a_sum_is_that_over_all_combinations(given_factors: list[Factor], kept: str) -> None:
    order, largest = elimination_order(LENGTHS, [f.names for f in given_factors], kept)
    assert sorted((*order, *kept)) == sorted(LENGTHS)
    assert largest >= np.prod([LENGTHS[name] for name in kept])
    uniform = [Factor((name,), np.ones((1, LENGTHS[name]))) for name in LENGTHS]
    found = arrange(sum_out([*given_factors, *uniform], order), tuple(kept))
    shares = found / found.sum(axis=tuple(range(1, found.ndim)), keepdims=True)
    expected = literal(given_factors, kept)
    assert np.allclose(np.broadcast_to(shares, expected.shape), expected, rtol=1e-12)


def test_long_products_do_not_underflow() -> None:
    tiny = Factor(("a",), np.array([[1e-200, 2e-200]]))
    found = sum_out([tiny] * 3, ())
    assert found.cells.tolist() == [pytest.approx([0.125, 1.0])]


def test_a_chain_is_summed_out_with_small_tables() -> None:
    names = [f"v{number}" for number in range(100)]
    lengths = dict.fromkeys(names, 5)
    _, largest = elimination_order(lengths, list(itertools.pairwise(names)), names[-1:])
    assert largest == 25


def grid(side: int) -> tuple[dict[str, int], list[tuple[str, ...]]]:
    """Return variables each beside four others: their tables grow with the side in any order."""
    cells = list(itertools.product(range(side), repeat=2))
    tables = [((r, c), other) for r, c in cells for other in ((r + 1, c), (r, c + 1))]
    within = [pair for pair in tables if max(pair[1]) < side]
    return dict.fromkeys(map(str, cells), 3), [tuple(map(str, pair)) for pair in within]


def test_tables_larger_than_are_held_are_refused() -> None:
    _, largest = elimination_order(*grid(5), ())
    assert largest < limits.PMML_FACTOR_CELLS_MAX < 3**12
    with pytest.raises(UnsupportedModel, match="cells a record"):
        elimination_order(*grid(12), ())
