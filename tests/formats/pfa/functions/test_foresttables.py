"""Trees in tables: every row reaches the leaf that it reaches when it walks the tree by itself."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.formats.pfa.data import Data
from modelstream.formats.pfa.document import compile_document
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.messages import Column
from tests.support.pfa import by_columns, by_rows, document, same

NUMBERS = (0.0, -0.0, 1.0, -1.0, 5e-324, 0.1, 2.0**53, -1.5e308, 3.0)
INPUT = {
    "x": "double", "n": "long", "s": "string", "flag": "boolean",
    "maybe": ["null", "double"], "count": ["null", "long"],
    "kind": {"type": "enum", "name": "Kind", "symbols": ["a", "b"]},
}  # fmt: skip
GIVEN = {
    "type": "record",
    "name": "Given",
    "fields": [{"name": name, "type": kind} for name, kind in INPUT.items()],
}
LEAVES = {
    "double": (0.5, -0.0, 2.0, -7.25),
    "long": (1, -2, 2**62),
    "string": ("low", "high", ""),
    "boolean": (True, False),
}
# Tests of each field that a walk by tables knows: operators, and values of the node's union.
PLAIN: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
    "x": (("<", "<=", ">", ">=", "==", "!="), [{"double": each} for each in NUMBERS]),
    "n": (("<", "<=", ">", ">=", "==", "!="), [{"long": each} for each in (0, -1, 2**53, 7)]),
    "s": (("==", "!=", "<"), [{"string": each} for each in ("", "a", "b")]),
    "flag": (("alwaysTrue", "alwaysFalse"), [{"double": 0.0}]),
}
MISSING = {
    **PLAIN,
    "maybe": (PLAIN["x"][0], PLAIN["x"][1]),
    "count": (PLAIN["n"][0], PLAIN["n"][1]),
}


def node_type(leaf: str, *, missing: bool) -> dict[str, Any]:
    ends = ["pass", "fail", "missing"] if missing else ["pass", "fail"]
    fields = [
        ("field", {"type": "enum", "name": "Fields", "symbols": list(INPUT)}),
        ("operator", "string"),
        ("value", ["double", "long", "string"]),
        *((end, ["Node", leaf]) for end in ends),
    ]
    return {
        "type": "record",
        "name": "Node",
        "fields": [{"name": name, "type": kind} for name, kind in fields],
    }


def tree(rng: random.Random, leaf: str, depth: int, *, missing: bool) -> dict[str, Any]:
    tests = MISSING if missing else PLAIN
    name = rng.choice(list(tests))
    operators, values = tests[name]
    made: dict[str, Any] = {
        "field": name,
        "operator": rng.choice(operators),
        "value": rng.choice(values),
    }
    for end in ["pass", "fail", "missing"] if missing else ["pass", "fail"]:
        if depth and rng.random() < 0.7:
            made[end] = {"Node": tree(rng, leaf, depth - 1, missing=missing)}
        else:
            made[end] = {leaf: rng.choice(LEAVES[leaf])}
    return made


def record(rng: random.Random) -> dict[str, Any]:
    real = rng.choice((*NUMBERS, math.nan, math.inf, -math.inf, rng.gauss(0, 2)))
    return {
        "x": real,
        "n": rng.choice((0, -1, 7, 2**53, 2**53 + 1, -(2**63))),
        "s": rng.choice(("", "a", "ab", "b")),
        "flag": rng.random() < 0.5,
        "maybe": rng.choice((None, {"double": rng.choice((*NUMBERS, math.nan))})),
        "count": rng.choice((None, {"long": rng.choice((0, 7, 2**53, 2**53 + 1, 2**63 - 1))})),
        "kind": rng.choice("ab"),
    }


def forest(rng: random.Random, leaf: str, depth: int, *, missing: bool) -> dict[str, Any]:
    """Return a document that walks some trees, and answers with the leaves of all."""
    test, result = ("missingTest", ["null", "boolean"]) if missing else ("simpleTest", "boolean")
    asks = {
        "params": [{"d": "Given"}, {"t": "Node"}],
        "ret": result,
        "do": {f"model.tree.{test}": ["d", "t"]},
    }
    walks = "missingWalk" if missing else "simpleWalk"
    walk = {
        "params": [{"t": "Node"}],
        "ret": leaf,
        "do": {f"model.tree.{walks}": ["input", "t", asks]},
    }
    kind = {"type": "array", "items": node_type(leaf, missing=missing)}
    trees = [tree(rng, leaf, depth, missing=missing) for _ in range(rng.randint(1, 5))]
    action = {"a.map": [{"cell": "trees"}, walk]}
    made = {"type": "array", "items": leaf}
    return document(action, GIVEN, made, cells={"trees": {"type": kind, "init": trees}})


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32), leaf=st.sampled_from(sorted(LEAVES)), depth=st.integers(0, 5),
    missing=st.booleans(),
)  # fmt: skip
def test_rows_reach_the_same_leaves_in_tables_and_by_themselves(
    seed: int, leaf: str, depth: int, missing: bool
) -> None:
    rng = random.Random(seed)
    made = forest(rng, leaf, depth, missing=missing)
    engine = compile_document(made)
    values = [Data().read(engine.input, record(rng), "record") for _ in range(40)]
    rows, columns = by_rows(engine, values), by_columns(engine, values)
    assert columns is not None
    assert all(map(same, rows, columns)), made


def test_trees_are_walked_in_tables_of_all_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []
    leaves = LeafKernel.leaves

    def told(kernel: LeafKernel, matrix: Column) -> Column:
        walked.append(len(matrix))
        return leaves(kernel, matrix)

    monkeypatch.setattr(LeafKernel, "leaves", told)
    rng = random.Random(1)
    engine = compile_document(forest(rng, "double", 4, missing=True))
    values = [Data().read(engine.input, record(rng), "record") for _ in range(10)]
    assert by_columns(engine, values) is not None
    assert walked == [10]
