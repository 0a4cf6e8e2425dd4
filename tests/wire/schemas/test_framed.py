from collections.abc import Iterator

import msgspec
import pytest

from modelstream.errors import InvalidFlow, SchemasUnavailable
from modelstream.schemas import RecordsFormat, Schemas
from modelstream.wire.schemas.framed import Framed
from modelstream.wire.schemas.framing import Unreadable
from modelstream.wire.schemas.limits import (
    SCHEMA_BYTES_MAX,
    SCHEMA_LOOKUPS_PER_SECOND_MAX,
    SCHEMA_REFERENCES_MAX,
    SCHEMA_UNKNOWN_SECONDS,
    SCHEMAS_UNKNOWN_KEPT_MAX,
)
from tests.support.schema_registry import SchemaRegistryServer, schema_registry, serialized
from tests.support.schemas import avro, framed, record_schema, text, wine_file, zigzag

ONE = record_schema(("x", "double"))
TWO = record_schema(("x", "double"), ("y", ["null", "double"]))


@pytest.fixture
def server() -> Iterator[SchemaRegistryServer]:
    with schema_registry() as server:
        yield server


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reader(
    server: SchemaRegistryServer, kind: RecordsFormat = "avro", clock: Clock | None = None
) -> Framed:
    return Framed(Schemas(records=kind, registry=server.url), clock or Clock())


def reason(read: Framed, value: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as told:
        read.read(value)
    return told.value.failure


def test_each_record_is_read_by_the_schema_it_was_written_by(server: SchemaRegistryServer) -> None:
    old, new = server.does.add("w", text(ONE)), server.does.add("w", text(TWO))
    read = reader(server)
    assert read.read(framed(old, avro(ONE, {"x": 1.0}))) == {"x": 1.0}
    assert read.read(framed(new, avro(TWO, {"x": 2.0, "y": 3.0}))) == {"x": 2.0, "y": 3.0}
    assert read.read(framed(old, avro(ONE, {"x": 4.0}))) == {"x": 4.0}
    assert server.does.requests == ["GET /schemas/ids/1", "GET /schemas/ids/2"], "each once"


def test_an_unknown_schema_is_asked_for_again_after_a_while(server: SchemaRegistryServer) -> None:
    clock = Clock()
    read = reader(server, clock=clock)
    value = framed(1, avro(ONE, {"x": 1.0}))
    assert reason(read, value) == ("unknown_schema", "schema 1: Schema not found")
    server.does.add("w", text(ONE))
    assert reason(read, value)[0] == "unknown_schema"
    assert len(server.does.requests) == 1
    clock.now += SCHEMA_UNKNOWN_SECONDS + 1
    assert read.read(value) == {"x": 1.0}


def test_invented_ids_cannot_flood_the_registry(server: SchemaRegistryServer) -> None:
    clock = Clock()
    read = reader(server, clock=clock)
    for number in range(SCHEMA_LOOKUPS_PER_SECOND_MAX):
        reason(read, framed(number, b""))
    with pytest.raises(SchemasUnavailable, match="in a moment"):
        read.read(framed(1000, b""))
    assert reason(read, framed(0, b""))[0] == "unknown_schema", "what is known needs no question"
    clock.now += 1
    assert reason(read, framed(1000, b""))[0] == "unknown_schema"


def test_what_is_remembered_of_invented_ids_is_bounded(server: SchemaRegistryServer) -> None:
    clock = Clock()
    read = reader(server, clock=clock)
    read._unknown = {(number, ()): (clock.now, "?") for number in range(SCHEMAS_UNKNOWN_KEPT_MAX)}
    reason(read, framed(2**31, b""))
    assert len(read._unknown) == SCHEMAS_UNKNOWN_KEPT_MAX
    assert (0, ()) not in read._unknown, "the oldest goes"


def test_a_registry_that_is_away_is_nobody_s_fault(server: SchemaRegistryServer) -> None:
    server.does.add("w", text(ONE))
    read, value = reader(server), framed(1, avro(ONE, {"x": 1.0}))
    server.stop()
    with pytest.raises(SchemasUnavailable, match="start it again"):
        read.read(value)
    server.start()
    assert read.read(value) == {"x": 1.0}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_registry_in_trouble_is_away(server: SchemaRegistryServer, status: int) -> None:
    server.does.status = status
    with pytest.raises(SchemasUnavailable, match=str(status)):
        reader(server).read(framed(1, b""))


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [(404, b"<html>", "404"), (301, b"", "301"), (200, b"<html>", "no answer of its API")],
)
def test_what_is_no_registry_is_a_wrong_flow(
    server: SchemaRegistryServer, status: int, body: bytes, why: str
) -> None:
    server.does.status, server.does.body = status, body
    with pytest.raises(InvalidFlow, match=why):
        reader(server).read(framed(1, b""))


def test_a_registry_asks_for_a_password(server: SchemaRegistryServer) -> None:
    server.does.add("w", text(ONE))
    value = framed(1, avro(ONE, {"x": 1.0}))
    server.does.authorization = "Basic bWU6c2VjcmV0"
    with pytest.raises(InvalidFlow, match="registry_user"):
        reader(server).read(value)
    told = Schemas(
        records="avro", registry=server.url, registry_user="me", registry_password="secret"
    )
    assert Framed(told).read(value) == {"x": 1.0}
    server.does.authorization = "Bearer abc"
    assert Framed(Schemas(records="avro", registry=server.url, registry_token="abc")).read(value)


def test_a_schema_may_refer_to_others(server: SchemaRegistryServer) -> None:
    inner = record_schema(("deep", "int"), name="Inner")
    server.does.add("inner", text(inner))
    refers = [{"name": "Inner", "subject": "inner", "version": 1}]
    number = server.does.add("w", text(record_schema(("i", "Inner"))), references=refers)
    assert reader(server).read(framed(number, zigzag(4))) == {"i": {"deep": 4}}


def test_references_without_end_are_refused(server: SchemaRegistryServer) -> None:
    last = SCHEMA_REFERENCES_MAX + 5
    for index in range(last):
        refers = [{"name": f"T{index + 1}", "subject": f"s{index + 1}", "version": 1}]
        server.does.add(f"s{index}", text(f"T{index}"), references=refers)
    failure = reason(reader(server), framed(1, b""))
    assert failure == ("unknown_schema", "schema 1: it is made of more than 32 others")


def test_a_schema_that_cannot_be_used_is_unknown(server: SchemaRegistryServer) -> None:
    server.does.add("w", text(record_schema(("next", ["null", "Wine"]))))
    server.does.add("w", "{}", "JSON")
    server.does.add("w", '"' + "x" * SCHEMA_BYTES_MAX + '"')
    read = reader(server)
    assert "contains itself" in reason(read, framed(1, b""))[1]
    assert reason(read, framed(2, b""))[1] == "schema 2: it is one of JSON, not of AVRO"
    assert "more than" in reason(read, framed(3, b""))[1]


def test_messages_are_found_by_their_indexes(server: SchemaRegistryServer) -> None:
    server.does.add("w", serialized(wine_file()), "PROTOBUF")
    read = reader(server, "protobuf")
    other = read.read(framed(1, b"\x0a\x01o", indexes=b"\0"))
    inner = read.read(framed(1, b"\x08\x07", indexes=zigzag(2) + zigzag(1) + zigzag(1)))
    assert msgspec.to_builtins(other) == {"name": "o"}
    assert msgspec.to_builtins(inner) == {"big": 7}
    assert reason(read, framed(1, b"", indexes=zigzag(1) + zigzag(9)))[0] == "unknown_schema"
    assert server.does.requests[0] == "GET /schemas/ids/1?format=serialized"


def test_a_descriptor_that_is_not_serialized_is_unknown(server: SchemaRegistryServer) -> None:
    server.does.add("w", 'syntax = "proto3";', "PROTOBUF")
    failure = reason(reader(server, "protobuf"), framed(1, b"", indexes=b"\0"))
    assert "no serialized descriptor" in failure[1]
