"""What a protocol has to do: tell of a model, and have it answer. Nothing here opens a connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document
from modelstream.messages import Column

# What a message quotes of a server's answer.
_QUOTED_CHARS_MAX = 300


class ServerRefused(Exception):
    """The server answers, but not this request: a record in it may be to blame."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The output tensors by name, rows first, and the version that the server says it asked."""

    tensors: Mapping[str, Column]
    version: str


class Peer(Protocol):
    """One model at one server, over one protocol."""

    def carries_nan(self, document: Document) -> bool:
        """Tell whether a tensor may have NaN in it."""
        ...

    def metadata(self, deadline: Deadline) -> Document:
        """Ask what the model reads and answers.

        Raises ModelUnavailable; InvalidModel, UnsupportedModel where it cannot be served.
        """
        ...

    def infer(self, document: Document, feeds: Mapping[str, Column], deadline: Deadline) -> Answer:
        """Have the model answer. Raises ModelUnavailable, ServerRefused."""
        ...

    def close(self) -> None:
        """Close every connection; the next request opens one anew."""
        ...


def quoted(text: str) -> str:
    """Return the beginning of what a server said, in one line."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return plain if len(plain) <= _QUOTED_CHARS_MAX else plain[: _QUOTED_CHARS_MAX - 1] + "…"
