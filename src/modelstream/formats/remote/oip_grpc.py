"""Open Inference Protocol v2 over gRPC: tensors travel as raw bytes.

https://github.com/kserve/open-inference-protocol, `specification/protocol/inference_grpc.md`. It needs
the package grpcio, the extra `grpc`.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from modelstream.errors import ModelUnavailable, UnsupportedModel
from modelstream.formats.location import Location
from modelstream.formats.onnx_graph.plan import Element
from modelstream.formats.remote.datatypes import oip_element, oip_word
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document
from modelstream.formats.remote.oip_rest import oip_tensor
from modelstream.formats.remote.peer import Answer, ServerRefused, quoted
from modelstream.formats.remote.values import dtype_of, from_raw, shaped, to_raw
from modelstream.limits import REMOTE_RESPONSE_BYTES_MAX
from modelstream.messages import Column
from modelstream.wire.proto import open_inference_pb2 as pb

_SERVICE = "/inference.GRPCInferenceService/"
# What a server says to a request that it takes for a bad one, by the names of gRPC's codes.
_REFUSALS = frozenset(
    {"INVALID_ARGUMENT", "OUT_OF_RANGE", "FAILED_PRECONDITION", "INTERNAL", "UNKNOWN"}
)


class OipGrpc:
    """One model, asked over one channel."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._channel: Any = None

    def carries_nan(self, document: Document) -> bool:  # noqa: ARG002 - whatever the model is
        """Tell that a tensor may have NaN in it: it is raw bytes."""
        return True

    def metadata(self, deadline: Deadline) -> Document:
        """Ask what the model reads and answers."""
        request = pb.ModelMetadataRequest(name=self._location.model, version=self._location.version)
        told = self._call("ModelMetadata", request, pb.ModelMetadataResponse.FromString, deadline)
        return Document(
            location=self._location.url,
            platform=told.platform,
            inputs=tuple(oip_tensor(each.name, each.datatype, each.shape) for each in told.inputs),
            outputs=tuple(
                oip_tensor(each.name, each.datatype, each.shape) for each in told.outputs
            ),
        )

    def infer(self, document: Document, feeds: Mapping[str, Column], deadline: Deadline) -> Answer:
        """Have the model answer."""
        request = pb.ModelInferRequest(
            model_name=self._location.model,
            model_version=self._location.version,
            inputs=[
                pb.ModelInferRequest.InferInputTensor(
                    name=each.name, datatype=oip_word(each.element), shape=feeds[each.name].shape
                )
                for each in document.inputs
            ],
            outputs=[
                pb.ModelInferRequest.InferRequestedOutputTensor(name=each.name)
                for each in document.outputs
            ],
            raw_input_contents=[to_raw(feeds[each.name]) for each in document.inputs],
        )
        response = self._call("ModelInfer", request, pb.ModelInferResponse.FromString, deadline)
        raw = response.raw_output_contents
        if raw and len(raw) != len(response.outputs):
            raise ValueError(f"its answer has {len(response.outputs)} outputs, {len(raw)} contents")
        tensors = {
            each.name: _tensor(each, raw[at] if raw else None)
            for at, each in enumerate(response.outputs)
        }
        return Answer(tensors, response.model_version)

    def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _call(
        self, method: str, request: Any, read: Callable[[bytes], Any], deadline: Deadline
    ) -> Any:
        """Call a method; where the connection breaks, once more on a new one."""
        grpc = _grpc()
        try:
            try:
                return self._call_once(method, request, read, deadline)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            self.close()
            return self._call_once(method, request, read, deadline)
        except TimeoutError as error:
            raise self._away(str(error)) from error
        except grpc.RpcError as error:
            told = f"{error.code().name}: {quoted(error.details() or '')}"
            if error.code().name in _REFUSALS:
                raise ServerRefused(f"it answered {told}") from error
            raise self._away(told) from error

    def _call_once(
        self, method: str, request: Any, read: Callable[[bytes], Any], deadline: Deadline
    ) -> Any:
        if self._channel is None:
            self._channel = self._opened()
        call = self._channel.unary_unary(
            f"{_SERVICE}{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=read,
        )
        return call(request, timeout=deadline.left())

    def _opened(self) -> Any:
        grpc = _grpc()
        options = [
            ("grpc.max_receive_message_length", REMOTE_RESPONSE_BYTES_MAX),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),  # the one retry is made here
            ("grpc.use_local_subchannel_pool", 1),  # a new channel is a new connection
        ]
        if self._location.secure:
            credentials = grpc.ssl_channel_credentials()
            return grpc.secure_channel(self._location.host, credentials, options)
        return grpc.insecure_channel(self._location.host, options)

    def _away(self, why: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"the server of {self._location.url} cannot be asked: {why}; "
            f"start it again, or promote another version"
        )


def _grpc() -> Any:
    """Import grpcio, which only those need who ask over gRPC. Raises UnsupportedModel.

    Not before the first call: a confined process may load a model that it never asks.
    """
    try:
        return import_module("grpc")
    except ImportError as error:
        raise UnsupportedModel(
            "models are asked over gRPC with the package grpcio, which is not installed; "
            "pip install 'modelstream[grpc]', or publish the model's http:// location"
        ) from error


def _tensor(output: Any, raw: bytes | None) -> Column:
    """Return an output tensor. Raises ValueError."""
    element = oip_element(output.name, output.datatype)
    flat = _contents(output, element) if raw is None else from_raw(output.name, raw, element)
    return shaped(output.name, flat, tuple(output.shape))


def _contents(output: Any, element: Element) -> Column:
    """Return the values of the one list of an output that has any."""
    lists = [values for _, values in output.contents.ListFields()]
    values = list(lists[0]) if lists else []
    if element == "string":
        values = [each.decode("utf-8") for each in values if isinstance(each, bytes)]
    flat = np.empty(len(values), dtype_of(element))
    try:
        flat[:] = values
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"output {output.name!r} holds no {element}: {error}") from error
    return flat
