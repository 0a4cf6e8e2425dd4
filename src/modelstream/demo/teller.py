"""What tells the story: the interface of `screen` and `lines`, and the words for registry events."""

from typing import Literal, Protocol

from modelstream.events import (
    Admitted,
    Drifted,
    Measured,
    Planned,
    Promoted,
    RegistryEvent,
    Rejected,
    Released,
    Retired,
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
        case RolledBack() | Retired():
            state = "rolled back" if isinstance(event, RolledBack) else "retired"
            return f"{version_of(event)} was {state}"
        case Planned():
            return f"answers are found by {event.policy}"
        case _:
            return _of_watching(event)


def _of_watching(event: Released | Measured | Drifted) -> str:
    match event:
        case Released():
            state = event.state.replace("_", " ")
            return f"release of {version_of(event)} {state}: {event.because or 'as ordered'}"
        case Measured():
            return (
                f"measured {', '.join(each.name + '@' + each.version for each in event.versions)}"
            )
        case Drifted(drift=drift):
            return f"{drift.column} is {'far from' if event.alarm else 'back at'} its profile"
