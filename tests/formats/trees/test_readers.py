"""Columns of records become what the trees read."""

import numpy as np
import pytest

from modelstream.errors import InvalidRecord
from modelstream.formats.trees.ensemble import EnsembleInput
from modelstream.formats.trees.readers import InputMatrix
from modelstream.messages import Column

TINY = 1.0000000180025095e-35


def matrix(known: EnsembleInput, column: Column) -> tuple[list[float], dict[int, str]]:
    errors: dict[int, str] = {}
    found = InputMatrix([known]).of({known.name: column}, errors)
    return found[:, 0].tolist(), errors


@pytest.mark.parametrize(
    ("known", "numbers", "expected"),
    [
        (EnsembleInput(name="x"), [0.1, 1e300], [0.1, 1e300]),
        (EnsembleInput(name="x", single=True), [0.1, 1e300], [float(np.float32(0.1)), np.inf]),
        (EnsembleInput(name="x", whole=True), [1.9, -0.5, -1.5], [1.0, 0.0, -1.0]),
        (EnsembleInput(name="x", missing_is_zero=True), [np.nan, 2.0], [0.0, 2.0]),
        (EnsembleInput(name="x", missing_is_infinite=True), [np.nan, 2.0], [np.inf, 2.0]),
        (EnsembleInput(name="x", zero_is_missing=True), [0.0, TINY, 1e-34], [np.nan, np.nan, 1e-34]),
    ],
)  # fmt: skip
def test_numbers_are_read_as_the_input_says(
    known: EnsembleInput, numbers: list[float], expected: list[float]
) -> None:
    found, errors = matrix(known, np.array(numbers))
    np.testing.assert_array_equal(found, expected)
    assert not errors


def test_categories_are_known_by_their_place() -> None:
    words = np.array(["b", "a", "c", None], dtype=object)
    known = EnsembleInput(name="x", categories=("a", "b"))
    found, errors = matrix(known, words)
    assert found[:2] == [1.0, 0.0]
    assert np.isnan(found[3])
    assert errors == {2: "'c' is none of the categories of 'x'"}
    lenient = EnsembleInput(name="x", categories=("a", "b"), unknown_is_missing=True)
    found, errors = matrix(lenient, words)
    assert np.isnan(found[2])
    assert not errors


def test_categories_that_are_numbers_are_known_by_their_place() -> None:
    numbers = np.array([7.0, -1.0, 30.0, 8.0, np.nan, np.inf])
    found, errors = matrix(EnsembleInput(name="x", numbers=(30.0, 7.0, -1.0)), numbers)
    assert found[:3] == [1.0, 2.0, 0.0]
    assert np.isnan(found[4])
    assert list(errors) == [3, 5]


def test_columns_beside_each_other_are_read_each_its_own_way() -> None:
    inputs = [
        EnsembleInput(name="a", single=True),
        EnsembleInput(name="b"),
        EnsembleInput(name="c", hashed=True),
    ]
    read = InputMatrix(inputs)
    assert [(each.type, each.optional) for each in read.fields] == [
        ("float64", True), ("float64", True), ("string", False),
    ]  # fmt: skip
    columns = {
        "b": np.array([0.1]),
        "a": np.array([0.1]),
        "c": np.array(["Ulm"], dtype=object),
    }
    found = read.of(columns, {})
    assert found[0, :2].tolist() == [float(np.float32(0.1)), 0.1]
    assert read.of({"c": columns["c"]}, {})[0, 2] == found[0, 2] != 0
    with pytest.raises(InvalidRecord, match="the input 'c' is missing"):
        read.of({"a": columns["a"]}, {})


def test_whole_numbers_and_truths_are_numbers_and_words_are_not() -> None:
    assert matrix(EnsembleInput(name="x"), np.array([True, False]))[0] == [1.0, 0.0]
    assert matrix(EnsembleInput(name="x"), np.array([3, 4]))[0] == [3.0, 4.0]
    with pytest.raises(InvalidRecord, match="column 'x' does not hold numbers"):
        matrix(EnsembleInput(name="x"), np.array(["three"], dtype=object))


def test_columns_have_to_be_of_one_length() -> None:
    read = InputMatrix([EnsembleInput(name="a"), EnsembleInput(name="b")])
    with pytest.raises(InvalidRecord, match="different lengths"):
        read.of({"a": np.zeros(2), "b": np.zeros(3)}, {})
    with pytest.raises(InvalidRecord, match=r"the shape \(2, 1\)"):
        read.of({"a": np.zeros((2, 1))}, {})
    with pytest.raises(InvalidRecord, match="none of the inputs"):
        read.of({"c": np.zeros(2)}, {})


def test_columns_of_several_types_make_one_matrix() -> None:
    read = InputMatrix([EnsembleInput(name=name) for name in "abcd"])
    columns: dict[str, Column] = {
        "a": np.array([2**53, -1]),
        "b": np.array([0.1, np.nan]),
        "c": np.array([True, False]),
        "d": np.array([0.1, 2], np.float32),
    }
    expected = [[2.0**53, 0.1, 1.0, float(np.float32(0.1))], [-1.0, np.nan, 0.0, 2.0]]
    np.testing.assert_array_equal(read.of(columns, {}), expected)
    objects = {name: column.astype(object) for name, column in columns.items()}
    np.testing.assert_array_equal(read.of(objects, {}), expected)
    assert read.of({name: column[:0] for name, column in columns.items()}, {}).shape == (0, 4)
