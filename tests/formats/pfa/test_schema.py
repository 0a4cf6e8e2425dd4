"""Types as a document declares them."""

from typing import Any

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa.schema import Schemas
from modelstream.formats.pfa.types import DOUBLE, INT, Array, Enum, Fixed, Map, Record, Union

NODE = {
    "type": "record",
    "name": "Node",
    "namespace": "tree",
    "fields": [
        {"name": "value", "type": "double"},
        {"name": "next", "type": ["null", "Node"]},
    ],
}


def read(node: Any, document: Any = None) -> Any:
    return Schemas(document if document is not None else node).read(node, "type")


def test_a_type_may_be_wrapped_in_objects() -> None:
    assert read({"type": {"type": "int"}}) == INT
    assert read({"type": "array", "items": {"type": "map", "values": "double"}}) == Array(
        Map(DOUBLE)
    )


def test_a_record_may_hold_itself_by_its_short_name() -> None:
    record = read(NODE)
    assert isinstance(record, Record)
    assert record.name == "tree.Node"
    assert record.fields["next"].members[1] is record  # type: ignore[union-attr]


def test_a_name_may_be_declared_anywhere_in_the_document() -> None:
    schemas = Schemas({"action": [{"new": [], "type": {"type": "array", "items": NODE}}]})
    assert schemas.read("tree.Node", "input") is schemas.read(["null", "tree.Node"], "x").members[1]  # type: ignore[union-attr]


def test_data_that_looks_like_a_declaration_is_none() -> None:
    document = {"cells": {"x": {"type": "string", "init": {"type": "enum", "name": "Fake"}}}}
    with pytest.raises(InvalidModel, match="'Fake' is not declared"):
        Schemas(document).read("Fake", "input")


def test_enums_and_fixed_are_read() -> None:
    enum = read({"type": "enum", "name": "E", "symbols": ["a", "b"]})
    assert isinstance(enum, Enum)
    assert enum.symbols == ("a", "b")
    fixed = read({"type": "fixed", "name": "F", "size": 3})
    assert isinstance(fixed, Fixed)
    assert fixed.size == 3


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (3, "a type is a name, a list or an object"),
        ([], "a union is of one type or more"),
        (["int", ["null", "string"]], "none of which is a union"),
        (["int", "int"], "stands twice"),
        ({"type": "array"}, "lacks 'items'"),
        ({"type": "enum", "name": "E", "symbols": ["a", "a"]}, "different strings"),
        ({"type": "fixed", "name": "F", "size": -1}, "whole number"),
        ({"type": "record", "name": "R", "fields": [{"type": "int"}]}, "a name and a type"),
        ("Unknown", "'Unknown' is not declared"),
    ],
)
def test_what_is_no_type_is_refused_with_its_place(node: Any, words: str) -> None:
    with pytest.raises(InvalidModel, match=words):
        read(node)


def test_one_name_has_one_declaration() -> None:
    with pytest.raises(InvalidModel, match="declared twice, and differently"):
        Schemas([NODE, {**NODE, "fields": []}])
    Schemas([NODE, {**NODE, "doc": "the same"}])


def test_a_union_of_types_that_look_alike_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="whole numbers"):
        read(["int", "long"])
    assert isinstance(read(["int", "double"]), Union)
