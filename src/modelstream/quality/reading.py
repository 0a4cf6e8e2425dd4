"""The topics that a monitor reads, each partition from an offset on."""

from collections.abc import Iterator, Sequence

from modelstream.core.registry import Registry
from modelstream.events import Reach
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.stored import OutcomeTopic, Stored, as_of, outcome_topics

# A partition; then, of each message, its offset, its key, and what it is (None where it is nothing).
Outcomes = tuple[int, Sequence[int], Sequence[bytes | None], list[Stored | None]]


class Reader:
    """Reads results, rejects and labels on from where it is; `reach` is where that is."""

    def __init__(self, log: Log, flow: Flow, start: Reach) -> None:
        self._log, self._flow = log, flow
        self._topics = outcome_topics(log, flow)
        self._results = list(start.results)
        self._rejects = list(start.rejects)
        self._labels = list(start.labels)

    @property
    def reach(self) -> Reach:
        """The next offset of each partition."""
        return Reach(tuple(self._results), tuple(self._rejects), tuple(self._labels))

    def outcomes(self) -> Iterator[Outcomes]:
        """Read results and rejects up to their ends as they are now."""
        for topic, places in zip(self._topics, (self._results, self._rejects), strict=True):
            for partition in range(len(places)):
                end = topic.bounds(partition)[1]
                while places[partition] < end:
                    batch = topic.read(partition, places[partition])
                    if not len(batch):
                        break
                    places[partition] = batch.next_offset
                    keys = batch.keys or [None] * len(batch)
                    yield partition, batch.offsets, keys, list(map(topic.decode, batch.values))

    def labels(self) -> Iterator[tuple[bytes | None, int, bytes]]:
        """Read labels up to their ends: key, time and value."""
        for partition in range(len(self._labels)):
            end = self._log.bounds(self._flow.labels, partition)[1]
            while self._labels[partition] < end:
                batch = self._log.read(
                    self._flow.labels,
                    partition,
                    self._labels[partition],
                    BATCH_RECORDS_MAX,
                    BATCH_BYTES_MAX,
                )
                if not len(batch):
                    break
                self._labels[partition] = batch.next_offset
                keys = batch.keys or [None] * len(batch)
                yield from zip(keys, batch.timestamps, batch.values, strict=True)


def start_of(
    log: Log, flow: Flow, registry: Registry, data_types: Sequence[str], now_ms: int
) -> Reach:
    """Return where to begin to read for the windows of some data types.

    That is where the last figures of a window began, else the first outcome that belongs to it.
    """
    reaches = [_start(log, flow, registry, each, now_ms) for each in data_types]
    return Reach(
        tuple(map(min, zip(*(each.results for each in reaches), strict=True))),
        tuple(map(min, zip(*(each.rejects for each in reaches), strict=True))),
        tuple(map(min, zip(*(each.labels for each in reaches), strict=True))),
    )


def _start(log: Log, flow: Flow, registry: Registry, data_type: str, now_ms: int) -> Reach:
    position = registry.windows[data_type]
    before = registry.measured.get(data_type)
    if before is not None and before.window == position:
        return before.since
    results, rejects = outcome_topics(log, flow)
    count = log.topics()[flow.results].partitions
    starts = [_first(results, partition, position) for partition in range(count)]
    refused = [
        _first(rejects, partition, position)
        for partition in range(log.topics()[flow.rejects].partitions)
    ]
    if not flow.labels:
        return Reach(tuple(starts), tuple(refused))
    times = [_time_at(results, partition, start) for partition, start in enumerate(starts)]
    since_ms = min((at for at in times if at is not None), default=now_ms)
    labels = [
        log.offset_at(flow.labels, partition, since_ms)
        for partition in range(log.topics()[flow.labels].partitions)
    ]
    return Reach(tuple(starts), tuple(refused), tuple(labels))


def _first(topic: OutcomeTopic, partition: int, position: int) -> int:
    """Return the offset of a partition's first outcome as of `position` or later, by halving."""
    low, high = topic.bounds(partition)
    while low < high:
        middle = (low + high) // 2
        batch = topic.read(partition, middle, 1)
        outcome = topic.decode(batch.values[0]) if len(batch) else None
        if outcome is not None and as_of(outcome) < position:
            low = middle + 1
        else:
            high = middle
    return low


def _time_at(topic: OutcomeTopic, partition: int, offset: int) -> int | None:
    batch = topic.read(partition, offset, 1)
    outcome = topic.decode(batch.values[0]) if len(batch) else None
    return None if outcome is None else outcome.timestamp
