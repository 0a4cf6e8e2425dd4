import io
import math
from collections.abc import Iterator
from typing import Any

import fastavro
import msgspec
import numpy as np
import pytest

from modelstream.core.effects import Answer
from modelstream.errors import InvalidFlow, SchemasUnavailable
from modelstream.flow import Flow
from modelstream.formats.base import Field
from modelstream.messages import ModelStamp, Result
from modelstream.schemas import RecordsFormat, Schemas
from modelstream.wire.proto import result_pb2
from modelstream.wire.results import ResultWriter, decode_result, encode_all
from modelstream.wire.schemas.result_avro import SCHEMA
from modelstream.wire.writing import result_format
from tests.support.schema_registry import SchemaRegistryServer, schema_registry

FORMATS: list[RecordsFormat] = ["json", "avro", "protobuf"]
ECHO = msgspec.Raw(b'{"x":"\xc3\xa9"}')
STAMP = ModelStamp("wine", "1", "5b", 3, 41.25, "7")
FIELDS = [
    Field("y", "float64"),
    Field("count", "int64"),
    Field("label", "string", optional=True),
    Field("sure", "bool"),
    Field("matrix of it", "float64", (2, 2)),
]


@pytest.fixture
def server() -> Iterator[SchemaRegistryServer]:
    with schema_registry() as server:
        yield server


def results(record: Any = ECHO) -> list[Result]:
    columns = {
        "y": np.array([0.1, math.nan]),
        "count": np.array([2**60, -1]),
        "label": np.array(["a", None], dtype=object),
        "sure": np.array([True, False]),
        "matrix of it": np.arange(8.0).reshape(2, 2, 2),
    }
    places = (["t", "t"], [0, 0], [5, 6])
    answer = Answer("wine", range(2), columns, STAMP, None)
    return ResultWriter([each.name for each in FIELDS]).results(
        answer, places, [10, 11], [record, record], [msgspec.UNSET, msgspec.UNSET]
    )


def flow(kind: RecordsFormat, registry: str = "") -> Flow:
    return Flow(name="wine", schemas=Schemas(results=kind, registry=registry))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("record", [None, ECHO, {"x": 1}])
def test_results_are_read_back_as_the_json_that_they_would_have_been(
    kind: RecordsFormat, record: Any
) -> None:
    made = result_format(flow(kind))
    made.prepare()
    written = made.as_json(made.encode(results(record)))
    wanted = encode_all(results(record))
    assert list(map(msgspec.json.decode, written)) == list(map(msgspec.json.decode, wanted))
    assert decode_result(written[0]).model == STAMP


def test_any_client_of_avro_reads_results() -> None:
    (first, _) = result_format(flow("avro")).encode(results())
    told: Any = fastavro.schemaless_reader(io.BytesIO(first), SCHEMA, None)
    assert told["outputs"] == {
        "y": 0.1,
        "count": 2**60,
        "label": "a",
        "sure": True,
        "matrix of it": {"shape": [2, 2], "values": [0.0, 1.0, 2.0, 3.0]},
    }
    assert (told["model"]["name"], told["topic"], told["offset"]) == ("wine", "t", 5)
    assert told["record"] == '{"x":"é"}'


def test_any_client_of_protobuf_reads_results() -> None:
    (_, second) = result_format(flow("protobuf")).encode(results())
    told = result_pb2.Result.FromString(second)
    assert told.outputs["count"].integer == -1
    assert told.outputs["label"].WhichOneof("kind") is None
    assert list(told.outputs["matrix of it"].tensor.shape) == [2, 2]
    assert (told.model.as_of, told.offset) == (3, 6)


@pytest.mark.parametrize("kind", ["avro", "protobuf"])
def test_a_schema_of_results_is_registered_once(
    kind: RecordsFormat, server: SchemaRegistryServer
) -> None:
    made = result_format(flow(kind, server.url))
    made.prepare()
    made.prepare()
    assert server.does.requests == ["POST /subjects/wine.results-value/versions"]
    written = made.encode(results())
    head = b"\0\0\0\0\1" + (b"\0" if kind == "protobuf" else b"")
    assert all(each.startswith(head) for each in written)
    assert decode_result(made.as_json(written)[0]).offset == 5


def test_a_registry_that_is_away_or_says_no_is_told(server: SchemaRegistryServer) -> None:
    made = result_format(flow("avro", server.url))
    server.does.status = 503
    with pytest.raises(SchemasUnavailable):
        made.prepare()
    server.does.status, server.does.body = 409, b'{"error_code":409,"message":"incompatible"}'
    with pytest.raises(InvalidFlow, match="incompatible"):
        made.prepare()
    server.does.status = 0
    made.prepare()


@pytest.mark.parametrize("kind", ["avro", "protobuf"])
@pytest.mark.parametrize("value", [b"?", b"{}", b"\xff" * 30])
def test_what_is_no_result_stays_what_it_is(kind: RecordsFormat, value: bytes) -> None:
    assert list(result_format(flow(kind)).as_json([value])) == [value]
