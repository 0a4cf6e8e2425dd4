"""Open Inference Protocol v2 over HTTP: KServe, Triton, MLServer and others.

https://github.com/kserve/open-inference-protocol, `specification/protocol/inference_rest.md`. Tensors
travel as raw bytes where the server has the binary tensor data extension, else as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from modelstream.errors import InvalidModel, ModelUnavailable, UnsupportedModel
from modelstream.formats.location import Location
from modelstream.formats.remote.datatypes import oip_element, oip_word
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document, Tensor
from modelstream.formats.remote.http import Connections
from modelstream.formats.remote.peer import Answer, ServerRefused
from modelstream.formats.remote.values import from_json, from_raw, shaped, to_raw
from modelstream.limits import REMOTE_METADATA_BYTES_MAX, REMOTE_RESPONSE_BYTES_MAX
from modelstream.messages import Column

# What a server tells of itself, and its word for raw tensors there.
_SERVER_PATH = "/v2"
_BINARY = "binary_tensor_data"


class _TensorMetadata(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]


class _Metadata(msgspec.Struct):
    inputs: list[_TensorMetadata] = []
    outputs: list[_TensorMetadata] = []
    platform: str = ""


_DECODE_METADATA = msgspec.json.Decoder(_Metadata).decode


class _Server(msgspec.Struct):
    extensions: list[str] = []


_DECODE_SERVER = msgspec.json.Decoder(_Server).decode


class _Parameters(msgspec.Struct):
    binary_data_size: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: Any = None
    parameters: _Parameters | None = None


class _Response(msgspec.Struct):
    outputs: list[_Output]
    model_version: str | None = None


class OipRest:
    """One model, asked with JSON, and raw tensors where the server takes them."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._connections = Connections(location)

    def carries_nan(self, document: Document) -> bool:
        """Tell whether a tensor may have NaN in it: raw bytes may, JSON has no word for it."""
        return document.binary

    def metadata(self, deadline: Deadline) -> Document:
        """Ask what the model reads and answers."""
        path = self._location.path
        data = self._connections.get(path, deadline, REMOTE_METADATA_BYTES_MAX)
        try:
            told = _DECODE_METADATA(data)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise InvalidModel(
                f"{self._location.url} does not tell of a model as the Open Inference Protocol "
                f"does: {error}"
            ) from error
        return Document(
            location=self._location.url,
            platform=told.platform,
            binary=self._takes_raw(deadline),
            inputs=tuple(oip_tensor(each.name, each.datatype, each.shape) for each in told.inputs),
            outputs=tuple(
                oip_tensor(each.name, each.datatype, each.shape) for each in told.outputs
            ),
        )

    def infer(self, document: Document, feeds: Mapping[str, Column], deadline: Deadline) -> Answer:
        """Have the model answer."""
        raw = document.binary
        tensors = [to_raw(feeds[each.name]) if raw else b"" for each in document.inputs]
        request = {
            "inputs": [
                {
                    "name": each.name,
                    "shape": feeds[each.name].shape,
                    "datatype": oip_word(each.element),
                    **(_size(data) if raw else {"data": feeds[each.name].ravel().tolist()}),
                }
                for each, data in zip(document.inputs, tensors, strict=True)
            ],
            "outputs": [
                {"name": each.name} | ({"parameters": {"binary_data": True}} if raw else {})
                for each in document.outputs
            ],
        }
        path, head = f"{self._location.path}/infer", msgspec.json.encode(request)
        ask, most = self._connections, REMOTE_RESPONSE_BYTES_MAX
        if raw:
            told, rest = ask.post_binary(path, head, b"".join(tensors), deadline, most)
        else:
            told, rest = ask.post(path, head, deadline, most), b""
        response = decoded(told, _Response)
        return Answer(_tensors(response.outputs, rest), response.model_version or "")

    def _takes_raw(self, deadline: Deadline) -> bool:
        """Ask the server for its extensions; one that tells nothing of itself has none."""
        try:
            data = self._connections.get(_SERVER_PATH, deadline, REMOTE_METADATA_BYTES_MAX)
            return _BINARY in _DECODE_SERVER(data).extensions
        except (ModelUnavailable, ServerRefused, msgspec.MsgspecError, UnicodeError):
            return False

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


def _size(data: bytes) -> dict[str, Any]:
    return {"parameters": {"binary_data_size": len(data)}}


def _tensors(outputs: Sequence[_Output], raw: bytes) -> dict[str, Column]:
    """Return the tensors by name: those that are raw lie in `raw`, in order. Raises ValueError."""
    tensors, at = {}, 0
    for each in outputs:
        element = oip_element(each.name, each.datatype)
        size = each.parameters.binary_data_size if each.parameters else None
        if size is None:
            tensors[each.name] = from_json(each.name, each.data, element, each.shape)
            continue
        flat = from_raw(each.name, raw[at : at + size], element)
        tensors[each.name] = shaped(each.name, flat, tuple(each.shape))
        at += size
    if at != len(raw):
        raise ValueError(f"its outputs take {at} bytes, and {len(raw)} follow the JSON")
    return tensors


def oip_tensor(name: str, word: str, shape: Sequence[int]) -> Tensor:
    """Return a tensor of a model's metadata. Raises UnsupportedModel."""
    if not shape or shape[0] >= 0:
        raise UnsupportedModel(
            f"tensor {name!r} is of shape {list(shape)}, for a fixed number of records; its first "
            f"dimension must be -1, any number of them"
        )
    row = tuple(None if each < 0 else each for each in shape[1:])
    return Tensor(name, oip_element(name, word), row)


def decoded(data: bytes, kind: type[Any]) -> Any:
    """Read an answer. Raises ValueError."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"its answer cannot be read: {error}") from error
