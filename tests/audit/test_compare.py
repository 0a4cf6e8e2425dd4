"""Old answers beside new ones: differences of numbers, confusion of labels."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.audit.compare import Comparison, LabelPair, OutputChange
from modelstream.formats.base import Field

Y = Field("y", "float64")
LABEL = Field("label", "string")


def change(field: Field, old: list[Any], new: list[Any]) -> OutputChange:
    comparison = Comparison()
    name = field.name
    comparison.add([field], [{name: each} for each in old], [{name: each} for each in new])
    (only,) = comparison.changes()
    return only


def test_numbers_are_compared_by_their_absolute_difference() -> None:
    told = change(Y, [1.0, 2.0, 3, -4.0], [1.0, 2.5, 3.0, -6.0])
    assert told == OutputChange("y", "number", compared=4, changed=2, largest=2.0, mean=0.625)


@pytest.mark.parametrize(
    ("old", "new"),
    [([None, 1.0], [1.0, None]), (["a", {}], [1.0, 2.0]), ([[1.0, 2.0], True], [1.0, 1.0])],
)
def test_what_is_no_number_on_a_side_is_not_compared(old: list[Any], new: list[Any]) -> None:
    assert change(Y, old, new) == OutputChange("y", "number", compared=0, changed=0)


def test_numbers_beside_what_is_none_are_compared_still() -> None:
    assert change(Y, ["a", 1.0, None], [1.0, 3.0, 4.0]).compared == 1


def test_differences_too_large_for_a_float_are_infinite() -> None:
    told = change(Y, [-1.7e308], [1.7e308])
    assert told.largest == told.mean == math.inf


def test_every_value_of_a_vector_is_compared() -> None:
    vector = Field("p", "float64", (2,))
    told = change(vector, [[0.25, 0.75], [0.5, 0.5]], [[0.25, 0.75], [1.0, 0.0]])
    assert (told.compared, told.changed, told.largest, told.mean) == (4, 2, 0.5, 0.25)


def test_vectors_of_different_length_are_compared_where_they_match() -> None:
    vector = Field("p", "float64", (None,))
    told = change(vector, [[1.0], [1.0, 2.0], [3.0]], [[2.0], [1.0], [3.0]])
    assert (told.compared, told.changed, told.largest) == (2, 1, 1.0)


def test_labels_are_counted_in_pairs_most_frequent_first() -> None:
    told = change(LABEL, ["a", "a", "b", None], ["b", "b", "b", "a"])
    assert told.pairs == (
        LabelPair("a", "b", 2),
        LabelPair("b", "b", 1),
        LabelPair(None, "a", 1),
    )
    assert (told.kind, told.compared, told.changed, told.other_pairs) == ("label", 4, 3, 0)


def test_whole_numbers_are_labels_and_lists_are_counted_by_their_text() -> None:
    told = change(Field("k", "int64"), [1, [2], {"a": 1}], [1, 2, 3])
    assert told.pairs == (
        LabelPair(1, 1, 1),
        LabelPair("[2]", 2, 1),
        LabelPair("{'a': 1}", 3, 1),
    )


def test_pairs_are_bounded_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelstream.audit.compare.REPLAY_LABEL_PAIRS_MAX", 2)
    told = change(LABEL, ["a", "b", "c", "d", "a"], ["a", "b", "c", "d", "a"])
    assert (len(told.pairs), told.other_pairs, told.pairs[0].count) == (2, 2, 2)


def test_an_output_that_the_old_answer_did_not_have_is_a_label_from_nothing() -> None:
    comparison = Comparison()
    comparison.add(
        [LABEL, Y], [{"z": 1.0}, 5], [{"label": "a", "y": 1.0}, {"label": "a", "y": 1.0}]
    )
    number, label = comparison.changes()
    assert (number.compared, label.pairs) == (0, (LabelPair(None, "a", 2),))


def test_tensors_of_text_are_left_alone() -> None:
    comparison = Comparison()
    comparison.add([Field("words", "string", (2,))], [{}], [{}])
    assert comparison.changes() == ()


NUMBERS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=30)


@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_a_comparison_in_batches_is_that_of_the_whole(
    batches: list[list[tuple[float, float]]],
) -> None:
    comparison = Comparison()
    for batch in batches:
        comparison.add([Y], [{"y": a} for a, _ in batch], [{"y": b} for _, b in batch])
    (told,) = comparison.changes()
    differences = [abs(b - a) for batch in batches for a, b in batch]
    assert told.compared == len(differences)
    assert told.largest == max(differences)
    assert told.mean is not None
    assert math.isclose(told.mean, math.fsum(differences) / len(differences), abs_tol=1e-9)
