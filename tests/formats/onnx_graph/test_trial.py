"""Is a batch its rows? Tried on graphs that are, are not, and cannot tell."""

from typing import Any

import numpy as np
import pytest

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.graph import parse_graph
from modelstream.formats.onnx_graph.signature import bind_inputs
from modelstream.formats.onnx_graph.trial import Trial, try_rows
from modelstream.formats.runtime import open_session
from tests.support import graphs, trained
from tests.support.graphs import constant, node, value


def tried(data: bytes) -> Trial:
    session = open_session(data)
    return try_rows(session, bind_inputs(session, parse_graph(data), Hints()))


def one_step(operator: str, out: Any, constants: Any = (), **attributes: Any) -> bytes:
    extra = [each.name for each in constants]
    return graphs.to_bytes(
        graphs.model(
            [node(operator, ["x", *extra], ["y"], **attributes)],
            [value("x", shape=("N", 4))],
            [value("y", shape=out)],
            constants,
        )
    )


@pytest.mark.parametrize("name", ["logistic", "boosted", "regression"])
def test_batches_of_real_models_are_their_rows(name: str) -> None:
    assert tried(trained.MODELS[name]().onnx).outcome == "batch"


def test_the_shape_of_a_row_is_seen() -> None:
    assert tried(graphs.copied(graphs.FLOAT, ("N", 4, 5))) == Trial("batch", {"y": (4, 5)})


def test_rows_that_change_each_other_are_found_out() -> None:
    assert tried(one_step("Softmax", ("N", 4), axis=0)).outcome == "single"


def test_a_graph_that_fails_at_batches_takes_single_rows() -> None:
    shape = constant("to", np.array([1, 4], np.int64))
    assert tried(one_step("Reshape", ("N", 4), [shape])).outcome == "single"


def test_a_graph_that_fails_at_made_up_rows_is_unknown() -> None:
    assert tried(graphs.lookup()) == Trial("unknown", {})


def test_an_output_that_is_not_a_row_each_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="'y' has not one entry a row"):
        tried(one_step("Transpose", (4, "N"), perm=[1, 0]))
    with pytest.raises(UnsupportedModel, match="'y' has not one entry a row"):
        tried(one_step("ReduceMax", (), keepdims=0))


def test_an_output_too_large_for_a_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TENSOR_VALUES_MAX", 7)
    twice = constant("twice", np.array([1, 2], np.int64))
    with pytest.raises(InvalidModel, match="'y' has 8 values a row; 7 are allowed"):
        tried(one_step("Tile", ("N", 8), [twice]))


def test_a_model_that_eats_the_memory_is_refused() -> None:
    with pytest.raises(InvalidModel, match="memory runs out"):
        tried(graphs.bomb(2**47))


def test_open_dimensions_are_tried_with_some_length() -> None:
    assert tried(graphs.copied(graphs.FLOAT, ("N", "K"))) == Trial("batch", {"y": (8,)})


def test_many_open_dimensions_do_not_make_huge_rows() -> None:
    shape = ("N", *(f"d{at}" for at in range(12)))
    assert tried(graphs.copied(graphs.FLOAT, shape, shape)).shapes == {"y": (1,) * 12}
