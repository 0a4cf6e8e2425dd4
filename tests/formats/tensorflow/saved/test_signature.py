"""Which graph and which signature of a SavedModel is served."""

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.nodes import Ref
from modelstream.formats.tensorflow.saved.signature import (
    choose_signature,
    read_signature,
    served_graph,
)
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import graph, placeholder, to_bytes
from tests.support.tensorflow_saved import info, saved_model, signature

SIGNATURE = signature({"x": info("in:0")}, {"y": info("out:1"), "a": info("out")})


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["b", "serving_default", "predict"], "serving_default"),
        (["b", "predict"], "predict"),
        (["b"], "b"),
        (["b", "__saved_model_init_op"], "b"),
    ],
)
def test_the_default_is_served_or_the_only_one(names: list[str], chosen: str) -> None:
    assert choose_signature(dict.fromkeys(names, SIGNATURE)).name == chosen


@pytest.mark.parametrize(("names", "told"), [(["c", "b"], "b, c"), ([], "none")])
def test_where_none_is_the_one_to_serve_all_are_told(names: list[str], told: str) -> None:
    with pytest.raises(
        InvalidModel, match=rf"no signature 'serving_default'.*it has {told}; choose"
    ):
        choose_signature(dict.fromkeys(names, SIGNATURE))


def test_a_signature_is_chosen_by_its_name() -> None:
    known = dict.fromkeys(["b", "serving_default", "__saved_model_init_op"], SIGNATURE)
    assert choose_signature(known, "b").name == "b"
    for name in ("c", "__saved_model_init_op"):
        with pytest.raises(
            InvalidModel, match=rf"no signature '{name}'; it has b, serving_default$"
        ):
            choose_signature(known, name)


def test_inputs_and_outputs_bear_the_names_of_the_signature() -> None:
    read = read_signature("s", SIGNATURE)
    assert {ref: each.name for ref, each in read.inputs.items()} == {Ref("in", 0): "x"}
    assert read.outputs == [("a", Ref("out", 0)), ("y", Ref("out", 1))]


def test_what_is_no_plain_tensor_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="'x' of the signature is no plain tensor"):
        read_signature("s", signature({"x": pb.TensorInfo()}, {"y": info("out")}))
    with pytest.raises(InvalidModel, match="no outputs"):
        read_signature("s", signature({"x": info("in")}, {}))
    with pytest.raises(UnsupportedModel, match="two names for one input"):
        read_signature("s", signature({"x": info("i"), "z": info("i:0")}, {"y": info("o")}))


def test_the_graph_with_the_fewest_tags_is_served() -> None:
    plain, gpu, training = (
        saved_model(graph(placeholder(name)), {}, tags=tags)
        for name, tags in (("a", ["serve"]), ("b", ["serve", "gpu"]), ("c", ["train"]))
    )
    assert served_graph(training + gpu + plain).graph_def.node[0].name == "a"
    assert served_graph(training + gpu).graph_def.node[0].name == "b"
    with pytest.raises(InvalidModel, match=r"has the tag 'serve'; it has \[\['train'\]\]"):
        served_graph(training)
    with pytest.raises(InvalidModel, match="cannot be read"):
        served_graph(b"\xff")
    assert to_bytes(pb.SavedModel()) == b""
