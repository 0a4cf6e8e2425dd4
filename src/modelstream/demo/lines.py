"""The story as plain lines, one a fact: for pipes, logs and continuous integration."""

from collections.abc import Sequence

from rich.console import Console

from modelstream.demo.teller import Mark

_MARKS: dict[Mark, str] = {"event": "registry", "fact": "fact", "held": "ok", "broken": "BROKEN"}


class Lines:
    """A teller that writes lines; `titles` are those of the chapters."""

    def __init__(self, console: Console, titles: Sequence[str]) -> None:
        self._console, self._titles = console, titles

    def begin(self, chapter: int) -> None:
        """Write a chapter's title."""
        self._console.out(f"{chapter + 1}. {self._titles[chapter]}", highlight=False)

    def end(self) -> None:
        """Write that there is no more to come."""
        self._console.out("That was the whole story.", highlight=False)

    def tell(self, mark: Mark, text: str) -> None:
        """Write one fact."""
        self._console.out(f"   {_MARKS[mark]:8} {text}", highlight=False)
