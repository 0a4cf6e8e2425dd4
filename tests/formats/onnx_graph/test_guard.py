"""What is refused, from bytes alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import load_model
from modelstream.formats.onnx_graph.graph import parse_graph
from modelstream.formats.onnx_graph.guard import check_graph
from tests.support import graphs
from tests.support.graphs import constant, external, node, value

SECRET = "secret.txt"


def check(data: bytes) -> None:
    check_graph(parse_graph(data))


def with_initializer(tensor: Any) -> bytes:
    return graphs.to_bytes(
        graphs.model(
            [node("Cast", ["w"], ["f"], to=graphs.FLOAT), node("Add", ["x", "f"], ["y"])],
            [value("x")],
            [value("y")],
            [tensor],
        )
    )


def in_attribute(tensor: Any) -> bytes:
    return graphs.to_bytes(
        graphs.model(
            [
                node("Constant", [], ["w"], value=tensor),
                node("Cast", ["w"], ["f"], to=graphs.FLOAT),
                node("Add", ["x", "f"], ["y"]),
            ],
            [value("x")],
            [value("y")],
        )
    )


def in_branch(tensor: Any) -> bytes:
    branch = graphs.graph(
        [node("Cast", ["w"], ["b"], to=graphs.FLOAT)], [], [value("b", shape=(8,))], [tensor]
    )
    return graphs.to_bytes(
        graphs.model(
            [
                node("If", ["yes"], ["f"], then_branch=branch, else_branch=branch),
                node("Add", ["x", "f"], ["y"]),
            ],
            [value("x")],
            [value("y")],
            [constant("yes", np.array(True))],
        )
    )


def in_function(tensor: Any) -> bytes:
    function = helper.make_function(
        "mine",
        "Shift",
        ["a"],
        ["b"],
        [
            node("Constant", [], ["w"], value=tensor),
            node("Cast", ["w"], ["f"], to=graphs.FLOAT),
            node("Add", ["a", "f"], ["b"]),
        ],
        [helper.make_opsetid("", 17)],
    )
    return graphs.to_bytes(
        graphs.model(
            [node("Shift", ["x"], ["y"], domain="mine")],
            [value("x")],
            [value("y")],
            functions=[function],
            domains=["mine"],
        )
    )


def sparse(tensor: Any) -> bytes:
    made = graphs.parsed(with_initializer(constant("w", np.zeros(8, np.uint8))))
    indices = constant("i", np.arange(8, dtype=np.int64))
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(tensor, indices, [8]))
    return graphs.to_bytes(made)


def in_attribute_list(tensor: Any) -> bytes:
    made = graphs.parsed(with_initializer(constant("w", np.zeros(8, np.uint8))))
    made.graph.node[0].attribute.append(helper.make_attribute("tensors", [tensor]))
    return graphs.to_bytes(made)


def in_sparse_attribute(tensor: Any) -> bytes:
    made = graphs.parsed(with_initializer(constant("w", np.zeros(8, np.uint8))))
    indices = constant("i", np.arange(8, dtype=np.int64))
    sparse_tensor = helper.make_sparse_tensor(tensor, indices, [8])
    made.graph.node[0].attribute.append(helper.make_attribute("sparse", sparse_tensor))
    return graphs.to_bytes(made)


def in_function_default(tensor: Any) -> bytes:
    made = graphs.parsed(in_function(constant("w", np.zeros(8, np.uint8))))
    made.functions[0].attribute_proto.append(helper.make_attribute("value", tensor))
    return graphs.to_bytes(made)


PLACES = [
    with_initializer,
    in_attribute,
    in_branch,
    in_function,
    sparse,
    in_attribute_list,
    in_sparse_attribute,
    in_function_default,
]


@pytest.mark.parametrize("place", PLACES)
def test_a_tensor_in_a_file_is_refused_wherever_it_hides(place: Any) -> None:
    with pytest.raises(InvalidModel, match="lies in a file"):
        check(place(external("w", SECRET, 8)))


@pytest.mark.parametrize("place", PLACES)
def test_the_same_model_with_its_tensor_inside_passes(place: Any) -> None:
    check(place(constant("w", np.zeros(8, np.uint8))))


@pytest.mark.parametrize("place", [with_initializer, in_attribute, in_branch, in_function])
def test_a_file_beside_the_process_is_not_read(
    place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SECRET).write_text("TOP-SECRET-TOKEN")
    monkeypatch.chdir(tmp_path)
    for location in (SECRET, str(tmp_path / SECRET), f"../{tmp_path.name}/{SECRET}"):
        with pytest.raises(InvalidModel, match="lies in a file"):
            load_model(place(external("w", location, 8)), "onnx")


def test_external_data_without_the_flag_is_refused() -> None:
    tensor = constant("w", np.zeros(8, np.uint8))
    tensor.external_data.add(key="location", value=SECRET)
    with pytest.raises(InvalidModel, match="lies in a file"):
        check(with_initializer(tensor))


@pytest.mark.parametrize(
    "domain", ["com.microsoft", "ai.onnx.preview", "ai.onnx.preview.training", "mine"]
)
def test_an_operator_outside_the_standard_is_refused_by_name(domain: str) -> None:
    data = graphs.to_bytes(
        graphs.model(
            [node("Gelu", ["x"], ["y"], domain=domain)],
            [value("x")],
            [value("y")],
            domains=[domain],
        )
    )
    with pytest.raises(UnsupportedModel, match=f"'Gelu' of domain '{domain}'"):
        check(data)


def test_a_domain_that_is_imported_and_not_used_is_no_harm() -> None:
    check(graphs.linear(domains=["com.microsoft"]))


def test_a_random_operator_is_refused() -> None:
    data = graphs.to_bytes(
        graphs.model([node("RandomNormalLike", ["x"], ["y"])], [value("x")], [value("y")])
    )
    with pytest.raises(UnsupportedModel, match="another answer each time"):
        check(data)


def test_a_model_local_function_of_standard_operators_scores() -> None:
    model = load_model(in_function(constant("w", np.full(1, 3, np.uint8))), "onnx")
    assert model.score({"x": np.array([1.0, 2.0])})["y"].tolist() == [4.0, 5.0]


def functions(count: int, calls: int) -> bytes:
    """Return a model whose function i calls function i + 1 several times, and the last none."""
    made = []
    for at in range(count):
        last = at == count - 1
        operator, domain = ("Neg", "") if last else (f"F{at + 1}", "mine")
        texts = ["a", *(f"t{i}" for i in range(calls - 1)), "b"]
        body = [node(operator, [texts[i]], [texts[i + 1]], domain=domain) for i in range(calls)]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
        made.append(helper.make_function("mine", f"F{at}", ["a"], ["b"], body, opsets))
    return graphs.to_bytes(
        graphs.model(
            [node("F0", ["x"], ["y"], domain="mine")],
            [value("x")],
            [value("y")],
            functions=made,
            domains=["mine"],
        )
    )


def test_functions_that_unfold_without_bound_are_refused() -> None:
    check(functions(4, 10))
    with pytest.raises(InvalidModel, match=f"1{'0' * 30} nodes"):
        check(functions(30, 10))


def test_a_function_that_calls_itself_is_refused() -> None:
    made = graphs.parsed(functions(2, 1))
    made.functions[1].node[0].op_type = "F0"
    made.functions[1].node[0].domain = "mine"
    with pytest.raises(InvalidModel, match="calls itself"):
        check(graphs.to_bytes(made))


def nested(depth: int) -> bytes:
    inner = graphs.graph([node("Neg", ["x"], ["b"])], [], [value("b")])
    for _ in range(depth - 1):
        step = node("If", ["yes"], ["b"], then_branch=inner, else_branch=inner)
        inner = graphs.graph([step], [], [value("b")])
    return graphs.to_bytes(
        graphs.model(
            [node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)],
            [value("x")],
            [value("y")],
            [constant("yes", np.array(True))],
        )
    )


def test_graphs_nested_too_deep_are_refused() -> None:
    check(nested(limits.ONNX_SUBGRAPH_DEPTH_MAX))
    with pytest.raises(InvalidModel, match="nested deeper"):
        check(nested(limits.ONNX_SUBGRAPH_DEPTH_MAX + 1))


def test_too_many_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ONNX_NODES_MAX", 0)
    with pytest.raises(InvalidModel, match="1 nodes"):
        check(graphs.linear())


def test_an_unknown_place_of_a_tensor_is_refused() -> None:
    made = parse_graph(with_initializer(constant("w", np.zeros(8, np.uint8))))
    made.graph.initializer[0].data_location = 7
    with pytest.raises(InvalidModel, match="lies in a file"):
        check(made.SerializeToString())
