"""Finding a format and loading a model, as users do it."""

from pathlib import Path

import numpy as np
import pytest

import modelstream.formats as room
from modelstream.errors import InvalidModel
from modelstream.formats import format_named, formats, load_model, read_artifact, recognise
from tests.support import graphs


def test_every_format_listed_is_found_by_its_name() -> None:
    assert {"onnx", "pmml", "tensorflow", "tensorflow-saved"} <= set(formats())
    for name in formats():
        assert format_named(name).name == name


def test_a_format_that_cannot_be_served_is_refused_with_those_that_can() -> None:
    with pytest.raises(InvalidModel, match=r"'h2o' cannot be served; known are .*onnx, pmml"):
        format_named("h2o")


def test_a_model_is_loaded_from_a_path_a_text_or_bytes(tmp_path: Path) -> None:
    path = tmp_path / "line.onnx"
    path.write_bytes(graphs.linear())
    for source in (path, str(path), graphs.linear()):
        model = load_model(source, "onnx", feature_names=["a", "b"])
        scores = model.score({"a": np.array([1.0]), "b": np.array([2.0])})
        assert scores["y"].tolist() == [21.0]


def test_the_format_of_a_file_is_recognised(tmp_path: Path) -> None:
    assert recognise(graphs.linear()).name == "onnx"
    assert load_model(graphs.linear(), labels=()).inputs[0].name == "x"


def test_bytes_of_no_known_format_ask_for_its_name() -> None:
    with pytest.raises(InvalidModel, match=r"cannot be told; name it: .*onnx, pmml"):
        recognise(b"\x80\x04\x95 a pickle")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"cannot read the model .*no\.onnx.*No such file"):
        load_model(tmp_path / "no.onnx")
    with pytest.raises(InvalidModel, match="cannot read the model"):
        read_artifact(tmp_path)
    with pytest.raises(InvalidModel, match="cannot read the model"):
        read_artifact("a\x00b")


def test_a_directory_that_is_a_model_is_read_as_its_archive(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    assert recognise(read_artifact(tmp_path)).name == "tensorflow-saved"
    (tmp_path / ("x" * 200)).write_bytes(b"")
    with pytest.raises(InvalidModel, match="cannot be packed"):
        read_artifact(tmp_path)


def test_an_artifact_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "ARTIFACT_BYTES_MAX", 10)
    path = tmp_path / "large.onnx"
    path.write_bytes(b"x" * 11)
    for source in (path, b"x" * 11):
        with pytest.raises(InvalidModel, match="11 bytes; at most 10"):
            read_artifact(source)
    assert read_artifact(b"x" * 10) == b"x" * 10


def test_a_signature_is_chosen_only_where_there_can_be_several() -> None:
    with pytest.raises(InvalidModel, match="'onnx' has no signatures; leave 'predict' out"):
        load_model(graphs.linear(), signature="predict")
