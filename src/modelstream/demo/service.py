"""The flow of the demo, served in a thread by the real engine, and a picture of its versions."""

import threading
import time
from typing import NamedTuple

from modelstream.core.registry import VersionState
from modelstream.core.stats import Summary, VersionStats
from modelstream.engines.embedded import Embedded
from modelstream.engines.serve import serve
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import VersionId

# Between two pictures; a figure that changes faster cannot be read.
_PICTURE_SECONDS = 0.2


class VersionLine(NamedTuple):
    """One version at one moment."""

    id: VersionId
    format: str
    state: VersionState
    stats: Summary


class Service:
    """`run` serves; `versions` is the last picture, in order of admission."""

    def __init__(self, log: Log, flow: Flow) -> None:
        self.versions: tuple[VersionLine, ...] = ()
        self._log, self._flow = log, flow
        self._engine: Embedded | None = None
        self._next_picture = 0.0

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop."""
        serve(self._flow, self._log, stop=stop, on_turn=self._look)
        if self._engine is not None:
            self.versions = _picture(self._engine)

    def _look(self, engine: Embedded, _done: int) -> None:
        self._engine = engine
        now = time.monotonic()
        if now >= self._next_picture:
            self._next_picture = now + _PICTURE_SECONDS
            self.versions = _picture(engine)


def _picture(engine: Embedded) -> tuple[VersionLine, ...]:
    machine = engine.shell.machine
    return tuple(
        VersionLine(
            version,
            known.admitted.format,
            machine.registry.state(version),
            machine.stats.get(version, VersionStats()).summary(),
        )
        for version, known in machine.registry.versions.items()
    )
