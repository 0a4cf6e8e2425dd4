"""The breaker: after repeated failures a server is let alone for a while, and calls fail at once."""

import time
from collections.abc import Callable

from modelstream.errors import ModelUnavailable
from modelstream.limits import REMOTE_FAILURES_MAX, REMOTE_OPEN_SECONDS


class Breaker:
    """Closed: calls pass. Open: they fail at once. After a pause one probe may close it again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._why = ""

    def admit(self) -> bool:
        """Let a call pass; tell whether it has to be a probe. Raises ModelUnavailable while open."""
        if self._failures < REMOTE_FAILURES_MAX:
            return False
        if self._clock() - self._opened_at < REMOTE_OPEN_SECONDS:
            raise ModelUnavailable(self._why)
        self._opened_at = self._clock()  # one probe at a time; the others go on failing
        return True

    def failed(self, why: str) -> None:
        """Count a failure."""
        self._failures += 1
        self._opened_at = self._clock()
        self._why = why

    def succeeded(self) -> None:
        """Close."""
        self._failures = 0
