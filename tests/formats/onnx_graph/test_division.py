"""Divisions of whole numbers, scored in a process of their own: without a guard it would end."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from modelstream import load_model
from modelstream.errors import UnsupportedModel
from tests.support.graphs import (
    BOOL,
    FLOAT,
    INT32,
    INT64,
    constant,
    model,
    node,
    parsed,
    to_bytes,
    value,
)

LEAST = {INT32: -(2**31), INT64: -(2**63)}


def divided(kind: int, divisor: Any = None, before: Sequence[Any] = (), name: str = "y") -> bytes:
    """Return z = x / y, of integers or floats; y is an input or constant."""
    inputs = [value("x", kind)] + ([] if divisor is not None else [value("y", kind)])
    constants = [] if divisor is None else [constant("y", divisor)]
    nodes = [*before, node("Div", ["x", name], ["z"])]
    return to_bytes(model(nodes, inputs, [value("z", kind)], constants))


def answer(tmp_path: Path, artifact: bytes, **columns: list[int]) -> Any:
    """Score in a process of its own."""
    path = tmp_path / "model.onnx"
    path.write_bytes(artifact)
    script = f"""
        import json, numpy as np, modelstream
        model = modelstream.load_model({str(path)!r})
        columns = {{name: np.array(each) for name, each in {columns!r}.items()}}
        print(json.dumps(model.score(columns)["z"].tolist()))
    """
    lines = "\n".join(line.strip() for line in script.splitlines())
    ran = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr or ran.returncode
    return json.loads(ran.stdout)


@pytest.mark.parametrize("kind", LEAST)
def test_the_least_integer_by_minus_one_ends_no_process(tmp_path: Path, kind: int) -> None:
    least = LEAST[kind]
    x, y = [least, least, -7, 7], [-1, 2, 2, -1]
    assert answer(tmp_path, divided(kind), x=x, y=y) == [least, least // 2, -3, -7]


@pytest.mark.parametrize("kind", LEAST)
def test_a_divisor_that_is_computed_or_constant_is_guarded_too(tmp_path: Path, kind: int) -> None:
    least = LEAST[kind]
    computed = divided(kind, before=[node("Neg", ["y"], ["turned"])], name="turned")
    assert answer(tmp_path, computed, x=[least, 9], y=[1, 3]) == [least, -3]
    minus = np.array([-1], np.int32 if kind == INT32 else np.int64)
    assert answer(tmp_path, divided(kind, minus), x=[least, 9]) == [least, -9]


def test_what_needs_no_guard_is_left_as_it_is() -> None:
    for artifact in (divided(FLOAT), divided(INT64, np.array([3]))):
        made = load_model(artifact)
        assert made.describe().structure.facts["operators"] == "Div 1"


def test_an_opset_that_cannot_be_guarded_is_refused() -> None:
    old = parsed(divided(INT64))
    del old.opset_import[:]
    old.opset_import.append(helper.make_opsetid("", 8))
    old.ir_version = 3
    with pytest.raises(UnsupportedModel, match="in opset 8; export the model with opset 9"):
        load_model(to_bytes(old))


def branching(kind: int, *inside: Any) -> bytes:
    """Return z = x / y in both branches of an If."""
    body = helper.make_graph(
        [*inside, node("Div", ["x", "d"], ["q"])], "body", [], [value("q", kind)]
    )
    return to_bytes(
        model(
            [
                node("ReduceMax", ["f"], ["most"], keepdims=0),
                node("Cast", ["most"], ["yes"], to=BOOL),
                node("If", ["yes"], ["z"], then_branch=body, else_branch=body),
            ],
            [value("x", kind), value("y", kind), value("f", FLOAT)],
            [value("z", kind)],
        )
    )


def test_a_division_inside_a_branch_is_refused_unless_it_is_seen_to_be_harmless() -> None:
    with pytest.raises(UnsupportedModel, match="may divide whole numbers by what is not constant"):
        load_model(branching(INT64, node("Abs", ["y"], ["d"])))
    load_model(branching(FLOAT, node("Exp", ["y"], ["d"])))
    load_model(branching(FLOAT, node("Cast", ["y"], ["d"], to=FLOAT)))
    three = helper.make_tensor("three", INT64, [1], [3])
    load_model(branching(INT64, node("Constant", [], ["d"], value=three)))
    minus = helper.make_tensor("minus", INT64, [1], [-1])
    with pytest.raises(UnsupportedModel, match="may divide whole numbers"):
        load_model(branching(INT64, node("Constant", [], ["d"], value=minus)))
