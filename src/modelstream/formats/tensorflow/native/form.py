"""The lowered form of a graph that TensorFlow runs."""

import msgspec

from modelstream.errors import InvalidModel
from modelstream.formats.refusals import check_version

VERSION = 1
# The other lowered form of these formats is a MessagePack map, which begins otherwise.
_MARK = b"tensorflow\n"


class Fed(msgspec.Struct, frozen=True):
    """An input: its name for users, the tensor it is, its type by NumPy's name ("object": texts).

    `shape` has the rows first; None where nothing is known of it.
    """

    name: str
    tensor: str
    dtype: str
    shape: tuple[int | None, ...] | None


class Fetched(msgspec.Struct, frozen=True):
    """An output: its name for users, and the tensor it is."""

    name: str
    tensor: str


class NativeForm(msgspec.Struct, frozen=True, kw_only=True):
    """A GraphDef of allowed operations alone, and how it is served.

    `initial` are the nodes to run once, in that order, before anything is asked. `format` and
    `made_by` are told to people, as is `why`: the reason why it is not ONNX.
    """

    version: int
    graph: bytes
    initial: tuple[str, ...]
    inputs: tuple[Fed, ...]
    outputs: tuple[Fetched, ...]
    feature_names: tuple[str, ...]
    labels: tuple[str, ...]
    format: str
    made_by: str
    why: str


_DECODE_NATIVE_FORM = msgspec.msgpack.Decoder(NativeForm).decode


def encode_form(form: NativeForm) -> bytes:
    """Return the form as bytes."""
    return _MARK + msgspec.msgpack.encode(form)


def is_native(lowered: bytes) -> bool:
    """Tell this form from a plan for ONNX Runtime."""
    return lowered.startswith(_MARK)


def decode_form(lowered: bytes) -> NativeForm:
    """Read a form. Raises InvalidModel."""
    try:
        form = _DECODE_NATIVE_FORM(lowered[len(_MARK) :])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidModel(f"not a lowered graph: {error}; lower the artifact again") from None
    check_version(form.version, VERSION)
    return form
