"""The work that every benchmark does: records of 30 numbers, and gradient boosted trees.

What is random is seeded, so that every run scores the same records with the same model.
"""

from functools import cache

import msgspec
import numpy as np
import onnx
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

FEATURES = tuple(f"f{index}" for index in range(30))
# Enough to be more than a cache of branches remembers, few enough to stay in memory's cache.
DISTINCT_RECORDS = 4096


@cache
def records() -> list[bytes]:
    """Return DISTINCT_RECORDS JSON records of about 420 bytes: an id and 30 numbers."""
    table, _ = load_breast_cancer(return_X_y=True)
    rng = np.random.default_rng(0)
    rows = table[rng.integers(0, len(table), DISTINCT_RECORDS)]
    rows = rows * rng.uniform(0.98, 1.02, rows.shape)
    return [
        msgspec.json.encode(
            {"id": f"r{number:07d}", **dict(zip(FEATURES, map(_short, row), strict=True))}
        )
        for number, row in enumerate(rows.tolist())
    ]


def some_records(count: int, first: int = 0) -> list[bytes]:
    """Return `count` records, from number `first` on; they repeat."""
    known = records()
    start = first % len(known)
    repeats = -(-(start + count) // len(known))
    return (known * repeats)[start : start + count]


@cache
def boosted_trees() -> bytes:
    """Return 100 trees of depth 3 on 30 features, as ONNX."""
    table, target = load_breast_cancer(return_X_y=True)
    table = table.astype(np.float32)
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=0)
    model.fit(table, target)
    converted = to_onnx(model, table[:1], options={id(model): {"zipmap": False}}, target_opset=17)
    data: bytes = converted.SerializeToString()
    return data


def republished(artifact: bytes, number: int) -> bytes:
    """Return the same ONNX model as other bytes, so that it is another version."""
    model = onnx.load_model_from_string(artifact)
    model.doc_string = f"version {number}"
    data: bytes = model.SerializeToString()
    return data


def _short(value: float) -> float:
    """Return a number as a sensor would send it, with five digits."""
    return float(f"{value:.5g}")
