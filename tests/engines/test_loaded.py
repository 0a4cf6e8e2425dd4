"""One version in memory: every record is answered or failed, whatever the model does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.effects import Outcome
from modelstream.engines.loaded import ready, score
from modelstream.errors import ModelFailed, ModelTimedOut
from modelstream.formats.base import Field
from modelstream.messages import Columns
from tests.support.fake_models import FakeModel


def values(*numbers: float) -> list[bytes]:
    return [b'{"x":%r}' % number for number in numbers]


def scored(model: FakeModel, records: list[bytes], *, null_is_answer: bool = False) -> Outcome:
    loaded = ready(model, ())
    return score(loaded, records, range(len(records)), null_is_answer=null_is_answer)


def test_all_rows_are_answered_in_one_call() -> None:
    model = FakeModel()
    outcome = scored(model, values(1, 2, 3))
    assert outcome.rows == range(3)
    assert outcome.columns["y"].tolist() == [1.0, 2.0, 3.0]
    assert model.sizes == [3]
    assert outcome.took_us > 0


def test_dicts_are_read_as_they_are() -> None:
    outcome = score(ready(FakeModel(), ()), [{"x": 1}, {"x": 2}], range(2), null_is_answer=False)
    assert outcome.columns["y"].tolist() == [1.0, 2.0]


def test_a_record_that_cannot_be_read_fails_alone() -> None:
    outcome = scored(FakeModel(), [*values(1), b"?", *values(3)])
    assert list(outcome.rows) == [0, 2]
    assert outcome.columns["y"].tolist() == [1.0, 3.0]
    assert outcome.failures[1].reason == "not_json"


def test_a_row_that_the_model_cannot_score_fails_alone() -> None:
    model = FakeModel(errors_at=lambda x: {int(np.argmax(x)): "x is too large"})
    outcome = scored(model, values(1, 9, 3))
    assert list(outcome.rows) == [0, 2]
    assert outcome.failures[1] == ("invalid_value", "x is too large")


def test_where_a_model_raises_the_culprits_are_found() -> None:
    model = FakeModel(raises_at=(2.0, 5.0))
    outcome = scored(model, values(*range(8)))
    assert list(outcome.rows) == [0, 1, 3, 4, 6, 7]
    assert outcome.columns["y"].tolist() == [0, 1, 3, 4, 6, 7]
    assert set(outcome.failures) == {2, 5}
    assert outcome.failures[2].reason == "model_error"
    assert "no answer to that" in outcome.failures[2].detail


def test_a_model_that_always_raises_fails_every_record() -> None:
    outcome = scored(FakeModel(raises_at=(1.0, 2.0)), values(1, 2))
    assert list(outcome.rows) == []
    assert set(outcome.failures) == {0, 1}
    assert outcome.columns["y"].tolist() == []


def test_too_few_rows_are_an_error_of_the_model() -> None:
    model = FakeModel(answer=lambda columns: {"y": columns["x"][:1]})
    outcome = scored(model, values(1, 2))
    assert list(outcome.rows) == [0, 1], "one at a time it answers"
    model = FakeModel(answer=lambda _: {"y": np.zeros(3)})
    outcome = scored(model, values(1, 2))
    assert outcome.failures[0].reason == "model_error"
    assert "3 rows for 1 record" in outcome.failures[0].detail


def test_a_missing_output_is_an_error_of_the_model() -> None:
    outcome = scored(FakeModel(answer=lambda _: {}), values(1))
    assert "'y' has no column" in outcome.failures[0].detail


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_no_answer(wrong: float) -> None:
    model = FakeModel(answer=lambda columns: {"y": np.where(columns["x"] == 2, wrong, 1.0)})
    outcome = scored(model, values(1, 2, 3))
    assert list(outcome.rows) == [0, 2]
    assert outcome.failures[1].reason == "not_finite"
    kept = scored(model, values(1, 2, 3), null_is_answer=True)
    assert list(kept.rows) == [0, 1, 2]


def test_a_missing_label_is_no_answer() -> None:
    def answer(columns: Columns) -> Columns:
        labels = np.empty(len(columns["x"]), dtype=object)
        labels[:] = ["good" if value > 0 else None for value in columns["x"]]
        return {"label": labels, "why": np.full(len(labels), None, dtype=object)}

    outputs = (Field("label", "string"), Field("why", "string"))
    outcome = scored(FakeModel(outputs=outputs, answer=answer), values(1, -1))
    assert list(outcome.rows) == [0], "a missing further output is no failure"
    assert outcome.failures[1].reason == "not_finite"


def test_a_failure_of_the_model_is_told_before_its_missing_answer() -> None:
    model = FakeModel(answer=None, errors_at=lambda x: {0: "told by the model"})
    outcome = scored(model, values(float(2**52), 1))
    assert outcome.failures[0] == ("invalid_value", "told by the model")


def test_rows_are_numbered_as_the_batch_numbers_them() -> None:
    loaded = ready(FakeModel(raises_at=(3.0,)), ())
    outcome = score(
        loaded, [*values(1), b"?", *values(3, 4)], [10, 20, 30, 40], null_is_answer=False
    )
    assert list(outcome.rows) == [10, 40]
    assert set(outcome.failures) == {20, 30}


def test_whole_groups_keep_their_row_numbers() -> None:
    outcome = score(ready(FakeModel(), ()), values(1, 2), [7, 9], null_is_answer=False)
    assert list(outcome.rows) == [7, 9]


def test_no_records_are_no_failures() -> None:
    outcome = scored(FakeModel(), [])
    assert (list(outcome.rows), outcome.failures) == ([], {})


def test_a_model_is_warmed_up_for_each_size() -> None:
    model = FakeModel()
    ready(model, (1, 100))
    assert model.sizes == [1, 100]


def test_a_model_that_refuses_made_up_values_is_served_all_the_same() -> None:
    def answer(columns: Columns) -> Columns:
        if (columns["x"] == 0).any():
            raise ModelFailed("0 is an unknown category")
        return {"y": columns["x"]}

    loaded = ready(FakeModel(answer=answer), (1, 10))
    outcome = score(loaded, values(1, 0), range(2), null_is_answer=False)
    assert list(outcome.rows) == [0]
    assert outcome.failures[1].reason == "model_error"


def test_records_of_several_shapes_are_scored_apart() -> None:
    model = FakeModel(
        inputs=(Field("t", "float64", (None,)),),
        outputs=(Field("y", "float64"), Field("t", "float64", (None,))),
        answer=lambda columns: {"y": columns["t"].sum(axis=1), "t": columns["t"]},
    )
    records = [b'{"t":[1,2]}', b'{"t":[3]}', b"?", b'{"t":[4]}', b'{"t":[5,6]}']
    outcome = scored(model, records)
    assert list(outcome.rows) == [0, 1, 3, 4]
    assert outcome.columns["y"].tolist() == [3.0, 3.0, 4.0, 11.0]
    assert outcome.columns["t"].tolist() == [[1.0, 2.0], [3.0], [4.0], [5.0, 6.0]]
    assert set(outcome.failures) == {2}


record = st.one_of(
    st.floats(-9, 9).map(lambda number: b'{"x":%r}' % number),
    st.sampled_from([b"", b"{}", b'{"x":"t"}', b'{"x":1}', b'{"x":2}', b'{"x":3}']),
)


@given(st.lists(record, max_size=40))
def test_every_row_has_exactly_one_end(records: list[bytes]) -> None:
    model = FakeModel(
        raises_at=(1.0,),
        answer=lambda columns: {"y": np.where(columns["x"] == 2, np.nan, columns["x"])},
    )
    outcome = scored(model, records)
    assert sorted([*outcome.rows, *outcome.failures]) == list(range(len(records)))
    assert len(outcome.columns["y"]) == len(outcome.rows)


def test_a_batch_that_takes_too_long_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def hang(columns: Columns) -> Columns:
        asked.append(len(columns["x"]))
        raise ModelTimedOut("4 s")

    outcome = scored(FakeModel(answer=hang), values(1, 2, 3))
    assert asked == [3]
    assert list(outcome.rows) == []
    assert {each.detail for each in outcome.failures.values()} == {"ModelTimedOut: 4 s"}
    assert sorted(outcome.failures) == [0, 1, 2]
