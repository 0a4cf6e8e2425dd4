"""The producer: sends one biopsy after the other at a steady rate, and keeps the truth to itself.

What it sends carries a key and no diagnosis. A few records are broken, as in any stream.
"""

import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from modelstream.demo.world import SEED, Biopsies, recalibrated, records
from modelstream.log.base import Log
from modelstream.messages import Outgoing

# One record of so many is broken: cut off in transit or, every second time, without one field.
BROKEN_EVERY = 250
# Between two appends; so many records a second come in batches of a few.
_TICK_SECONDS = 0.02


class Sent(NamedTuple):
    """What only the producer knows of a record."""

    diagnosis: str
    recalibrated: bool
    broken: bool


class Producer:
    """`truth` holds every record that was sent, by key, before the record is on the log."""

    def __init__(self, log: Log, topic: str, biopsies: Biopsies, per_second: float) -> None:
        self.truth: dict[bytes, Sent] = {}
        self.recalibrated = False
        self._log, self._topic = log, topic
        self._per_second = per_second
        self._diagnoses = [str(diagnosis) for diagnosis in biopsies.diagnoses]
        self._records = {
            False: records(biopsies),
            True: records(recalibrated(biopsies)),
        }
        self._patients = _shuffled_for_ever(len(biopsies))

    def run(self, stop: threading.Event) -> None:
        """Send at a steady rate until told to stop."""
        started = time.monotonic()
        while not stop.is_set():
            due = int((time.monotonic() - started) * self._per_second) - len(self.truth)
            if due > 0:
                self.send(due)
            stop.wait(_TICK_SECONDS)

    def send(self, count: int) -> None:
        """Send the next `count` records."""
        measure = self.recalibrated
        keys: list[bytes | None] = []
        values: list[bytes] = []
        for _ in range(count):
            number, patient = len(self.truth), next(self._patients)
            key = f"biopsy-{number:06d}".encode()
            broken = number % BROKEN_EVERY == BROKEN_EVERY - 1
            value = self._records[measure][patient]
            values.append(_broken(value, number) if broken else value)
            keys.append(key)
            self.truth[key] = Sent(self._diagnoses[patient], measure, broken)
        self._log.append(Outgoing(self._topic, values, keys))


def _shuffled_for_ever(count: int) -> Iterator[int]:
    """Return every number below `count` equally often, in an order that is never the same."""
    random = np.random.default_rng(SEED)
    while True:
        yield from random.permutation(count).tolist()


def _broken(value: bytes, number: int) -> bytes:
    if number // BROKEN_EVERY % 2 == 0:
        return value[: len(value) // 2]
    fields = msgspec.json.decode(value, type=dict[str, float])
    del fields["worst_area"]
    return msgspec.json.encode(fields)
