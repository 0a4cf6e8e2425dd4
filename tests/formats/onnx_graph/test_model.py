"""Scoring: real models, odd graphs, bad rows, and answers that do not depend on the batch."""

from typing import Any

import numpy as np
import pytest

import modelstream as ms
from modelstream.errors import InvalidModel, InvalidRecord, ModelFailed
from modelstream.formats import load_model
from modelstream.formats.base import Model
from modelstream.messages import Columns
from tests.support import graphs, trained
from tests.support.graphs import constant, node, value


def loaded(name: str) -> Model:
    case = trained.MODELS[name]()
    return load_model(case.onnx, "onnx", feature_names=case.feature_names)


def part(columns: Columns, rows: slice) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


@pytest.mark.parametrize("name", ["logistic", "boosted", "forest", "network", "mixed"])
def test_a_classifier_gives_the_trainers_probabilities_and_labels(name: str) -> None:
    case = trained.MODELS[name]()
    scores = loaded(name).score(case.columns)
    label, *probabilities = scores
    assert probabilities == [f"probability({each})" for each in case.labels]
    got = np.stack([scores[each] for each in probabilities], axis=1)
    np.testing.assert_allclose(got, case.expected, atol=1e-5)
    best = [case.labels[at] for at in case.expected.argmax(axis=1)]
    assert scores[label].tolist() == best
    assert scores.errors == {}


def test_a_regression_gives_the_trainers_values() -> None:
    case = trained.regression()
    np.testing.assert_allclose(
        loaded("regression").score(case.columns)["variable"], case.expected, rtol=1e-5
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31])
@pytest.mark.parametrize("name", sorted(trained.MODELS))
def test_a_record_gets_the_same_answer_to_the_last_bit_in_any_batch(name: str, size: int) -> None:
    case, model = trained.MODELS[name](), loaded(name)
    rows = len(case.expected)
    whole = model.score(case.columns)
    for start in range(0, rows, size):
        some = model.score(part(case.columns, slice(start, start + size)))
        for output, column in some.items():
            expected = whole[output][start : start + size]
            assert column.tolist() == expected.tolist(), (output, start)


def test_a_network_of_doubles_answers_alike_in_any_batch() -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(37, 19)), rng.normal(size=(19, 7))
    data = graphs.to_bytes(
        graphs.model(
            [
                node("MatMul", ["x", "w0"], ["m"]),
                node("Tanh", ["m"], ["t"]),
                node("MatMul", ["t", "w1"], ["s"]),
                node("Softmax", ["s"], ["y"]),
            ],
            [value("x", graphs.DOUBLE, ("N", 37))],
            [value("y", graphs.DOUBLE, ("N", 7))],
            [constant("w0", weights[0]), constant("w1", weights[1])],
        )
    )
    model = load_model(data, "onnx")
    records = rng.normal(size=(41, 37))
    whole = model.score({"x": records})["y"]
    for size in (1, 2, 3, 7):
        for start in range(0, 41, size):
            some = model.score({"x": records[start : start + size]})["y"]
            np.testing.assert_array_equal(some, whole[start : start + size])


def test_columns_that_are_no_inputs_are_ignored() -> None:
    case = trained.logistic()
    more: Columns = {**case.columns, "when": np.array(["?"] * 3, dtype=object)}
    scores = loaded("logistic").score(more)
    assert scores["label"].tolist() == loaded("logistic").score(case.columns)["label"].tolist()


def test_a_bad_row_is_named_and_the_others_are_scored() -> None:
    case, model = trained.mixed(), loaded("mixed")
    columns = {name: column[:6].copy() for name, column in case.columns.items()}
    columns["town"][1] = None
    columns["town"][2] = 7
    columns["rooms"][4] = 2.5
    scores = model.score(columns)
    assert scores.errors == {
        1: "input 'town' (string): is missing",
        2: "input 'town' (string): '7' is not a value of it",
        4: "input 'rooms' (int64): '2.5' is not a value of it",
    }
    good = model.score(part(case.columns, slice(0, 6)))
    for name, column in scores.items():
        assert len(column) == 6
        for row in (0, 3, 5):
            assert column.tolist()[row] == good[name].tolist()[row]
    assert scores["output_label"].tolist()[1] is None
    assert np.isnan(scores["probability(0)"][[1, 2, 4]]).all()


def test_a_missing_number_is_an_error_unless_the_model_takes_one() -> None:
    plain = graphs.linear(metadata={"feature_names": "a,b"})
    says_so = graphs.linear(metadata={"feature_names": "a,b", "optional_features": "b"})
    rows: list[dict[str, float | None]] = [
        {"a": 1, "b": 1}, {"a": 1, "b": None}, {"a": 1}, {"a": None, "b": 1},
    ]  # fmt: skip
    for model, answered in ((plain, [0]), (says_so, [0, 1, 2])):
        columns = {name: np.array([row.get(name) for row in rows], float) for name in "ab"}
        scores = load_model(model, "onnx").score(columns)
        assert sorted(scores.errors) == sorted({0, 1, 2, 3} - set(answered))
        outcomes = list(ms.join(rows, [model], on_missing_answer="null"))
        kinds = [isinstance(each, ms.Result) for each in outcomes]
        assert kinds == [row in answered for row in range(4)]


def test_rows_that_are_all_bad_are_all_named() -> None:
    columns: Columns = {
        "age": np.zeros(3),
        "town": np.array([None, None, None], dtype=object),
        "rooms": np.zeros(3),
    }
    scores = loaded("mixed").score(columns)
    assert sorted(scores.errors) == [0, 1, 2]
    assert {name: len(column) for name, column in scores.items()} == {
        "output_label": 3,
        "probability(0)": 3,
        "probability(1)": 3,
    }


@pytest.mark.parametrize("name", sorted(trained.MODELS))
def test_no_rows_give_columns_of_no_rows(name: str) -> None:
    case, model = trained.MODELS[name](), loaded(name)
    scores = model.score(part(case.columns, slice(0, 0)))
    some = model.score(case.columns)
    assert {each: column.shape for each, column in scores.items()} == {
        each: (0, *column.shape[1:]) for each, column in some.items()
    }
    assert {each: c.dtype for each, c in scores.items()} == {
        each: c.dtype for each, c in some.items()
    }


def test_a_missing_input_is_named() -> None:
    columns = dict(trained.logistic().columns)
    del columns["f2"]
    with pytest.raises(InvalidRecord, match="'f2' is missing"):
        loaded("logistic").score(columns)
    with pytest.raises(InvalidRecord, match="'f0' is missing"):
        loaded("logistic").score({})


def test_columns_of_two_lengths_are_refused() -> None:
    columns = trained.logistic().columns | {"f2": np.zeros(1)}
    with pytest.raises(InvalidRecord, match="'f2' is of shape"):
        loaded("logistic").score(columns)


def test_a_category_that_the_model_does_not_know_is_its_failure() -> None:
    strict = load_model(trained.mixed("error").onnx, "onnx")
    columns: Columns = {
        "age": np.zeros(2),
        "town": np.array(["Ulm", "Rom"], dtype=object),
        "rooms": np.ones(2),
    }
    with pytest.raises(ModelFailed, match="Unknown Category"):
        strict.score(columns)
    assert strict.score(part(columns, slice(0, 1))).errors == {}


def test_a_closed_model_says_so() -> None:
    model = loaded("logistic")
    model.close()
    with pytest.raises(ModelFailed, match="closed"):
        model.score(trained.logistic().columns)


def test_text_that_has_no_bytes_fails_as_a_model_failure() -> None:
    model = load_model(graphs.copied(graphs.STRING), "onnx")
    with pytest.raises(ModelFailed):
        model.score({"x": np.array(["\ud800"], dtype=object)})


@pytest.mark.parametrize("kind", [graphs.FLOAT, graphs.DOUBLE, graphs.HALF, graphs.INT64])
@pytest.mark.parametrize("shape", [("N",), ("N", 1)])
def test_numbers_of_each_type_go_through(kind: int, shape: Any) -> None:
    model = load_model(graphs.doubled(kind, shape, shape), "onnx")
    assert model.score({"x": np.array([1.0, -2.0, 3.0])})["y"].tolist() == [2.0, -4.0, 6.0]


@pytest.mark.parametrize(
    ("kind", "values"),
    [(graphs.UINT8, [0, 255]), (graphs.BOOL, [True, False]), (graphs.STRING, ["a", "é"])],
)
def test_other_values_go_through(kind: int, values: list[Any]) -> None:
    model = load_model(graphs.copied(kind), "onnx")
    as_objects = np.array(values, dtype=object) if kind == graphs.STRING else np.array(values)
    assert model.score({"x": as_objects})["y"].tolist() == values


def test_whole_numbers_that_come_as_floats_go_in_as_integers() -> None:
    model = load_model(graphs.copied(graphs.INT64), "onnx")
    scores = model.score({"x": np.array([3.0, 4.0])})
    assert scores["y"].dtype == np.int64
    assert scores["y"].tolist() == [3, 4]


def test_tensors_of_rank_three_go_through() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
            [value("x", shape=("N", 2, "T", 3))],
            [value("y", shape=("N", 2, "T"))],
            [constant("axes", np.array([3], np.int64))],
        )
    )
    model = load_model(data, "onnx")
    records = np.arange(5 * 2 * 4 * 3, dtype=np.float64).reshape(5, 2, 4, 3)
    assert model.outputs[0].shape == (2, None)
    np.testing.assert_array_equal(model.score({"x": records})["y"], records.sum(axis=3))


def test_a_loop_is_run() -> None:
    model = load_model(graphs.counting_loop(), "onnx")
    assert model.score({"x": np.array([1.0, 2.5])})["y"].tolist() == [6.0, 7.5]


def test_rows_that_would_mix_are_scored_one_by_one() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("ReduceMax", ["x"], ["m"]), node("Div", ["x", "m"], ["y"])],
            [value("x", shape=("N", 2))],
            [value("y", shape=("N", 2))],
        )
    )
    scores = load_model(data, "onnx").score({"x": np.array([[1.0, 2.0], [10.0, 5.0], [4.0, 4.0]])})
    assert scores["y"].tolist() == [[0.5, 1.0], [1.0, 0.5], [1.0, 1.0]]


@pytest.mark.parametrize("keepdims", [0, 1])
def test_an_answer_that_is_not_one_a_row_is_a_failure_of_the_model(keepdims: int) -> None:
    model = load_model(graphs.lookup(keepdims), "onnx")
    for rows in (2, 3):
        with pytest.raises(InvalidModel, match="'y' is of shape"):
            model.score({"x": np.full(rows, 101)})


def test_rows_whose_answers_differ_in_shape_fail_together_and_score_alone() -> None:
    data = graphs.to_bytes(
        graphs.model(
            [
                node("NonZero", ["x"], ["at"]),
                node("ReduceMax", ["x"], ["keep"], axes=[0], keepdims=0),
                node("Slice", ["at", "one", "two"], ["columns"]),
            ],
            [value("x", shape=("N", 4))],
            [value("columns", graphs.INT64, (1, "K"))],
            [constant("one", np.array([1], np.int64)), constant("two", np.array([2], np.int64))],
        )
    )
    model = load_model(data, "onnx")
    records = np.array([[1.0, 0, 1, 0], [0, 0, 1, 0]])
    assert model.score({"x": records[:1]})["columns"].tolist() == [[0, 2]]
    assert model.score({"x": records[1:]})["columns"].tolist() == [[2]]
    with pytest.raises(ModelFailed, match="differ in shape"):
        model.score({"x": records})
