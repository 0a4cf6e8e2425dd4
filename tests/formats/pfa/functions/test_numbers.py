"""Sums of all rows at once are those of each row, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.numbers import add_columns, add_up, in_range
from modelstream.formats.pfa.types import DOUBLE, INT, LONG
from modelstream.messages import Column

MATRICES = st.tuples(st.integers(1, 40), st.integers(0, 40)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-1e9, 1e9))
)


@given(MATRICES)
def test_columns_are_added_from_the_first_to_the_last(matrix: Column) -> None:
    assert add_columns(matrix).tolist() == [add_up(row) for row in matrix.tolist()]
    turned = np.asfortranarray(matrix)
    assert add_columns(turned).tolist() == add_columns(matrix).tolist()


def test_whole_numbers_have_a_range() -> None:
    assert in_range(INT, 1)(2.0**31 - 1) == 2**31 - 1
    assert in_range(DOUBLE, 1)(1e300) == 1e300
    for kind, value, code in ((INT, 2**31, 1), (LONG, 2**63, 2), (LONG, float("nan"), 2)):
        with pytest.raises(Fault) as caught:
            in_range(kind, 1)(value)
        assert caught.value.code == code
