"""The load of the `swap` benchmark: a producer that never lets the server rest, and a checker.

The checker reads every result from the log and knows nothing of how it came there.
"""

from collections.abc import Sequence

import msgspec

import modelstream as ms
from benchmarks.measure import Figure
from benchmarks.served import append
from benchmarks.versions import wines
from modelstream.events import Promoted, decode_events
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX, REGISTRY_READ_RECORDS
from modelstream.log.base import Log

BACKLOG_RECORDS = 20 * BATCH_RECORDS_MAX


def publish(
    log: Log, flow: ms.Flow, data: bytes, version: str, features: Sequence[str]
) -> ms.Position:
    """Publish a numbered version."""
    return ms.publish(log, flow, data, name="wine", version=version, feature_names=features)


class Producer:
    """Keeps records waiting, in batches of the size that a turn takes."""

    def __init__(self, log: Log, flow: ms.Flow) -> None:
        self._log, self._flow = log, flow
        (self._topic,) = flow.record_topics
        self._values = wines(BATCH_RECORDS_MAX)
        self.sent = 0

    def top_up(self) -> bool:
        """Append a batch if the backlog is short of one; tell whether it was."""
        done = self._log.committed(self._flow.group, self._topic, 0) or 0
        if self.sent - done >= BACKLOG_RECORDS:
            return False
        self.sent += append(self._log, self._flow, self._values)
        return True


class _Stamp(msgspec.Struct, gc=False):
    version: str
    as_of: int


class _Result(msgspec.Struct, gc=False):
    offset: int
    model: _Stamp


class Checker:
    """Follows the results: one for each record, in order, each by the right version."""

    def __init__(self, log: Log, flow: ms.Flow) -> None:
        self._log, self._flow = log, flow
        self._decode = msgspec.json.Decoder(_Result).decode
        self.seen = 0
        self.version = ""
        self._order: list[str] = []
        self._misplaced = self._stale = self._rejected = self._lost = 0

    def read(self) -> bool:
        """Check the next results; tell whether there were any."""
        batch = self._log.read(
            self._flow.results, 0, self.seen, 2 * BATCH_RECORDS_MAX, BATCH_BYTES_MAX
        )
        if not len(batch):
            return False
        if batch.offsets[0] != self.seen:
            raise RuntimeError("the checker fell behind the topic's retention; use a faster disk")
        for offset, result in zip(batch.offsets, map(self._decode, batch.values), strict=True):
            self._misplaced += result.offset != offset
            if result.model.version != self.version:
                self.version = result.model.version
                self._order.append(self.version)
        self.seen = batch.next_offset
        return True

    def close(self, sent: int) -> None:
        """Take stock once nothing more will come."""
        self._rejected = self._log.bounds(self._flow.rejects, 0)[1]
        self._lost = sent - self.seen - self._rejected
        promoted = self._promotions()
        self._stale = sum(
            mine != its for mine, its in zip(self._order, promoted, strict=False)
        ) + abs(len(promoted) - len(self._order))

    def figures(self) -> tuple[Figure, ...]:
        """Return what must be nothing, and how much was checked."""
        return (
            Figure("records answered", self.seen, ""),
            Figure("records lost", self._lost, "", goal=0),
            Figure("records rejected", self._rejected, "", goal=0),
            Figure("results out of order, or twice", self._misplaced, "", goal=0),
            Figure("versions that answered", len(self._order), ""),
            Figure("versions not in the registry's order", self._stale, "", goal=0),
        )

    def _promotions(self) -> list[str]:
        """Return the versions in the order in which the registry promoted them."""
        found: list[str] = []
        offset = 0
        while len(
            batch := self._log.read(
                self._flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX
            )
        ):
            events = decode_events(batch.values)
            found += [event.version for event in events if isinstance(event, Promoted)]
            offset = batch.next_offset
        return found
