"""HTTP to one server: connections that are kept, a deadline for the whole exchange, one retry.

Redirects are not followed and the environment's proxies are not asked: what is connected to is the
host that the flow allows. How large an answer may be is the caller's to say.
"""

import io
import socket
import ssl
import weakref
from collections import deque
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from modelstream.errors import ModelUnavailable
from modelstream.formats.location import Location
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.peer import ServerRefused, quoted
from modelstream.limits import REMOTE_IDLE_CONNECTIONS_MAX

# Answers to a request that the server took for a bad one. Model servers say 500 to bad tensors, too.
_REFUSALS = frozenset({400, 413, 422, 500})
# How much of a body is JSON, where raw tensors follow: Open Inference Protocol v2, "Binary Tensor
# Data Extension".
_JSON_BYTES = "Inference-Header-Content-Length"


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, and how many bytes its answer may have.

    `json_bytes` is how much of the body is JSON, where raw tensors follow it.
    """

    method: str
    path: str
    body: bytes | None
    most: int
    json_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    body: bytes
    json_bytes: str | None


class Connections:
    """The connections to the server of a location; several threads may use them at once."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._tls = ssl.create_default_context() if location.secure else None
        self._idle: deque[_Connection] = deque()
        # A model that nobody closed, because its load failed say, must leave no socket open.
        weakref.finalize(self, _close_all, self._idle)

    def get(self, path: str, deadline: Deadline, most: int) -> bytes:
        """Read a document of at most so many bytes. Raises ModelUnavailable, ServerRefused."""
        return self._checked(self._asked(_Request("GET", path, None, most), deadline)).body

    def post(self, path: str, body: bytes, deadline: Deadline, most: int) -> bytes:
        """Send JSON and read JSON. Raises ModelUnavailable, ServerRefused."""
        return self._checked(self._asked(_Request("POST", path, body, most), deadline)).body

    def post_binary(
        self, path: str, head: bytes, tensors: bytes, deadline: Deadline, most: int
    ) -> tuple[bytes, bytes]:
        """Send JSON and raw tensors, and read both; an answer may be JSON alone.

        Raises ModelUnavailable, ServerRefused, and ValueError where they cannot be told apart.
        """
        request = _Request("POST", path, head + tensors, most, len(head))
        response = self._checked(self._asked(request, deadline))
        if response.json_bytes is None:
            return response.body, b""
        size = int(response.json_bytes)
        if not 0 <= size <= len(response.body):
            raise ValueError(f"its answer has {len(response.body)} bytes, {size} of them JSON")
        return response.body[:size], response.body[size:]

    def close(self) -> None:
        """Close the connections that nobody uses."""
        _close_all(self._idle)

    def _asked(self, request: _Request, deadline: Deadline) -> _Response:
        """Ask on a connection that is open, or a new one; where it breaks, once more on a new one.

        A server that was started again has closed those that were kept.
        """
        try:
            connection = self._idle.pop() if self._idle else self._opened(deadline)
            return self._exchange(connection, request, deadline)
        except TimeoutError as error:
            raise self._away(error) from error
        except (OSError, HTTPException):
            self.close()
        try:
            return self._exchange(self._opened(deadline), request, deadline)
        except (OSError, HTTPException) as error:
            raise self._away(error) from error

    def _exchange(
        self, connection: "_Connection", request: _Request, deadline: Deadline
    ) -> _Response:
        """Send a request and read its answer; the connection is kept where it can be."""
        keep = False
        try:
            connection.use_until(deadline)
            headers = _headers(deadline, request)
            connection.request(request.method, request.path, request.body, headers)
            with connection.getresponse() as response:
                data = response.read(request.most + 1)
                _check_whole(response, data, request.most)
                # After an error servers drop the connection, a moment later.
                keep = response.isclosed() and response.status < 500
        finally:
            if keep and len(self._idle) < REMOTE_IDLE_CONNECTIONS_MAX:
                self._idle.append(connection)
            else:
                connection.close()
        return _Response(response.status, data, response.headers.get(_JSON_BYTES))

    def _opened(self, deadline: Deadline) -> "_Connection":
        connection = _Connection(self._location.host, self._tls)
        connection.use_until(deadline)
        connection.connect()
        return connection

    def _checked(self, response: "_Response") -> "_Response":
        """Return an answer that is one."""
        if 200 <= response.status < 300:
            return response
        said = quoted(response.body.decode("utf-8", "replace"))
        told = f"it answered {response.status}" + (f": {said}" if said else "")
        if response.status in _REFUSALS:
            raise ServerRefused(told)
        if 300 <= response.status < 400:
            told += "; redirects are not followed: publish the location that it names"
        raise self._away(told)

    def _away(self, why: object) -> ModelUnavailable:
        told = str(why) or type(why).__name__
        return ModelUnavailable(
            f"the server of {self._location.url} cannot be asked: {told}; "
            f"start it again, or promote another version"
        )


def _close_all(idle: "deque[_Connection]") -> None:
    while idle:
        idle.pop().close()


def _check_whole(response: HTTPResponse, data: bytes, most: int) -> None:
    """Raise ServerRefused where an answer is too large, ConnectionError where it ends too early."""
    if len(data) > most:
        raise ServerRefused(f"the answer has more than {most} bytes")
    if response.length:
        raise ConnectionError("the answer ends in the middle")


def _headers(deadline: Deadline, request: _Request) -> dict[str, str]:
    """Return a request's headers; the time that is left is told as proxies of the field read it."""
    left_ms = max(1, int(deadline.left() * 1000))
    told = {"Accept": "application/json", "X-Envoy-Upstream-Rq-Timeout-Ms": str(left_ms)}
    if request.body is None:
        return told
    if request.json_bytes is None:
        return told | {"Content-Type": "application/json"}
    sizes = {_JSON_BYTES: str(request.json_bytes)}
    return told | sizes | {"Content-Type": "application/octet-stream"}


class _Connection(HTTPConnection):
    """A connection on which a deadline holds for the whole exchange, and not for each packet."""

    def __init__(self, host: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(host)
        self._tls = tls
        self._deadline = Deadline(0)
        self.response_class = self._response  # type: ignore[assignment]

    def use_until(self, deadline: Deadline) -> None:
        """Let what follows end in time. Raises TimeoutError where there is none."""
        self._deadline = deadline
        self.timeout = deadline.left()
        if self.sock is not None:
            self.sock.settimeout(self.timeout)

    def connect(self) -> None:
        """Connect, and agree on the keys."""
        super().connect()
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def _response(self, sock: socket.socket, **told: Any) -> HTTPResponse:
        """Make the response, which reads from the socket as long as there is time."""
        return HTTPResponse(_Timed(sock, self._deadline), **told)  # type: ignore[arg-type]


class _Timed:
    """What a response needs of a socket: a file to read."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Open the socket for reading."""
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a deadline, however small the pieces are in which it sends."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        super().__init__()
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open as long as it is

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there. Raises TimeoutError when the time is up."""
        self._sock.settimeout(self._deadline.left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
