"""Versions that could not be loaded: why, and when each is tried again."""

import logging
import time

from modelstream.limits import RETRY_LOAD_SECONDS
from modelstream.messages import VersionId

_log = logging.getLogger("modelstream")


class FailedLoads:
    """Keeps a failed load in sight in `reasons`; the version before it goes on answering."""

    def __init__(self) -> None:
        self.reasons: dict[VersionId, str] = {}
        self._retry_at: dict[VersionId, float] = {}

    def note(self, version: VersionId, reason: str) -> None:
        """Take note of a failure, and say so."""
        self.reasons[version] = reason
        self._retry_at[version] = time.monotonic() + RETRY_LOAD_SECONDS
        _log.error(
            "cannot load %s: %s; will try again in %s s", version, reason, RETRY_LOAD_SECONDS
        )

    def due(self) -> list[VersionId]:
        """Return those that are to be tried again now, each once."""
        if not self._retry_at:
            return []
        now = time.monotonic()
        due = [version for version, at in self._retry_at.items() if at <= now]
        for version in due:
            del self._retry_at[version]
        return due
