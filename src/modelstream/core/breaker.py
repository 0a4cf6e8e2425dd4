"""A breaker leaves out a candidate that keeps missing deadlines, and tries it again now and then."""

from dataclasses import dataclass

from modelstream.limits import (
    BREAKER_MISSES,
    BREAKER_PATIENCE_US,
    BREAKER_PAUSE_US_MAX,
    BREAKER_PAUSE_US_MIN,
)


@dataclass(slots=True)
class Breaker:
    """One version's breaker. Times are those of the core's clock, in microseconds."""

    misses: int = 0
    since_us: float = 0.0  # of the first of them
    pause_us: float = BREAKER_PAUSE_US_MIN
    open_until_us: float | None = None

    def allows(self, now_us: float) -> bool:
        """Tell whether the candidate may be asked; once a pause is over, one batch tries it."""
        if self.open_until_us is None:
            return True
        if now_us < self.open_until_us:
            return False
        self.open_until_us = now_us + self.pause_us
        return True

    def missed(self, now_us: float) -> None:
        """Take note that a batch was decided without it because its time was over."""
        if self.misses == 0:
            self.since_us = now_us
        self.misses += 1
        if self.open_until_us is not None:
            self.pause_us = min(2 * self.pause_us, BREAKER_PAUSE_US_MAX)
            self.open_until_us = now_us + self.pause_us
        elif self.misses >= BREAKER_MISSES and now_us - self.since_us >= BREAKER_PATIENCE_US:
            self.open_until_us = now_us + self.pause_us

    def answered(self) -> None:
        """Take note that it answered in time."""
        self.misses = 0
        self.pause_us = BREAKER_PAUSE_US_MIN
        self.open_until_us = None
