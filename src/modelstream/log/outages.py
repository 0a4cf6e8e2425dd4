"""Waiting while a log is away: brokers are restarted, and whoever serves goes on afterwards.

Only what runs for long waits so; a command that a person waits for says at once what is wrong.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from modelstream.errors import LogUnavailable
from modelstream.limits import LOG_AWAY_SECONDS_MAX, LOG_RETRY_SECONDS_MAX, LOG_RETRY_SECONDS_MIN

_log = logging.getLogger("modelstream")

Done = TypeVar("Done")


def wait_out(
    work: Callable[[], Done],
    stop: threading.Event,
    *,
    seconds_max: float = LOG_AWAY_SECONDS_MAX,
) -> Done | None:
    """Do `work`, again and again while the log is away; None where `stop` is set before it is done.

    Raises what `work` raises: LogUnavailable once the log has been away for `seconds_max`.
    """
    give_up: float | None = None
    reason = ""
    pause_seconds = LOG_RETRY_SECONDS_MIN
    while not stop.is_set():
        try:
            done = work()
        except LogUnavailable as error:
            give_up = give_up or time.monotonic() + seconds_max
            left = give_up - time.monotonic()
            if left < 0:
                raise LogUnavailable(f"{error} (tried for {seconds_max:g} s)") from error
            if str(error) != reason:
                reason = str(error)
                _log.warning("%s; trying again for %.0f s", error, left)
        else:
            if give_up is not None:
                _log.warning("the log answers again")
            return done
        stop.wait(pause_seconds)
        pause_seconds = min(2 * pause_seconds, LOG_RETRY_SECONDS_MAX)
    return None
