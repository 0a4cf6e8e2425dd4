"""The moment by which a score call must have ended, whatever it asks of a server until then."""

import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after_ms(cls, milliseconds: int) -> Self:
        """Return the moment so long from now."""
        return cls(time.monotonic() + milliseconds / 1000)

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("it did not answer in time")
        return left
