"""The audience: reads what the flow writes, and joins its answers with the truth by key.

It sees the topics alone, as any consumer would; nothing is asked of the engine.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from modelstream.demo.producer import Sent
from modelstream.events import RegistryEvent, decode_event
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import Position, RecordBatch, VersionId
from modelstream.wire.results import decode_result

# Answers that one point of the accuracy's course stands for.
POINT_ANSWERS = 25


class Kind(NamedTuple):
    """What answers are counted by: who answered, as of which registry offset, about what."""

    version: VersionId
    as_of: int
    recalibrated: bool


class Window(NamedTuple):
    """Answers of one version, at or after a registry offset, to records of one calibration."""

    version: VersionId
    recalibrated: bool
    since: int = 0


@dataclass(slots=True)
class Tally:
    """How many answers there were, and how many of them were right."""

    right: int = 0
    total: int = 0

    def add(self, right: bool) -> None:
        """Count one answer."""
        self.right += right
        self.total += 1

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0.0 without any."""
        return self.right / self.total if self.total else 0.0


@dataclass(slots=True)
class Point:
    """Some answers that followed each other, and the version that gave the first of them."""

    version: VersionId
    tally: Tally = field(default_factory=Tally)


class Watch:
    """What was seen so far. `poll` reads on; for one thread, the others may look."""

    def __init__(self, log: Log, flow: Flow, truth: Mapping[bytes, Sent]) -> None:
        self.points: list[Point] = []
        self.events: dict[int, RegistryEvent] = {}
        self.outcomes: Counter[bytes] = Counter()
        self.rejected: set[bytes] = set()
        self.wrong: dict[Kind, bytes] = {}
        self._tallies: dict[Kind, Tally] = {}
        self._log, self._flow, self._truth = log, flow, truth
        self._offsets = dict.fromkeys((flow.registry, flow.results, flow.rejects), 0)

    def poll(self) -> list[RegistryEvent]:
        """Read what is new on the three topics; return the new registry events."""
        events = self._read(self._flow.registry)
        told = [decode_event(value) for value in events.values]
        self.events.update(zip(events.offsets, told, strict=True))
        results = self._read(self._flow.results)
        for key, value in zip(results.keys or (), results.values, strict=True):
            self._take(_known(key), value)
        rejects = self._read(self._flow.rejects)
        for key in rejects.keys or ():
            self.outcomes[_known(key)] += 1
            self.rejected.add(_known(key))
        return told

    def tally(self, window: Window) -> Tally:
        """Return the count of a window's answers."""
        inside = [
            tally
            for kind, tally in self._tallies.items()
            if (kind.version, kind.recalibrated) == window[:2] and kind.as_of >= window.since
        ]
        return Tally(sum(each.right for each in inside), sum(each.total for each in inside))

    def verdict(self, position: Position) -> dict[int, RegistryEvent]:
        """Return what the registry says of a message of the models topic, by offset."""
        return {
            offset: event
            for offset, event in self.events.items()
            if event.source == position.offset
        }

    def a_wrong_answer(self, version: VersionId) -> bytes | None:
        """Return the key of a record that a version answered wrongly after the recalibration."""
        kinds = (kind for kind in self.wrong if kind.version == version and kind.recalibrated)
        return next((self.wrong[kind] for kind in kinds), None)

    def _take(self, key: bytes, value: bytes) -> None:
        """Compare one answer with the truth."""
        result, sent = decode_result(value), self._truth[key]
        version = VersionId(result.model.name, result.model.version)
        kind = Kind(version, result.model.as_of, sent.recalibrated)
        right = next(iter(result.outputs.values())) == sent.diagnosis
        self.outcomes[key] += 1
        self._tallies.setdefault(kind, Tally()).add(right)
        if not right:
            self.wrong.setdefault(kind, key)
        if not self.points or self.points[-1].tally.total == POINT_ANSWERS:
            self.points.append(Point(version))
        self.points[-1].tally.add(right)

    def _read(self, topic: str) -> RecordBatch:
        offset = self._offsets[topic]
        batch = self._log.read(topic, 0, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
        if len(batch):
            self._offsets[topic] = batch.next_offset
        return batch


def _known(key: bytes | None) -> bytes:
    """Return a key; every record of the demo has one, and so has its answer."""
    assert key is not None
    return key
