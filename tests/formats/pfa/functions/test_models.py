"""Models: linear, trees, clusters, networks, naive Bayes and support vectors, by their formulas."""

import math
from typing import Any

import numpy as np
import pytest

from modelstream.formats.pfa.faults import Fault
from tests.support.pfa import answers

DOUBLES = {"type": "array", "items": "double"}
MATRIX = {"type": "array", "items": DOUBLES}


def record(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": key, "type": kind} for key, kind in fields.items()],
    }


def cell(kind: Any, value: Any) -> dict[str, Any]:
    return {"cells": {"model": {"type": kind, "init": value}}}


def rows_of_numbers(rows: int, width: int) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(5).normal(size=(rows, width)).tolist()
    return found


def test_a_linear_model_adds_what_its_coefficients_say() -> None:
    model = cell(record("M", coeff=DOUBLES, const="double"), {"coeff": [2, -1, 0.5], "const": 3})
    rows = rows_of_numbers(5, 3)
    found = answers(
        [{"model.reg.linear": ["input", {"cell": "model"}]}], DOUBLES, "double", rows, **model
    )
    assert found == pytest.approx([3 + 2 * a - b + 0.5 * c for a, b, c in rows])
    short = answers(
        [{"model.reg.linear": ["input", {"cell": "model"}]}], DOUBLES, "double", [[1.0]], **model
    )
    assert isinstance(short[0], Fault)
    assert short[0].code == 31000


def test_several_linear_models_answer_side_by_side() -> None:
    model = cell(
        record("M", coeff=MATRIX, const=DOUBLES), {"coeff": [[1, 2], [3, 4]], "const": [0.5, -0.5]}
    )
    found = answers(
        [{"model.reg.linear": ["input", {"cell": "model"}]}],
        DOUBLES,
        DOUBLES,
        [[1, 1], [0, 2]],
        **model,
    )
    assert found == [[3.5, 6.5], [4.5, 7.5]]


NODE = {
    "type": "record",
    "name": "Node",
    "fields": [
        {
            "name": "field",
            "type": {"type": "enum", "name": "Fields", "symbols": ["x", "n", "word"]},
        },
        {"name": "operator", "type": "string"},
        {"name": "value", "type": ["double", "string", {"type": "array", "items": "string"}]},
        {"name": "pass", "type": ["Node", "string"]},
        {"name": "fail", "type": ["Node", "string"]},
        {"name": "missing", "type": ["Node", "string"]},
    ],
}
DATUM = record("Datum", x=["null", "double"], n="int", word="string")
PLAIN = record("Datum", x="double", n="int", word="string")


def node(field: str, operator: str, value: Any, *ends: Any) -> dict[str, Any]:
    kind = "double" if isinstance(value, (int, float)) else "string"
    kind = "array" if isinstance(value, list) else kind
    tagged = [{"Node": end} if isinstance(end, dict) else {"string": end} for end in ends]
    missing = tagged[2] if len(tagged) > 2 else {"string": "?"}
    return {
        "field": field,
        "operator": operator,
        "value": {kind: value},
        "pass": tagged[0],
        "fail": tagged[1],
        "missing": missing,
    }


TREE = node(
    "x", "<", 1.5,
    node("word", "==", "b", "small b", node("n", ">=", 3, "small n", "small")),
    node("word", "in", ["a", "c"], "large ac", "large"),
    node("n", "!=", 2, "gone", "gone 2"),
)  # fmt: skip


def walk(test: str, walks: str, result: Any) -> list[Any]:
    function = {
        "params": [{"d": "Datum"}, {"t": "Node"}],
        "ret": result,
        "do": {f"model.tree.{test}": ["d", "t"]},
    }
    return [{f"model.tree.{walks}": ["input", {"cell": "model"}, function]}]


RECORDS: list[tuple[dict[str, Any], str]] = [
    ({"x": 1.0, "n": 0, "word": "b"}, "small b"),
    ({"x": 1.0, "n": 3, "word": "a"}, "small n"),
    ({"x": 1.0, "n": 2, "word": "a"}, "small"),
    ({"x": 1.5, "n": 0, "word": "c"}, "large ac"),
    ({"x": math.inf, "n": 0, "word": "b"}, "large"),
    ({"x": math.nan, "n": 0, "word": "a"}, "large ac"),
]


def test_a_tree_sends_each_record_to_its_leaf() -> None:
    found = answers(
        walk("simpleTest", "simpleWalk", "boolean"), PLAIN, "string",
        [{**each, "x": "NaN" if each["x"] != each["x"] else each["x"] if math.isfinite(each["x"]) else "Infinity"} for each, _ in RECORDS],
        **cell(NODE, TREE),
    )  # fmt: skip
    assert found == [leaf for _, leaf in RECORDS]
    direct = answers(
        [{"model.tree.simpleTree": ["input", {"cell": "model"}]}],
        PLAIN,
        "string",
        [RECORDS[0][0]],
        **cell(NODE, TREE),
    )
    assert direct == ["small b"]


def test_a_missing_value_goes_its_own_way() -> None:
    records = [
        {"x": None, "n": 2, "word": "a"},
        {"x": None, "n": 1, "word": "a"},
        {"x": {"double": 1.0}, "n": 1, "word": "b"},
    ]
    found = answers(
        walk("missingTest", "missingWalk", ["null", "boolean"]),
        DATUM,
        "string",
        records,
        **cell(NODE, TREE),
    )
    assert found == ["gone 2", "gone", "small b"]


def test_a_value_that_no_field_compares_with_is_a_fault_of_its_rows() -> None:
    broken = node("x", "<", 1.5, node("n", "<", "three", "never", "never"), "large")
    found = answers(
        walk("simpleTest", "simpleWalk", "boolean"),
        PLAIN,
        "string",
        [RECORDS[0][0], RECORDS[3][0]],
        **cell(NODE, broken),
    )
    assert isinstance(found[0], Fault)
    assert found[0].code == 32001
    assert found[1] == "large"


def test_a_test_of_ones_own_walks_as_well() -> None:
    function = {
        "params": [{"d": "Datum"}, {"t": "Node"}],
        "ret": "boolean",
        "do": {"<": ["d.n", 2]},
    }
    action = [{"model.tree.simpleWalk": ["input", {"cell": "model"}, function]}]
    tree = node("n", "anything", 0.0, node("n", "anything", 0.0, "low", "never"), "high")
    found = answers(action, PLAIN, "string", [RECORDS[0][0], RECORDS[1][0]], **cell(NODE, tree))
    assert found == ["low", "high"]


def test_the_closest_cluster_is_taken_and_of_equal_ones_the_first() -> None:
    clusters = cell(
        {"type": "array", "items": record("C", center=DOUBLES, id="string")},
        [
            {"center": [0, 0], "id": "a"},
            {"center": [2, 2], "id": "b"},
            {"center": [2, 2], "id": "c"},
        ],
    )
    action = [{"attr": {"model.cluster.closest": ["input", {"cell": "model"}]}, "path": [["id"]]}]
    assert answers(action, DOUBLES, "string", [[0, 1], [2, 3]], **clusters) == ["a", "b"]
    metric = {
        "params": [{"x": DOUBLES}, {"y": DOUBLES}],
        "ret": "double",
        "do": {"metric.taxicab": [{"fcn": "metric.absDiff"}, "x", "y"]},
    }
    action = [
        {"attr": {"model.cluster.closest": ["input", {"cell": "model"}, metric]}, "path": [["id"]]}
    ]
    assert answers(action, DOUBLES, "string", [[0, 1], [2, 3]], **clusters) == ["a", "b"]


def test_a_network_weighs_shifts_and_activates_all_layers_but_the_last() -> None:
    rng = np.random.default_rng(7)
    layers = [
        (rng.normal(size=(5, 3)), rng.normal(size=5)),
        (rng.normal(size=(2, 5)), rng.normal(size=2)),
    ]
    model = cell(
        {"type": "array", "items": record("Layer", weights=MATRIX, bias=DOUBLES)},
        [{"weights": w.tolist(), "bias": b.tolist()} for w, b in layers],
    )
    relu = {
        "params": [{"x": "double"}],
        "ret": "double",
        "do": {"if": {">": ["x", 0.0]}, "then": "x", "else": 0.0},
    }
    rows = rows_of_numbers(6, 3)
    found = answers(
        [{"model.neural.simpleLayers": ["input", {"cell": "model"}, relu]}],
        DOUBLES,
        DOUBLES,
        rows,
        **model,
    )
    (w1, b1), (w2, b2) = layers
    expected = np.maximum(np.array(rows) @ w1.T + b1, 0) @ w2.T + b2
    np.testing.assert_allclose(np.array(found), expected)


def test_naive_bayes_adds_the_logarithms_of_likelihoods() -> None:
    model = cell(
        {"type": "array", "items": record("P", mean="double", variance="double")},
        [{"mean": 1, "variance": 4}],
    )
    found = answers(
        [{"model.naive.gaussian": ["input", {"cell": "model"}]}],
        DOUBLES,
        "double",
        [[3.0]],
        **model,
    )
    assert found == pytest.approx([-0.5 * math.log(2 * math.pi * 4) - 0.5])


def test_support_vectors_are_weighed_by_their_kernel() -> None:
    side = {"type": "array", "items": record("V", supVec=DOUBLES, coeff="double")}
    model = cell(
        record("Svm", const="double", posClass=side, negClass={"type": "array", "items": "V"}),
        {
            "const": 0.5,
            "posClass": [{"supVec": [1, 0], "coeff": 2}],
            "negClass": [{"supVec": [0, 1], "coeff": -1}],
        },
    )
    kernel = {
        "params": [{"x": DOUBLES}, {"y": DOUBLES}],
        "ret": "double",
        "do": {"m.kernel.linear": ["x", "y"]},
    }
    action = [{"model.svm.score": ["input", {"cell": "model"}, kernel]}]
    assert answers(action, DOUBLES, "double", [[3, 4], [1, 1]], **model) == [0.5 + 6 - 4, 1.5]


def test_holt_winters_forecasts_from_a_state() -> None:
    state = cell(record("State", level="double", trend="double"), {"level": 10, "trend": 2})
    action = [
        {
            "stat.sample.forecastHoltWinters": [
                3,
                {"stat.sample.updateHoltWinters": ["input", 0.5, 0.5, {"cell": "model"}]},
            ]
        }
    ]
    assert answers(action, "double", DOUBLES, [12.0, 14.0], **state) == [
        [14.0, 16.0, 18.0],
        [15.5, 18.0, 20.5],
    ]
