"""Notes on a document's Header, taken while the reader passes over it.

A Header is documentation, so nothing in it is a reason to refuse a document (DMG 4.4, Header).
"""

from modelstream.formats.base import Header
from modelstream.formats.description import make_header

_HEADER = ["Header"]
_APPLICATION = ["Header", "Application"]
_TIMESTAMP = ["Header", "Timestamp"]


class HeaderNotes:
    """What the first Header says; elements are named by their path from the one passed over."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._created: list[str] = []

    def start(self, path: list[str], attributes: dict[str, str]) -> None:
        """Note the attributes of an element."""
        if path == _HEADER:
            self._note("copyright", attributes.get("copyright"))
            self._note("description", attributes.get("description"))
            self._note("model_version", attributes.get("modelVersion"))
        elif path == _APPLICATION:
            self._note("application", attributes.get("name"))
            self._note("version", attributes.get("version"))

    def text(self, path: list[str], text: str) -> None:
        """Note the text in an element."""
        if path == _TIMESTAMP:
            self._created.append(text)

    def header(self) -> Header:
        """Return what was noted."""
        return make_header(**self._texts, created="".join(self._created))

    def _note(self, name: str, text: str | None) -> None:
        if text is not None:
            self._texts.setdefault(name, text)
