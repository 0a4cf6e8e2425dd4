"""What a client meets in the background: told once, not at each attempt."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

from modelstream.limits import KAFKA_TELL_SECONDS
from modelstream.log.kafka.errors import LASTING

_log = logging.getLogger("modelstream.kafka")


class Troubles:
    """The errors of one client, as its `error_cb`; what an operation cannot do, it raises itself.

    A client that cannot connect says so several times a second. One kind of error is logged when
    it begins, and again only after it was not met for a while. Without `tells` it is only kept.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, tells: bool = True) -> None:
        self.worst: KafkaError | None = None  # one that no waiting mends, else the first
        self._clock, self._tells = clock, tells
        self._met: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        """Take an error in."""
        code, now = error.code(), self._clock()
        if self._tells and now - self._met.get(code, -KAFKA_TELL_SECONDS) >= KAFKA_TELL_SECONDS:
            _log.warning("%s", error.str())
        self._met[code] = now
        if self.worst is None or (code in LASTING and self.worst.code() not in LASTING):
            self.worst = error
