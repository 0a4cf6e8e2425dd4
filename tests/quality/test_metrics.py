"""Metrics from counts, against scikit-learn's from the values themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    roc_auc_score,
    root_mean_squared_error,
)

from modelstream.limits import PROBABILITY_BINS
from modelstream.quality.metrics import Quality, class_name, probabilities

CLASSES = ["no", "yes"]
ANSWERS = st.lists(
    st.tuples(st.sampled_from(CLASSES), st.floats(0.001, 0.999)), min_size=2, max_size=60
)


def classified(answers: list[tuple[str, float]]) -> Quality:
    quality = Quality()
    for truth, yes in answers:
        said = "yes" if yes > 0.5 else "no"
        quality.add(truth, {"label": said, "probability(no)": 1 - yes, "probability(yes)": yes})
    return quality


@given(ANSWERS)
@settings(max_examples=150, deadline=None)
def test_a_classifier_is_measured_as_scikit_learn_does(answers: list[tuple[str, float]]) -> None:
    truth = [each for each, _ in answers]
    chances = np.array([yes for _, yes in answers])
    said = ["yes" if yes > 0.5 else "no" for yes in chances]
    found = classified(answers).metrics()
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, said))
    assert found["f1"] == pytest.approx(f1_score(truth, said, average="macro"))
    both = np.column_stack([1 - chances, chances])
    assert found["log_loss"] == pytest.approx(log_loss(truth, both, labels=CLASSES), rel=1e-9)
    if len(set(truth)) == 2:
        bins = np.minimum((chances * PROBABILITY_BINS).astype(int), PROBABILITY_BINS - 1)
        area = roc_auc_score([each == "yes" for each in truth], bins)
        assert found["auc"] == pytest.approx(area), "exact but for what falls into one bin"
    else:
        assert "auc" not in found


def calibration_error(truth: list[str], chances: np.ndarray) -> float:
    """Work it out from its definition, a bin at a time."""
    said = chances > 0.5
    sure = np.where(said, chances, 1 - chances)
    right = said == np.array([each == "yes" for each in truth])
    total = 0.0
    for low in range(10):
        inside = (sure >= low / 10) & (sure < (low + 1) / 10)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - sure[inside].mean())
    return float(total / len(truth))


@given(ANSWERS)
@settings(max_examples=100, deadline=None)
def test_the_calibration_error_is_that_of_its_definition(answers: list[tuple[str, float]]) -> None:
    chances = np.clip(np.round([yes for _, yes in answers], 2), 0.0, 0.99) + 0.0005
    pairs = [(truth, float(yes)) for (truth, _), yes in zip(answers, chances, strict=True)]
    wanted = calibration_error([truth for truth, _ in pairs], chances)
    assert classified(pairs).metrics()["calibration"] == pytest.approx(wanted, abs=0.0011)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=40))
def test_a_regression_is_measured_as_scikit_learn_does(pairs: list[tuple[float, float]]) -> None:
    quality = Quality()
    for truth, answer in pairs:
        quality.add(truth, {"prediction": answer})
    truths, answers = zip(*pairs, strict=True)
    found = quality.metrics()
    assert found["mae"] == pytest.approx(mean_absolute_error(truths, answers))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(truths, answers))
    assert set(found) == {"mae", "rmse"}


@given(ANSWERS, ANSWERS)
@settings(max_examples=50, deadline=None)
def test_parts_add_up_to_the_whole(
    one: list[tuple[str, float]], other: list[tuple[str, float]]
) -> None:
    first, second = classified(one), classified(other)
    first.merge(second)
    assert first.metrics() == pytest.approx(classified([*one, *other]).metrics())
    assert first.labels == len(one) + len(other)


def test_a_class_is_the_same_by_whatever_type() -> None:
    assert {class_name(each) for each in (5, 5.0, "5")} == {"5"}
    assert class_name(True) == "True"


def test_a_vector_of_scores_answers_with_the_place_of_the_greatest() -> None:
    quality = Quality()
    quality.add(2, {"scores": [0.1, 0.2, 0.7]})
    assert quality.metrics()["accuracy"] == 1.0


def test_an_answer_that_is_missing_is_not_counted() -> None:
    quality = Quality()
    quality.add("a", {"label": None})
    assert quality.labels == 0
    assert quality.metrics() == {}


def test_probabilities_are_found_by_their_names() -> None:
    outputs = {"label": "a", "probability(a)": 0.9, "probability(b c)": 0.1, "probability": 3}
    assert probabilities(outputs) == {"a": 0.9, "b c": 0.1}
