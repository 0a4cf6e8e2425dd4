"""A column by its values gives for each row what the row itself would."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pmml.fields.batch import Batch, Cells
from modelstream.formats.pmml.fields.coded import Coded, code
from modelstream.formats.pmml.fields.values import is_missing, texts
from modelstream.messages import Column

WORDS = st.lists(st.sampled_from(["a", "b", "c", "", None]))
NUMBERS = st.lists(st.sampled_from([0.0, -1.5, 2.0, float("nan"), float("inf")]))


def length(value: Any) -> int:
    return -1 if is_missing(value) else len(str(value))


@given(WORDS)
def test_a_look_up_is_that_of_each_row(words: list[str | None]) -> None:
    found = code(texts(words)).look_up(length, np.intp)
    assert found.tolist() == [length(word) for word in words]


@given(NUMBERS)
def test_numbers_and_nan_are_looked_up_alike(numbers: list[float]) -> None:
    found = code(np.array(numbers, dtype=np.float64)).look_up(length, np.intp)
    assert found.tolist() == [length(number) for number in numbers]


def test_a_function_is_called_once_for_each_value() -> None:
    called: list[Any] = []

    def note(value: Any) -> float:
        called.append(value)
        return 1.0

    assert code(texts(["a", "b", "a", None, "b"])).look_up(note, np.float64).tolist() == [1.0] * 5
    assert called == ["a", "b", None]


def test_a_batch_codes_a_cell_once_and_a_part_of_it_codes_its_own_rows() -> None:
    cells = Cells()
    column = texts(["a", "b", "a"])
    cell = cells.make(lambda _: column)
    batch = Batch({}, 3)
    assert batch.coded(cell) is batch.coded(cell)
    assert batch.only(np.array([True, False, True])).coded(cell) is batch.coded(cell)
    part = batch.take(np.array([2, 1]), cells.made)
    assert part.coded(cell).look_up(str, np.object_).tolist() == ["a", "b"]


def test_a_batch_takes_the_code_that_it_is_told() -> None:
    cells = Cells()
    known = Coded(["a"], np.zeros(2, dtype=np.intp))
    make: Callable[[Batch], Column] = lambda _: texts(["a", "a"])  # noqa: E731  # a cell's own kind
    cell = cells.make(make)
    batch = Batch({}, 2)
    batch.keep(cell, known)
    assert batch.coded(cell) is known


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_are_no_special_case(rows: int) -> None:
    assert len(code(texts(["a"] * rows)).look_up(length, np.intp)) == rows
