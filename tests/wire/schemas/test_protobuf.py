from contextlib import suppress
from typing import Any

import msgspec
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from modelstream.wire.schemas.framing import Unreadable, UnusableSchema
from modelstream.wire.schemas.limits import PROTOBUF_VALUES_MAX
from modelstream.wire.schemas.protobuf import ProtobufReader, message_at, message_named
from tests.support.schemas import wine_file

SET = descriptor_pb2.FileDescriptorSet(file=[wine_file()]).SerializeToString()
WINE = message_named(SET, "test.Wine")


def message(**fields: Any) -> Any:
    return GetMessageClass(WINE)(**fields)


def as_json(data: bytes) -> Any:
    return msgspec.json.decode(msgspec.json.encode(ProtobufReader(WINE).read(data)))


def test_a_message_of_every_kind_is_read() -> None:
    wine = message(x=7.5, kind=1, maybe=0.0, list=[1, 2], counts={"a": 2**60}, raw=b"\xff")
    wine.other.name = "o"
    wine.at.FromJsonString("2026-11-23T12:00:00Z")
    wine.next.x = 1.5
    wine.wrapped.value = 0.0
    wine.all.add().kind = 9
    told = as_json(wine.SerializeToString())
    assert told.pop("next")["x"] == 1.5
    assert told.pop("all")[0]["kind"] == 9, "an enum's unknown value is its number"
    assert told == {
        "x": 7.5,
        "kind": "WHITE",
        "maybe": 0.0,
        "list": [1.0, 2.0],
        "counts": {"a": 2**60},
        "other": {"name": "o"},
        "raw": "/w==",
        "at": "2026-11-23T12:00:00Z",
        "wrapped": 0.0,
    }


def test_what_has_no_presence_has_its_default_and_what_has_is_left_out() -> None:
    assert as_json(b"") == {
        "x": 0.0,
        "kind": "RED",
        "list": [],
        "counts": {},
        "raw": "",
        "all": [],
    }


def test_unknown_fields_are_ignored() -> None:
    assert as_json(b"\xf8\x07\x05" + message(x=2.0).SerializeToString())["x"] == 2.0


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_unreadable(data: bytes) -> None:
    with suppress(Unreadable):
        assert isinstance(as_json(data)["x"], float | None)


@pytest.mark.parametrize("data", [b"\x09\0\0", b"\xff" * 20, b"\x52\x7f"])
def test_broken_messages_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        ProtobufReader(WINE).read(data)


def test_messages_nested_without_end_are_unreadable() -> None:
    data = b""
    for _ in range(2000):
        size = len(data)
        length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        data = b"\x4a" + length + data  # field 9, `next`
    with pytest.raises(Unreadable):
        ProtobufReader(WINE).read(data)


def test_unset_fields_without_number_are_unreadable() -> None:
    """Two bytes an empty message: a record of 1 MiB would become some 500 MB."""
    count = PROTOBUF_VALUES_MAX // 10
    with pytest.raises(Unreadable, match="values, set or not"):
        ProtobufReader(WINE).read(b"\x5a\0" * count)  # field 11, `all`


def test_a_message_is_found_by_its_place_in_the_file() -> None:
    data = wine_file().SerializeToString()
    assert message_at(data, {}, (0,)).full_name == "test.Other"
    assert message_at(data, {}, (1, 1)).full_name == "test.Wine.Inner"
    for nowhere in ((2,), (1, 7), (-1,), (0, 0)):
        with pytest.raises(UnusableSchema):
            message_at(data, {}, nowhere)


def test_a_file_may_import_another() -> None:
    other = descriptor_pb2.FileDescriptorProto(name="o.proto", package="o", syntax="proto3")
    other.message_type.add(name="O").field.add(name="n", number=1, type=3, label=1)
    file = descriptor_pb2.FileDescriptorProto(name="f.proto", syntax="proto3")
    file.dependency.append("lib/o.proto")
    field = file.message_type.add(name="F").field
    field.add(name="o", number=1, type=11, label=1, type_name=".o.O")
    data, imported = file.SerializeToString(), other.SerializeToString()
    found = message_at(data, {"lib/o.proto": imported}, (0,))
    assert msgspec.json.encode(ProtobufReader(found).read(b"\x0a\x02\x08\x05")) == b'{"o":{"n":5}}'
    with pytest.raises(UnusableSchema, match="fit together"):
        message_at(data, {}, (0,))


@pytest.mark.parametrize("data", [b"\xff", SET[:-10]])
def test_what_is_no_set_of_descriptors_is_refused(data: bytes) -> None:
    with pytest.raises(UnusableSchema):
        message_named(data, "test.Wine")


def test_a_message_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnusableSchema, match=r"test\.Other, test\.Wine"):
        message_named(SET, "test.Beer")
