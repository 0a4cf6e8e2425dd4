"""Real models, trained once a test run by scikit-learn and written as ONNX by skl2onnx."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelstream.messages import Columns

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trained:
    """An artifact, what its publisher knows, records for it, and what the trainer's own model says."""

    onnx: bytes
    feature_names: tuple[str, ...]
    columns: Columns
    expected: FloatArray  # probabilities (rows, classes), or values (rows,)
    labels: tuple[Any, ...] = ()


def names(count: int) -> tuple[str, ...]:
    """Return feature names."""
    return tuple(f"f{at}" for at in range(count))


def _fit(model: Any, features: FloatArray, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a short training does not converge, and need not
        return model.fit(features, target)


def _onnx(model: Any, optional: str = "", **how: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = to_onnx(model, **how)
    if optional:
        helper.set_model_props(made, {"optional_features": optional})
    data: bytes = made.SerializeToString()
    return data


def _classifier(model: Any, features: FloatArray, target: Any, *, zipmap: bool) -> Trained:
    rows = features[:120].astype(np.float32)
    _fit(model, features.astype(np.float32), target)
    artifact = _onnx(model, X=rows[:1], options={"zipmap": zipmap})
    return Trained(
        artifact,
        names(features.shape[1]),
        dict(zip(names(features.shape[1]), rows.T.astype(np.float64), strict=True)),
        model.predict_proba(rows),
        tuple(model.classes_),
    )


def _iris() -> tuple[FloatArray, Any]:
    features, target = load_iris(return_X_y=True)
    return features, target


@cache
def logistic() -> Trained:
    """Three classes; labels and probabilities as two tensors."""
    features, target = _iris()
    return _classifier(LogisticRegression(max_iter=500), features[::-1], target[::-1], zipmap=False)


@cache
def boosted() -> Trained:
    """Two classes, 30 features, gradient boosted trees."""
    features, target = load_breast_cancer(return_X_y=True)
    trees = GradientBoostingClassifier(n_estimators=20, random_state=0)
    return _classifier(trees, features, target, zipmap=False)


@cache
def forest() -> Trained:
    """Classes that are words, and probabilities as a list of maps (ZipMap)."""
    features, target = _iris()
    words = load_iris().target_names.astype(str)[target]
    trees = RandomForestClassifier(n_estimators=10, max_depth=4, random_state=0)
    return _classifier(trees, features, words, zipmap=True)


@cache
def network() -> Trained:
    """Three classes, a multi-layer perceptron; ZipMap."""
    features, target = _iris()
    layers = MLPClassifier((16, 8), max_iter=100, random_state=0)
    return _classifier(layers, features, target, zipmap=True)


@cache
def regression() -> Trained:
    """One number."""
    features, target = load_diabetes(return_X_y=True)
    rows = features[:120].astype(np.float32)
    model = _fit(GradientBoostingRegressor(n_estimators=20, random_state=0), features, target)
    columns = dict(zip(names(10), rows.T.astype(np.float64), strict=True))
    return Trained(_onnx(model, X=rows[:1]), names(10), columns, model.predict(rows))


@cache
def mixed(unknown: str = "ignore") -> Trained:
    """Columns of their own: numbers with gaps, words, whole numbers; imputer, one-hot, scaler."""
    rng = np.random.default_rng(0)
    age = rng.uniform(18, 80, 200).astype(np.float32)
    age[::7] = np.nan
    town = rng.choice(["Bonn", "Köln", "Ulm"], 200)
    rooms = rng.integers(1, 6, 200)
    target = (np.nan_to_num(age, nan=50) + 10 * rooms + 5 * (town == "Ulm") > 75).astype(int)
    table = np.empty((200, 3), dtype=object)
    table[:, 0], table[:, 1], table[:, 2] = age, town, rooms
    steps = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), [0]),
            ("word", OneHotEncoder(handle_unknown=unknown), [1]),
            ("whole", StandardScaler(), [2]),
        ]
    )
    model = _fit(make_pipeline(steps, LogisticRegression()), table, target)
    types = [
        ("age", FloatTensorType([None, 1])),
        ("town", StringTensorType([None, 1])),
        ("rooms", Int64TensorType([None, 1])),
    ]
    columns: Columns = {
        "age": age.astype(np.float64),
        "town": town.astype(object),
        "rooms": rooms.astype(np.float64),
    }
    artifact = _onnx(model, "age", initial_types=types)
    return Trained(artifact, (), columns, model.predict_proba(table), (0, 1))


MODELS: dict[str, Callable[[], Trained]] = {
    "logistic": logistic,
    "boosted": boosted,
    "forest": forest,
    "network": network,
    "regression": regression,
    "mixed": mixed,
}
