"""Comparisons of values of a type."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import UnsupportedModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.order import Orders
from modelstream.formats.pfa.types import Array, Enum, Map, Record, Union
from modelstream.formats.pfa.values import Struct

REALS = st.floats()


def compare(kind: types.Type, x: Any, y: Any) -> int:
    return Orders().of(kind)(x, y)


def test_nan_is_greater_than_any_number_and_equal_to_itself() -> None:
    assert compare(types.DOUBLE, math.nan, math.inf) == 1
    assert compare(types.DOUBLE, math.inf, math.nan) == -1
    assert compare(types.DOUBLE, math.nan, math.nan) == 0


def test_symbols_compare_by_their_place() -> None:
    assert compare(Enum("E", ("z", "a")), "z", "a") == -1


def test_fields_compare_in_their_order_and_some_backwards_or_not_at_all() -> None:
    record = Record("R", dict.fromkeys("abc", types.INT), orders={"a": "ignore", "b": "descending"})
    first = Struct("R", {"a": 1, "b": 1, "c": 1})
    assert compare(record, first, first.replaced(a=2)) == 0
    assert compare(record, first, first.replaced(b=2)) == 1
    assert compare(record, first, first.replaced(c=2)) == -1


def test_a_record_that_holds_itself_is_compared_to_its_end() -> None:
    node = Record("N", {"x": types.INT})
    node.fields["next"] = Union((types.NULL, node))
    short = Struct("N", {"x": 1, "next": None})
    long = Struct("N", {"x": 1, "next": short})
    assert compare(node, short, long) == -1
    assert compare(node, long, long.replaced(next=short.replaced(x=2))) == -1


def test_maps_have_no_order() -> None:
    with pytest.raises(UnsupportedModel, match="maps have no order"):
        Orders().of(Map(types.INT))


@given(st.lists(REALS, max_size=3), st.lists(REALS, max_size=3), st.lists(REALS, max_size=3))
def test_the_order_of_arrays_is_total(x: list[float], y: list[float], z: list[float]) -> None:
    order = Orders().of(Array(types.DOUBLE))
    assert order(x, y) == -order(y, x)
    if order(x, y) <= 0 and order(y, z) <= 0:
        assert order(x, z) <= 0
