"""The models of the `swap` benchmark: small ones, and every fifth one large.

All of them read the eleven measurements of a wine, so that any can follow any other.
"""

from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

from benchmarks.workload import republished

FEATURES = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
)
LARGE_EVERY = 5
_PMML = Path(__file__).resolve().parents[2] / "shared/data/wine"
_PMML_FOREST = _PMML / "winequalityRandonForrestClassification.pmml"


def artifact(number: int) -> bytes:
    """Return the model of one version; no two are the same bytes."""
    if number % LARGE_EVERY:
        return republished(_small(), number)
    large = _large()
    if large.lstrip().startswith(b"<"):
        return large + f"\n<!-- version {number} -->\n".encode()
    return republished(large, number)


def large_kind() -> str:
    """Tell in words what the large model is."""
    megabytes = len(_large()) / 1e6
    if _large().lstrip().startswith(b"<"):
        return f"a PMML random forest of {megabytes:.1f} MB"
    return f"an ONNX random forest of {megabytes:.1f} MB (PMML or its test data is not there)"


@cache
def wines(count: int) -> list[bytes]:
    """Return JSON records with made-up measurements."""
    rows = np.random.default_rng(0).uniform(0, 10, (count, len(FEATURES))).round(3)
    return [msgspec.json.encode(dict(zip(FEATURES, row, strict=True))) for row in rows.tolist()]


@cache
def _small() -> bytes:
    """Return 100 boosted trees of depth 3."""
    return _trained(GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=0))


@cache
def _large() -> bytes:
    """Return the PMML forest where both it and its format are there, or else an ONNX forest."""
    if _PMML_FOREST.is_file() and _served("pmml"):
        return _PMML_FOREST.read_bytes()
    return _trained(RandomForestClassifier(n_estimators=100, max_depth=8, random_state=0))


def _served(name: str) -> bool:
    """Tell whether a format can be served by this version."""
    from modelstream.formats import formats

    return name in formats()


def _trained(model: GradientBoostingClassifier | RandomForestClassifier) -> bytes:
    rng = np.random.default_rng(0)
    table = rng.uniform(0, 10, (2000, len(FEATURES))).astype(np.float32)
    target = (table[:, 10] + table[:, 1] * table[:, 8] / 10 + rng.normal(size=2000) > 8).astype(int)
    model.fit(table, target)
    converted = to_onnx(model, table[:1], options={id(model): {"zipmap": False}}, target_opset=17)
    data: bytes = converted.SerializeToString()
    return data
