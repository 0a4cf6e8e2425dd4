"""Loads versions beside the running ones, in a thread of its own.

onnxruntime and SQLite release the interpreter's lock while they work, and what is loaded is the
lowered form, so that scoring goes on meanwhile.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from modelstream.engines.loaded import Loaded
from modelstream.events import Admitted, version_of
from modelstream.messages import VersionId


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """A finished load: the version in memory, or why it is not there."""

    version: VersionId
    loaded: Loaded | None
    reason: str = ""


class Loader:
    """A queue of versions to load, and one of outcomes; `on_outcome` tells of a new one."""

    def __init__(self, load: Callable[[Admitted], Loaded], on_outcome: Callable[[], None]) -> None:
        self._load = load
        self._on_outcome = on_outcome
        self._wanted: queue.SimpleQueue[Admitted | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[LoadOutcome] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="modelstream-loader", daemon=True)
        self._thread.start()

    def want(self, admitted: Admitted) -> None:
        """Load a version after those that were asked for before it."""
        self._wanted.put(admitted)

    def outcomes(self) -> list[LoadOutcome]:
        """Return the loads that ended since the last call; never waits."""
        ended: list[LoadOutcome] = []
        while not self._outcomes.empty():
            ended.append(self._outcomes.get_nowait())
        return ended

    def close(self, timeout: float) -> None:
        """End the thread after the load in hand."""
        self._wanted.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (admitted := self._wanted.get()) is not None:
            version = version_of(admitted)
            try:
                outcome = LoadOutcome(version, self._load(admitted))
            except Exception as error:  # noqa: BLE001 - whatever a model does, the loader goes on
                outcome = LoadOutcome(version, None, f"{type(error).__name__}: {error}")
            self._outcomes.put(outcome)
            self._on_outcome()
