import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import ModelFailed
from modelstream.formats.base import Description, Field
from modelstream.messages import Column, Columns, Scores
from modelstream.models.refusal import Refused
from modelstream.models.trial import rehearse, score_rows, verify_golden
from modelstream.wire.descriptor import GoldenRecord
from modelstream.wire.json import Decoder
from tests.support.fake_models import describe_fake

Answer = Callable[[Column], Column]


class FakeModel:
    """Answers `y` of `x`, by a function of columns; fails at the rows where that raises."""

    def __init__(
        self,
        answer: Answer = lambda x: x,
        *,
        inputs: tuple[Field, ...] = (Field("x", "float64"),),
        outputs: tuple[Field, ...] = (Field("y", "float64"),),
        errors: Callable[[Column], dict[int, str]] = lambda _: {},
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self._answer = answer
        self._errors = errors

    def score(self, columns: Columns) -> Scores:
        x = columns[self.inputs[0].name]
        return Scores({self.outputs[0].name: self._answer(x)}, self._errors(x))

    def describe(self) -> Description:
        return describe_fake(self.inputs, self.outputs)

    def close(self) -> None:
        pass


def rehearsed(model: FakeModel, *records: bytes) -> None:
    rehearse(model, Decoder(model.inputs), records)


def refused(model: FakeModel, *records: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        rehearsed(model, *records)
    return caught.value


def verified(model: FakeModel, *golden: GoldenRecord) -> None:
    verify_golden(model, Decoder(model.inputs), golden)


def mismatch(model: FakeModel, *golden: GoldenRecord) -> str:
    with pytest.raises(Refused) as caught:
        verified(model, *golden)
    assert caught.value.code == "golden_mismatch"
    return caught.value.reason


def fails_at_negatives(x: Column) -> Column:
    if (x < 0).any():
        raise ModelFailed("negative")
    return x


# -- rehearsal ------------------------------------------------------------------------------------


def test_without_records_there_is_nothing_to_rehearse() -> None:
    rehearsed(FakeModel(fails_at_negatives))


def test_one_record_that_can_be_answered_is_enough() -> None:
    rehearsed(FakeModel(), b'{"z": 1}', b'{"x": "text"}', b'{"x": 1}')


def test_a_model_that_raises_over_some_records_is_asked_for_each_alone() -> None:
    rehearsed(FakeModel(fails_at_negatives), b'{"x": -1}', b'{"x": 1}')


def test_a_model_that_raises_over_every_record_is_refused() -> None:
    refusal = refused(FakeModel(fails_at_negatives), b'{"x": -1}', b'{"x": -2}')
    assert refusal.code == "records_failed"
    assert "negative" in refusal.reason
    assert "2 most recent" in refusal.reason


def test_a_model_that_names_every_row_as_failed_is_refused() -> None:
    model = FakeModel(errors=lambda x: dict.fromkeys(range(len(x)), "unknown category"))
    refusal = refused(model, b'{"x": 1}', b'{"x": 2}')
    assert refusal.code == "records_failed"
    assert "unknown category" in refusal.reason


def test_fields_that_all_records_lack_are_named() -> None:
    inputs = tuple(Field(name, "float64") for name in ("ph", "wine.sugar", "wine.acid", "alcohol"))
    optional = Field("note", "string", optional=True)
    record = json.dumps({"alcohol": 9.5, "wine": {"sugar": 1.0}, "quality": 5}).encode()
    refusal = refused(FakeModel(inputs=(*inputs, optional)), record, record)
    assert refusal.code == "fields_missing"
    assert "lacks 'ph', 'wine.acid' and has 'alcohol', 'wine', 'quality'" in refusal.reason


def test_of_many_missing_fields_only_the_first_are_named() -> None:
    model = FakeModel(inputs=tuple(Field(f"f{i}", "float64") for i in range(30)))
    assert "'f9' and 20 more" in refused(model, b"{}").reason


def test_records_of_another_type_are_not_called_missing() -> None:
    refusal = refused(FakeModel(), b'{"x": "text"}')
    assert refusal.code == "records_failed"
    assert "float" in refusal.reason


def test_records_that_are_no_json_keep_no_model_out() -> None:
    rehearsed(FakeModel(), b"no json", b"\xff")


def test_beside_records_that_are_no_json_the_others_still_count() -> None:
    assert refused(FakeModel(), b"no json", b"{}").code == "fields_missing"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_model_that_answers_nothing_finite_is_refused(value: float) -> None:
    model = FakeModel(lambda x: np.full(len(x), value))
    assert refused(model, b'{"x": 1}', b'{"x": 2}').code == "no_answer"


def test_a_model_that_answers_no_label_is_refused() -> None:
    model = FakeModel(lambda x: np.full(len(x), None, dtype=object))
    assert refused(model, b'{"x": 1}').code == "no_answer"


def test_a_model_that_answers_one_record_is_kept() -> None:
    rehearsed(FakeModel(lambda x: np.where(x > 1, x, np.nan)), b'{"x": 1}', b'{"x": 2}')


def test_a_vector_with_one_finite_value_is_an_answer() -> None:
    rehearsed(FakeModel(lambda x: np.tile([np.nan, 1.0], (len(x), 1))), b'{"x": 1}')


def test_a_wrong_number_of_answers_is_refused_whatever_the_rest() -> None:
    model = FakeModel(lambda x: x[x > 1])
    assert refused(model, b'{"x": 1}', b'{"x": 2}').code == "wrong_rows"


def test_running_out_of_memory_is_not_tried_again_row_by_row() -> None:
    def starve(x: Column) -> Column:
        raise MemoryError

    with pytest.raises(MemoryError):
        rehearsed(FakeModel(starve), b'{"x": 1}')


def test_score_rows_gives_what_the_model_gives() -> None:
    scores = score_rows(FakeModel(), {"x": np.array([1.0, 2.0])}, 2)
    assert scores["y"].tolist() == [1.0, 2.0]


# -- golden records -------------------------------------------------------------------------------


def test_answers_within_the_tolerance_are_right() -> None:
    verified(FakeModel(), GoldenRecord('{"x": 1.05}', '{"y": 1}', 0.1))


def test_a_mismatch_names_record_output_expected_and_got() -> None:
    right = GoldenRecord('{"x": 1}', '{"y": 1}')
    reason = mismatch(FakeModel(), right, GoldenRecord('{"x": 2.5}', '{"y": 2}', 0.25))
    assert reason == "golden record 1, output 'y': expected 2 within 0.25, got 2.5"


def test_an_output_that_is_not_there_is_a_mismatch() -> None:
    assert "has no output 'z'; it has 'y'" in mismatch(
        FakeModel(), GoldenRecord('{"x": 1}', '{"z": 1}')
    )


def test_a_golden_record_that_the_model_cannot_read_is_a_mismatch() -> None:
    assert "golden record 0" in mismatch(FakeModel(), GoldenRecord("{}", '{"y": 1}'))


def test_a_golden_record_that_the_model_fails_at_is_a_mismatch() -> None:
    reason = mismatch(FakeModel(fails_at_negatives), GoldenRecord('{"x": -1}', '{"y": 1}'))
    assert "negative" in reason


@pytest.mark.parametrize("outputs", ["", "[1]", "1", '{"y": }'])
def test_expected_outputs_that_are_no_object_are_a_mismatch(outputs: str) -> None:
    assert "no JSON object" in mismatch(FakeModel(), GoldenRecord('{"x": 1}', outputs))


@pytest.mark.parametrize(
    ("column", "expected", "agrees"),
    [
        (np.array([1]), "1", True),
        (np.array([1]), "true", False),
        (np.array([True]), "true", True),
        (np.array([True]), "1", False),
        (np.array(["yes"], dtype=object), '"yes"', True),
        (np.array(["yes"], dtype=object), '"no"', False),
        (np.array(["1"], dtype=object), "1", False),
        (np.array([None], dtype=object), "null", True),
        (np.array([np.nan]), "null", True),
        (np.array([np.nan]), "1", False),
        (np.array([1.0]), "null", False),
        (np.array([[1.0, 2.0]]), "[1, 2]", True),
        (np.array([[1.0, 2.0]]), "[1, 3]", False),
        (np.array([[1.0, 2.0]]), "[1]", False),
        (np.array([1.0]), "[1]", False),
        (np.array([1.0]), '{"is": 1}', False),
    ],
)
def test_values_agree_as_json_shows_them(column: Column, expected: str, agrees: bool) -> None:
    model = FakeModel(lambda _: column)
    golden = GoldenRecord('{"x": 1}', f'{{"y": {expected}}}')
    if agrees:
        verified(model, golden)
    else:
        mismatch(model, golden)


finite = st.floats(-1e12, 1e12)


@given(finite, finite, st.floats(0, 1e12))
def test_numbers_agree_exactly_when_they_differ_by_the_tolerance_at_most(
    expected: float, got: float, tolerance: float
) -> None:
    model = FakeModel(lambda _: np.array([got]))
    golden = GoldenRecord('{"x": 1}', json.dumps({"y": expected}), tolerance)
    if abs(expected - got) <= tolerance:
        verified(model, golden)
    else:
        mismatch(model, golden)
