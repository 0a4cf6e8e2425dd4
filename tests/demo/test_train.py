import numpy as np
import pytest

import modelstream as ms
from modelstream.demo.train import ANSWER, RATIO, train_logistic, train_tree, with_ratio
from modelstream.demo.world import Biopsies, load_biopsies, recalibrated
from modelstream.errors import InvalidModel


def accuracy(model: ms.Model, biopsies: Biopsies) -> float:
    scores = model.score(dict(zip(biopsies.names, biopsies.measurements.T, strict=True)))
    return float(np.mean(scores[ANSWER] == biopsies.diagnoses))


def test_the_answer_is_the_first_output_of_every_model() -> None:
    train, _ = load_biopsies()
    for artifact in (train_tree(train), train_logistic(train)):
        model = ms.load_model(artifact, feature_names=train.names)
        assert model.outputs[0].name == ANSWER


def test_the_recalibration_breaks_a_model_and_training_again_repairs_it() -> None:
    train, stream = load_biopsies()
    model = ms.load_model(train_logistic(train), feature_names=train.names)
    again = ms.load_model(train_logistic(recalibrated(train)), feature_names=train.names)
    assert accuracy(model, stream) > 0.95
    assert accuracy(model, recalibrated(stream)) < 0.5
    assert accuracy(again, recalibrated(stream)) > 0.95


def test_the_logistic_model_is_better_than_the_tree() -> None:
    train, stream = load_biopsies()
    tree = ms.load_model(train_tree(train))
    logistic = ms.load_model(train_logistic(train), feature_names=train.names)
    assert 0.88 < accuracy(tree, stream) < accuracy(logistic, stream)


def test_training_gives_the_same_bytes_every_time() -> None:
    train, _ = load_biopsies()
    assert train_tree(train) == train_tree(train)
    assert train_logistic(train) == train_logistic(train)


def test_the_ratio_is_a_field_more_that_no_record_has() -> None:
    train, _ = load_biopsies()
    skewed = with_ratio(train)
    assert skewed.names == (*train.names, RATIO)
    row = dict(zip(skewed.names, skewed.measurements[0].tolist(), strict=True))
    assert row[RATIO] == pytest.approx(row["worst_texture"] / row["mean_texture"])


def test_half_an_artifact_is_no_model() -> None:
    train, _ = load_biopsies()
    artifact = train_logistic(train)
    with pytest.raises(InvalidModel):
        ms.load_model(artifact[: len(artifact) // 2], "onnx", feature_names=train.names)
