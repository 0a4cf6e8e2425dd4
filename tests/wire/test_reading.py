import json
import sys
from pathlib import Path
from typing import Any

import pytest

from modelstream.errors import InvalidFlow
from modelstream.schemas import Schemas
from modelstream.wire.reading import RecordReader, record_reader
from tests.support.schemas import avro, record_schema, text, wine_file

ONE = record_schema(("x", "double"), ("raw", "bytes"))


def avro_reader(path: Path) -> RecordReader:
    (path / "wine.avsc").write_text(text(ONE))
    reader = record_reader(Schemas(records="avro", file=str(path / "wine.avsc")))
    assert reader is not None
    return reader


def test_plain_json_needs_no_reader() -> None:
    assert record_reader(Schemas()) is None


def test_avro_becomes_json_and_harms_no_neighbour(tmp_path: Path) -> None:
    good = avro(ONE, {"x": 1.5, "raw": b"\xff"})
    read = avro_reader(tmp_path).read([good, b"", good + b"?", good])
    assert [json.loads(each) if each else None for each in read.records] == [
        {"x": 1.5, "raw": "/w=="},
        None,
        None,
        {"x": 1.5, "raw": "/w=="},
    ]
    assert {row: each.reason for row, each in read.failures.items()} == {
        1: "malformed",
        2: "malformed",
    }


def test_a_number_that_json_does_not_have_is_missing(tmp_path: Path) -> None:
    values = [avro(ONE, {"x": each, "raw": b""}) for each in (float("nan"), float("inf"))]
    read = avro_reader(tmp_path).read(values)
    assert [json.loads(each)["x"] for each in read.records] == [None, None]


def test_protobuf_becomes_json_by_the_message_that_the_flow_names(tmp_path: Path) -> None:
    from google.protobuf import descriptor_pb2

    path = tmp_path / "wine.binpb"
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[wine_file()]).SerializeToString())
    told = Schemas(records="protobuf", file=str(path), message="test.Other")
    reader = record_reader(told)
    assert reader is not None
    assert reader.read([b"\x0a\x03red"]).records == [b'{"name":"red"}']


def test_a_json_schema_checks_records_of_any_format(tmp_path: Path) -> None:
    rule = tmp_path / "rule.json"
    rule.write_text('{"properties": {"x": {"maximum": 1}}}')
    reader = record_reader(Schemas(json_schema=str(rule)))
    assert reader is not None
    read = reader.read([b'{"x": 1}', b'{"x": 2}', b"?"])
    assert list(read.records) == [b'{"x": 1}', b'{"x": 2}', b"?"]
    assert {row: each.reason for row, each in read.failures.items()} == {1: "schema_violation"}
    (tmp_path / "wine.avsc").write_text(text(ONE))
    both = Schemas(records="avro", file=str(tmp_path / "wine.avsc"), json_schema=str(rule))
    reader = record_reader(both)
    assert reader is not None
    read = reader.read([avro(ONE, {"x": 2.0, "raw": b""}), b"?"])
    assert {row: each.reason for row, each in read.failures.items()} == {
        0: "schema_violation",
        1: "malformed",
    }


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_a_schema_that_cannot_be_used_is_a_wrong_flow(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "wine.avsc"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidFlow, match="cannot be used"):
        record_reader(Schemas(records="avro", file=str(path)))


@pytest.mark.parametrize("missing", ["fastavro", "jsonschema_rs"])
def test_a_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    room = {"fastavro": "avro", "jsonschema_rs": "conformity"}[missing]
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"modelstream.wire.schemas.{room}", raising=False)
    (tmp_path / "a").write_text("{}")
    told = Schemas(records="avro", file=str(tmp_path / "a"))
    if missing == "jsonschema_rs":
        told = Schemas(json_schema=str(tmp_path / "a"))
    with pytest.raises(InvalidFlow, match=r"modelstream\[schemas\]"):
        record_reader(told)
