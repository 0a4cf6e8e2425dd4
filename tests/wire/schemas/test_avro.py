import datetime as dt
import decimal
import json
import subprocess
import sys
import uuid
from contextlib import suppress
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.wire.schemas.avro import AvroReader
from modelstream.wire.schemas.framing import Unreadable, UnusableSchema
from modelstream.wire.schemas.limits import AVRO_DECIMAL_BYTES_MAX
from tests.support.schemas import avro, record_schema, text, zigzag

RED = {"type": "enum", "name": "Kind", "symbols": ["RED", "WHITE"]}
MANY = record_schema(
    ("x", "double"),
    ("small", "float"),
    ("n", "long"),
    ("s", "string"),
    ("b", "boolean"),
    ("maybe", ["null", "double"]),
    ("list", {"type": "array", "items": "double"}),
    ("map", {"type": "map", "values": "int"}),
    ("kind", RED),
    ("inner", record_schema(("deep", "int"), name="Inner")),
)


def reader(schema: Any) -> AvroReader:
    return AvroReader(text(schema))


def test_a_record_of_every_kind_is_read() -> None:
    record = {
        "x": 7.4,
        "small": 0.5,
        "n": -(2**62),
        "s": "é",
        "b": True,
        "maybe": None,
        "list": [1.0, 2.0],
        "map": {"a": 1},
        "kind": "WHITE",
        "inner": {"deep": -3},
    }
    assert reader(MANY).read(avro(MANY, record)) == record


def test_logical_types_are_what_they_mean() -> None:
    def logical(kind: str, meaning: str, **more: Any) -> dict[str, Any]:
        return {"type": kind, "logicalType": meaning, **more}

    schema = record_schema(
        ("day", logical("int", "date")),
        ("at", logical("long", "timestamp-millis")),
        ("price", logical("bytes", "decimal", precision=40, scale=2)),
        ("fixed", logical("fixed", "decimal", name="F", size=4, precision=8, scale=3)),
        ("id", logical("string", "uuid")),
    )
    record = {
        "day": dt.date(2026, 11, 23),
        "at": dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC),
        "price": decimal.Decimal("-123456789012345678901234567890.25"),
        "fixed": decimal.Decimal("1.250"),
        "id": uuid.UUID(int=7),
    }
    assert reader(schema).read(avro(schema, record)) == record


def test_a_schema_may_be_made_of_others() -> None:
    inner = record_schema(("deep", "int"), name="Inner")
    outer = record_schema(("inner", "Inner"))
    read = AvroReader(text(outer), [text(inner)])
    assert read.read(zigzag(5)) == {"inner": {"deep": 5}}


@given(st.binary(max_size=64))
def test_any_bytes_are_a_record_or_unreadable(data: bytes) -> None:
    with suppress(Unreadable):
        assert set(reader(MANY).read(data)) == {each["name"] for each in MANY["fields"]}


@given(st.data())
def test_a_record_cut_off_anywhere_is_unreadable(data: st.DataObject) -> None:
    schema = record_schema(("x", "double"), ("s", "string"))
    whole = avro(schema, {"x": 1.0, "s": "wine"})
    short = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Unreadable):
        reader(schema).read(short)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("string", zigzag(2**60) + b"abc"),
        ("string", zigzag(-5) + b"abc"),
        ("bytes", zigzag(2**40)),
        ("long", b"\xff" * 1000),
        ("double", b"\0" * 7),
        ("string", zigzag(2) + b"\xff\xfe"),
        (["null", "long"], zigzag(9)),
        (RED, zigzag(7)),
        ({"type": "array", "items": "int"}, zigzag(2**60) + b"\x02" * 9),
        ({"type": "array", "items": "int"}, zigzag(-(2**60)) + zigzag(1) + b"\x02" * 9),
        ({"type": "map", "values": "int"}, zigzag(2**60) + b"\x02"),
        ({"type": "long", "logicalType": "timestamp-millis"}, zigzag(2**62)),
        ({"type": "string", "logicalType": "uuid"}, zigzag(2) + b"xx"),
    ],
    ids=str,
)
def test_lengths_counts_and_values_that_lie_are_unreadable(kind: Any, data: bytes) -> None:
    with pytest.raises(Unreadable):
        reader(record_schema(("a", kind))).read(data)


def test_bytes_after_the_record_are_unreadable() -> None:
    schema = record_schema(("x", "double"))
    with pytest.raises(Unreadable, match="1 bytes are left"):
        reader(schema).read(avro(schema, {"x": 1.0}) + b"\0")


def test_a_decimal_of_endless_digits_is_unreadable_at_once() -> None:
    kind = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
    size = AVRO_DECIMAL_BYTES_MAX + 1
    with pytest.raises(Unreadable, match="a decimal of"):
        reader(record_schema(("a", kind))).read(zigzag(size) + b"\x7f" * size)


@pytest.mark.parametrize(
    "schema",
    ["", "{", '"no such type"', "[]" * 2, '{"type":"record"}', "7", "[" * 1000 + "]" * 1000],
)
def test_what_is_no_schema_is_refused(schema: str) -> None:
    with pytest.raises(UnusableSchema):
        AvroReader(schema)


def test_the_library_would_not_survive_a_schema_that_contains_itself() -> None:
    """So that the refusal of such schemas goes the day the library does."""
    loop = record_schema(("next", ["null", "Wine"]))
    program = (
        "import io, json, fastavro\n"
        f"schema = fastavro.parse_schema(json.loads({json.dumps(json.dumps(loop))}))\n"
        "fastavro.schemaless_reader(io.BytesIO(b'\\x02' * 1_000_000), schema, None)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode < 0, f"fastavro {fastavro.__version__} survives it now"
