"""What is known of a remote model: the artifact, made of its server's metadata, and its lowered form.

Both are small JSON documents. The artifact's digest is that of the model's signature: where a server
comes to tell another one, it is another version.
"""

from typing import Any, TypeVar

import msgspec

from modelstream.errors import InvalidModel
from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.plan import Element
from modelstream.formats.refusals import check_version
from modelstream.limits import REMOTE_METADATA_BYTES_MAX

FORM_VERSION = 1
_Made = TypeVar("_Made")


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or output as the server tells it; `shape` is without its first dimension, the rows."""

    name: str
    element: Element
    shape: tuple[int | None, ...]


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The artifact. `signature` is TensorFlow Serving's, `platform` the server's word for the kind.

    `binary`: over HTTP its tensors travel as raw bytes.
    """

    remote: int = FORM_VERSION  # the first key: the format is recognised by it
    location: str
    signature: str = ""
    platform: str = ""
    binary: bool = False
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lowered form: the document, and what the publisher said of its tensors."""

    document: Document
    feature_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def hints(self) -> Hints:
        """What the publisher said, as formats take it."""
        return Hints(self.feature_names, self.labels)


def encode_document(document: Document) -> bytes:
    """Return the artifact's bytes: equal metadata give equal bytes."""
    return msgspec.json.encode(document)


def decode_document(data: bytes) -> Document:
    """Read an artifact. Raises InvalidModel."""
    document = _decoded(data, Document, "the metadata of a remote model")
    check_version(document.remote, FORM_VERSION)
    return document


def encode_plan(plan: Plan) -> bytes:
    """Return the lowered form."""
    return msgspec.json.encode(plan)


def decode_plan(data: bytes) -> Plan:
    """Read a lowered form. Raises InvalidModel."""
    plan = _decoded(data, Plan, "the lowered form of a remote model")
    check_version(plan.document.remote, FORM_VERSION)
    return plan


def _decoded(data: bytes, kind: type[_Made], what: str) -> _Made:
    if len(data) > REMOTE_METADATA_BYTES_MAX:
        raise InvalidModel(f"{what} has {len(data)} bytes; {REMOTE_METADATA_BYTES_MAX} are allowed")
    try:
        made: Any = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidModel(f"these bytes are not {what}: {error}; publish its location") from None
    return made  # type: ignore[no-any-return]
