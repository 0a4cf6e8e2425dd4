"""Columns to tensors, tensors to columns, and the rows that cannot be either."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, InvalidRecord
from modelstream.formats.onnx_graph.bind import (
    find_missing,
    given_columns,
    laid_out,
    no_rows,
    row_errors,
    spread,
    to_columns,
    to_tensor,
)
from modelstream.formats.onnx_graph.plan import FIELD_TYPES, Binding, Element
from modelstream.messages import Column, Table

MATRIX = Binding("x", "float32", (2,), ("a", "b"))


def column(binding: Binding, values: Any) -> list[Column]:
    return given_columns(binding, {binding.columns[0]: np.asarray(values)}, len(values))


def errors(element: Element, values: Any) -> dict[int, str]:
    binding = Binding("x", element, (), ("x",))
    return row_errors([binding], [column(binding, values)])


def test_columns_of_any_numbers_become_one_matrix() -> None:
    columns = {"b": np.array([3, 4]), "unused": np.array(["?"]), "a": np.array([1.5, np.nan])}
    tensor = to_tensor(MATRIX, given_columns(MATRIX, columns, 2), 2)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    np.testing.assert_array_equal(tensor, [[1.5, 3], [np.nan, 4]])


def test_a_column_of_one_value_a_row_keeps_the_rank_of_its_tensor() -> None:
    flat, high = Binding("x", "float32", (), ("x",)), Binding("x", "float32", (1,), ("x",))
    assert to_tensor(flat, column(flat, [1.0, 2.0]), 2).shape == (2,)
    assert to_tensor(high, column(high, [1.0, 2.0]), 2).shape == (2, 1)


def test_a_number_past_the_range_of_a_float_is_infinite() -> None:
    binding = Binding("x", "float32", (), ("x",))
    assert to_tensor(binding, column(binding, [1e300, -1e300]), 2).tolist() == [np.inf, -np.inf]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InvalidRecord, match="'b' is missing; the records have a, c"):
        given_columns(MATRIX, {"a": np.zeros(2), "c": np.zeros(2)}, 2)


@pytest.mark.parametrize(
    ("binding", "values", "why"),
    [
        (MATRIX, np.array(["1", "2"]), "'a' is a column of <U1, not float32"),
        (MATRIX, np.array([1, None]), "'a' is a column of object, not float32"),
        (MATRIX, np.zeros((2, 1)), r"'a' is of shape \(2, 1\), not \(2,\)"),
        (MATRIX, np.zeros(1), r"'a' is of shape \(1,\), not \(2,\)"),
        (Binding("a", "string", (), ("a",)), np.zeros(2), "column of float64, not string"),
        (Binding("a", "int64", (), ("a",)), np.array(["1", "2"]), "not int64"),
        (Binding("a", "float32", (3, None), ("a",)), np.zeros((2, 2, 9)), r"not \(2, 3, None\)"),
        (Binding("a", "float32", (3, None), ("a",)), np.zeros((2, 3)), r"not \(2, 3, None\)"),
    ],
)
def test_a_column_of_the_wrong_kind_or_shape_is_refused(
    binding: Binding, values: Column, why: str
) -> None:
    with pytest.raises(InvalidRecord, match=why):
        given_columns(binding, {"a": values, "b": np.zeros(2)}, 2)


def test_an_open_dimension_takes_any_size() -> None:
    binding = Binding("a", "float32", (3, None), ("a",))
    assert to_tensor(binding, column(binding, np.zeros((2, 3, 9))), 2).shape == (2, 3, 9)


@pytest.mark.parametrize(
    ("element", "good", "bad"),
    [
        ("int64", [-(2.0**63), 2.0**53, 0.0], [np.nan, 0.5, 2.0**63, -(2.0**64), np.inf]),
        ("int32", [-(2.0**31), 2.0**31 - 1], [2.0**31, -(2.0**31) - 1, -np.inf]),
        ("uint8", [0.0, 255.0], [256.0, -1.0]),
        ("int8", np.array([-128, 127]), np.array([128, -129])),
        ("bool", [0.0, 1.0], [0.5, np.nan, 2.0]),
        ("bool", np.array([True, False]), []),
        ("string", np.array(["a", ""]), []),
        ("string", np.array(["a", ""], object), np.array([None, 1, b"a", 1.5, np.nan], object)),
    ],
)
def test_a_value_that_the_tensor_cannot_hold_is_an_error_of_its_row(
    element: Element, good: Any, bad: Any
) -> None:
    assert errors(element, good) == {}
    if len(bad):
        found = errors(element, np.concatenate([np.asarray(good), np.asarray(bad)]))
        assert sorted(found) == list(range(len(good), len(good) + len(bad)))


def test_an_error_tells_the_input_the_type_and_the_value() -> None:
    assert errors("int64", [np.nan, 1.5]) == {
        0: "input 'x' (int64): is missing",
        1: "input 'x' (int64): '1.5' is not a value of it",
    }
    assert errors("string", np.array([None, 7], object)) == {
        0: "input 'x' (string): is missing",
        1: "input 'x' (string): '7' is not a value of it",
    }


def test_every_float_can_be_held() -> None:
    assert errors("float32", [np.nan, np.inf]) == {}


@given(st.lists(st.lists(st.sampled_from([0.0, np.nan]), min_size=3, max_size=3), min_size=1))
def test_a_missing_number_is_an_error_where_none_may_be(rows: list[list[float]]) -> None:
    values = np.array(rows)
    binding = Binding("x", "float32", (3,), ("a", "b", "c"), ("b",))
    columns = dict(zip("abc", values.T, strict=True))
    found: dict[int, str] = {}
    find_missing([binding], [given_columns(binding, columns, len(rows))], found)
    needed = np.isnan(values[:, [0, 2]]).any(axis=1)
    assert sorted(found) == np.flatnonzero(needed).tolist()
    assert set(found.values()) <= {f"input {name!r} (float32): is missing" for name in "ac"}
    table = Table(("a", "b", "c"), values)
    assert (laid_out([binding], table) is None) == np.isnan(values).any()
    free = Binding("x", "float32", (3,), ("a", "b", "c"), ("a", "b", "c"))
    assert laid_out([free], table) is not None


def test_an_error_inside_a_tensor_is_of_its_row() -> None:
    binding = Binding("x", "int32", (2, 2), ("x",))
    values = np.zeros((3, 2, 2))
    values[1, 0, 1] = 0.25
    assert row_errors([binding], [column(binding, values)]) == {
        1: "input 'x' (int32): '0.25' is not a value of it"
    }


@given(st.lists(st.floats(width=64), min_size=1), st.sampled_from(["int32", "int64", "uint8"]))
def test_every_number_is_exact_or_an_error(values: list[float], element: Element) -> None:
    binding = Binding("x", element, (), ("x",))
    given_ = column(binding, np.array(values))
    found = row_errors([binding], [given_])
    kept = [row for row in range(len(values)) if row not in found]
    tensor = to_tensor(binding, [given_[0][kept]], len(kept))
    assert tensor.astype(np.float64).tolist() == [values[row] for row in kept]


def test_tensors_become_columns() -> None:
    scalar = Binding("y", "float32", (1,), ("y",))
    tensor = np.arange(4, dtype=np.float32).reshape(2, 2)
    named = to_columns(MATRIX, tensor, 2)
    assert {name: values.tolist() for name, values in named.items()} == {"a": [0, 2], "b": [1, 3]}
    assert to_columns(scalar, tensor[:, :1], 2)["y"].shape == (2,)
    whole = to_columns(Binding("y", "float32", (2,), ("y",)), tensor, 2)
    assert whole["y"].tolist() == tensor.tolist()


@pytest.mark.parametrize("element", sorted(FIELD_TYPES))
def test_an_output_column_has_the_type_of_its_field(element: Element) -> None:
    binding = Binding("y", element, (), ("y",))
    dtype = np.dtype(object if element == "string" else element)
    kind = FIELD_TYPES[element]
    wanted = np.dtype(object if kind == "string" else kind)
    assert to_columns(binding, np.zeros(2, dtype), 2)["y"].dtype == wanted
    assert no_rows(binding)["y"].dtype == wanted


def test_an_answer_of_another_shape_is_a_failure_of_the_model() -> None:
    with pytest.raises(InvalidModel, match=r"'x' is of shape \(3, 2\), not \(2, 2\)"):
        to_columns(MATRIX, np.zeros((3, 2)), 2)


def test_no_rows_have_the_shapes_of_rows() -> None:
    assert no_rows(Binding("y", "float32", (3, None), ("y",)))["y"].shape == (0, 3, 0)
    assert {name: values.shape for name, values in no_rows(MATRIX).items()} == {
        "a": (0,),
        "b": (0,),
    }


def test_spreading_leaves_gaps_that_are_missing() -> None:
    floats = spread(np.array([1.0, 2.0], np.float32), 3, [0, 2])
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(floats, [1, np.nan, 2])
    assert spread(np.array([1, 2]), 3, [0, 2]).tolist() == [1, None, 2]
    assert spread(np.array(["a"], object), 2, [1]).tolist() == [None, "a"]
    assert spread(np.ones((1, 2)), 2, [1])[1].tolist() == [1, 1]
