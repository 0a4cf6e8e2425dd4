"""PMML as a format: how its bytes are told, lowered and loaded."""

import re
from dataclasses import dataclass, replace

import msgspec

from modelstream.formats.base import Hints
from modelstream.formats.description import encode_description
from modelstream.formats.pmml.describing import describe_document
from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.model import PmmlModel, compile_document
from modelstream.formats.pmml.reader import read_document
from modelstream.formats.pmml.verification import verify
from modelstream.formats.refusals import check_version, refusals

_VERSION = 2
_HEAD_BYTES = 4096
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?PMML[\s>/]")


class Lowered(Element, kw_only=True, frozen=True, tag="#lowered"):
    """A checked document with its trees as flat arrays, and the description of what was read.

    `version` is of this form, not of PMML.
    """

    version: int
    document: Document
    description: bytes


_DECODE_LOWERED = msgspec.msgpack.Decoder(Lowered).decode


@dataclass(frozen=True, slots=True)
class PmmlFormat:
    """Predictive Model Markup Language 3.0 to 4.4.1."""

    @property
    def name(self) -> str:
        """The word users write."""
        return "pmml"

    def recognises(self, data: bytes) -> bool:
        """Tell whether the root element of an XML document is PMML."""
        head = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            head = head.decode("utf-16", "ignore").lstrip("\ufeff").encode()
        return head.startswith(b"<") and _ROOT.search(head) is not None

    def lower(self, data: bytes, hints: Hints) -> bytes:  # noqa: ARG002  # the contract's
        """Parse and compile a document; return it with its trees as flat arrays.

        The names of fields are in the document, so hints are of no use.
        """
        with refusals("the PMML document"):
            document = read_document(data)
            lowered, model = compile_document(document)
            verification = document.models[0].verification
            if verification is not None:
                verify(verification, model)
            description = encode_description(describe_document(document, model))
            return msgspec.msgpack.encode(
                Lowered(version=_VERSION, document=lowered, description=description)
            )

    def load(self, lowered: bytes) -> PmmlModel:
        """Build the model from its lowered form."""
        with refusals("the lowered form"):
            form = _DECODE_LOWERED(lowered)
            check_version(form.version, _VERSION)
            return replace(compile_document(form.document)[1], description=form.description)
