"""Avro and protobuf for tests, written by hand or by the libraries' own writers."""

import io
import json
import struct
from typing import Any

import fastavro
from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto


def zigzag(number: int) -> bytes:
    """Write a number as Avro does, and Confluent's message indexes."""
    number = (number << 1) ^ (number >> 63)
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


def avro(schema: Any, record: Any) -> bytes:
    """Write one record."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
    return stream.getvalue()


def record_schema(*fields: tuple[str, Any], name: str = "Wine") -> Any:
    """Return the schema of a record."""
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": each, "type": kind} for each, kind in fields],
    }


def framed(number: int, data: bytes, *, indexes: bytes = b"") -> bytes:
    """Put the id of a schema in front of a record."""
    return struct.pack(">bI", 0, number) + indexes + data


def text(schema: Any) -> str:
    """Return a schema as a registry keeps it."""
    return json.dumps(schema)


def wine_file() -> descriptor_pb2.FileDescriptorProto:
    """Return a .proto file with messages of many kinds of fields.

    message Other {string name = 1;}
    message Wine {double x; Kind kind; optional double maybe; repeated double list; map<string, int64>
    counts; Other other; bytes raw; Timestamp at; Wine next; DoubleValue wrapped;
    message Inner {int64 big = 1;}}
    """
    file = descriptor_pb2.FileDescriptorProto(name="wine.proto", package="test", syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"])
    kind = file.enum_type.add(name="Kind")
    kind.value.add(name="RED", number=0)
    kind.value.add(name="WHITE", number=1)
    file.message_type.add(name="Other").field.add(name="name", number=1, type=9, label=1)
    wine = file.message_type.add(name="Wine")

    def add(name: str, kind: int, label: int = 1, of: str = "", **more: Any) -> None:
        number = len(wine.field) + 1
        told = {"type_name": of} if of else {}
        wine.field.add(name=name, number=number, type=kind, label=label, **told, **more)

    add("x", Field.TYPE_DOUBLE)
    add("kind", Field.TYPE_ENUM, of=".test.Kind")
    wine.oneof_decl.add(name="_maybe")
    add("maybe", Field.TYPE_DOUBLE, oneof_index=0, proto3_optional=True)
    add("list", Field.TYPE_DOUBLE, 3)
    entry = wine.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=9, label=1)
    entry.field.add(name="value", number=2, type=3, label=1)
    add("counts", Field.TYPE_MESSAGE, 3, ".test.Wine.CountsEntry")
    add("other", Field.TYPE_MESSAGE, 1, ".test.Other")
    add("raw", Field.TYPE_BYTES)
    add("at", Field.TYPE_MESSAGE, 1, ".google.protobuf.Timestamp")
    add("next", Field.TYPE_MESSAGE, 1, ".test.Wine")
    add("wrapped", Field.TYPE_MESSAGE, 1, ".google.protobuf.DoubleValue")
    add("all", Field.TYPE_MESSAGE, 3, ".test.Wine")
    wine.nested_type.add(name="Inner").field.add(name="big", number=1, type=3, label=1)
    return file
