import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.base import Field, Hints
from modelstream.formats.pipeline import PipelineFormat
from modelstream.formats.pipeline.steps import VERSION, decode_lowered, encode_lowered
from tests.support.pipelines import document, loaded, plus


def lowered() -> bytes:
    steps = (plus(1.0), {"expression": {"y": "score * 2"}})
    return PipelineFormat().lower(document(*steps), Hints())


def test_the_outputs_are_those_of_the_last_step_unless_they_are_named() -> None:
    steps = [plus(1.0), {"expression": {"y": "score", "z": "x"}}]
    assert loaded(*steps).outputs == (Field("y", "float64"), Field("z", "float64"))
    named = loaded(*steps, outputs=["x", "score"])
    assert named.outputs == (Field("x", "float64"), Field("score", "float32"))
    scores = named.score({"x": np.array([1.0])})
    assert (scores["x"].tolist(), scores["score"].tolist()) == ([1.0], [2.0])


def test_what_a_step_replaced_or_renamed_is_its_output() -> None:
    assert [each.name for each in loaded({"scale": {"x": {"min": 0, "max": 2}}}).outputs] == ["x"]
    renamed = loaded(plus(1.0), {"rename": {"score": "answer"}})
    assert renamed.outputs == (Field("answer", "float32"),)


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        (["z"], "output 'z' is not there after the last step"),
        (["score", "score"], "each of another name"),
    ],
)
def test_outputs_are_there_and_different(outputs: list[str], reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        loaded(plus(1.0), outputs=outputs)


def test_a_declared_field_that_nothing_reads_is_no_input() -> None:
    model = loaded(plus(1.0), inputs={"x": "int64", "other": "string"})
    assert model.inputs == (Field("x", "int64"),)


def test_a_lowered_form_is_checked_as_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    form = decode_lowered(lowered())
    chosen = PipelineFormat()
    for steps in ((), form.steps[:1] * (limits.PIPELINE_STEPS_MAX + 1)):
        wrong = encode_lowered(msgspec.structs.replace(form, steps=steps))
        with pytest.raises(InvalidModel, match="a pipeline has 1 to 100 steps"):
            chosen.load(wrong)
    other = encode_lowered(msgspec.structs.replace(form, version=VERSION + 1))
    with pytest.raises(InvalidModel, match="of version 2, this program reads 1; publish"):
        chosen.load(other)
    with pytest.raises(InvalidModel, match="this is no lowered pipeline"):
        chosen.load(lowered()[:-9])


def test_a_format_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str, *_: object) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    data = lowered()
    monkeypatch.setattr("modelstream.formats.pipeline.build.format_named", not_installed)
    with pytest.raises(UnsupportedModel, match=r"step 1 \(model\): format 'onnx' is not installed"):
        PipelineFormat().load(data)


def test_models_are_closed_where_a_later_step_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[object] = []
    kind = type(loaded(plus(1.0)).steps[0].model)
    assert kind is not type(None)

    def close(model: object) -> None:
        closed.append(model)

    monkeypatch.setattr(kind, "close", close)
    with pytest.raises(InvalidModel):
        loaded(plus(1.0), {"expression": {"score": "x"}})
    assert len(closed) == 1
