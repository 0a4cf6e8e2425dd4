from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.events import FieldSpec
from modelstream.formats.base import Description, Elsewhere, Field, Hints, LoweredModel
from modelstream.limits import FIELDS_MAX
from modelstream.messages import Columns, Scores
from modelstream.models import check as check_module
from modelstream.models.check import (
    CheckRequest,
    CheckVerdict,
    Failed,
    Passed,
    Untried,
    check,
    check_outside,
    examine,
)
from modelstream.models.refusal import Refused
from modelstream.wire.descriptor import GoldenRecord
from tests.support.artifacts import adder
from tests.support.fake_models import describe_fake

X = Field("x", "float64")
Y = Field("y", "float64")


def doubled(columns: Columns) -> Scores:
    return Scores({"y": columns["x"] * 2})


@dataclass
class FakeModel:
    inputs: tuple[Field, ...] = (X,)
    outputs: tuple[Field, ...] = (Y,)
    answer: Callable[[Columns], Scores] = doubled
    closed: bool = False

    def score(self, columns: Columns) -> Scores:
        return self.answer(columns)

    def describe(self) -> Description:
        return describe_fake(self.inputs, self.outputs)

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeFormat:
    """A format whose artifacts are made up: each step does what the test says."""

    model: FakeModel = field(default_factory=FakeModel)
    lowering: Callable[[bytes, Hints], bytes] = lambda data, _: b"lowered " + data
    name: str = "fake"

    def recognises(self, data: bytes) -> bool:
        return True

    def lower(self, data: bytes, hints: Hints) -> bytes:
        return self.lowering(data, hints)

    def load(self, lowered: bytes) -> FakeModel:
        return self.model


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_: object) -> Any:
        raise error

    return raise_it


def refusal(format_: FakeFormat, **more: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        examine(format_, CheckRequest(data=b"artifact", format="fake", **more))
    return refused.value


def test_a_model_that_does_everything_right_passes_with_its_columns() -> None:
    format_ = FakeFormat()
    records = (b'{"x": 1}', b'{"x": 2}')
    golden = (GoldenRecord('{"x": 3}', '{"y": 6}'),)
    passed = examine(
        format_, CheckRequest(data=b"artifact", format="fake", records=records, golden=golden)
    )
    assert passed == Passed(
        b"lowered artifact", (FieldSpec("x", "float64"),), (FieldSpec("y", "float64"),)
    )
    assert format_.model.closed


def test_the_hints_of_the_descriptor_reach_the_format() -> None:
    seen: list[Hints] = []

    def lower(data: bytes, hints: Hints) -> bytes:
        seen.append(hints)
        return data

    examine(
        FakeFormat(lowering=lower),
        CheckRequest(
            data=b"a",
            format="fake",
            feature_names=("p", "q"),
            labels=("no", "yes"),
            models={"m@1": LoweredModel("fake", b"b")},
        ),
    )
    assert seen == [Hints(("p", "q"), ("no", "yes"), {"m@1": LoweredModel("fake", b"b")})]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidModel("cut short"), "invalid_model", "cut short"),
        (UnsupportedModel("no operator Foo"), "unsupported_model", "no operator Foo"),
        (MemoryError(), "memory", "more memory"),
        (InvalidModel("std::bad_alloc"), "memory", "more memory"),
        (InvalidModel("BFCArena: Failed to allocate memory for 9"), "memory", "more memory"),
        (RecursionError("too deep"), "invalid_model", "RecursionError: too deep"),
        (ValueError(), "invalid_model", "ValueError"),
    ],
)
def test_what_stops_the_lowering_is_the_reason(error: Exception, code: str, reason: str) -> None:
    refused = refusal(FakeFormat(lowering=raising(error)))
    assert refused.code == code
    assert reason in refused.reason


def test_a_lowered_form_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "LOWERED_BYTES_MAX", 7)
    assert refusal(FakeFormat()).code == "too_large"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (FakeModel(inputs=()), "0 inputs"),
        (FakeModel(outputs=()), "0 outputs"),
        (FakeModel(inputs=(X,) * (FIELDS_MAX + 1)), f"{FIELDS_MAX + 1} inputs"),
        (FakeModel(inputs=(X, Y, X)), "'x'"),
        (FakeModel(outputs=(Y, Y)), "'y'"),
    ],
)
def test_columns_must_be_some_and_of_different_names(model: FakeModel, reason: str) -> None:
    refused = refusal(FakeFormat(model))
    assert refused.code == "invalid_signature"
    assert reason in refused.reason


def test_a_model_that_fails_at_warm_up_is_refused() -> None:
    refused = refusal(FakeFormat(FakeModel(answer=raising(KeyError("w")))))
    assert refused.code == "model_error"
    assert "warm-up" in refused.reason
    assert "KeyError" in refused.reason


def test_a_model_that_runs_out_of_memory_at_warm_up_is_refused_for_that() -> None:
    def starve(columns: Columns) -> Scores:
        rows = len(columns["x"])
        return Scores({"y": np.full(rows, np.nan)}, dict.fromkeys(range(rows), "std::bad_alloc"))

    assert refusal(FakeFormat(FakeModel(answer=starve))).code == "memory"


@pytest.mark.parametrize("rows", [0, 1])
def test_a_model_with_a_wrong_number_of_answers_is_refused(rows: int) -> None:
    def answer(columns: Columns) -> Scores:
        return Scores({"y": np.zeros(rows)})

    refused = refusal(FakeFormat(FakeModel(answer=answer)))
    assert refused.code == "wrong_rows"
    assert "'y'" in refused.reason


def test_a_model_without_one_of_its_outputs_is_refused() -> None:
    def answer(columns: Columns) -> Scores:
        return Scores({"z": columns["x"]})

    assert refusal(FakeFormat(FakeModel(answer=answer))).code == "wrong_rows"


def test_a_model_whose_columns_cannot_be_bound_to_records_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check_module, "Decoder", raising(TypeError("no such name")))
    assert refusal(FakeFormat()).code == "invalid_signature"


def test_records_that_the_model_cannot_score_refuse_it() -> None:
    refused = refusal(FakeFormat(), records=(b'{"z": 1}',))
    assert refused.code == "fields_missing"


def test_a_golden_record_that_comes_out_otherwise_refuses_it() -> None:
    refused = refusal(FakeFormat(), golden=(GoldenRecord('{"x": 3}', '{"y": 7}'),))
    assert refused.code == "golden_mismatch"


def test_a_real_artifact_passes_and_its_verdict_travels_as_msgpack() -> None:
    verdict = check(CheckRequest(data=adder(), format="onnx", records=(b'{"x": 1.5}',)))
    assert isinstance(verdict, Passed)
    assert verdict.inputs == (FieldSpec("x", "float32"),)
    packed = msgspec.msgpack.encode(verdict)
    assert msgspec.msgpack.decode(packed, type=CheckVerdict) == verdict


def test_a_format_nobody_knows_is_a_verdict_too() -> None:
    verdict = check(CheckRequest(data=adder(), format="pickle"))
    assert isinstance(verdict, Failed)
    assert verdict.code == "unknown_format"
    assert "onnx" in verdict.reason


def test_an_error_of_the_check_itself_is_a_verdict_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "examine", raising(RuntimeError("broken")))
    verdict = check(CheckRequest(data=adder(), format="onnx"))
    assert isinstance(verdict, Failed)
    assert "broken" in verdict.reason


def test_a_request_travels_as_msgpack() -> None:
    request = CheckRequest(
        data=b"\x00\xff", format="onnx", records=(b"{}",), golden=(GoldenRecord("{}", "{}", 0.5),)
    )
    packed = msgspec.msgpack.encode(request)
    assert msgspec.msgpack.decode(packed, type=CheckRequest) == request
    assert replace(request.golden[0], tolerance=0.0) != request.golden[0]


def test_a_model_of_another_process_is_not_tried_in_the_child() -> None:
    kept = FakeFormat(lowering=lambda data, _: Elsewhere(b"kept " + data))
    verdict = examine(kept, CheckRequest(data=b"a", format="fake"))
    assert verdict == Untried(b"kept a")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(verdict), type=Untried) == verdict
    assert not kept.model.closed


def test_it_is_tried_outside_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = FakeFormat()
    monkeypatch.setattr(check_module, "format_named", lambda *_, **__: chosen)
    request = CheckRequest(data=b"a", format="fake", records=(b'{"x": 1}',))
    verdict = check_outside(request, b"kept a")
    assert isinstance(verdict, Passed)
    assert verdict.lowered == b"kept a"
    assert chosen.model.closed
    chosen.model = FakeModel(answer=lambda _: Scores({}))
    refused = check_outside(request, b"kept a")
    assert isinstance(refused, Failed)
    assert refused.code == "wrong_rows"
    assert chosen.model.closed
