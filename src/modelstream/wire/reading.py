"""How a flow's records are read: the one place that knows what they are written in.

Inside of modelstream a record is JSON. What is written otherwise becomes JSON here, once a batch,
so that models, rejects, echoes and audits see the same record by the same rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from modelstream.errors import InvalidFlow
from modelstream.messages import Failure
from modelstream.schemas import Schemas
from modelstream.wire.schemas.framed import Framed, ObjectReader, avro_reader, missing_extra
from modelstream.wire.schemas.framing import Unreadable, UnusableSchema
from modelstream.wire.schemas.protobuf import ProtobufReader, message_named


@dataclass(frozen=True, slots=True)
class Read:
    """Records as JSON, in order; those that cannot be read are empty, and `failures` says why."""

    records: Sequence[bytes]
    failures: dict[int, Failure] = field(default_factory=dict)


class RecordReader(Protocol):
    """Makes JSON of records as they stand on the log."""

    def read(self, values: Sequence[bytes]) -> Read:
        """Read a batch. Raises SchemasUnavailable where a schema can be had later; InvalidFlow."""
        ...


def record_reader(schemas: Schemas) -> RecordReader | None:
    """Return what reads a flow's records; None where they are JSON and nobody checks them.

    Raises InvalidFlow where a file is not there or not what it should be, or an extra is missing.
    """
    reader: RecordReader | None = None
    if schemas.records != "json" and schemas.registry:
        reader = _Reader(Framed(schemas).read)
    elif schemas.records != "json":
        reader = _Reader(_object_reader(schemas).read)
    return _Checked(reader, schemas.json_schema) if schemas.json_schema else reader


class _Reader:
    """Reads record by record, and encodes."""

    def __init__(self, read: Callable[[bytes], Any]) -> None:
        self._read = read
        self._encode = msgspec.json.Encoder(decimal_format="number").encode

    def read(self, values: Sequence[bytes]) -> Read:
        """Read a batch."""
        read, encode = self._read, self._encode
        records: list[bytes] = []
        failures: dict[int, Failure] = {}
        for row, value in enumerate(values):
            try:
                records.append(encode(read(value)))
            except Unreadable as error:
                failures[row] = error.failure
                records.append(b"")
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                failures[row] = Failure("malformed", f"it has no JSON: {error}")
                records.append(b"")
        return Read(records, failures)


class _Checked:
    """Checks what another reader has read, or JSON as it stands, by a JSON Schema."""

    def __init__(self, reader: RecordReader | None, path: str) -> None:
        self._reader = reader
        try:
            from modelstream.wire.schemas.conformity import Conformity  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise missing_extra(error) from error
        self._conformity = Conformity(path)

    def read(self, values: Sequence[bytes]) -> Read:
        """Read a batch."""
        read = Read(values) if self._reader is None else self._reader.read(values)
        failures = self._conformity.failures(read.records)
        return Read(read.records, failures | read.failures) if failures else read


def _object_reader(schemas: Schemas) -> ObjectReader:
    """Return what reads records that all have the schema of one file."""
    path = Path(schemas.file)
    try:
        data = path.read_bytes()
        return avro_reader(data.decode()) if schemas.records == "avro" else _by_name(data, schemas)
    except (OSError, UnicodeError, UnusableSchema) as error:
        raise InvalidFlow(f"schemas.file {path} cannot be used: {error}") from error


def _by_name(data: bytes, schemas: Schemas) -> ObjectReader:
    return ProtobufReader(message_named(data, schemas.message))
