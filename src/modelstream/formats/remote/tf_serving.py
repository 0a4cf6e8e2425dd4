"""TensorFlow Serving's REST interface, in its columnar form.

https://www.tensorflow.org/tfx/serving/api_rest. Its answers do not name a version: a result is
stamped with one where the location pins it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.location import Location
from modelstream.formats.remote.datatypes import tensorflow_element
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document, Tensor
from modelstream.formats.remote.http import Connections
from modelstream.formats.remote.oip_rest import decoded
from modelstream.formats.remote.peer import Answer
from modelstream.formats.remote.values import from_json
from modelstream.limits import REMOTE_METADATA_BYTES_MAX, REMOTE_RESPONSE_BYTES_MAX
from modelstream.messages import Column

# The signature that is asked: the first of these that there is, or the only one.
_SIGNATURES = ("serving_default", "predict")
_PREDICT = "tensorflow/serving/predict"


class _Dim(msgspec.Struct):
    size: int


class _Shape(msgspec.Struct):
    dim: list[_Dim] = []
    unknown_rank: bool = False


class _TensorInfo(msgspec.Struct):
    dtype: str
    tensor_shape: _Shape = msgspec.field(default_factory=_Shape)


class _Signature(msgspec.Struct):
    inputs: dict[str, _TensorInfo] = {}
    outputs: dict[str, _TensorInfo] = {}
    method_name: str = ""


class _SignatureMap(msgspec.Struct):
    signature_def: dict[str, _Signature]


class _Signatures(msgspec.Struct):
    signature_def: _SignatureMap


class _Metadata(msgspec.Struct):
    metadata: _Signatures


class _Response(msgspec.Struct):
    outputs: Any


class TfServing:
    """One model, asked with JSON."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._connections = Connections(location)

    def carries_nan(self, document: Document) -> bool:  # noqa: ARG002 - whatever the model is
        """Tell that no tensor may have NaN in it: it is JSON."""
        return False

    def metadata(self, deadline: Deadline) -> Document:
        """Ask what the model reads and answers."""
        path = f"{self._location.path}/metadata"
        data = self._connections.get(path, deadline, REMOTE_METADATA_BYTES_MAX)
        try:
            # Its JSON writes 64-bit integers as strings, as protobuf's does.
            told = msgspec.convert(msgspec.json.decode(data), _Metadata, strict=False)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise InvalidModel(
                f"{self._location.url} does not tell of a model as TensorFlow Serving does: {error}"
            ) from error
        name, signature = _chosen(told.metadata.signature_def.signature_def)
        return Document(
            location=self._location.url,
            signature=name,
            platform="tensorflow",
            inputs=_tensors(signature.inputs),
            outputs=_tensors(signature.outputs),
        )

    def infer(self, document: Document, feeds: Mapping[str, Column], deadline: Deadline) -> Answer:
        """Have the model answer."""
        inputs = {each.name: feeds[each.name].tolist() for each in document.inputs}
        body = msgspec.json.encode({"signature_name": document.signature, "inputs": inputs})
        path = f"{self._location.path}:predict"
        data = self._connections.post(path, body, deadline, REMOTE_RESPONSE_BYTES_MAX)
        outputs = decoded(data, _Response).outputs
        if len(document.outputs) == 1:  # then it leaves the name out
            outputs = {document.outputs[0].name: outputs}
        named = outputs if isinstance(outputs, dict) else {}
        tensors = {
            each.name: from_json(each.name, named[each.name], each.element, None)
            for each in document.outputs
            if each.name in named
        }
        return Answer(tensors, self._location.version)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


def _chosen(signatures: Mapping[str, _Signature]) -> tuple[str, _Signature]:
    usable = {n: each for n, each in signatures.items() if each.method_name in {"", _PREDICT}}
    names = [name for name in _SIGNATURES if name in usable]
    if not names and len(usable) == 1:
        names = list(usable)
    if not names:
        known = ", ".join(sorted(signatures)[:10]) or "none"
        raise InvalidModel(
            f"no signature to predict with is called serving_default; it has {known}"
        )
    return names[0], usable[names[0]]


def _tensors(infos: Mapping[str, _TensorInfo]) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, infos[name]) for name in sorted(infos))


def _tensor(name: str, info: _TensorInfo) -> Tensor:
    dims = info.tensor_shape.dim
    if info.tensor_shape.unknown_rank or not dims or dims[0].size >= 0:
        raise UnsupportedModel(
            f"tensor {name!r} is of no shape, or for a fixed number of records; its first dimension "
            f"must be -1, any number of them"
        )
    row = tuple(None if each.size < 0 else each.size for each in dims[1:])
    return Tensor(name, tensorflow_element(name, info.dtype), row)
