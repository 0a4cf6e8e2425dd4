"""Versions, and the registry of schemas, whose server is away: since when is of no interest, but when to ask again, and how much.

Each failed attempt doubles the pause and halves the batch, so that neither a server that is slow nor a
batch that it cannot digest holds a stream up for good.
"""

import logging
import time
from collections.abc import Callable

from modelstream.limits import AWAY_RETRY_MS_MAX, AWAY_RETRY_MS_MIN
from modelstream.messages import VersionId

_log = logging.getLogger("modelstream")
# Whatever a record needs that can be away: a version, or how it is to be read.
Absent = VersionId | str
SCHEMAS = "the schema registry"


class Absences:
    """What is absent, each with the reason; `batch_records` is the most to ask for at once."""

    def __init__(self, batch_records: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.reasons: dict[Absent, str] = {}
        self.batch_records = batch_records
        self._most, self._clock = batch_records, clock
        self._pause_ms = AWAY_RETRY_MS_MIN
        self._next: float | None = None

    def began(self, absent: Absent, reason: str) -> None:
        """Take note of a failed attempt; a first one is logged."""
        if absent not in self.reasons:
            _log.warning("%s does not answer, its records wait: %s", absent, reason)
        self.reasons[absent] = reason
        if self._next is None:
            self._next = self._clock() + self._pause_ms / 1000
            self._pause_ms = min(2 * self._pause_ms, AWAY_RETRY_MS_MAX)
            self.batch_records = max(1, self.batch_records // 2)

    def ended(self, absent: Absent) -> None:
        """Take note that it answers."""
        self.batch_records = min(2 * self.batch_records, self._most)
        if self.reasons.pop(absent, None) is not None:
            _log.warning("%s answers again", absent)
        if not self.reasons:
            self._pause_ms = AWAY_RETRY_MS_MIN

    def forget(self) -> None:
        """Begin anew, because another version answers now."""
        self.reasons.clear()
        self._next = None
        self._pause_ms = AWAY_RETRY_MS_MIN
        self.batch_records = self._most

    def waiting(self) -> bool:
        """Tell whether a pause is going on."""
        return self._next is not None

    def due(self) -> bool:
        """Tell, once a pause, that it is over and the records are to be delivered again."""
        if self._next is None or self._clock() < self._next:
            return False
        self._next = None
        return True
