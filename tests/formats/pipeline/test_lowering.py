import json

import pytest

from modelstream import limits, load_model
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Hints, LoweredModel
from modelstream.formats.onnx import OnnxFormat
from modelstream.formats.pipeline import PipelineFormat
from modelstream.formats.pipeline.steps import decode_lowered
from modelstream.formats.pipeline.submodel import ModelStep
from tests.support.artifacts import adder
from tests.support.pipelines import as_columns, document, inline, loaded, plus

REFERRING = document({"model": "plus@1"}, {"expression": {"y": "score * 2"}})


def lowered_plus() -> LoweredModel:
    return LoweredModel("onnx", OnnxFormat().lower(adder(1.0), Hints()))


def test_a_version_is_taken_in_as_it_was_lowered() -> None:
    chosen, known = PipelineFormat(), lowered_plus()
    lowered = chosen.lower(REFERRING, Hints(models={"plus@1": known}))
    step = decode_lowered(lowered).steps[0].step
    assert isinstance(step, ModelStep)
    assert (step.format, step.lowered, step.origin) == (known.format, known.lowered, "plus@1")
    scores = chosen.load(lowered).score(as_columns({"x": [1, 2]}))
    assert scores["y"].tolist() == [4.0, 6.0]


def test_a_version_is_only_known_to_a_flow() -> None:
    with pytest.raises(UnsupportedModel, match=r"'plus@1' is a version of a flow's registry"):
        load_model(REFERRING)


def test_a_model_at_a_server_is_named_by_its_version_alone() -> None:
    data = '{"remote":1,"location":"http://h:1/v2/models/m","inputs":[],"outputs":[]}'
    for step in (inline(data), inline(data, format="remote")):
        with pytest.raises(UnsupportedModel, match="publish its location, and name that version"):
            loaded(step)


def test_a_version_has_its_names_already() -> None:
    named = document({"model": "plus@1", "features": ["x"]})
    with pytest.raises(InvalidModel, match="plus@1 has its features and labels since it was"):
        PipelineFormat().lower(named, Hints(models={"plus@1": lowered_plus()}))


def test_a_pipeline_takes_no_names_from_its_publisher() -> None:
    for hints in (Hints(("x",)), Hints(labels=("a",))):
        with pytest.raises(InvalidModel, match="give features and labels to the model steps"):
            PipelineFormat().lower(document(plus(1.0)), hints)


def test_a_pipeline_may_be_a_step_of_one_but_not_deeper() -> None:
    inner = document(plus(1.0))
    outer = document(inline(inner.decode()), {"expression": {"y": "score * 2"}})
    model = load_model(outer)
    assert model.score(as_columns({"x": [1]}))["y"].tolist() == [4.0]
    reason = r"step 1 \(model\): step 1 \(model\): pipelines are in pipelines 2 deep at most"
    with pytest.raises(UnsupportedModel, match=reason):
        load_model(document({"model": {"data": json.loads(outer)}}))


def test_depth_counts_what_a_version_brings() -> None:
    chosen = PipelineFormat()
    twice = chosen.lower(document(inline(document(plus(1.0)).decode())), Hints())
    with pytest.raises(UnsupportedModel, match="pipelines are in pipelines 2 deep at most"):
        chosen.lower(
            document({"model": "p@1"}), Hints(models={"p@1": LoweredModel("pipeline", twice)})
        )


def test_a_version_inside_a_pipeline_inside_is_known_too() -> None:
    outer = document(inline(REFERRING.decode()))
    model_bytes = PipelineFormat().lower(outer, Hints(models={"plus@1": lowered_plus()}))
    scores = PipelineFormat().load(model_bytes).score(as_columns({"x": [3]}))
    assert scores["y"].tolist() == [8.0]


def test_the_size_of_all_models_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(lowered_plus().lowered)
    monkeypatch.setattr(limits, "LOWERED_BYTES_MAX", size)
    loaded(plus(1.0)).close()
    with pytest.raises(
        InvalidModel, match=rf"step 2 \(model\): the models up to here have {2 * size}"
    ):
        loaded(plus(1.0), plus(1.0, outputs={"score": "y"}))
