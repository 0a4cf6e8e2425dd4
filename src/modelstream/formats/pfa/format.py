"""PFA as a format: how its bytes are told, lowered and loaded."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from modelstream.formats.base import Hints
from modelstream.formats.pfa.document import compile_document
from modelstream.formats.pfa.model import PfaModel, make_model
from modelstream.formats.pfa.yaml import read_yaml
from modelstream.formats.refusals import check_version, refusals

_VERSION = 1
_HEAD_BYTES = 65_536
# Keys of a document; two of them make one.
_KEYS = rb"(action|input|output|method|cells|pools|fcns|begin)"
_JSON_KEYS = re.compile(rb'"' + _KEYS + rb'"\s*:')
_YAML_KEYS = re.compile(rb"^" + _KEYS + rb"\s*:", re.MULTILINE)


class Lowered(msgspec.Struct, frozen=True, tag="pfa", kw_only=True):
    """A checked document as plain data. `version` is of this form, not of PFA."""

    version: int
    document: Any


_DECODE_LOWERED = msgspec.msgpack.Decoder(Lowered).decode


@dataclass(frozen=True, slots=True)
class PfaFormat:
    """Portable Format for Analytics 0.8.1, in JSON or YAML."""

    @property
    def name(self) -> str:
        """The word users write."""
        return "pfa"

    def recognises(self, data: bytes) -> bool:
        """Tell whether the first keys of a JSON object or a YAML mapping are those of PFA."""
        head = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
        keys = _JSON_KEYS if head.startswith(b"{") else _YAML_KEYS
        return len(set(keys.findall(head))) > 1

    def lower(self, data: bytes, hints: Hints) -> bytes:  # noqa: ARG002  # the contract's
        """Parse and check a document; return it as plain data.

        The names of fields are in the document, so hints are of no use.
        """
        with refusals("the PFA document"):
            document = _read(data)
            make_model(compile_document(document))
            return msgspec.msgpack.encode(Lowered(version=_VERSION, document=document))

    def load(self, lowered: bytes) -> PfaModel:
        """Build the model from its lowered form."""
        with refusals("the lowered form"):
            form = _DECODE_LOWERED(lowered)
            check_version(form.version, _VERSION)
            return make_model(compile_document(form.document))


def _read(data: bytes) -> Any:
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    return msgspec.json.decode(text) if text.startswith(b"{") else read_yaml(text)
