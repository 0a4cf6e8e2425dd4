"""Two versions of one model in every format, and records for both: what swaps are tried with."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from modelstream.messages import Columns
from tests.support import (
    format_cases,
    pipelines,
    tensorflow_saved,
    trained,
    tree_models,
    xgboost_models,
)


@dataclass(frozen=True, slots=True)
class Versions:
    """Two artifacts that answer the same records differently, and what their publisher knows."""

    artifacts: tuple[bytes, bytes]
    columns: Columns
    feature_names: tuple[str, ...] = ()

    @property
    def records(self) -> list[bytes]:
        """The rows as JSON; a missing number is a field that is not there."""
        names = list(self.columns)
        rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [json.dumps(_present(dict(zip(names, row, strict=True)))).encode() for row in rows]


@cache
def versions(format_name: str) -> Versions:
    """Return the two versions of a format; it is one of `FORMATS`."""
    return _MAKERS[format_name]()


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if not (isinstance(value, float) and math.isnan(value))
    }


def _changed(case: str, old: bytes, new: bytes, names: tuple[str, ...] = ()) -> Versions:
    """Return the artifact of a case, and the same with other bytes in it."""
    chosen = format_cases.CASES[case]
    first = chosen.artifact()
    assert old in first
    return Versions((first, first.replace(old, new)), chosen.columns(), names)


def _onnx() -> Versions:
    first, second = trained.logistic(), trained.network()
    columns = {name: column[40:53] for name, column in first.columns.items()}
    return Versions((first.onnx, second.onnx), columns, first.feature_names)


def _tensorflow() -> Versions:
    old, new = (np.array(each, np.float32).tobytes() for each in ([1, 2, 3], [4, 5, 6]))
    return _changed("tensorflow-network", old, new, ("a", "b"))


def _saved() -> Versions:
    first = tensorflow_saved.scaled()
    second = {**first, **tensorflow_saved.variables({"scale": [5.0, 7.0]})}
    rng = np.random.default_rng(3)
    columns = {name: rng.normal(size=13) for name in ("a", "b")}
    zipped = tensorflow_saved.zipped
    return Versions((zipped(first), zipped(second)), columns, ("a", "b"))


def _library(name: str, first: str, second: str) -> Versions:
    made = tree_models.kept(name, first)
    # The rows before these hold what JSON has no number for.
    columns = {each: column[8:21] for each, column in made.columns.items()}
    return Versions((made.model, tree_models.kept(name, second).model), columns)


def _xgboost() -> Versions:
    first, second = xgboost_models.kept("binary"), xgboost_models.kept("partition")
    return Versions((first.model, second.model), xgboost_models.some_rows())


def _pipeline() -> Versions:
    first, second = (
        pipelines.document(
            pipelines.inline(pipelines.TREE, name="tree"),
            {"expression": {"risk": "exp(chance) * age"}},
            pipelines.plus(amount, inputs={"x": "risk"}, outputs={"score": "score"}),
            outputs=["score", "answer"],
        )
        for amount in (1.0, 2.0)
    )
    return Versions((first, second), format_cases.CASES["pipeline"].columns())


_MAKERS: dict[str, Callable[[], Versions]] = {
    "catboost": lambda: _library("catboost", "counts", "class"),
    "lightgbm": lambda: _library("lightgbm", "multiclass", "regression"),
    "onnx": _onnx,
    "pfa": lambda: _changed("pfa-trees", b'{"double": 40}', b'{"double": 60}'),
    "pipeline": _pipeline,
    "pmml": lambda: _changed("pmml-tree", b'value="40"', b'value="60"'),
    "tensorflow": _tensorflow,
    "tensorflow-saved": _saved,
    "xgboost": _xgboost,
}
FORMATS = tuple(_MAKERS)
