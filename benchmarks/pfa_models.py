"""PFA documents of scikit-learn's models, in the idioms of the exporters for R and Spark."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DOUBLES = {"type": "array", "items": "double"}
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """One document, the rows it is asked, and what scikit-learn answers to them."""

    name: str
    document: bytes
    rows: Matrix
    expected: Matrix
    named: bool  # a record with a field a feature, or one array

    def records(self) -> list[Any]:
        """Return the rows as a PFA engine takes them."""
        rows: list[Any] = self.rows.tolist()
        if not self.named:
            return rows
        return [{f"x{at}": value for at, value in enumerate(row)} for row in rows]

    def columns(self) -> dict[str, Matrix]:
        """Return the rows as a model here takes them."""
        if not self.named:
            return {"input": self.rows}
        return {
            f"x{at}": np.ascontiguousarray(self.rows[:, at]) for at in range(self.rows.shape[1])
        }


def models(rows: int) -> list[Model]:
    """Train and write all of them."""
    makers: tuple[Callable[[int], Model], ...] = (boosted_trees, logistic, clusters, network)
    return [make(rows) for make in makers]


def boosted_trees(rows: int, trees: int = 100) -> Model:
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor

    data, target = load_diabetes(return_X_y=True)
    data = data.astype(np.float32).astype(np.float64)  # what its trees compare with
    model = GradientBoostingRegressor(n_estimators=trees, max_depth=4, random_state=0)
    model.fit(data, target)
    names = [f"x{at}" for at in range(data.shape[1])]
    node = record(
        "TreeNode",
        field={"type": "enum", "name": "Fields", "symbols": names},
        operator="string",
        value="double",
        **{"pass": ["double", "TreeNode"], "fail": ["double", "TreeNode"]},
    )
    test = function(
        {"d": "Input", "t": "TreeNode"}, "boolean", {"model.tree.simpleTest": ["d", "t"]}
    )
    walk = {"model.tree.simpleWalk": ["input", "tree", test]}
    start = float(model.init_.constant_.ravel()[0])
    document = {
        "input": record("Input", **dict.fromkeys(names, "double")),
        "output": "double",
        "cells": {
            "trees": {
                "type": {"type": "array", "items": node},
                "init": [_node(each.tree_, 0)["TreeNode"] for each in model.estimators_[:, 0]],
            }
        },
        "action": [
            {
                "let": {
                    "scores": {
                        "a.map": [{"cell": "trees"}, function({"tree": "TreeNode"}, "double", walk)]
                    }
                }
            },
            {"+": [start, {"*": [model.learning_rate, {"a.sum": "scores"}]}]},
        ],
    }
    asked = _some(data, rows)
    return Model(f"{trees} boosted trees", _json(document), asked, model.predict(asked), named=True)


def _node(tree: Any, at: int) -> dict[str, Any]:
    if tree.children_left[at] < 0:
        return {"double": float(tree.value[at].ravel()[0])}
    return {
        "TreeNode": {
            "field": f"x{tree.feature[at]}",
            "operator": "<=",
            "value": float(tree.threshold[at]),
            "pass": _node(tree, tree.children_left[at]),
            "fail": _node(tree, tree.children_right[at]),
        }
    }


def logistic(rows: int) -> Model:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    data, target = load_breast_cancer(return_X_y=True)
    data = StandardScaler().fit_transform(data)
    model = LogisticRegression(max_iter=1000).fit(data, target)
    names = [f"x{at}" for at in range(data.shape[1])]
    features = {"new": [f"input.{name}" for name in names], "type": DOUBLES}
    document = {
        "input": record("Input", **dict.fromkeys(names, "double")),
        "output": "double",
        "cells": {
            "model": {
                "type": record("Model", coeff=DOUBLES, const="double"),
                "init": {"coeff": model.coef_[0].tolist(), "const": float(model.intercept_[0])},
            }
        },
        "action": {"m.link.logit": {"model.reg.linear": [features, {"cell": "model"}]}},
    }
    asked = _some(data, rows)
    return Model(
        "logistic, 30 features",
        _json(document),
        asked,
        model.predict_proba(asked)[:, 1],
        named=True,
    )


def clusters(rows: int) -> Model:
    from sklearn.cluster import KMeans
    from sklearn.datasets import load_iris

    data = load_iris().data
    model = KMeans(3, n_init=3, random_state=0).fit(data)
    metric = function(
        {"x": DOUBLES, "y": DOUBLES},
        "double",
        {"metric.euclidean": [{"fcn": "metric.absDiff"}, "x", "y"]},
    )
    document = {
        "input": DOUBLES,
        "output": "int",
        "cells": {
            "clusters": {
                "type": {"type": "array", "items": record("Cluster", center=DOUBLES, id="int")},
                "init": [
                    {"center": center.tolist(), "id": at}
                    for at, center in enumerate(model.cluster_centers_)
                ],
            }
        },
        "action": {
            "attr": {"model.cluster.closest": ["input", {"cell": "clusters"}, metric]},
            "path": [["id"]],
        },
    }
    asked = _some(data, rows)
    return Model(
        "k-means, 3 of 4 numbers", _json(document), asked, model.predict(asked), named=False
    )


def network(rows: int) -> Model:
    from sklearn.datasets import load_diabetes
    from sklearn.neural_network import MLPRegressor

    data, target = load_diabetes(return_X_y=True)
    # One step of training: what is measured does not depend on how good it is.
    model = MLPRegressor(hidden_layer_sizes=(64, 32), random_state=0).partial_fit(data, target)
    layers = zip(model.coefs_, model.intercepts_, strict=True)
    relu = {"if": {">": ["x", 0.0]}, "then": "x", "else": 0.0}
    call = ["input", {"cell": "layers"}, function({"x": "double"}, "double", relu)]
    layer = record("Layer", weights={"type": "array", "items": DOUBLES}, bias=DOUBLES)
    document = {
        "input": DOUBLES,
        "output": "double",
        "cells": {
            "layers": {
                "type": {"type": "array", "items": layer},
                "init": [{"weights": w.T.tolist(), "bias": b.tolist()} for w, b in layers],
            }
        },
        "action": {"attr": {"model.neural.simpleLayers": call}, "path": [0]},
    }
    asked = _some(data, rows)
    return Model("network 10-64-32-1", _json(document), asked, model.predict(asked), named=False)


def record(name: str, **fields: Any) -> dict[str, Any]:
    parts = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "fields": parts}


def function(params: dict[str, Any], result: Any, body: Any) -> dict[str, Any]:
    return {"params": [{name: kind} for name, kind in params.items()], "ret": result, "do": body}


def _some(data: Matrix, rows: int) -> Matrix:
    return np.resize(data, (rows, data.shape[1])).astype(np.float64)


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
