"""A small model server for tests: Open Inference Protocol v2 and TensorFlow Serving, over HTTP.

It answers y = 2a + 3b + 1 for a row (a, b), and refuses rows with a negative a. It can misbehave.
"""

import json
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = "line"
JSON_BYTES = "Inference-Header-Content-Length"
# A certificate for 127.0.0.1 that signs itself, with its key: for these tests alone.
CERTIFICATE = Path(__file__).parent.parent / "data" / "remote" / "server.pem"


@dataclass
class Behaviour:
    """What the server does; a test changes it while it runs."""

    version: str = "7"
    outputs: list[dict[str, Any]] = field(
        default_factory=lambda: [{"name": "y", "datatype": "FP64", "shape": [-1]}]
    )
    inputs: list[dict[str, Any]] = field(
        default_factory=lambda: [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}]
    )
    status: int = 0  # answered instead of anything else
    location: str = ""  # of a redirect
    stall_s: float = 0.0  # before each answer
    drip_s: float = 0.0  # between the bytes of an answer
    drop: int = 0  # requests that are answered by closing the connection
    body: bytes | None = None  # answered to every inference
    largest: int = 10**9  # rows of a request that it can stand
    binary: bool = False  # tensors as raw bytes, asked for and answered
    json_bytes: str = ""  # told of a binary answer, instead of the truth
    reshape: bool = False  # answers [N, 1] where [N] was told
    refuse_all: bool = False
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0

    def inferences(self) -> int:
        """Count the requests that were for answers."""
        return sum(method == "POST" for method, _ in self.requests)


class ModelServer:
    """One server on a port of its own; it can be stopped and started again on the same one."""

    def __init__(self, *, tls: bool = False) -> None:
        self.does = Behaviour()
        self.port = 0
        self._tls = tls
        self.start()

    def start(self) -> None:
        """Listen, on the port that there was before."""
        self._http = _Http(("127.0.0.1", self.port), _Handler)
        self._http.does = self.does
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and drop every connection."""
        self._http.shutdown()
        self._http.server_close()
        self._http.drop_all()
        self._thread.join()

    @property
    def host(self) -> str:
        """The host as a flow allows it."""
        return f"127.0.0.1:{self.port}"

    @property
    def oip(self) -> str:
        """The model's URL in the Open Inference Protocol."""
        return f"http://{self.host}/v2/models/{NAME}"

    @property
    def tf_serving(self) -> str:
        """The model's URL for TensorFlow Serving."""
        return f"http://{self.host}/v1/models/{NAME}"


@contextmanager
def model_server(*, tls: bool = False) -> Iterator[ModelServer]:
    """Run a server."""
    server = ModelServer(tls=tls)
    try:
        yield server
    finally:
        server.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    does: Behaviour

    def __init__(self, *args: Any) -> None:
        self._open: list[Any] = []
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.does.connections += 1
        self._open.append(request)
        super().process_request(request, client_address)

    def drop_all(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        does = self.server.does
        does.requests.append(("GET", self.path))
        if self._misbehaved():
            return
        if self.path.startswith(f"/v2/models/{NAME}"):
            told = {
                "name": NAME,
                "platform": "test",
                "inputs": does.inputs,
                "outputs": does.outputs,
            }
            self._send(200, told)
        elif self.path == "/v2":
            self._send(200, {"extensions": ["binary_tensor_data"] if does.binary else []})
        elif self.path.startswith(f"/v1/models/{NAME}") and self.path.endswith("/metadata"):
            self._send(200, _tf_metadata(does))
        else:
            self._send(404, {"error": f"no model at {self.path}"})

    def do_POST(self) -> None:
        does = self.server.does
        does.requests.append(("POST", self.path))
        does.headers.append(dict(self.headers.items()))
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        size = int(self.headers.get(JSON_BYTES, len(sent)))
        body, self._raw = json.loads(sent[:size]), sent[size:]
        if self._misbehaved():
            return
        if self.path.startswith(f"/v2/models/{NAME}"):
            self._infer(body)
        elif self.path.startswith(f"/v1/models/{NAME}") and self.path.endswith(":predict"):
            self._predict(body)
        else:
            self._send(404, {"error": f"no model at {self.path}"})

    def _infer(self, body: Any) -> None:
        does = self.server.does
        (tensor,) = body["inputs"]
        if (JSON_BYTES in self.headers) != does.binary:
            self._send(400, {"error": "the data is not where it should be"})
            return
        rows = tensor["shape"][0]
        data = _unpacked(tensor, self._raw) if does.binary else tensor["data"]
        pairs = [(data[2 * row], data[2 * row + 1]) for row in range(rows)]
        if self._refused(pairs):
            return
        shape = [rows, 1] if does.reshape else [rows]
        output = {"name": "y", "datatype": does.outputs[0]["datatype"], "shape": shape}
        values = [2 * a + 3 * b + 1 for a, b in pairs]
        raw = struct.pack(f"<{len(values)}d", *values)
        data_of = (
            {"parameters": {"binary_data_size": len(raw)}} if does.binary else {"data": values}
        )
        answer: dict[str, Any] = {"model_name": NAME, "outputs": [output | data_of]}
        if does.version:
            answer["model_version"] = does.version
        if does.binary:
            assert body["outputs"] == [{"name": "y", "parameters": {"binary_data": True}}]
            head = json.dumps(answer).encode()
            self._write(200, head + raw, json_bytes=does.json_bytes or str(len(head)))
        else:
            self._send(200, answer)

    def _predict(self, body: Any) -> None:
        assert body["signature_name"] == "serving_default"
        pairs = body["inputs"]["x"]
        if not self._refused(pairs):
            self._send(200, {"outputs": [2 * a + 3 * b + 1 for a, b in pairs]})

    def _refused(self, pairs: Any) -> bool:
        does = self.server.does
        if does.body is not None:
            self._write(200, does.body)
            return True
        if does.refuse_all or len(pairs) > does.largest or any(a < 0 for a, _ in pairs):
            self._send(400, {"error": "a must not be negative"})
            return True
        return False

    def _misbehaved(self) -> bool:
        does = self.server.does
        if does.stall_s:
            time.sleep(does.stall_s)
        if does.drop:
            does.drop -= 1
            self.close_connection = True
            self.connection.shutdown(2)
            return True
        if does.status:
            self._write(does.status, b"no", does.location)
            return True
        return False

    def _send(self, status: int, answer: Any) -> None:
        self._write(status, json.dumps(answer).encode())

    def _write(self, status: int, body: bytes, location: str = "", json_bytes: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        if json_bytes:
            self.send_header(JSON_BYTES, json_bytes)
        self.end_headers()
        drip_s = self.server.does.drip_s
        try:
            for at in range(0, len(body), 1) if drip_s else ():
                self.wfile.write(body[at : at + 1])
                time.sleep(drip_s)
            if not drip_s:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True


def _unpacked(tensor: Any, raw: bytes) -> list[float]:
    size = tensor["parameters"]["binary_data_size"]
    assert len(raw) == size, "there is one tensor"
    return list(struct.unpack(f"<{size // 8}d", raw))


def _tf_metadata(does: Behaviour) -> dict[str, Any]:
    def tensors(told: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            each["name"]: {
                "dtype": {"FP64": "DT_DOUBLE", "FP32": "DT_FLOAT"}[each["datatype"]],
                "tensor_shape": {
                    "dim": [{"size": str(size), "name": ""} for size in each["shape"]],
                    "unknown_rank": False,
                },
                "name": f"serving_default_{each['name']}:0",
            }
            for each in told
        }

    signature = {
        "inputs": tensors(does.inputs),
        "outputs": tensors(does.outputs),
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": NAME, "signature_name": "", "version": does.version},
        "metadata": {"signature_def": {"signature_def": {"serving_default": signature}}},
    }
