"""Graphs written node by node are those that were meant."""

import numpy as np
import onnxruntime as ort
import pytest

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.onnx_graph.writer import Declared, GraphWriter, onnx_type
from tests.support import graphs

FLOAT = np.dtype(np.float32)


def test_a_written_graph_answers() -> None:
    writer = GraphWriter()
    weights = writer.constant(np.array([[1.0], [10.0]], np.float32))
    (product,) = writer.node("MatMul", ["x", weights])
    (leaky,) = writer.node("LeakyRelu", [product], alpha=0.5)
    parts = writer.node("Split", [leaky], 1, axis=0, num_outputs=1)
    (turned,) = writer.node("Transpose", parts, perm=[1, 0])
    (back,) = writer.node("Einsum", [turned], equation="ij->ji")
    model = writer.finish(
        [Declared("x", FLOAT, (None, 2))],
        [("y", back)],
        producer=("Maker", "1"),
        metadata=[("key", "text")],
    )
    data = model.SerializeToString()
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    (answer,) = session.run(["y"], {"x": np.array([[1, 2], [-1, 0]], np.float32)})
    assert answer.tolist() == [[21.0], [-0.5]]
    assert session.get_inputs()[0].shape == [None, 2]
    known = session.get_modelmeta()
    assert (known.producer_name, known.custom_metadata_map) == ("Maker", {"key": "text"})


def test_an_input_of_no_known_shape_has_none() -> None:
    model = GraphWriter().finish([Declared("x", FLOAT, None), Declared("n", FLOAT, ())], [])
    unknown, scalar = model.graph.input
    assert not unknown.type.tensor_type.HasField("shape")
    assert scalar.type.tensor_type.HasField("shape")


@pytest.mark.parametrize("name", ["float16", "float64", "int8", "uint64", "bool"])
def test_constants_keep_their_type_and_their_values(name: str) -> None:
    writer = GraphWriter()
    array = np.array([0, 1], name)
    copied = writer.node("Identity", [writer.constant(array)])[0]
    data = writer.finish([], [("y", copied)]).SerializeToString()
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    (answer,) = session.run(["y"], {})
    assert answer.dtype == array.dtype
    assert answer.tolist() == array.tolist()
    assert onnx_type(array.dtype) == graphs.parsed(data).graph.initializer[0].data_type


def test_what_is_written_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARTIFACT_BYTES_MAX", 100)
    monkeypatch.setattr(limits, "ONNX_NODES_MAX", 3)
    writer = GraphWriter()
    writer.constant(np.zeros(12))
    with pytest.raises(InvalidModel, match="more than 100 bytes"):
        writer.constant(np.zeros(12))
    writer.node("Split", ["x"], 2)
    with pytest.raises(InvalidModel, match="more than 3 nodes"):
        writer.node("Neg", ["x"])
