"""A column by its values gives for each row what the row itself would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pmml.fields.batch import Batch, Cells
from modelstream.formats.pmml.fields.coded import Coded, Lookup, code
from modelstream.formats.pmml.fields.values import is_missing, texts
from modelstream.messages import Column

WORDS = st.lists(st.sampled_from(["a", "b", "c", "", None]))
NUMBERS = st.lists(st.sampled_from([0.0, -1.5, 2.0, float("nan"), float("inf")]))


def length(value: Any) -> int:
    return -1 if is_missing(value) else len(str(value))


@given(WORDS)
def test_a_look_up_is_that_of_each_row(words: list[str | None]) -> None:
    found = Lookup([length], np.intp).column(code(texts(words)))
    assert found.tolist() == [length(word) for word in words]


@given(NUMBERS)
def test_numbers_and_nan_are_looked_up_alike(numbers: list[float]) -> None:
    found = Lookup([length], np.intp).column(code(np.array(numbers, dtype=np.float64)))
    assert found.tolist() == [length(number) for number in numbers]


@given(WORDS)
def test_a_matrix_is_filled_with_a_column_of_each_function(words: list[str | None]) -> None:
    functions: list[Callable[[Any], float]] = [length, lambda value: float(value == "a")]
    coded = code(texts(words))
    matrix = np.full((2, len(words)), np.nan)
    Lookup(functions, np.float64).fill(matrix, coded)
    for row, function in zip(matrix, functions, strict=True):
        assert row.tolist() == Lookup([function], np.float64).column(coded).tolist()


@dataclass
class Noted:
    """A function that notes what it is called for."""

    called: list[Any] = field(default_factory=list)

    def __call__(self, value: Any) -> float:
        self.called.append(value)
        return 1.0


def test_a_function_is_called_once_for_each_value() -> None:
    note = Noted()
    coded = code(texts(["a", "b", "a", None, "b"]))
    assert Lookup([note], np.float64).column(coded).tolist() == [1.0] * 5
    assert note.called == ["a", "b", None]


def test_a_function_is_called_once_for_all_batches_of_the_same_lasting_values() -> None:
    note, items = Noted(), ["a", "b"]
    lookup = Lookup([note], np.float64)
    for rows in ([0, 1, 1], [1], []):
        coded = Coded(items, np.array(rows, dtype=np.intp), lasting=True)
        assert lookup.column(coded).tolist() == [1.0] * len(rows)
    assert note.called == ["a", "b"]


def test_other_values_are_looked_up_anew_after_lasting_ones() -> None:
    lookup = Lookup([length], np.float64)
    here = np.zeros(1, dtype=np.intp)
    assert lookup.column(Coded(["a"], here, lasting=True)).tolist() == [1.0]
    assert lookup.column(Coded(["abc"], here)).tolist() == [3.0]
    assert lookup.column(Coded(["ab"], here, lasting=True)).tolist() == [2.0]


def test_a_batch_codes_a_cell_once_and_a_part_of_it_codes_its_own_rows() -> None:
    cells = Cells()
    column = texts(["a", "b", "a"])
    cell = cells.make(lambda _: column)
    batch = Batch({}, 3)
    assert batch.coded(cell) is batch.coded(cell)
    assert batch.only(np.array([True, False, True])).coded(cell) is batch.coded(cell)
    part = batch.take(np.array([2, 1]), cells.made)
    assert Lookup([str], np.object_).column(part.coded(cell)).tolist() == ["a", "b"]


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
    assert len(Lookup([length], np.intp).column(code(texts(["a"] * rows)))) == rows
