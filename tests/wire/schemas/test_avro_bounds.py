from typing import Any

import pytest

from modelstream.wire.schemas.avro import AvroReader
from modelstream.wire.schemas.framing import UnusableSchema
from modelstream.wire.schemas.limits import AVRO_NODES_MAX
from tests.support.schemas import record_schema, text, zigzag


def array(items: Any) -> Any:
    return {"type": "array", "items": items}


def doubling(levels: int) -> Any:
    """A schema of 2**levels values in no bytes at all."""
    schema: Any = "null"
    for level in range(levels):
        inner = schema if isinstance(schema, str) else schema["name"]
        schema = record_schema(("a", schema), ("b", inner), name=f"L{level}")
    return schema


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (record_schema(("next", ["null", "Wine"])), "contains itself"),
        (record_schema(("all", array("Wine"))), "contains itself"),
        (record_schema(("a", array("null"))), "hardly any bytes"),
        (record_schema(("a", array(record_schema(name="Empty")))), "hardly any bytes"),
        (
            record_schema(("a", array({"type": "fixed", "name": "F", "size": 0}))),
            "hardly any bytes",
        ),
        (doubling(40), "more than"),
        (
            record_schema(
                ("a", array(record_schema(*((f"n{i}", "null") for i in range(40)), name="N")))
            ),
            "hardly any bytes",
        ),
        (
            record_schema(*((f"n{i}", "int") for i in range(AVRO_NODES_MAX + 1))),
            "more than",
        ),
    ],
    ids=["itself", "list of itself", "nulls", "empty", "fixed", "doubling", "wide", "long"],
)
def test_a_schema_that_bounds_no_record_is_refused(schema: Any, why: str) -> None:
    with pytest.raises(UnusableSchema, match=why):
        AvroReader(text(schema))


@pytest.mark.parametrize(
    "schema",
    [
        record_schema(("a", array("int"))),
        record_schema(("a", array(array(array("double"))))),
        record_schema(("a", array(["null", "double"]))),
        record_schema(("a", {"type": "map", "values": "null"})),
        record_schema(("a", doubling(8))),
        record_schema(*((f"n{i}", ["null", "double"]) for i in range(1000))),
    ],
    ids=["list", "lists of lists", "of unions", "map of nulls", "nested", "a thousand fields"],
)
def test_an_ordinary_schema_is_accepted(schema: Any) -> None:
    AvroReader(text(schema))


def test_a_type_used_twice_does_not_contain_itself() -> None:
    inner = record_schema(("x", "int"), name="Inner")
    read = AvroReader(text(record_schema(("a", inner), ("b", "Inner"))))
    assert read.read(zigzag(1) + zigzag(2)) == {"a": {"x": 1}, "b": {"x": 2}}
