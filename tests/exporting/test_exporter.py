"""`export`: what is written answers as the estimator, under the names of its features."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

import modelstream as ms
from modelstream.errors import InvalidModel, InvalidRecord, UnsupportedModel
from modelstream.exporting import exporter
from modelstream.exporting.convert import to_onnx
from tests.support.graphs import linear, parsed

NAMES = ("sepal length", "sepal width", "petal length", "petal width")
WORDS = ("setosa", "versicolor", "virginica")
IRIS, CLASSES = load_iris(return_X_y=True)
TARGET = np.array(WORDS)[CLASSES]
PROBABILITIES = tuple(f"probability({word})" for word in WORDS)


def fitted(estimator: Any, target: Any = TARGET) -> Any:
    return estimator.fit(IRIS, target)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        RandomForestClassifier(5, random_state=0),
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.5, 1]}, cv=2),
        MLPClassifier((4,), max_iter=20, random_state=0),
        KNeighborsClassifier(3),
        GaussianNB(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_classifier_keeps_its_classes_and_its_probabilities(estimator: Any, path: Path) -> None:
    done = ms.export(fitted(estimator), path, sample=IRIS, features=NAMES)
    assert (done.inputs, done.outputs) == (NAMES, ("label", *PROBABILITIES))
    assert (done.path, done.size) == (path, path.stat().st_size)
    assert (done.comparison.rows, done.comparison.unexplained()) == (150, [])
    model = ms.load_model(path)
    scores = model.score(dict(zip(NAMES, IRIS[::10].T, strict=True)))
    assert scores["label"].tolist() == estimator.predict(IRIS[::10]).tolist()
    found = np.column_stack([scores[name] for name in PROBABILITIES])
    assert found == pytest.approx(estimator.predict_proba(IRIS[::10]), abs=1e-4)


def test_a_regressor_answers_a_prediction(path: Path) -> None:
    features, target = load_diabetes(return_X_y=True)
    names = load_diabetes().feature_names
    model = GradientBoostingRegressor(n_estimators=10, random_state=0).fit(features, target)
    done = ms.export(model, path, sample=features, features=names)
    assert (done.inputs, done.outputs) == (tuple(names), ("prediction",))
    assert 0 < done.comparison.largest < 1e-5
    assert done.comparison.differing == {}


def test_several_targets_are_one_vector(path: Path) -> None:
    model = LinearRegression().fit(IRIS, IRIS[:, :2])
    ms.export(model, path, sample=IRIS, features=NAMES)
    assert ms.load_model(path).outputs == (ms.Field("prediction", "float32", (2,)),)


def test_what_is_no_prediction_is_called_otherwise(path: Path) -> None:
    assert ms.export(StandardScaler().fit(IRIS), path, sample=IRIS, features=NAMES).outputs == (
        "transformed",
    )
    clusters = KMeans(3, n_init=1, random_state=0).fit(IRIS)
    assert ms.export(clusters, path, sample=IRIS, features=NAMES).outputs == ("label", "scores")


@pytest.mark.parametrize("estimator", [SVC(), SGDClassifier(random_state=0)])
def test_scores_that_are_no_probabilities_are_not_called_so(estimator: Any, path: Path) -> None:
    done = ms.export(fitted(estimator), path, sample=IRIS, features=NAMES)
    assert done.outputs == ("label",)


def test_truths_are_classes_of_nought_and_one(path: Path) -> None:
    model = LogisticRegression(max_iter=500).fit(IRIS, CLASSES > 0)
    done = ms.export(model, path, sample=IRIS, features=NAMES)
    assert done.outputs == ("label", "probability(0)", "probability(1)")


def test_texts_and_numbers_are_columns_of_their_own(path: Path) -> None:
    table = np.empty((60, 4), dtype=object)
    table[:, 0], table[:, 1] = IRIS[:60, 0], TARGET[:60]
    table[:, 2], table[:, 3] = CLASSES[:60].tolist(), IRIS[:60, 1]
    steps = ColumnTransformer(
        [("number", StandardScaler(), [0, 2]), ("word", OneHotEncoder(), [1])]
    )
    model = make_pipeline(steps, LinearRegression()).fit(table, IRIS[:60, 3])
    done = ms.export(model, path, sample=table, features=("the length", "kind", "code", "unread"))
    assert done.inputs == ("the length", "kind", "code")
    assert [field.type for field in ms.load_model(path).inputs] == ["float32", "string", "int64"]


def test_a_model_is_served_by_the_names_it_was_exported_with(path: Path) -> None:
    ms.export(fitted(GaussianNB()), path, sample=IRIS, features=NAMES)
    records = [json.dumps(dict(zip(NAMES, row, strict=True))).encode() for row in IRIS[::50]]
    results = list(ms.join(records, [path]))
    assert [dict(each.outputs)["label"] for each in results if isinstance(each, ms.Result)] == [
        *WORDS
    ]


def test_the_same_estimator_has_the_same_digest(path: Path) -> None:
    model = fitted(GaussianNB())
    ms.export(model, path, sample=IRIS, features=NAMES)
    first = path.read_bytes()
    ms.export(model, path, sample=IRIS, features=NAMES)
    assert path.read_bytes() == first
    metadata = {each.key: each.value for each in parsed(first).metadata_props}
    assert json.loads(metadata["feature_names"]) == list(NAMES)


class Near(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Is exported as a tree whose border is 1, but has one itself that float32 cannot tell from it."""

    def predict(self, table: Any) -> Any:
        return (table[:, 0] > 1.00000001).astype(float)


def test_rows_that_float32_decides_otherwise_are_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = DecisionTreeRegressor().fit([[0.0, 5.0], [2.0, 5.0]], [0.0, 1.0])
    monkeypatch.setattr(exporter, "to_onnx", lambda _, sample: to_onnx(tree, sample))
    table = np.array([[0.0, 5.0], [1.00000002, 5.0], [2.0, 5.0]])
    done = ms.export(Near(), path, sample=table, features=("near", "far"))
    assert done.comparison.differing == {1: ("near",)}
    assert done.comparison.unexplained() == []
    assert path.exists()


class Bent(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Answers a + 10 b, and one more where a is large."""

    def predict(self, table: Any) -> Any:
        return table @ [1.0, 10.0] + (table[:, 0] > 1.5)


def test_a_conversion_that_answers_otherwise_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = linear(metadata={"feature_names": "a,b"})
    monkeypatch.setattr(exporter, "to_onnx", lambda *_: other)
    table = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(InvalidModel, match=r"1 of 3 rows otherwise .* \(rows 2\).*nothing was"):
        ms.export(Bent(), path, sample=table, features=("a", "b"), tolerance=0.01)
    assert not path.exists()
    assert ms.export(Bent(), path, sample=table, features=("a", "b"), tolerance=0.5).size > 0


def test_features_have_to_be_named_by_somebody(path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"have no names.*features=\[...\]"):
        ms.export(fitted(GaussianNB()), path, sample=IRIS)
    with pytest.raises(InvalidRecord, match="has 4 columns, and 1 features are named"):
        ms.export(fitted(GaussianNB()), path, sample=IRIS, features=["a"])


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="cannot write"):
        ms.export(fitted(GaussianNB()), tmp_path / "no" / "m", sample=IRIS, features=NAMES)


class Custom(BaseEstimator):  # type: ignore[misc]
    def predict(self, table: Any) -> Any:
        return table[:, 0]


def test_what_skl2onnx_does_not_know_is_told_with_its_reason(path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"cannot convert this Custom: .*Custom"):
        ms.export(Custom(), path, sample=IRIS, features=NAMES)


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("xgboost.sklearn", r"\.get_booster\(\)\.save_model\('model\.json'\)"),
        ("lightgbm.sklearn", r"\.booster_\.save_model\('model\.txt'\)"),
        ("catboost.core", r"\.save_model\('model\.json', format='json'\)"),
    ],
)
def test_the_tree_libraries_have_files_of_their_own(module: str, told: str, path: Path) -> None:
    kind = type("Model", (Custom,), {"__module__": module})
    with pytest.raises(UnsupportedModel, match=f"Model has a file of its own.*{told}"):
        ms.export(kind(), path, sample=IRIS, features=NAMES)


def test_without_skl2onnx_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(UnsupportedModel, match=r"pip install 'modelstream\[export\]'"):
        ms.export(fitted(GaussianNB()), path, sample=IRIS, features=NAMES)


def test_columns_with_gaps_in_the_sample_may_be_missing_in_records(path: Path) -> None:
    table = IRIS.copy()
    table[::5, 1] = np.nan
    estimator = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=500))
    estimator.fit(table, TARGET)
    ms.export(estimator, path, sample=table, features=NAMES)
    model = ms.load_model(path)
    assert [each.name for each in model.inputs if each.optional] == ["sepal width"]
    records = [dict(zip(NAMES, row, strict=True)) for row in table[:6].tolist()]
    del records[0]["sepal width"]
    answers = [each["label"] for each in ms.score_rows(model, records) if isinstance(each, dict)]
    assert answers == estimator.predict(table[:6]).tolist()
