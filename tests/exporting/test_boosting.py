"""Gradient boosting by histograms: exported, missing numbers and all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelstream as ms
from modelstream.errors import UnsupportedModel

NAMES = ("a", "b", "c")
WORDS = np.array(["low", "middle", "high"])


def table() -> Any:
    """Return numbers that float32 holds, with gaps in two columns."""
    rng = np.random.default_rng(7)
    made = rng.normal(size=(500, 3)).astype(np.float32).astype(np.float64)
    made[rng.random(500) < 0.2, 0] = np.nan
    made[rng.random(500) < 0.2, 1] = np.nan
    return made


TABLE = table()
NUMBERS = np.nan_to_num(TABLE[:, 0]) * 2 + 3 * np.isnan(TABLE[:, 1]) + TABLE[:, 2]
CLASSES = WORDS[np.digitize(NUMBERS, [0, 2])]


@pytest.fixture(scope="module")
def regressor(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ms.Model]:
    estimator = HistGradientBoostingRegressor(max_iter=20).fit(TABLE, NUMBERS)
    path = tmp_path_factory.mktemp("export") / "m.onnx"
    ms.export(estimator, path, sample=TABLE, features=NAMES)
    return estimator, ms.load_model(path)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (HistGradientBoostingRegressor(max_iter=20), NUMBERS),
        (HistGradientBoostingRegressor(max_iter=10, loss="absolute_error"), NUMBERS),
        (HistGradientBoostingClassifier(max_iter=20), NUMBERS > 1),
        (HistGradientBoostingClassifier(max_iter=10), CLASSES),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=5)), CLASSES),
        (GridSearchCV(HistGradientBoostingRegressor(), {"max_iter": [3, 5]}, cv=2), NUMBERS),
    ],
    ids=["regressor", "absolute", "binary", "classes", "pipeline", "search"],
)
def test_it_answers_as_scikit_learn_does(estimator: Any, target: Any, tmp_path: Path) -> None:
    estimator.fit(TABLE, target)
    told = ms.export(estimator, tmp_path / "m.onnx", sample=TABLE, features=NAMES).comparison
    assert told.unexplained() == []
    assert hasattr(estimator, "steps") or told.differing == {}, "float32 holds every value"
    model = ms.load_model(tmp_path / "m.onnx")
    assert {each.name for each in model.inputs if each.optional} == {"a", "b"}


NUMBER = st.one_of(st.none(), st.floats(-4, 4, width=32), st.sampled_from(TABLE[:50, 2].tolist()))


@given(NUMBER, NUMBER, st.floats(-4, 4, width=32))
def test_any_record_gets_the_estimators_answer(
    regressor: tuple[Any, ms.Model], a: float | None, b: float | None, c: float
) -> None:
    estimator, model = regressor
    (answer,) = ms.score_rows(model, [{"a": a, "b": b, "c": c}])
    assert isinstance(answer, dict)
    row = np.array([[a, b, c]], dtype=np.float64)
    assert answer["prediction"] == pytest.approx(estimator.predict(row)[0], rel=1e-5, abs=1e-5)


def test_categories_are_refused(tmp_path: Path) -> None:
    codes = np.column_stack([TABLE[:, 0], np.arange(500) % 4])
    estimator = HistGradientBoostingRegressor(max_iter=3, categorical_features=[1])
    estimator.fit(codes, NUMBERS)
    with pytest.raises(UnsupportedModel, match="splits by categories, which skl2onnx takes for"):
        ms.export(estimator, tmp_path / "m.onnx", sample=codes, features=["a", "b"])
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_loss_with_a_logarithm_is_refused(loss: str, tmp_path: Path) -> None:
    estimator = HistGradientBoostingRegressor(max_iter=3, loss=loss).fit(TABLE, NUMBERS**2 + 1)
    with pytest.raises(UnsupportedModel, match=f"has the loss '{loss}'.*leaves out the exponent"):
        ms.export(estimator, tmp_path / "m.onnx", sample=TABLE, features=NAMES)
