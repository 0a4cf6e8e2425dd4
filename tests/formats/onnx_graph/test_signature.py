"""The names, types and shapes of columns."""

from typing import Any

import numpy as np
import pytest
from onnx import helper

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import load_model
from modelstream.formats.base import Field
from tests.support import graphs, trained
from tests.support.graphs import constant, node, value


def inputs(data: bytes, *names: str) -> list[Field]:
    return list(load_model(data, "onnx", feature_names=names).inputs)


def outputs(data: bytes, *labels: str) -> list[Field]:
    return list(load_model(data, "onnx", labels=labels).outputs)


def two_matrices(second: Any = ("N", 1)) -> bytes:
    return graphs.to_bytes(
        graphs.model(
            [node("Concat", ["x", "z"], ["y"], axis=1)],
            [value("x", shape=("N", 2)), value("z", shape=second)],
            [value("y", shape=("N", "M"))],
        )
    )


def test_a_matrix_without_names_is_one_column() -> None:
    assert inputs(graphs.linear()) == [Field("x", "float32", (2,))]


def test_feature_names_make_a_matrix_columns() -> None:
    assert inputs(graphs.linear(), "a", "b") == [Field("a", "float32"), Field("b", "float32")]


@pytest.mark.parametrize("written", ['["a", "b"]', ' [ "a","b" ] ', "a,b", "a, b"])
def test_feature_names_stand_in_the_metadata(written: str) -> None:
    data = graphs.linear(metadata={"author": "me", "feature_names": written})
    assert [field.name for field in inputs(data)] == ["a", "b"]


def test_the_descriptors_names_go_before_the_metadata() -> None:
    data = graphs.linear(metadata={"feature_names": "a,b"})
    assert [field.name for field in inputs(data, "c", "d")] == ["c", "d"]


@pytest.mark.parametrize("written", ["[1, 2]", "[", '{"a": "b"}', "a"])
def test_metadata_that_does_not_name_the_columns_is_refused(written: str) -> None:
    with pytest.raises(InvalidModel, match="feature"):
        inputs(graphs.linear(metadata={"feature_names": written}))


@pytest.mark.parametrize("written", ['["b"]', "b"])
def test_the_metadata_tells_what_may_be_missing(written: str) -> None:
    data = graphs.linear(metadata={"feature_names": "a,b", "optional_features": written})
    assert inputs(data) == [Field("a", "float32"), Field("b", "float32", optional=True)]


def test_what_may_be_missing_is_so_under_the_publishers_names() -> None:
    data = graphs.linear(metadata={"feature_names": "a,b", "optional_features": "b"})
    for names in (("c", "d"), ("b", "a")):
        assert [field.optional for field in inputs(data, *names)] == [False, True]


@pytest.mark.parametrize(("written", "why"), [("c", "no input of floats"), ("[", "not a list")])
def test_what_cannot_be_missing_is_refused(written: str, why: str) -> None:
    data = graphs.linear(metadata={"feature_names": "a,b", "optional_features": written})
    with pytest.raises(InvalidModel, match=f"optional_features .*{why}"):
        inputs(data)


def test_only_floats_may_be_missing() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("Identity", ["x"], ["y"])],
            [value("x", graphs.INT64)],
            [value("y", graphs.INT64)],
            metadata={"optional_features": "x"},
        )
    )
    with pytest.raises(InvalidModel, match="'x', which is no input of floats"):
        inputs(data)


def test_a_wrong_number_of_names_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidModel, match=r"3 feature names .* 'x' has 2"):
        inputs(graphs.linear(), "a", "b", "c")


def test_an_open_width_is_as_many_as_there_are_names() -> None:
    data = graphs.linear(features="K")
    assert inputs(data) == [Field("x", "float32", (None,))]
    assert inputs(data, "a", "b") == [Field("a", "float32"), Field("b", "float32")]


def test_a_single_column_can_be_named() -> None:
    data = graphs.doubled(graphs.FLOAT, ("N", 1), ("N", 1))
    assert inputs(data) == [Field("x", "float32")]
    assert inputs(data, "age") == [Field("age", "float32")]


def test_names_are_shared_out_to_matrices_in_order() -> None:
    data = two_matrices(("N", 3))
    assert [field.name for field in inputs(data, *"abcde")] == list("abcde")
    with pytest.raises(InvalidModel, match=r"4 feature names .* 'x' has 2, 'z' has 3"):
        inputs(data, *"abcd")


def test_a_column_beside_a_matrix_keeps_its_name() -> None:
    assert [field.name for field in inputs(two_matrices(), "a", "b")] == ["a", "b", "z"]


def test_columns_with_names_of_their_own_are_not_named_again() -> None:
    columns = trained.mixed().onnx
    own = [Field("age", "float32", optional=True), Field("town", "string"), Field("rooms", "int64")]
    assert inputs(columns) == own
    assert inputs(columns, "town", "rooms", "age") == own
    with pytest.raises(InvalidModel, match="names of their own: age, town, rooms"):
        inputs(columns, "a", "b", "c")


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidModel, match="same name: z"):
        inputs(two_matrices(), "a", "z")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (graphs.FLOAT, "float32"),
        (graphs.DOUBLE, "float64"),
        (graphs.HALF, "float32"),
        (graphs.INT64, "int64"),
        (graphs.INT32, "int32"),
        (graphs.UINT8, "int32"),
        (graphs.BOOL, "bool"),
        (graphs.STRING, "string"),
    ],
)
def test_each_element_type_has_a_field_type(kind: int, told: str) -> None:
    data = graphs.copied(kind, ("N", 4, "K"), ("N", 4, "K"))
    assert [(field.type, field.shape) for field in inputs(data)] == [(told, (4, None))]
    assert [(field.type, field.shape) for field in outputs(data)] == [(told, (4, None))]


def test_a_type_without_a_column_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedModel, match=r"'x' is a tensor\(uint64\)"):
        inputs(graphs.copied(13))


def test_an_input_without_rows_is_refused() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("Add", ["x", "rate"], ["y"])],
            [value("x"), value("rate", shape=())],
            [value("y")],
        )
    )
    with pytest.raises(UnsupportedModel, match="'rate' is one value for all records"):
        inputs(data)


def test_an_input_without_a_declared_shape_takes_names() -> None:
    made = graphs.parsed(graphs.linear())
    made.graph.input[0].type.tensor_type.ClearField("shape")
    assert inputs(graphs.to_bytes(made), "a", "b") == [Field("a", "float32"), Field("b", "float32")]


def test_a_model_without_inputs_is_refused() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("Identity", ["w"], ["y"])],
            [],
            [value("y")],
            [constant("w", np.zeros(1, np.float32))],
        )
    )
    with pytest.raises(InvalidModel, match="no inputs"):
        inputs(data)


def test_rows_larger_than_a_record_are_refused() -> None:
    side = limits.TENSOR_VALUES_MAX // 2
    with pytest.raises(InvalidModel, match="values a row"):
        inputs(graphs.copied(graphs.FLOAT, ("N", side, 3), ("N", side, 3)))


def test_more_inputs_than_a_signature_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FIELDS_MAX", 1)
    with pytest.raises(InvalidModel, match="2 inputs; 1 are allowed"):
        inputs(graphs.linear(), "a", "b")


def test_class_columns_are_named_after_the_classes() -> None:
    names = [field.name for field in outputs(trained.forest().onnx)]
    assert names == [
        "output_label",
        "probability(setosa)",
        "probability(versicolor)",
        "probability(virginica)",
    ]


def test_the_descriptors_labels_go_before_the_models() -> None:
    names = [field.name for field in outputs(trained.logistic().onnx, "a", "b", "c")]
    assert names == ["label", "probability(a)", "probability(b)", "probability(c)"]


def test_labels_name_the_columns_of_a_plain_tensor() -> None:
    data = graphs.copied(graphs.FLOAT, ("N", 2), ("N", 2))
    assert outputs(data) == [Field("y", "float32", (2,))]
    assert outputs(data, "no", "yes") == [
        Field("probability(no)", "float32"),
        Field("probability(yes)", "float32"),
    ]


def test_two_outputs_with_classes_carry_their_own_names() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("Identity", ["x"], ["raw"]), node("Softmax", ["x"], ["soft"])],
            [value("x", shape=("N", 2))],
            [value("raw", shape=("N", 2)), value("soft", shape=("N", 2))],
        )
    )
    names = [field.name for field in outputs(data, "no", "yes")]
    assert names == ["raw(no)", "raw(yes)", "soft(no)", "soft(yes)"]


def test_labels_that_fit_nothing_are_refused() -> None:
    with pytest.raises(InvalidModel, match="2 labels are given, the model has 3: 0, 1, 2"):
        outputs(trained.logistic().onnx, "a", "b")
    with pytest.raises(InvalidModel, match="no output has a value for each"):
        outputs(graphs.copied(graphs.FLOAT, ("N", 3), ("N", 3)), "a", "b")


def test_an_output_of_one_value_is_a_plain_number() -> None:
    assert outputs(trained.regression().onnx) == [Field("variable", "float32")]


def test_an_output_that_is_a_list_is_refused() -> None:
    listed = helper.make_tensor_sequence_value_info("y", graphs.FLOAT, None)
    data = graphs.to_bytes(
        graphs.model([node("SequenceConstruct", ["x"], ["y"])], [value("x")], [listed])
    )
    with pytest.raises(UnsupportedModel, match="'y' is a seq"):
        outputs(data)


def test_a_wrongly_declared_output_has_the_shape_that_it_is_seen_to_have() -> None:
    made = graphs.parsed(graphs.copied(graphs.FLOAT, ("N", 3), (1,)))
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    assert outputs(graphs.to_bytes(made)) == [Field("y", "float32", (3,))]
