"""A small Schema Registry for tests: the REST API that clients use, in this process."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Behaviour:
    """What the registry holds and does; a test changes it while it runs."""

    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)
    status: int = 0  # answered instead of anything else
    body: bytes = b""
    authorization: str = ""  # what a request must bring
    requests: list[str] = field(default_factory=list)

    def add(self, subject: str, schema: str, kind: str = "AVRO", **more: Any) -> int:
        """Register a schema and return its id."""
        told = {"schema": schema, "schemaType": kind, **more}
        number = next((each for each, known in self.schemas.items() if known == told), None)
        if number is None:
            number = len(self.schemas) + 1
            self.schemas[number] = told
        versions = self.subjects.setdefault(subject, [])
        if number not in versions:
            versions.append(number)
        return number


class SchemaRegistryServer:
    """One server on a port of its own; it can be stopped and started again on the same one."""

    def __init__(self) -> None:
        self.does = Behaviour()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, on the port that there was before."""
        self._http = _Http(("127.0.0.1", self.port), _Handler)
        self._http.does = self.does
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@contextmanager
def schema_registry() -> Iterator[SchemaRegistryServer]:
    """Run a registry."""
    server = SchemaRegistryServer()
    try:
        yield server
    finally:
        server.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    does: Behaviour


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        does = self.server.does
        does.requests.append(f"{self.command} {self.path}")
        if does.status:
            self._answer(does.status, does.body)
        elif does.authorization and self.headers.get("Authorization") != does.authorization:
            self._fault(401, 40101, "Unauthorized")
        elif found := re.fullmatch(r"/schemas/ids/(\d+)(\?format=serialized)?", self.path):
            self._schema(does.schemas.get(int(found[1])), 40403, "Schema not found")
        elif found := re.fullmatch(
            r"/subjects/([^/]+)/versions/(\d+)(\?format=serialized)?", self.path
        ):
            versions = does.subjects.get(found[1], [])
            index = int(found[2]) - 1
            known = does.schemas[versions[index]] if 0 <= index < len(versions) else None
            self._schema(known, 40402, "Version not found")
        elif self.command == "POST" and (
            found := re.fullmatch(r"/subjects/([^/]+)/versions", self.path)
        ):
            told = json.loads(body)
            number = does.add(found[1], told["schema"], told.get("schemaType", "AVRO"))
            self._answer(200, json.dumps({"id": number}).encode())
        else:
            self._fault(404, 404, "HTTP 404 Not Found")

    def _schema(self, schema: dict[str, Any] | None, code: int, message: str) -> None:
        if schema is None:
            self._fault(404, code, message)
        else:
            told = {each: value for each, value in schema.items() if value != "AVRO"}
            self._answer(200, json.dumps(told).encode())

    def _fault(self, status: int, code: int, message: str) -> None:
        self._answer(status, json.dumps({"error_code": code, "message": message}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serialized(descriptor: Any) -> str:
    """Return a file's descriptor as the registry gives it."""
    return base64.b64encode(descriptor.SerializeToString()).decode()
