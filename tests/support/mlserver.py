"""MLServer in an environment of its own: a real peer for remote models, which can be killed."""

import json
import os
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path

from benchmarks.environments import python_of
from modelstream.errors import ModelstreamError
from modelstream.formats import load_model
from tests.support.waiting import eventually

_RUNTIME = """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Line(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0])
        output = NumpyCodec.encode_output("y", rows @ [2.0, 3.0] + 1.0)
        return InferenceResponse(
            model_name=self.name, model_version=self.version, outputs=[output]
        )
"""
_MODEL = {
    "name": "line",
    "implementation": "line_runtime.Line",
    "parameters": {"version": "v3"},
    "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
    "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1]}],
}


class MlServer:
    """y = 2a + 3b + 1 for a row (a, b), over HTTP and gRPC, on ports of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.http, self.grpc, metrics = _free_ports(3)
        settings = {
            "host": "127.0.0.1",
            "http_port": self.http,
            "grpc_port": self.grpc,
            "metrics_port": metrics,
            "parallel_workers": 0,
        }
        (directory / "line").mkdir()
        (directory / "settings.json").write_text(json.dumps(settings))
        (directory / "line_runtime.py").write_text(_RUNTIME)
        (directory / "line" / "model-settings.json").write_text(json.dumps(_MODEL))
        self.start()

    @property
    def hosts(self) -> tuple[str, str]:
        """The hosts as a flow allows them."""
        return f"127.0.0.1:{self.http}", f"127.0.0.1:{self.grpc}"

    def url(self, protocol: str) -> str:
        """Return the model's URL: of `http` or of `grpc`."""
        http, grpc = self.hosts
        return f"http://{http}/v2/models/line" if protocol == "http" else f"grpc://{grpc}/line"

    def start(self) -> None:
        """Start the server and wait until it answers on both ports."""
        program = python_of("mlserver").parent / "mlserver"
        with (self._directory / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "start", "."],
                cwd=self._directory,
                env=os.environ | {"PYTHONPATH": str(self._directory)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for protocol in ("http", "grpc"):
            eventually(partial(_answers, self.url(protocol)), 120)

    def kill(self) -> None:
        """Kill it as nothing else would: it gets no chance to clean up."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _answers(url: str) -> bool:
    try:
        load_model(url).close()
    except ModelstreamError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
