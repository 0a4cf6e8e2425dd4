"""The clock of a log: what stamps records, expires them, and lets leases lapse."""

import time
from collections.abc import Callable

# Milliseconds since the epoch, as Kafka counts them. Tests pass a clock of their own.
Clock = Callable[[], int]


def wall_clock_ms() -> int:
    """Return the time of day in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
