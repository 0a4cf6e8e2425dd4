"""From an artifact to a plan: batches, what is recognised, and what a plan must hold."""

import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx import OnnxFormat
from modelstream.formats.onnx_graph.plan import Plan, decode_plan
from tests.support import graphs, trained
from tests.support.graphs import constant, node, value

ONNX = OnnxFormat()


def lowered(data: bytes) -> Plan:
    return decode_plan(ONNX.lower(data, Hints()))


@pytest.mark.parametrize("name", sorted(trained.MODELS))
def test_real_models_are_recognised(name: str) -> None:
    assert ONNX.recognises(trained.MODELS[name]().onnx)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x08\x08", b"<?xml version='1.0'?>", b'{"input": "double"}', b"\x08\x01\x12\x99\x04"],
)
def test_other_bytes_are_not_recognised(data: bytes) -> None:
    assert not ONNX.recognises(data)


def test_a_batch_of_one_is_opened_where_the_graph_allows_it() -> None:
    plan = lowered(graphs.linear(rows=1))
    assert not plan.by_row
    model = ONNX.load(ONNX.lower(graphs.linear(rows=1), Hints(("a", "b"))))
    scores = model.score({"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.0, 0.0, 2.0])})
    assert scores["y"].tolist() == [11.0, 2.0, 23.0]


def test_a_batch_of_eight_is_opened_where_the_graph_allows_it() -> None:
    assert not lowered(graphs.linear(rows=8)).by_row


def fixed(rows: int) -> bytes:
    """Return y = x by way of a shape that has the batch in it."""
    return graphs.to_bytes(
        graphs.model(
            [node("Reshape", ["x", "to"], ["y"])],
            [value("x", shape=(rows, 2))],
            [value("y", shape=(rows, 2))],
            [constant("to", np.array([rows, 2], np.int64))],
        )
    )


def test_a_batch_of_one_that_cannot_be_opened_is_run_row_by_row() -> None:
    data = ONNX.lower(fixed(1), Hints())
    assert decode_plan(data).by_row
    records = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert ONNX.load(data).score({"x": records})["y"].tolist() == records.tolist()


def test_a_larger_batch_that_cannot_be_opened_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="batches of 8 rows only"):
        ONNX.lower(fixed(8), Hints())


def test_opening_a_batch_that_breaks_the_graph_is_told() -> None:
    made = graphs.parsed(graphs.linear(rows=4, features=4))
    made.graph.node.insert(0, node("MatMul", ["x", "square"], ["inner"]))
    made.graph.node[1].input[0] = "inner"
    made.graph.initializer.append(constant("square", np.eye(4, 2, dtype=np.float32)))
    assert not lowered(graphs.to_bytes(made)).by_row
    made.graph.node[1].op_type = "Nonsense"
    with pytest.raises(InvalidModel, match="Nonsense"):
        ONNX.lower(graphs.to_bytes(made), Hints())


def test_a_model_that_fails_at_made_up_rows_is_still_taken() -> None:
    plan = lowered(trained.mixed("error").onnx)
    assert not plan.by_row
    assert [column for each in plan.outputs for column in each.columns] == [
        "output_label",
        "probability(0)",
        "probability(1)",
    ]


def test_the_original_names_and_numbers_are_in_the_plan() -> None:
    plan = lowered(graphs.linear())
    assert (plan.version, plan.inputs[0].tensor, plan.outputs[0].tensor) == (3, "x", "y")


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("inputs", {"tensor": "z"}),
        ("inputs", {"element": "int64"}),
        ("outputs", {"tensor": "z"}),
        ("outputs", {"element": "float64"}),
    ],
)
def test_a_plan_that_does_not_fit_its_graph_is_refused(what: str, change: dict[str, str]) -> None:
    plan = lowered(graphs.linear())
    (binding,) = getattr(plan, what)
    other = msgspec.structs.replace(plan, **{what: (msgspec.structs.replace(binding, **change),)})
    with pytest.raises(InvalidModel, match=f"the {what} are not those of the graph"):
        ONNX.load(msgspec.msgpack.encode(other))


def test_a_plan_with_external_data_is_refused_on_load() -> None:
    made = graphs.parsed(graphs.linear())
    made.graph.initializer[0].CopyFrom(graphs.external("w", "secret.txt", 8))
    plan = lowered(graphs.linear())
    evil = msgspec.structs.replace(plan, onnx=graphs.to_bytes(made))
    with pytest.raises(InvalidModel, match="lies in a file"):
        ONNX.load(msgspec.msgpack.encode(evil))


def test_a_graph_that_onnx_runtime_refuses_is_an_invalid_model() -> None:
    made = graphs.parsed(graphs.linear())
    made.graph.node[0].input[0] = "nowhere"
    with pytest.raises(InvalidModel, match="ONNX Runtime cannot load the model"):
        ONNX.lower(graphs.to_bytes(made), Hints())


def test_a_model_of_a_later_standard_is_refused() -> None:
    made = graphs.parsed(graphs.linear())
    made.ir_version = 99
    with pytest.raises(InvalidModel, match="IR version"):
        ONNX.lower(graphs.to_bytes(made), Hints())
