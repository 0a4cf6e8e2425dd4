"""Sums are those of a loop, whatever the number of rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.arithmetic import sum_in_order
from modelstream.messages import Column


@given(
    terms=st.integers(0, 300),
    rows=st.integers(0, 5),
    initial=st.floats(-10, 10),
    seed=st.integers(0, 2**32 - 1),
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_is_that_of_a_loop_to_the_last_bit(
    dtype: type, terms: int, rows: int, initial: float, seed: int
) -> None:
    table: Column = np.random.default_rng(seed).normal(size=(terms, rows)).astype(dtype)
    expected: Column = np.full(rows, initial, dtype)
    for row in table:
        expected = expected + row
    found = sum_in_order(table, initial)
    assert found.dtype == dtype
    assert found.tolist() == expected.tolist()


def test_tables_are_summed_along_their_first_axis() -> None:
    table = np.arange(12.0).reshape(3, 2, 2)
    assert sum_in_order(table).tolist() == table.sum(axis=0).tolist()
    one = np.arange(3.0).reshape(3, 1, 1)
    assert sum_in_order(one).tolist() == [[3.0]]
