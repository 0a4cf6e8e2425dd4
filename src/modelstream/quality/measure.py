"""How good each version was: results joined with labels, from the topics alone.

Of a result that tells of several candidates each one is measured by what it said, whoever won; so a
shadow is measured as well as what answers. Where two said something, their agreement is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from modelstream.errors import InvalidFlow
from modelstream.flow import Flow
from modelstream.limits import AGREEMENT_PAIRS_MAX, BATCH_BYTES_MAX, BATCH_RECORDS_MAX
from modelstream.log.base import Log
from modelstream.messages import VersionId
from modelstream.quality.labels import Labels, read_labels
from modelstream.quality.metrics import Quality, class_name
from modelstream.quality.told import said_of
from modelstream.stored import StoredResult, decode_stored
from modelstream.wire.writing import result_format

OnRead = Callable[[int], None]


class VersionQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How good one version was, by `labels` labels."""

    name: str
    version: str
    labels: int
    metrics: dict[str, float]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How often two versions said the same of one record, and what they said where they did not.

    `pairs` are (what the first said, what the second said, how often), most frequent first.
    """

    first: str
    second: str
    records: int
    agreed: int
    pairs: list[tuple[str, str, int]]


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow's labels say of its results.

    `unlabelled` results have no label yet; `unreadable` labels have no key or no `label`.
    """

    flow: str
    results: int
    unlabelled: int
    labels: int
    unreadable: int
    dropped: int
    versions: list[VersionQuality]
    agreements: list[Agreement]


def measure(log: Log, flow: Flow, on_read: OnRead | None = None) -> QualityReport:
    """Join a flow's results with its labels; `on_read` is told how many results were read.

    Raises InvalidFlow where the flow names no labels; UnknownTopic, LogError.
    """
    if not flow.labels:
        raise InvalidFlow(
            f'flow {flow.name!r} names no labels; add labels = "{flow.name}.labels" to it, and send '
            f'{{"label": ...}} there with the record\'s key'
        )
    labels = read_labels(log, flow)
    fold = _Fold(labels)
    for key, result in _results(log, flow, on_read):
        fold.add(key, result)
    return fold.report(flow.name)


@dataclass(slots=True)
class _Fold:
    """The join. `last` is each key's newest result, which waits for the one after it."""

    labels: Labels
    results: int = 0
    unlabelled: int = 0
    versions: dict[VersionId, Quality] = field(default_factory=dict)
    pairs: dict[tuple[VersionId, VersionId], Counter[tuple[str, str]]] = field(default_factory=dict)
    last: dict[bytes, tuple[int | None, StoredResult]] = field(default_factory=dict)

    def add(self, key: bytes | None, result: StoredResult) -> None:
        """Take in one result, in the order of its partition."""
        self.results += 1
        said = said_of(result)
        self._compare(said)
        if key is None or key not in self.labels:
            self.unlabelled += 1
            return
        before = self.last.get(key)
        if before is not None:
            self._judge(key, *before, stop=result.timestamp)
        # Labels from before the first record of a key are that one's.
        self.last[key] = (None if before is None else result.timestamp, result)

    def report(self, flow: str) -> QualityReport:
        """Return what was found."""
        for key, (start, result) in self.last.items():
            self._judge(key, start, result, stop=None)
        self.last.clear()
        return QualityReport(
            flow=flow,
            results=self.results,
            unlabelled=self.unlabelled,
            labels=self.labels.count,
            unreadable=self.labels.unreadable,
            dropped=self.labels.dropped,
            versions=[
                VersionQuality(
                    name=version.name,
                    version=version.version,
                    labels=quality.labels,
                    metrics=quality.metrics(),
                )
                for version, quality in self.versions.items()
            ],
            agreements=[_agreement(*pair, counts) for pair, counts in self.pairs.items()],
        )

    def _judge(self, key: bytes, start: int | None, result: StoredResult, stop: int | None) -> None:
        label = self.labels.of(key, start, stop)
        if label is None:
            self.unlabelled += 1
            return
        for version, outputs in said_of(result).items():
            self.versions.setdefault(version, Quality()).add(label, outputs)

    def _compare(self, said: dict[VersionId, dict[str, Any]]) -> None:
        """Count what candidates of one record said, pair by pair."""
        told = [(version, next(iter(outputs.values()), None)) for version, outputs in said.items()]
        for index, (first, one) in enumerate(told):
            for second, other in told[index + 1 :]:
                counts = self.pairs.setdefault((first, second), Counter())
                pair = (class_name(one), class_name(other))
                if pair in counts or len(counts) < AGREEMENT_PAIRS_MAX:
                    counts[pair] += 1
                else:
                    counts["others", "the others"] += 1


def _results(
    log: Log, flow: Flow, on_read: OnRead | None
) -> Iterator[tuple[bytes | None, StoredResult]]:
    as_json = result_format(flow).as_json
    for partition in range(log.topics()[flow.results].partitions):
        offset, end = log.bounds(flow.results, partition)
        while offset < end:
            batch = log.read(flow.results, partition, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
            if not len(batch):
                break
            offset = batch.next_offset
            keys = batch.keys or [None] * len(batch)
            for key, value in zip(keys, as_json(batch.values), strict=True):
                result = decode_stored(StoredResult, value)
                assert isinstance(result, StoredResult), "it was decoded as one"
                yield key, result
            if on_read:
                on_read(len(batch))


def _agreement(first: VersionId, second: VersionId, counts: Counter[tuple[str, str]]) -> Agreement:
    return Agreement(
        first=str(first),
        second=str(second),
        records=counts.total(),
        agreed=sum(count for (one, other), count in counts.items() if one == other),
        pairs=[(*pair, count) for pair, count in counts.most_common()],
    )
