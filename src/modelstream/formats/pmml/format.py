"""PMML as a format: how its bytes are told, lowered and loaded."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.base import Hints
from modelstream.formats.description import encode_description
from modelstream.formats.pmml.describing import describe_document
from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.model import PmmlModel, compile_document
from modelstream.formats.pmml.reader import read_document
from modelstream.formats.pmml.verification import verify

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
        with _refusals("the PMML document"):
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
        with _refusals("the lowered form"):
            form = msgspec.msgpack.decode(lowered, type=Lowered)
            if form.version != _VERSION:
                raise InvalidModel(
                    f"the lowered form has version {form.version}, this is version {_VERSION}; "
                    "lower the document again"
                )
            return replace(compile_document(form.document)[1], description=form.description)


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Turn whatever bytes that are not trusted lead to into a refusal with the reason.

    Numbers that overflow are no reason: they are infinite or missing, here as in a score.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except RecursionError:
        raise InvalidModel(f"{what} is nested too deeply to be evaluated") from None
    except (msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise InvalidModel(f"{what} does not make a model: {error}") from error
