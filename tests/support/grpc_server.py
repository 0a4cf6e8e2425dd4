"""A model server for tests that speaks the Open Inference Protocol over gRPC."""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np

from modelstream.wire.proto import open_inference_pb2 as pb

SERVICE = "inference.GRPCInferenceService"


@dataclass
class GrpcServer:
    """y = 2a + 3b + 1 for a row (a, b), and `word` says the sign of it; `raw` bytes or lists."""

    raw: bool = True
    failure: Any = None
    port: int = 0
    asked: int = 0
    left_s: float = 0.0

    def start(self) -> None:
        """Listen, on the port that there was before."""
        self._server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
        handlers = {
            "ModelMetadata": _handler(self._metadata, pb.ModelMetadataRequest),
            "ModelInfer": _handler(self._infer, pb.ModelInferRequest),
        }
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Stop listening, and drop every connection."""
        self._server.stop(None).wait()

    @property
    def host(self) -> str:
        """The host as a flow allows it."""
        return f"127.0.0.1:{self.port}"

    def _metadata(self, request: Any, _context: Any) -> Any:
        tensor = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=request.name,
            platform="test",
            inputs=[tensor(name="x", datatype="FP32", shape=[-1, 2])],
            outputs=[
                tensor(name="y", datatype="FP64", shape=[-1]),
                tensor(name="word", datatype="BYTES", shape=[-1]),
            ],
        )

    def _infer(self, request: Any, context: Any) -> Any:
        self.asked += 1
        self.left_s = context.time_remaining()
        if self.failure is not None:
            context.abort(self.failure, "as the test wants it")
        rows = np.frombuffer(request.raw_input_contents[0], "<f4").reshape(-1, 2)
        if (rows[:, 0] < 0).any():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a must not be negative")
        values = rows.astype(np.float64) @ [2.0, 3.0] + 1
        words = [b"plus" if value > 0 else b"minus" for value in values]
        tensor = pb.ModelInferResponse.InferOutputTensor
        numbers = tensor(name="y", datatype="FP64", shape=[len(rows)])
        texts = tensor(name="word", datatype="BYTES", shape=[len(rows)])
        raw: list[bytes] = []
        if self.raw:
            raw = [
                values.astype("<f8").tobytes(),
                b"".join(struct.pack("<I", len(each)) + each for each in words),
            ]
        else:
            numbers.contents.fp64_contents.extend(values.tolist())
            texts.contents.bytes_contents.extend(words)
        return pb.ModelInferResponse(
            model_name=request.model_name,
            model_version=request.model_version or "7",
            outputs=[numbers, texts],
            raw_output_contents=raw,
        )


@contextmanager
def grpc_server() -> Iterator[GrpcServer]:
    """Run a server."""
    server = GrpcServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _handler(answer: Callable[[Any, Any], Any], request: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=request.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
