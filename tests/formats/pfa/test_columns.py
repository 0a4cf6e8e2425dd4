"""Columns of values: they tell the same as the values themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pfa import types
from modelstream.formats.pfa.columns import Batch, Structs, choose, column_of
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.types import Array, Type
from modelstream.formats.pfa.values import Struct

FLOATS = st.floats(allow_nan=False)
ROWS: st.SearchStrategy[tuple[Type, list[Any]]] = st.one_of(
    st.tuples(st.just(types.DOUBLE), st.lists(FLOATS, min_size=1)),
    st.tuples(st.just(types.LONG), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1)),
    st.tuples(st.just(types.BOOLEAN), st.lists(st.booleans(), min_size=1)),
    st.tuples(st.just(types.STRING), st.lists(st.text(), min_size=1)),
    st.tuples(st.just(Array(types.DOUBLE)), st.lists(st.lists(FLOATS, max_size=2), min_size=1)),
    st.tuples(
        st.just(Array(Array(types.INT))),
        st.lists(st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2), min_size=1),
    ),
)


def batch(rows: int) -> Batch:
    return Batch(rows, [None], np.zeros(rows, np.bool_), None)


@given(ROWS)
def test_a_column_lists_the_values_it_was_made_of(case: tuple[Type, list[Any]]) -> None:
    kind, values = case
    column = column_of(values, kind)
    assert len(column) == len(values)
    assert list(batch(len(values)).list_of(column)) == values


@given(ROWS, st.data())
def test_choosing_takes_each_row_from_its_side(
    case: tuple[Type, list[Any]], data: st.DataObject
) -> None:
    kind, values = case
    taken = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    other = values[::-1]
    chosen = choose(np.array(taken), column_of(values, kind), column_of(other, kind), len(values))
    expected = [a if use else b for use, a, b in zip(taken, values, other, strict=True)]
    assert list(batch(len(values)).list_of(chosen)) == expected


def test_records_of_columns_are_records_by_row() -> None:
    structs = Structs("R", {"x": np.array([1.0, 2.0]), "y": "same"})
    assert batch(2).list_of(structs) == [
        Struct("R", {"x": 1.0, "y": "same"}),
        Struct("R", {"x": 2.0, "y": "same"}),
    ]


def test_a_fault_puts_its_own_row_in_doubt() -> None:
    def picky(value: float) -> float:
        if value > 1:
            raise Fault("too large", 1)
        return value

    rows = batch(3)
    found = rows.call_each(picky, [np.array([0.0, 2.0, 1.0])], types.DOUBLE)
    assert rows.doubtful.tolist() == [False, True, False]
    assert found[[0, 2]].tolist() == [0.0, 1.0]


def test_a_branch_doubts_only_rows_that_take_it() -> None:
    rows = batch(3)
    inner = rows.narrowed(np.array([True, False, True]))
    inner.doubt(np.array([True, True, False]))
    assert rows.doubtful.tolist() == [True, False, False]
    assert inner.runnable() == [2]
    assert not inner.is_dead()
    assert inner.narrowed(np.array([True, True, False])).is_dead()


@pytest.mark.parametrize("value", [1.5, "text", [1, 2], None])
def test_what_is_no_column_is_the_same_for_every_row(value: Any) -> None:
    assert list(batch(2).list_of(value)) == [value, value]
