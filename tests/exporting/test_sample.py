"""Samples: the columns of a table, by name and with what they hold."""

from typing import Any

import numpy as np
import pytest

from modelstream import limits
from modelstream.errors import InvalidRecord
from modelstream.exporting.sample import sample_of


class Frame:
    """As much of a data frame as is used."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = {name: np.array(column) for name, column in columns.items()}
        self.columns = list(columns)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Frame({name: column[key] for name, column in self._columns.items()})
        return self._columns[key]

    def assign(self, **columns: Any) -> "Frame":
        return Frame({**self._columns, **columns})


def test_an_array_is_columns_of_numbers() -> None:
    sample = sample_of(np.array([[1.5, 2.0], [3.5, 4.0]]), ["a", "b"])
    assert len(sample) == 2
    assert sample.kinds == {"a": "number", "b": "number"}
    assert sample.columns["b"].tolist() == [2.0, 4.0]


def test_a_column_holds_numbers_whole_numbers_or_texts() -> None:
    table = np.array([[1.5, 2, "x"], [None, 4, "y"]], dtype=object)
    sample = sample_of(table, ["a", "b", "c"])
    assert sample.kinds == {"a": "number", "b": "whole", "c": "text"}
    assert np.isnan(sample.columns["a"][1])
    assert sample.columns["c"].tolist() == ["x", "y"]


def test_a_data_frame_is_taken_as_it_is() -> None:
    frame = Frame({"a": [1.5, 2.5], "b": [1, 2], "c": ["x", "y"], "d": [True, False]})
    sample = sample_of(frame, frame.columns)
    assert sample.kinds == {"a": "number", "b": "whole", "c": "text", "d": "whole"}
    (up_name, up), (down_name, down) = sample.nudged()
    assert up_name == down_name == "a"
    assert (up["a"] > [1.5, 2.5]).all()
    assert (down["a"] < [1.5, 2.5]).all()
    assert up["c"].tolist() == ["x", "y"]


def test_a_nudged_array_differs_in_one_column() -> None:
    table = np.array([[1.0, 2.0], [3.0, 4.0]])
    nudged = list(sample_of(table, ["a", "b"]).nudged())
    assert [name for name, _ in nudged] == ["a", "a", "b", "b"]
    changed = [(each != table).any(axis=0).tolist() for _, each in nudged]
    assert changed == [[True, False]] * 2 + [[False, True]] * 2
    assert all(each == pytest.approx(table, rel=1e-5) for _, each in nudged)


def test_no_more_rows_are_compared_than_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelstream.exporting.sample.EXPORT_SAMPLE_RECORDS_MAX", 3)
    assert len(sample_of(np.zeros((5, 1)), ["a"])) == 3
    assert limits.EXPORT_SAMPLE_RECORDS_MAX > 1000


@pytest.mark.parametrize(
    ("table", "names", "told"),
    [
        (np.zeros(3), ["a"], r"has the shape \(3,\); give \(rows, features\)"),
        (np.zeros((0, 1)), ["a"], "has no rows"),
        (np.zeros((2, 2)), ["a"], "has 2 columns, and 1 features are named"),
        (np.array([[1], ["x"]], dtype=object), ["a"], "column 'a' .* neither numbers alone nor"),
        (np.array([[b"x"]], dtype=object), ["a"], "column 'a' of the sample holds neither"),
    ],
)
def test_a_sample_that_cannot_be_used_is_refused(table: Any, names: list[str], told: str) -> None:
    with pytest.raises(InvalidRecord, match=told):
        sample_of(table, names)
