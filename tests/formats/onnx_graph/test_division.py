"""Divisions of whole numbers, scored in a process of their own: without a guard it would end."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from modelstream import load_model
from modelstream.errors import InvalidModel, ModelFailed, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx import OnnxFormat
from modelstream.formats.onnx_graph.division import check_divisions, guard_divisions
from modelstream.formats.onnx_graph.plan import decode_plan, encode_plan
from modelstream.formats.runtime import open_session
from modelstream.wire.proto import onnx_subset_pb2 as pb
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


def divided(
    kind: int,
    divisor: Any = None,
    before: Sequence[Any] = (),
    name: str = "y",
    operator: str = "Div",
    **attributes: Any,
) -> bytes:
    """Return z = x / y, of integers or floats; y is an input or constant."""
    inputs = [value("x", kind)] + ([] if divisor is not None else [value("y", kind)])
    constants = [] if divisor is None else [constant("y", divisor)]
    nodes = [*before, node(operator, ["x", name], ["z"], **attributes)]
    return to_bytes(model(nodes, inputs, [value("z", kind)], constants))


def answer(tmp_path: Path, artifact: bytes, **columns: list[int]) -> Any:
    """Score in a process of its own, row by row: None for a row at which the model fails."""
    path = tmp_path / "model.onnx"
    path.write_bytes(artifact)
    script = f"""
        import json, numpy as np, modelstream
        model = modelstream.load_model({str(path)!r})
        columns = {{name: np.array(each) for name, each in {columns!r}.items()}}
        told = []
        for row in range(len(columns["x"])):
            part = {{name: column[row : row + 1] for name, column in columns.items()}}
            try:
                told += model.score(part)["z"].tolist()
            except modelstream.errors.ModelFailed:
                told.append(None)
        try:
            whole = model.score(columns)["z"].tolist()
        except modelstream.errors.ModelFailed:
            whole = None
        assert whole == (None if None in told else told), (whole, told)
        print(json.dumps(told))
    """
    lines = textwrap.dedent(script)
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


@pytest.mark.parametrize("kind", LEAST)
@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_zero_fails_its_record_alone(tmp_path: Path, kind: int, operator: str) -> None:
    x, y = [7, LEAST[kind], 0, 9], [0, 0, 0, 2]
    told = answer(tmp_path, divided(kind, operator=operator), x=x, y=y)
    assert told == [None, None, None, 4 if operator == "Div" else 1]


@pytest.mark.parametrize("kind", LEAST)
def test_remainders_end_no_process(tmp_path: Path, kind: int) -> None:
    least = LEAST[kind]
    x, y = [least, least, -7, 7, -7], [-1, 3, 2, -4, -4]
    assert answer(tmp_path, divided(kind, operator="Mod"), x=x, y=y) == [
        a % b for a, b in zip(x, y, strict=True)
    ]
    signed = divided(kind, operator="Mod", fmod=1)
    assert answer(tmp_path, signed, x=[-7, 7, least], y=[2, -2, -1]) == [-1, 1, 0]


WHOLE = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)


@given(st.lists(st.tuples(WHOLE, WHOLE.filter(bool)), min_size=1, max_size=20))
def test_quotients_are_cut_off_and_wrap_around(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(each, np.int64) for each in zip(*pairs, strict=True))
    graph = pb.ModelProto.FromString(divided(INT64))
    guard_divisions(graph)
    session = open_session(to_bytes(graph))
    (found,) = session.run(None, {"x": x, "y": y})
    by_hand = [abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) for a, b in pairs]
    assert found.tolist() == [(each + 2**63) % 2**64 - 2**63 for each in by_hand]


def test_what_was_divided_by_is_told() -> None:
    model = load_model(divided(INT64))
    with pytest.raises(ModelFailed, match="z: a whole number is divided by zero"):
        model.score({"x": np.array([1]), "y": np.array([0])})


def test_a_constant_zero_is_refused() -> None:
    with pytest.raises(InvalidModel, match="by zero"):
        load_model(divided(INT64, np.array([0])))


@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_a_graph_is_checked_again_where_it_is_loaded(operator: str) -> None:
    plan = decode_plan(OnnxFormat().lower(divided(INT64, operator=operator), Hints()))
    hostile = encode_plan(msgspec.structs.replace(plan, onnx=divided(INT64, operator=operator)))
    with pytest.raises(UnsupportedModel, match=f"{operator} .*may divide whole numbers"):
        OnnxFormat().load(hostile)


@given(st.data())
def test_a_guard_that_is_changed_is_none(data: st.DataObject) -> None:
    graph = pb.ModelProto.FromString(divided(INT64))
    guard_divisions(graph)
    check_divisions(graph)
    guards = [node for node in graph.graph.node if "%division/" in node.output[0]]
    made = [node for node in guards if not node.output[0].endswith(("quotient", "negated"))]
    changed = data.draw(st.sampled_from([*made, *graph.graph.initializer]))
    if isinstance(changed, pb.TensorProto):
        changed.raw_data = np.array(5, np.int64).tobytes()
    elif isinstance(changed, pb.NodeProto) and data.draw(st.booleans()):
        changed.op_type = "Identity"
    elif isinstance(changed, pb.NodeProto):
        changed.input[0] = "x"
    with pytest.raises(UnsupportedModel, match="may divide whole numbers"):
        check_divisions(graph)


def test_reals_say_what_they_are_and_load_again() -> None:
    computed = divided(FLOAT, before=[node("Abs", ["y"], ["positive"])], name="positive")
    model = load_model(computed)
    assert model.score({"x": np.array([1.0]), "y": np.array([-4.0])})["z"].tolist() == [0.25]


def test_a_graph_that_lies_about_its_types_is_not_loaded() -> None:
    graph = pb.ModelProto.FromString(divided(INT64, before=[node("Neg", ["y"], ["t"])], name="t"))
    graph.graph.value_info.add(name="t").type.tensor_type.elem_type = FLOAT
    check_divisions(graph)
    with pytest.raises(InvalidModel, match="does not match expected type"):
        open_session(to_bytes(graph))


def test_the_base_tells_the_type_of_a_power() -> None:
    with pytest.raises(UnsupportedModel, match="may divide whole numbers"):
        load_model(branching(INT64, node("Pow", ["y", "f"], ["d"])))


UINT8 = 2


def small(*divisor: int) -> bytes:
    """Return z = x mod y in uint8; y is an input or constant."""
    given = [] if divisor else [value("y", INT64)]
    constants = [constant("by", np.array(divisor, np.uint8))] if divisor else []
    cast = [] if divisor else [node("Cast", ["y"], ["by"], to=UINT8)]
    nodes = [
        node("Cast", ["x"], ["small"], to=UINT8),
        *cast,
        node("Mod", ["small", "by"], ["rest"]),
        node("Cast", ["rest"], ["z"], to=INT64),
    ]
    return to_bytes(model(nodes, [value("x", INT64), *given], [value("z", INT64)], constants))


def test_small_numbers_are_divided_by_constants_alone() -> None:
    assert load_model(small(255)).score({"x": np.array([7])})["z"].tolist() == [7]
    with pytest.raises(UnsupportedModel, match="of another type than int32 and int64"):
        load_model(small())
    with pytest.raises(InvalidModel, match=r"of another type than int32|by zero"):
        load_model(small(0))


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
