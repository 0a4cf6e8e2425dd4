"""Reading and editing graphs."""

import numpy as np
import onnx
import pytest
from onnx import helper

from modelstream.errors import InvalidModel
from modelstream.formats.onnx_graph.graph import (
    class_labels,
    fixed_batches,
    graph_inputs,
    open_batch,
    parse_graph,
    strip_zipmaps,
)
from tests.support import graphs, trained
from tests.support.graphs import constant, node, value


@pytest.mark.parametrize("data", [b"", b"\x08\x08", b"PMML", b"<?xml version='1.0'?>", b"\x00" * 9])
def test_bytes_without_a_graph_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="not an ONNX model"):
        parse_graph(data)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    data = graphs.copied(graphs.FLOAT).replace(b"Identity", b"Identit\xff")
    with pytest.raises(InvalidModel, match="UTF-8"):
        parse_graph(data)


@pytest.mark.parametrize("name", sorted(trained.MODELS))
def test_a_real_model_reads_and_writes_as_the_same_message(name: str) -> None:
    data = trained.MODELS[name]().onnx
    again = parse_graph(data).SerializeToString()
    assert onnx.load_model_from_string(again) == onnx.load_model_from_string(data)


def test_training_information_is_dropped() -> None:
    made = graphs.parsed(graphs.linear())
    made.training_info.add().initialization.name = "start"
    assert (
        len(graphs.parsed(parse_graph(graphs.to_bytes(made)).SerializeToString()).training_info)
        == 0
    )


def test_sizes_that_are_not_positive_are_open() -> None:
    made = graphs.parsed(graphs.linear(rows=3))
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 0
    assert fixed_batches(parse_graph(graphs.to_bytes(made))) == set()


def test_initializers_among_the_inputs_are_not_inputs() -> None:
    made = graphs.parsed(graphs.linear())
    made.graph.input.append(value("w", shape=(2, 1)))
    assert [each.name for each in graph_inputs(parse_graph(graphs.to_bytes(made)))] == ["x"]


def test_the_batch_is_opened_in_a_copy() -> None:
    model = parse_graph(graphs.linear(rows=1))
    assert fixed_batches(model) == {1}
    opened = open_batch(model)
    assert fixed_batches(model) == {1}
    assert fixed_batches(opened) == set()
    assert opened.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "rows"


def zipped(labels: object, key: str) -> bytes:
    zipmap = node("ZipMap", ["p"], ["out"], domain="ai.onnx.ml", **{key: labels})
    kind = onnx.TensorProto.INT64 if key.endswith("64s") else onnx.TensorProto.STRING
    maps = helper.make_map_type_proto(kind, helper.make_tensor_type_proto(graphs.FLOAT, []))
    listed = helper.make_value_info("out", helper.make_sequence_type_proto(maps))
    return graphs.to_bytes(
        graphs.model(
            [node("Identity", ["x"], ["p"]), zipmap], [value("x", shape=("N", 2))], [listed]
        )
    )


@pytest.mark.parametrize(
    ("labels", "key", "told"),
    [
        ([3, -1], "classlabels_int64s", ("3", "-1")),
        (["gut", "schön"], "classlabels_strings", ("gut", "schön")),
    ],
)
def test_a_zipmap_becomes_its_tensor(labels: object, key: str, told: tuple[str, ...]) -> None:
    model = parse_graph(zipped(labels, key))
    assert strip_zipmaps(model) == {"out": told}
    onnx.checker.check_model(graphs.parsed(model.SerializeToString()), full_check=True)
    assert [each.op_type for each in model.graph.node] == ["Identity", "Identity"]


def test_stripping_zipmaps_twice_changes_nothing_more() -> None:
    model = parse_graph(zipped([0, 1], "classlabels_int64s"))
    strip_zipmaps(model)
    once = model.SerializeToString()
    assert strip_zipmaps(model) == {}
    assert model.SerializeToString() == once


def test_a_model_of_machine_learning_operators_alone_gets_the_standard_set_too() -> None:
    made = graphs.parsed(zipped([0, 1], "classlabels_int64s"))
    del made.graph.node[0]
    made.graph.node[0].input[0] = "x"
    del made.opset_import[0]
    model = parse_graph(graphs.to_bytes(made))
    strip_zipmaps(model)
    onnx.checker.check_model(graphs.parsed(model.SerializeToString()), full_check=True)


def test_class_labels_are_those_of_the_classifier() -> None:
    assert class_labels(parse_graph(trained.logistic().onnx)) == ("0", "1", "2")
    assert class_labels(parse_graph(trained.regression().onnx)) == ()


def test_classifiers_that_disagree_tell_no_labels() -> None:
    made = graphs.parsed(trained.logistic().onnx)
    made.graph.node.extend(graphs.parsed(trained.boosted().onnx).graph.node)
    assert class_labels(parse_graph(graphs.to_bytes(made))) == ()


def test_a_name_with_a_constant_of_the_same_name_stays_a_constant() -> None:
    made = graphs.parsed(graphs.linear())
    made.graph.initializer.append(constant("x", np.zeros((1, 2), np.float32)))
    assert graph_inputs(parse_graph(graphs.to_bytes(made))) == []
