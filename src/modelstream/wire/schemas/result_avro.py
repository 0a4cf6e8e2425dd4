"""Results as Avro, and back to JSON. One schema for every model, so that no swap changes it."""

from io import BytesIO
from typing import Any

import fastavro
import msgspec

from modelstream.messages import ModelStamp, Result
from modelstream.wire.schemas.avro import AvroReader
from modelstream.wire.schemas.framing import malformed
from modelstream.wire.schemas.tensors import flat, nested, record_text

_SCALAR = ["null", "boolean", "long", "double", "string"]
_STAMP: list[Any] = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "digest", "type": "string"},
    {"name": "as_of", "type": "long"},
    {"name": "took_us", "type": "double"},
    {"name": "served_version", "type": "string", "default": ""},
]
_TENSOR: list[Any] = [
    {"name": "shape", "type": {"type": "array", "items": "long"}},
    {"name": "values", "type": {"type": "array", "items": _SCALAR}},
]
_FIELDS: list[Any] = [
    {
        "name": "outputs",
        "type": {
            "type": "map",
            "values": [*_SCALAR, {"type": "record", "name": "Tensor", "fields": _TENSOR}],
        },
    },
    {"name": "model", "type": {"type": "record", "name": "ModelStamp", "fields": _STAMP}},
    {"name": "data_type", "type": "string"},
    {"name": "topic", "type": "string"},
    {"name": "partition", "type": "int"},
    {"name": "offset", "type": "long"},
    {"name": "timestamp", "type": "long"},
    {"name": "record", "type": ["null", "string"], "default": None},
]
SCHEMA = {"type": "record", "name": "Result", "namespace": "modelstream", "fields": _FIELDS}
SCHEMA_TEXT = msgspec.json.encode(SCHEMA).decode()
_BRANCHES = {bool: "boolean", int: "long", float: "double", str: "string"}


class AvroResults:
    """Writes and reads results in Avro."""

    kind = "AVRO"
    text = SCHEMA_TEXT

    def __init__(self) -> None:
        self._schema = fastavro.parse_schema(SCHEMA)
        self._reader = AvroReader(SCHEMA_TEXT)

    def stamp(self, model: ModelStamp) -> Any:
        """Return a stamp as `write` takes it."""
        return msgspec.structs.asdict(model)

    def write(self, result: Result, stamp: Any) -> bytes:
        """Return the bytes of a result."""
        stream = BytesIO()
        told = {
            "outputs": {
                name: _value(value) for name, value in msgspec.to_builtins(result.outputs).items()
            },
            "model": stamp,
            "data_type": result.data_type,
            "topic": result.topic,
            "partition": result.partition,
            "offset": result.offset,
            "timestamp": result.timestamp,
            "record": record_text(result),
        }
        fastavro.schemaless_writer(stream, self._schema, told)
        return stream.getvalue()

    def plain(self, data: bytes) -> Any:
        """Return a result as its JSON has it. Raises Unreadable."""
        told = self._reader.read(data)
        try:
            outputs = {
                name: nested(value["shape"], value["values"]) if isinstance(value, dict) else value
                for name, value in told["outputs"].items()
            }
        except ValueError as error:
            raise malformed(str(error)) from error
        record = told["record"]
        return told | {
            "outputs": outputs,
            "record": None if record is None else msgspec.Raw(record.encode()),
        }


def _value(value: Any) -> Any:
    """Name the branch of a value, which is much faster than to have it found."""
    if isinstance(value, list):
        shape, values = flat(value)
        return ("modelstream.Tensor", {"shape": shape, "values": [*map(_value, values)]})
    return None if value is None else (_BRANCHES[type(value)], value)
