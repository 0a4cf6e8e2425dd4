"""The part of a graph that is needed, with functions in place of their calls."""

from itertools import pairwise

import pytest

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.graph import in_order, needed, read_graph, read_ref
from modelstream.formats.tensorflow.nodes import Ref
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import call, function, graph, node

OUT = [Ref("out", 0)]


def order(made: pb.GraphDef, *fed: Ref) -> list[tuple[str, str]]:
    part = needed(read_graph(made), OUT, fed)
    return [(each.name, each.op) for each in in_order(part, OUT, fed)]


@pytest.mark.parametrize(("text", "ref"), [("a", Ref("a", 0)), ("a/b:12", Ref("a/b", 12))])
def test_an_output_is_a_node_and_a_number(text: str, ref: Ref) -> None:
    assert read_ref(text) == ref


@pytest.mark.parametrize("text", ["", ":1", "a:", "a:b", "a:-1", "a:1:2", "a:123456", "a:²"])
def test_what_is_no_output_of_a_node_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel, match="is not an output of a node"):
        read_ref(text)


def test_only_what_the_outputs_are_made_of_is_in_order() -> None:
    made = graph(
        node("out", "Add", ["b", "a:1", "^before"]),
        node("b", "Neg", ["a"]),
        node("a", "Split"),
        node("before", "NoOp", ["^deep"]),
        node("deep", "Assert"),
        node("beside", "ReadFile", ["a"]),
    )
    assert order(made) == [("a", "Split"), ("b", "Neg"), ("out", "Add")]
    assert set(needed(read_graph(made), OUT, ()).nodes) == {"out", "a", "b", "before", "deep"}


def test_nothing_is_needed_for_what_is_fed() -> None:
    made = graph(node("out", "Neg", ["x"]), node("x", "ParseExample", ["text"]))
    assert order(made, Ref("x", 0)) == [("out", "Neg")]
    assert order(made, OUT[0]) == []
    with pytest.raises(InvalidModel, match="no node 'text'"):
        order(made)


def test_a_call_becomes_the_body_of_its_function() -> None:
    body = function(
        "f",
        ["x", "y"],
        {"first": "best:indices:0", "second": "y"},
        node("best", "TopKV2", ["sum:z:0", "y"]),
        node("sum", "Add", ["x", "y", "^effect", "^y"]),
        node("effect", "NoOp"),
        controls=["effect"],
    )
    made = graph(
        node("out", "Neg", ["c:1"]),
        call("c", "f", ["a", "b:2"]),
        node("a", "Const"),
        node("b", "Const"),
        functions=[body],
    )
    part = needed(read_graph(made), OUT, ())
    assert part.nodes["c"].op == "IdentityN"
    assert part.nodes["c"].inputs == (Ref("c:best", 1), Ref("b", 2))
    assert part.nodes["c"].controls == ("c:effect",)
    assert part.nodes["c:sum"].inputs == (Ref("a", 0), Ref("b", 2))
    assert part.nodes["c:sum"].controls == ("c:effect",)


def test_a_function_may_be_called_by_its_name_and_from_another() -> None:
    inner = function("inner", ["x"], {"same": "x", "turned": "n:y:0"}, node("n", "Neg", ["x"]))
    outer = function("outer", ["x"], {"y": "i:turned:0"}, node("i", "inner", ["x"]))
    made = graph(call("out", "outer", ["a"]), node("a", "Const"), functions=[inner, outer])
    assert order(made) == [
        ("a", "Const"),
        ("out:i:n", "Neg"),
        ("out:i", "IdentityN"),
        ("out", "IdentityN"),
    ]


def test_functions_that_call_each_other_for_ever_are_refused() -> None:
    body = function("f", ["x"], {"y": "again:y:0"}, node("again", "f", ["x"]))
    made = graph(call("out", "f", ["a"]), node("a", "Const"), functions=[body])
    with pytest.raises(InvalidModel, match="without end"):
        order(made)


def test_functions_that_double_stop_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ONNX_NODES_MAX", 1000)
    calls = [
        function(
            f"f{at}",
            ["x"],
            {"y": "b:y:0"},
            node("a", f"f{at + 1}", ["x"]),
            node("b", f"f{at + 1}", ["a:y:0"]),
        )
        for at in range(30)
    ]
    last = function("f30", ["x"], {"y": "x"})
    made = graph(call("out", "f0", ["a"]), node("a", "Const"), functions=[*calls, last])
    with pytest.raises(InvalidModel, match="too many nodes"):
        order(made)


def test_calls_in_a_row_are_no_depth() -> None:
    body = function("f", ["x"], {"y": "n:y:0"}, node("n", "Neg", ["x"]))
    names = ["a", *(f"c{at}" for at in range(100)), "out"]
    row = [call(name, "f", [before]) for before, name in pairwise(names)]
    made = graph(node("a", "Const"), *row, functions=[body])
    assert len(order(made)) == 203


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (graph(node("out", "A"), node("out", "B")), "same name"),
        (graph(node("out", "A", ["b"]), node("b", "A", ["out"])), "in a circle"),
        (graph(call("out", "f", [])), "'f', which is not there"),
        (graph(call("out", "f", []), functions=[function("f", ["x"], {})]), "0 of 1 arguments"),
        (graph(call("out", "f", []), functions=[function("f", [], {"y": ""})]), "not an output"),
        (graph(node("out", "PartitionedCall")), "calls no function"),
    ],
    ids=["twice", "circle", "no function", "arguments", "no output", "no name"],
)
def test_a_graph_that_cannot_run_is_refused(made: pb.GraphDef, reason: str) -> None:
    with pytest.raises(InvalidModel, match=reason):
        order(made)


def test_a_function_of_lists_is_refused() -> None:
    body = function("f", ["x"], {"y": "x"})
    body.signature.input_arg[0].number_attr = "N"
    with pytest.raises(UnsupportedModel, match="function of lists"):
        order(graph(call("out", "f", ["a"]), node("a", "Const"), functions=[body]))


def test_a_graph_of_too_many_nodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ONNX_NODES_MAX", 1)
    with pytest.raises(InvalidModel, match="2 nodes; 1 are allowed"):
        read_graph(graph(node("a", "A"), node("b", "A")))
