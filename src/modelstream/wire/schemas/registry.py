"""A Schema Registry over HTTP: schemas by id, and the id of a schema.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html. One connection a
question: a schema is asked for once.
"""

import base64
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from modelstream.errors import InvalidFlow, SchemasUnavailable
from modelstream.limits import SHOWN_CHARS_MAX
from modelstream.schemas import Schemas
from modelstream.wire.schemas.limits import (
    SCHEMA_BYTES_MAX,
    SCHEMA_REFERENCES_MAX,
    SCHEMA_REGISTRY_SECONDS,
)

_JSON = "application/vnd.schemaregistry.v1+json"
# The codes that the API has for what is not there: subject, version, schema.
_NOT_FOUND = frozenset({40401, 40402, 40403})
_NO_ACCESS = frozenset({401, 403})
Answer = TypeVar("Answer")


class Reference(msgspec.Struct, frozen=True):
    """Another schema that one is made of, and how it calls it."""

    name: str
    subject: str
    version: int


class Registered(msgspec.Struct, frozen=True, rename={"text": "schema", "kind": "schemaType"}):
    """A schema as the registry has it; that of protobuf is a FileDescriptorProto in base64."""

    text: str
    kind: str = "AVRO"
    references: tuple[Reference, ...] = ()


class _Identified(msgspec.Struct, frozen=True):
    id: int


class _Fault(msgspec.Struct, frozen=True):
    error_code: int = 0
    message: str = ""


_DECODE_FAULT = msgspec.json.Decoder(_Fault).decode


class UnknownSchema(Exception):
    """The registry has no schema of an id."""


@dataclass(frozen=True, slots=True)
class SchemaRegistry:
    """The registry that a flow names. Nothing is kept here."""

    told: Schemas

    def schema(self, number: int) -> Registered:
        """Return the schema of an id. Raises UnknownSchema, SchemasUnavailable, InvalidFlow."""
        return self._ask("GET", f"/schemas/ids/{number}{self._form()}", Registered)

    def referenced(self, schema: Registered) -> dict[str, Registered]:
        """Return every schema that one is made of, the innermost first, by the name in use.

        Raises UnknownSchema where there are too many or one is gone, and what `schema` does.
        """
        found: dict[str, Registered] = {}
        self._collect(schema, found, 0)
        return found

    def register(self, subject: str, text: str, kind: str) -> int:
        """Return the id of a schema, which is registered where it is new.

        Raises SchemasUnavailable; InvalidFlow where the registry refuses it.
        """
        path = f"/subjects/{quote(subject, safe='')}/versions"
        body = msgspec.json.encode({"schema": text, "schemaType": kind})
        try:
            return self._ask("POST", path, _Identified, body).id
        except UnknownSchema as error:
            raise self._refused(str(error)) from error

    def _form(self) -> str:
        return "?format=serialized" if self.told.records == "protobuf" else ""

    def _collect(self, schema: Registered, found: dict[str, Registered], depth: int) -> None:
        for each in schema.references:
            if each.name in found:
                continue
            if max(len(found), depth) >= SCHEMA_REFERENCES_MAX:
                raise UnknownSchema(f"it is made of more than {SCHEMA_REFERENCES_MAX} others")
            subject = quote(each.subject, safe="")
            path = f"/subjects/{subject}/versions/{each.version}{self._form()}"
            other = self._ask("GET", path, Registered)
            self._collect(other, found, depth + 1)
            found[each.name] = other

    def _ask(self, method: str, path: str, kind: type[Answer], body: bytes | None = None) -> Answer:
        status, data = self._exchange(method, path, body)
        if 200 <= status < 300:
            try:
                return msgspec.json.decode(data, type=kind)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise self._refused(f"{path} gave no answer of its API ({error})") from error
        fault = _fault(data)
        said = f"it answered {status} to {path}: {fault.message[: 5 * SHOWN_CHARS_MAX]}"
        if fault.error_code in _NOT_FOUND:
            raise UnknownSchema(fault.message[: 5 * SHOWN_CHARS_MAX] or "it is not there")
        if status in _NO_ACCESS:
            raise self._refused(f"{said}; check registry_user and registry_password, or the token")
        if status < 500 and status not in {408, 429}:
            raise self._refused(said)
        raise self._away(said)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        parts = urlsplit(self.told.registry)
        connection = self._connection(parts.hostname or "", parts.port)
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, self._headers())
            response = connection.getresponse()
            data = response.read(SCHEMA_BYTES_MAX + 1)
        except (OSError, HTTPException) as error:
            raise self._away(str(error) or type(error).__name__) from error
        finally:
            connection.close()
        if len(data) > SCHEMA_BYTES_MAX:
            raise UnknownSchema(f"the registry's answer has more than {SCHEMA_BYTES_MAX} bytes")
        return response.status, data

    def _connection(self, host: str, port: int | None) -> HTTPConnection:
        if not self.told.registry.startswith("https:"):
            return HTTPConnection(host, port, timeout=SCHEMA_REGISTRY_SECONDS)
        try:
            tls = ssl.create_default_context(cafile=self.told.registry_ca or None)
            if self.told.registry_cert:
                tls.load_cert_chain(self.told.registry_cert, self.told.registry_key or None)
        except OSError as error:
            raise InvalidFlow(
                f"schemas.registry_ca or registry_cert cannot be used: {error}"
            ) from error
        return HTTPSConnection(host, port, timeout=SCHEMA_REGISTRY_SECONDS, context=tls)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": f"{_JSON}, application/json", "Content-Type": _JSON}
        if self.told.registry_token:
            headers["Authorization"] = f"Bearer {self.told.registry_token}"
        elif self.told.registry_user:
            pair = f"{self.told.registry_user}:{self.told.registry_password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    def _away(self, why: str) -> SchemasUnavailable:
        return SchemasUnavailable(
            f"the schema registry {self.told.registry} cannot be asked: {why}; start it again"
        )

    def _refused(self, why: str) -> InvalidFlow:
        return InvalidFlow(f"schemas.registry {self.told.registry}: {why}")


def _fault(data: bytes) -> _Fault:
    """Read what the registry says is wrong; anything else has no code."""
    try:
        return _DECODE_FAULT(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _Fault()
