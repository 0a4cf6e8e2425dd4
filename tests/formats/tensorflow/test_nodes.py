"""Attributes of nodes: of the kind that is asked for, or the default."""

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.nodes import Node
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import node


def read(made: pb.NodeDef) -> Node:
    return Node(made.name, made.op, (), (), made.attr)


def test_attributes_are_read_by_their_kinds() -> None:
    each = read(node("n", "Op", b=True, i=3, f=0.5, s="SAME", t=("type", 9), l=[1, 2]))
    assert each.flag("b")
    assert (each.integer("i"), each.number("f", 1), each.text("s")) == (3, 0.5, "SAME")
    assert (each.kind("t", 1), each.integers("l")) == (9, (1, 2))
    assert str(each) == "Op 'n'"


def test_an_attribute_that_is_not_written_has_its_default() -> None:
    each = read(node("n", "Op"))
    assert (each.flag("x"), each.flag("x", default=True)) == (False, True)
    assert (each.integer("x", 7), each.number("x", 0.2), each.text("x", "a")) == (7, 0.2, "a")
    assert (each.kind("x", 3), each.integers("x", (1,)), each.shape("x")) == (3, (1,), None)
    with pytest.raises(InvalidModel, match="has no value"):
        each.tensor("value")
    with pytest.raises(InvalidModel, match="calls no function"):
        each.function("f")


def test_an_attribute_of_another_kind_is_refused() -> None:
    each = read(node("n", "Op", x="text", T=pb.AttrValue(placeholder="T")))
    with pytest.raises(InvalidModel, match="an attribute 'x' of the wrong kind"):
        each.integer("x")
    with pytest.raises(UnsupportedModel, match="for any type"):
        each.kind("T", 1)
