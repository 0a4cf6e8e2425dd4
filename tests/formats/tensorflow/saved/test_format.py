"""SavedModels: those of tutorials and of Keras 3, and what is refused of others."""

from pathlib import Path

import numpy as np
import pytest

from modelstream import load_model
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import read_artifact, recognise
from modelstream.formats.base import Field, Hints, Model
from modelstream.formats.onnx_graph.lowering import load_graph, lower_graph
from modelstream.formats.onnx_graph.model import OnnxModel
from modelstream.formats.tensorflow import SavedModelFormat
from modelstream.formats.tensorflow.saved.archive import GRAPH, unpack
from modelstream.formats.tensorflow.saved.format import rewrite
from modelstream.formats.tensorflow.saved.signature import read_signature, served_graph
from tests.support.tensorflow_answers import saved_models
from tests.support.tensorflow_saved import INDEX, scaled, tarred, zipped

FIRST_WINE = [
    1.14877e-09,
    3.39649e-09,
    1.19725e-08,
    0.0143440,
    0.0618138,
    0.6897355,
    0.3040002,
    0.0153117,
    0.00097198,
]


def loaded(data: bytes, hints: Hints | None = None) -> Model:
    chosen = SavedModelFormat()
    return chosen.load(chosen.lower(data, hints or Hints()))


def signed(files: dict[str, bytes], name: str) -> OnnxModel:
    """Return the model of one signature of several."""
    meta = served_graph(files[GRAPH])
    onnx = rewrite(meta, read_signature(name, meta.signature_def[name]), files)
    return load_graph(lower_graph(onnx, Hints(), name="tensorflow-saved", version="1"))


@pytest.mark.parametrize("source", ["saved/1", "savedmodel.zip"])
def test_the_wines_of_the_tutorial_are_scored_as_tensorflow_scores_them(
    shared_data: Path, source: str
) -> None:
    wine = shared_data / "wine"
    records = np.loadtxt(wine / "winequality_red.csv", delimiter=";")
    model = loaded(read_artifact(wine / source))
    assert model.inputs == (Field("inputs", "float32", (11,)),)
    answers = model.score({"inputs": records[:, :11]})["outputs"]
    np.testing.assert_allclose(answers[0], FIRST_WINE, rtol=5e-5)
    assert (answers.argmax(axis=1) == records[:, 11]).mean() == pytest.approx(0.5916, abs=5e-5)
    assert model.describe().version == "TensorFlow 1.0.1"
    assert model.describe().structure.facts["metadata signature"] == "predict"


def test_the_signatures_of_half_plus_two_answer_or_name_their_operation(shared_data: Path) -> None:
    files = unpack(read_artifact(shared_data / "tensorflow" / "half_plus_two"))
    numbers = np.array([0.0, 1.0, 2.0])
    assert signed(files, "serving_default").score({"x": numbers})["y"].tolist() == [2.0, 2.5, 3.0]
    three = signed(files, "regress_x2_to_y3").score({"inputs": numbers})["outputs"]
    assert three.tolist() == [3.0, 3.5, 4.0]
    for name in ("regress_x_to_y", "classify_x_to_y", "regress_x_to_y2"):
        with pytest.raises(UnsupportedModel, match="ParseExample"):
            signed(files, name)


def test_resource_variables_of_tensorflow_1_are_restored(shared_data: Path) -> None:
    model = loaded(read_artifact(shared_data / "tensorflow" / "fraud" / "model" / "1"))
    assert model.inputs == (Field("transaction", "float32", (29,)),)
    assert model.outputs == (Field("predictions", "float32", (29,)),)
    answers = model.score({"transaction": np.eye(3, 29)})["predictions"]
    assert (answers >= 0).all()
    assert len(np.unique(answers, axis=0)) == 3


@pytest.mark.parametrize("name", ["normalized", "images", "attention", "columns"])
def test_a_model_of_tensorflow_2_answers_what_tensorflow_answers(name: str) -> None:
    answer = saved_models()[name]
    scores = loaded(answer.model).score(answer.columns())
    assert list(scores) == sorted(answer.outputs)
    for output, expected in answer.expected().items():
        np.testing.assert_allclose(scores[output], expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "operation"), [("counter", "AssignAddVariableOp"), ("table", "LookupTableFindV2")]
)
def test_a_model_that_changes_or_looks_up_is_refused_by_name(name: str, operation: str) -> None:
    with pytest.raises(UnsupportedModel, match=operation):
        loaded(saved_models()[name].model)


@pytest.mark.parametrize("pack", [zipped, tarred, lambda files: tarred(files, "w:gz")])
def test_any_archive_of_the_same_files_is_the_same_model(pack: object) -> None:
    assert callable(pack)
    data = pack(scaled())
    assert recognise(data).name == "tensorflow-saved"
    model = loaded(data, Hints(("a", "b")))
    row = {"a": np.array([1.0]), "b": np.array([10.0])}
    assert model.score(row)["scaled"].tolist() == [[2.0, 30.0]]


def test_the_columns_of_an_output_bear_the_labels() -> None:
    model = loaded(tarred(scaled()), Hints(("a", "b"), ("no", "yes")))
    assert [field.name for field in model.outputs] == ["probability(no)", "probability(yes)"]


def test_a_directory_is_loaded_as_it_is(tmp_path: Path) -> None:
    for name, content in scaled().items():
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    model = load_model(tmp_path / "model")
    assert model.score({"x": np.array([[1.0, 1.0]])})["scaled"].tolist() == [[2.0, 3.0]]


def test_variables_that_are_not_there_are_named() -> None:
    with pytest.raises(InvalidModel, match="the checkpoint has no variable 'other'"):
        loaded(tarred(scaled(key="other")))
    files = scaled()
    del files[INDEX]
    with pytest.raises(InvalidModel, match="the checkpoint has no variable 'scale'"):
        loaded(tarred(files))


def test_the_signature_of_the_hints_is_served(shared_data: Path) -> None:
    data = read_artifact(shared_data / "tensorflow" / "half_plus_two")
    model = loaded(data, Hints(signature="regress_x2_to_y3"))
    assert model.score({"inputs": np.array([0.0, 1.0, 2.0])})["outputs"].tolist() == [3.0, 3.5, 4.0]
    with pytest.raises(InvalidModel, match=r"no signature 'other'; it has .*serving_default"):
        load_model(data, signature="other")
