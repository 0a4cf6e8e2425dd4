"""Open Inference Protocol v2 over HTTP: KServe, Triton, MLServer and others.

https://github.com/kserve/open-inference-protocol, `specification/protocol/inference_rest.md`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.location import Location
from modelstream.formats.remote.datatypes import oip_element, oip_word
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document, Tensor
from modelstream.formats.remote.http import Connections
from modelstream.formats.remote.peer import Answer
from modelstream.formats.remote.values import from_json
from modelstream.limits import REMOTE_METADATA_BYTES_MAX, REMOTE_RESPONSE_BYTES_MAX
from modelstream.messages import Column


class _TensorMetadata(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]


class _Metadata(msgspec.Struct):
    inputs: list[_TensorMetadata] = []
    outputs: list[_TensorMetadata] = []
    platform: str = ""


class _Output(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: Any


class _Response(msgspec.Struct):
    outputs: list[_Output]
    model_version: str | None = None


class OipRest:
    """One model, asked with JSON."""

    carries_nan = False

    def __init__(self, location: Location) -> None:
        self._location = location
        self._connections = Connections(location)

    def metadata(self, deadline: Deadline) -> Document:
        """Ask what the model reads and answers."""
        path = self._location.path
        data = self._connections.get(path, deadline, REMOTE_METADATA_BYTES_MAX)
        try:
            told = msgspec.json.decode(data, type=_Metadata)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise InvalidModel(
                f"{self._location.url} does not tell of a model as the Open Inference Protocol "
                f"does: {error}"
            ) from error
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
        request = {
            "inputs": [
                {
                    "name": each.name,
                    "shape": feeds[each.name].shape,
                    "datatype": oip_word(each.element),
                    "data": feeds[each.name].ravel().tolist(),
                }
                for each in document.inputs
            ],
            "outputs": [{"name": each.name} for each in document.outputs],
        }
        path, body = f"{self._location.path}/infer", msgspec.json.encode(request)
        data = self._connections.post(path, body, deadline, REMOTE_RESPONSE_BYTES_MAX)
        response = decoded(data, _Response)
        tensors = {
            each.name: from_json(
                each.name, each.data, oip_element(each.name, each.datatype), each.shape
            )
            for each in response.outputs
        }
        return Answer(tensors, response.model_version or "")

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


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
