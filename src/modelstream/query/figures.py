"""Figures from the topics alone: which versions there are, how they do, what was rejected and why.

Anyone who can read a flow's topics can work them out; no running instance is asked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

import msgspec

from modelstream.audit.history import History, read_history
from modelstream.audit.records import read_range
from modelstream.core.stats import VersionStats
from modelstream.errors import InvalidMessage
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import ModelStamp, RecordBatch, TopicPartition, VersionId
from modelstream.query.positions import PartitionFigures, read_positions
from modelstream.query.versions import State, state_of
from modelstream.wire.writing import result_format

OnRead = Callable[[int], None]
Message = TypeVar("Message")


class VersionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How one version did; durations in microseconds, the rate by the records' own time.

    `errors` are the rejects of records that the version was current for. Without two different
    record times there is no rate. A version that the registry does not know has no data type.
    """

    name: str
    version: str
    data_type: str | None
    state: State | None
    uses: int
    errors: int
    mean_us: float
    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float
    per_second: float | None


class FlowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a flow did, from the first to the last outcome that its topics hold.

    `waiting` records have no outcome yet. `first_ms` and `last_ms` are times of records.
    """

    flow: str
    as_of: int
    results: int
    rejects: int
    waiting: int
    first_ms: int | None
    last_ms: int | None
    per_second: float | None
    versions: list[VersionFigures]
    rejects_by_reason: dict[str, int]
    partitions: list[PartitionFigures]


def read_figures(log: Log, flow: Flow, on_read: OnRead | None = None) -> FlowFigures:
    """Fold a flow's results and rejects; `on_read` is told how many were read each time.

    Raises UnknownTopic, InvalidMessage, LogError.
    """
    fold = _Fold()
    as_json = result_format(flow).as_json
    for batch in _scan(log, flow.results):
        fold.add_results(_decoded(replace(batch, values=as_json(batch.values)), _Scored))
        if on_read:
            on_read(len(batch))
    for batch in _scan(log, flow.rejects):
        fold.add_rejects(_decoded(batch, _Refused))
        if on_read:
            on_read(len(batch))
    history = read_history(log, flow)
    errors = fold.errors(history)
    partitions = read_positions(log, flow)
    versions = [*history.versions, *(each for each in fold.tallies if each not in history.versions)]
    return FlowFigures(
        flow=flow.name,
        as_of=history.last,
        results=sum(tally.stats.uses for tally in fold.tallies.values()),
        rejects=fold.reasons.total(),
        waiting=sum(each.lag for each in partitions),
        first_ms=fold.span.first_ms,
        last_ms=fold.span.last_ms,
        per_second=fold.span.per_second(),
        versions=[
            _figures(version, history, fold.tallies.get(version) or _Tally(), errors[version])
            for version in versions
        ],
        rejects_by_reason=dict(fold.reasons.most_common()),
        partitions=partitions,
    )


def outcomes(log: Log, flow: Flow) -> int:
    """Return the number of results and rejects that a flow's topics hold."""
    held = 0
    for topic in (flow.results, flow.rejects):
        for start, end in _bounds(log, topic):
            held += end - start
    return held


def waiting(log: Log, flow: Flow) -> int:
    """Return the number of records that have no outcome yet."""
    return sum(each.lag for each in read_positions(log, flow))


class _Scored(msgspec.Struct, gc=False):
    """What the figures need of a result."""

    model: ModelStamp
    timestamp: int


class _Refused(msgspec.Struct, gc=False):
    """What the figures need of a reject."""

    reason: str
    data_type: str | None
    as_of: int
    timestamp: int


@dataclass(slots=True)
class _Span:
    """How many records there were between the first and the last record time."""

    count: int = 0
    first_ms: int | None = None
    last_ms: int | None = None

    def add(self, times: Sequence[int]) -> None:
        self.count += len(times)
        self.first_ms = min(times) if self.first_ms is None else min(self.first_ms, *times)
        self.last_ms = max(times) if self.last_ms is None else max(self.last_ms, *times)

    def per_second(self) -> float | None:
        if self.first_ms is None or self.last_ms is None or self.first_ms == self.last_ms:
            return None
        return self.count * 1000 / (self.last_ms - self.first_ms)


@dataclass(slots=True)
class _Tally:
    """The results of one version."""

    stats: VersionStats = field(default_factory=VersionStats)
    span: _Span = field(default_factory=_Span)


class _Fold:
    """The fold of results and rejects."""

    def __init__(self) -> None:
        self.tallies: dict[VersionId, _Tally] = {}
        self.reasons: Counter[str] = Counter()
        self.span = _Span()
        self._refusals: Counter[tuple[str, int]] = Counter()

    def add_results(self, results: Sequence[_Scored]) -> None:
        """Take results in; neighbours with one stamp come from one score call."""
        for stamp, run in groupby(results, attrgetter("model")):
            times = [each.timestamp for each in run]
            tally = self.tallies.setdefault(VersionId(stamp.name, stamp.version), _Tally())
            tally.stats.add(len(times), 0, stamp.took_us)
            tally.span.add(times)
            self.span.add(times)

    def add_rejects(self, rejects: Sequence[_Refused]) -> None:
        """Take rejects in."""
        self.reasons.update(each.reason for each in rejects)
        self.span.add([each.timestamp for each in rejects])
        self._refusals.update(
            (each.data_type, each.as_of)
            for each in rejects
            if each.data_type is not None and each.reason != "no_model"
        )

    def errors(self, history: History) -> Counter[VersionId]:
        """Count rejects by the version that was current when the record was read."""
        errors: Counter[VersionId] = Counter()
        for (data_type, as_of), count in self._refusals.items():
            version = history.current(data_type, as_of)
            if version is not None:
                errors[version] += count
        return errors


def _figures(version: VersionId, history: History, tally: _Tally, errors: int) -> VersionFigures:
    summary = tally.stats.summary()
    known = history.versions.get(version)
    return VersionFigures(
        name=version.name,
        version=version.version,
        data_type=known.admitted.data_type if known else None,
        state=state_of(history, version) if known else None,
        uses=summary.uses,
        errors=errors,
        mean_us=summary.mean_us,
        p50_us=summary.p50_us,
        p95_us=summary.p95_us,
        p99_us=summary.p99_us,
        max_us=summary.max_us,
        per_second=tally.span.per_second(),
    )


def _bounds(log: Log, topic: str) -> list[tuple[int, int]]:
    """Return the first kept and the next offset of each partition; none where there is no topic."""
    made = log.topics().get(topic)
    return [log.bounds(topic, each) for each in range(made.partitions)] if made else []


def _scan(log: Log, topic: str) -> Iterator[RecordBatch]:
    """Read a topic up to where it ends now."""
    for partition, (start, end) in enumerate(_bounds(log, topic)):
        yield from read_range(log, TopicPartition(topic, partition), start, end)


def _decoded(batch: RecordBatch, kind: type[Message]) -> list[Message]:
    """Read a batch of JSON messages as one array. Raises InvalidMessage."""
    text = b"[" + b",".join(batch.values) + b"]"
    try:
        messages = msgspec.json.decode(text, type=list[kind])  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeError) as error:
        first = f"{batch.topic}/{batch.partition}/{batch.offsets[0]}"
        raise InvalidMessage(
            f"one of the {len(batch)} messages from {first} on is no result or reject ({error}); "
            f"only the join may write this topic"
        ) from error
    return messages
