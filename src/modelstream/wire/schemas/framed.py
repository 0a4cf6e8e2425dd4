"""Records that tell their schema by an id, and the registry that knows it.

A schema is asked for once. An id that the registry does not know is asked for again after a while,
because somebody may register it; the records of the meantime are rejected.
"""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from modelstream.errors import InvalidFlow, SchemasUnavailable
from modelstream.messages import Failure
from modelstream.schemas import Schemas
from modelstream.wire.schemas.framing import (
    HEAD_BYTES,
    Unreadable,
    UnusableSchema,
    message_indexes,
    schema_id,
)
from modelstream.wire.schemas.limits import (
    SCHEMA_LOOKUPS_PER_SECOND_MAX,
    SCHEMA_UNKNOWN_SECONDS,
    SCHEMAS_KEPT_MAX,
    SCHEMAS_UNKNOWN_KEPT_MAX,
)
from modelstream.wire.schemas.protobuf import ProtobufReader, message_at
from modelstream.wire.schemas.registry import SchemaRegistry, UnknownSchema

# The id of a schema, and which message of its file; Avro has one alone.
_Key = tuple[int, tuple[int, ...]]
_KINDS = {"avro": "AVRO", "protobuf": "PROTOBUF"}


class ObjectReader(Protocol):
    """Makes plain values of the bytes of one record."""

    def read(self, data: bytes) -> Any:
        """Return what encodes to the record's JSON. Raises Unreadable."""
        ...


class Framed:
    """Reads records in Confluent's wire format; one thread uses it."""

    def __init__(self, schemas: Schemas, clock: Callable[[], float] = time.monotonic) -> None:
        self._kind, self._clock = schemas.records, clock
        self._registry = SchemaRegistry(schemas)
        self._known: dict[_Key, ObjectReader] = {}
        self._unknown: dict[_Key, tuple[float, str]] = {}
        self._second, self._lookups = 0.0, 0

    def read(self, value: bytes) -> Any:
        """Return one record. Raises Unreadable, SchemasUnavailable, InvalidFlow."""
        indexes: tuple[int, ...] = ()
        number, start = schema_id(value), HEAD_BYTES
        if self._kind == "protobuf":
            indexes, start = message_indexes(value)
        reader = self._known.get((number, indexes)) or self._found((number, indexes))
        return reader.read(value[start:])

    def _found(self, key: _Key) -> ObjectReader:
        """Ask for a schema, unless that was in vain a moment ago."""
        asked_at, why = self._unknown.get(key, (0.0, ""))
        if not why or self._clock() - asked_at > SCHEMA_UNKNOWN_SECONDS:
            try:
                reader = self._asked(key)
            except (UnknownSchema, UnusableSchema) as error:
                why = str(error)
                _keep(self._unknown, key, (self._clock(), why), SCHEMAS_UNKNOWN_KEPT_MAX)
            else:
                _keep(self._known, key, reader, SCHEMAS_KEPT_MAX)
                return reader
        raise Unreadable(Failure("unknown_schema", f"schema {key[0]}: {why}"))

    def _asked(self, key: _Key) -> ObjectReader:
        self._count()
        number, indexes = key
        schema = self._registry.schema(number)
        if schema.kind != _KINDS[self._kind]:
            raise UnusableSchema(f"it is one of {schema.kind}, not of {_KINDS[self._kind]}")
        others = self._registry.referenced(schema)
        if self._kind == "avro":
            return avro_reader(schema.text, [each.text for each in others.values()])
        files = {name: _bytes(each.text) for name, each in others.items()}
        return ProtobufReader(message_at(_bytes(schema.text), files, indexes))

    def _count(self) -> None:
        """Let so many questions pass in a second, and no more."""
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._lookups = now, 0
        if self._lookups >= SCHEMA_LOOKUPS_PER_SECOND_MAX:
            raise SchemasUnavailable(
                f"records name more than {SCHEMA_LOOKUPS_PER_SECOND_MAX} new schemas in a second; "
                f"the registry is asked for the others in a moment"
            )
        self._lookups += 1


def avro_reader(text: str, references: Sequence[str] = ()) -> ObjectReader:
    """Return what reads Avro. Raises UnusableSchema; InvalidFlow where the extra is missing."""
    try:
        from modelstream.wire.schemas.avro import AvroReader  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise missing_extra(error) from error
    return AvroReader(text, references)


def missing_extra(error: ModuleNotFoundError) -> InvalidFlow:
    """Return the error for a library that an extra brings."""
    return InvalidFlow(
        f"schemas needs the package {error.name}: pip install 'modelstream[schemas]'"
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnusableSchema(f"the registry gave no serialized descriptor: {error}") from error


def _keep(cache: dict[_Key, Any], key: _Key, value: Any, most: int) -> None:
    """Keep a value; of too many the oldest goes."""
    cache.pop(key, None)
    if len(cache) >= most:
        del cache[next(iter(cache))]
    cache[key] = value
