"""What tells the story: the interface of `screen` and `lines`, and the words for registry events."""

from typing import Literal, Protocol

from modelstream.events import (
    Admitted,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    RolledBack,
    version_of,
)

# An event of the registry, something seen, a check that held, one that did not.
Mark = Literal["event", "fact", "held", "broken"]


class Teller(Protocol):
    """Shows the story to somebody."""

    def begin(self, chapter: int) -> None:
        """Go on to a chapter, counted from 0."""
        ...

    def end(self) -> None:
        """Take note that every chapter was told."""
        ...

    def tell(self, mark: Mark, text: str) -> None:
        """Show one fact."""
        ...


def in_words(event: RegistryEvent) -> str:
    """Return a registry event as one line."""
    match event:
        case Admitted():
            kind, kilobytes = event.format.upper(), event.size / 1000
            fields = f"reads {len(event.inputs)} fields"
            return f"admitted {version_of(event)}: {kind}, {kilobytes:.1f} kB, {fields}"
        case Promoted():
            return f"{version_of(event)} is current"
        case Rejected():
            return f"refused {event.name}: {event.code}: {event.reason}"
        case RolledBack():
            return f"{version_of(event)} was rolled back"
        case Planned():
            return f"answers are found by {event.policy}"
        case _:
            return f"{version_of(event)} was retired"
