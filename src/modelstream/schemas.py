"""How a flow says that its records and results are written: the `[schemas]` and `[bind]` tables.

Nothing is read or asked here; `wire.reading` and `wire.writing` do that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from modelstream.errors import InvalidFlow

RecordsFormat = Literal["json", "avro", "protobuf"]

_FORMATS = ("json", "avro", "protobuf")
_FILES = ("file", "json_schema", "registry_ca", "registry_cert", "registry_key")

# A model's input, and what a record calls it: a dotted path, or several that make a vector.
Bind = Mapping[str, str | tuple[str, ...]]
NOT_BOUND: Bind = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Schemas:
    """How records and results are written. Raises InvalidFlow.

    With `registry`, the URL of a Schema Registry, every record tells its schema by the id in front
    of it (Confluent's wire format). Without one all records have the schema of `file`: an Avro
    schema (.avsc), or a FileDescriptorSet of protobuf's and the name of the record's `message`.
    `json_schema` is a file that every record is checked by. The files' paths are absolute, or
    relative to the working directory.
    """

    records: RecordsFormat = "json"
    results: RecordsFormat = "json"
    file: str = ""
    message: str = ""
    json_schema: str = ""
    registry: str = ""
    registry_user: str = ""
    registry_password: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)
    registry_ca: str = ""
    registry_cert: str = ""
    registry_key: str = ""

    def __post_init__(self) -> None:
        """Check what belongs together; every message begins with the table's name."""
        for key in ("records", "results"):
            value = getattr(self, key)
            if value not in _FORMATS:
                known = ", ".join(map(repr, _FORMATS))
                raise InvalidFlow(f"schemas.{key} is {value!r}; use one of {known}")
        self._check_source()
        if self.registry:
            self._check_registry()

    def _check_source(self) -> None:
        """Check that the records' schema is told once."""
        if self.records == "json":
            if self.file or self.message:
                raise InvalidFlow(
                    'schemas.file is of Avro or protobuf records; add records = "avro" or '
                    '"protobuf" to the table, or check JSON records by json_schema'
                )
        elif bool(self.file) == bool(self.registry):
            raise InvalidFlow(
                "schemas.file or schemas.registry tells how records are written: give one of them"
            )
        elif (self.records == "protobuf" and not self.registry) != bool(self.message):
            raise InvalidFlow(
                "schemas.message names the message of the records in a file of descriptors, such "
                'as "com.example.Wine"; it goes with records = "protobuf" and file alone'
            )

    def _check_registry(self) -> None:
        parts = urlsplit(self.registry)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise InvalidFlow(
                f"schemas.registry is {parts.scheme}://{parts.hostname or ''}; write "
                f"https://host:port, and the password as registry_user and registry_password"
            )
        if self.registry_token and self.registry_user:
            raise InvalidFlow("schemas.registry_token and registry_user are two ways; give one")


def schemas_of(table: object) -> Schemas:
    """Return what a `[schemas]` table says. Raises InvalidFlow."""
    known = [each.name for each in fields(Schemas)]
    if not isinstance(table, Mapping) or not all(
        key in known and isinstance(value, str) for key, value in table.items()
    ):
        raise InvalidFlow(f"schemas must be a table of texts; its keys are {', '.join(known)}")
    return Schemas(**table)


def anchored(schemas: Schemas, directory: Path) -> Schemas:
    """Make the files' paths relative to a directory."""
    values: dict[str, Any] = {each.name: getattr(schemas, each.name) for each in fields(Schemas)}
    told = {key: str(directory / values[key]) for key in _FILES if values[key]}
    return Schemas(**(values | told))


def bind_of(table: object) -> Bind:
    """Return what a `[bind]` table says. Raises InvalidFlow."""
    if not isinstance(table, Mapping):
        raise InvalidFlow("bind must be a table of a model's inputs and fields of a record")
    told: dict[str, str | tuple[str, ...]] = {}
    for name, path in table.items():
        paths = [path] if isinstance(path, str) else path
        if (
            not isinstance(paths, list | tuple)
            or not paths
            or not all(isinstance(each, str) and each for each in paths)
        ):
            raise InvalidFlow(
                f"bind.{name} is {path!r}; it must be the name of a record's field, or a list of "
                f"names that make a vector"
            )
        told[name] = path if isinstance(path, str) else tuple(paths)
    return told
