"""XGBoost models give what XGBoost gives, and what is no such model is refused."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.formats import recognise
from modelstream.formats.base import Hints, Model
from modelstream.formats.xgboost import XgboostFormat
from modelstream.messages import Column
from tests.support import xgboost_models
from tests.support.xgboost_models import kept

Change = Callable[[dict[str, Any]], None]


def load(data: bytes, hints: Hints | None = None) -> Model:
    return XgboostFormat().load(XgboostFormat().lower(data, hints or Hints()))


def changed(change: Change, name: str = "binary") -> bytes:
    """Return a model with a part of it changed."""
    document = json.loads(kept(name).model)
    change(document["learner"])
    return json.dumps(document).encode()


def trees(learner: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = learner["gradient_booster"]["model"]["trees"]
    return found


def predicted(model: Model, columns: dict[str, Column]) -> Column:
    """Return what XGBoost's `predict` returns: the second class's chance, all chances, numbers."""
    scores = model.score(columns)
    assert not scores.errors
    numbers = [scores[each.name] for each in model.outputs if each.name != "label"]
    if len(numbers) == 1:
        return numbers[0]
    binary = len(numbers) == 2 and "label" in scores
    return numbers[1] if binary else np.stack(numbers, axis=1)


@pytest.mark.parametrize("name", xgboost_models.NAMES)
def test_predictions_are_those_of_the_library(name: str) -> None:
    case = kept(name)
    found = predicted(load(case.model), dict(case.columns))
    assert found.dtype == np.float32
    # One unit in the last place: the library's exp is not NumPy's.
    np.testing.assert_allclose(found, case.predictions, rtol=2.5e-7)
    if name in {"partition", "targets"}:  # nothing but sums
        assert found.tolist() == case.predictions.tolist()


def test_it_is_told_by_its_first_bytes() -> None:
    assert recognise(kept("binary").model).name == "xgboost"
    assert not XgboostFormat().recognises(b'{"input": "double"}')


def test_labels_and_names_may_be_given() -> None:
    model = load(kept("classes").model, Hints(("left", "right"), ("low", "middle", "high")))
    assert [each.name for each in model.inputs] == ["left", "right"]
    scores = model.score({"left": np.array([0.3]), "right": np.array([np.nan])})
    names = ["label", "probability(low)", "probability(middle)", "probability(high)"]
    assert list(scores) == names
    chances = [scores[name][0] for name in names[1:]]
    assert scores["label"].tolist() == [("low", "middle", "high")[int(np.argmax(chances))]]
    assert sum(chances) == pytest.approx(1.0)


def test_features_without_names_are_numbered() -> None:
    def forget(learner: dict[str, Any]) -> None:
        learner["feature_names"] = []

    model = load(changed(forget, "poisson"))
    assert [each.name for each in model.inputs] == ["f0", "f1"]


def test_a_word_that_is_no_category_is_an_error_of_its_row() -> None:
    model, columns = load(kept("binary").model), dict(kept("binary").columns)
    columns["a"] = columns["a"].copy()
    columns["a"][3] = "never seen"
    scores = model.score(columns)
    assert scores.errors == {3: "'never seen' is none of the categories of 'a'"}
    expected = kept("binary").predictions
    others = np.arange(len(expected)) != 3
    np.testing.assert_allclose(scores["probability(1)"][others], expected[others], rtol=2.5e-7)


def test_features_that_are_not_given_are_missing() -> None:
    model, columns = load(kept("poisson").model), kept("poisson").columns
    absent = np.full(len(columns["b"]), np.nan)
    whole = model.score({"b": columns["b"], "d": absent})
    assert model.score({"b": columns["b"]})["prediction"].tolist() == whole["prediction"].tolist()
    with pytest.raises(InvalidRecord, match="none of the inputs"):
        model.score({"other": columns["b"]})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m["objective"].update(name="mine"), "objective 'mine' is not evaluated"),
        (lambda m: m["gradient_booster"].update(name="gblinear"), "'gblinear' is not evaluated"),
        (
            lambda m: trees(m)[0]["tree_param"].update(size_leaf_vector="2"),
            "leaves are vectors",
        ),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(change: Change, told: str) -> None:
    with pytest.raises(UnsupportedModel, match=told):
        load(changed(change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m["learner_model_param"].update(base_score="2"), "not between 0 and 1"),
        (lambda m: m["learner_model_param"].update(base_score="x"), "base_score is 'x'"),
        (lambda m: m["learner_model_param"].update(base_score="[1,2]"), "2 base scores"),
        (lambda m: m["learner_model_param"].update(num_feature="-1"), "where a whole number"),
        (lambda m: m["learner_model_param"].update(num_feature="0"), "0 features"),
        (lambda m: m["learner_model_param"].update(num_feature="9"), "feature names"),
        (lambda m: m["learner_model_param"].update(num_class="99999999"), "99999999 classes"),
        (lambda m: m["feature_types"].pop(), "feature types"),
        (lambda m: trees(m)[0]["split_conditions"].__setitem__(0, 1e300), "too large for float32"),
        (lambda m: m["gradient_booster"]["model"].update(trees=[]), "no trees"),
        (lambda m: m["gradient_booster"]["model"]["tree_info"].pop(), "tree_info"),
        (lambda m: m["gradient_booster"]["model"]["tree_info"].__setitem__(0, 5), "no sum"),
        (lambda m: trees(m)[0]["left_children"].pop(), "different lengths"),
        (lambda m: trees(m)[0]["left_children"].__setitem__(0, 0), "reached twice"),
        (lambda m: trees(m)[0]["left_children"].__setitem__(0, 2**40), "too large"),
        (lambda m: trees(m)[-1]["right_children"].__setitem__(0, 999), "not there"),
        (lambda m: trees(m)[0]["split_indices"].__setitem__(0, 4), "a feature that is not there"),
        (lambda m: trees(m)[0]["split_type"].pop(), "split_type"),
    ],
)
def test_what_is_no_model_is_refused(change: Change, told: str) -> None:
    with pytest.raises(InvalidModel, match=told):
        load(changed(change))


def test_the_binary_form_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedModel, match="save the model as JSON"):
        XgboostFormat().lower(b"{L\x00\x00", Hints())


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(xgboost_models.NAMES), data=st.data())
def test_a_changed_document_is_a_model_or_refused(name: str, data: st.DataObject) -> None:
    document = json.loads(kept(name).model)
    for _ in range(data.draw(st.integers(1, 3))):
        _change_somewhere(document, data)
    with suppress(InvalidModel, UnsupportedModel):
        model = load(json.dumps(document).encode())
        with suppress(InvalidRecord):
            scores = model.score(dict(kept(name).columns))
            assert {len(column) for column in scores.values()} == {40}


@pytest.mark.fuzz
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(xgboost_models.NAMES), data=st.data())
def test_changed_bytes_are_a_model_or_refused(name: str, data: st.DataObject) -> None:
    model = bytearray(kept(name).model)
    model[data.draw(st.integers(0, len(model) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InvalidModel, UnsupportedModel):
        load(bytes(model[: data.draw(st.integers(1, len(model)))]))


def _change_somewhere(document: Any, data: st.DataObject) -> None:
    """Put something else in a random place of a JSON document."""
    here = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inside = here[key]
        if not isinstance(inside, dict | list) or not data.draw(st.integers(0, 4)):
            break
        here = inside
    strange: list[Any] = [None, -1, 0, 1, 2**31, 2**70, -0.5, 1e300, "x", "", [], {}, [1], "7"]
    here[key] = copy.deepcopy(data.draw(st.sampled_from(strange)))
