"""What is known to be so: the labels topic, by record key.

A label is a JSON object with `label`, its key that of the record. It belongs to the latest record with
that key up to its own time or, where it came first, to the first one after; the last label of a
record counts.
"""

from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, BATCH_RECORDS_MAX, LABELS_KEPT_MAX
from modelstream.log.base import Log
from modelstream.messages import RecordBatch
from modelstream.quality.metrics import Label


class _Told(msgspec.Struct):
    label: str | int | float | bool


_DECODER = msgspec.json.Decoder(_Told)


def decode_label(value: bytes) -> Label | None:
    """Read a label; None where the message is none."""
    try:
        return _DECODER.decode(value).label
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


class Labels:
    """The labels of a flow; `unreadable` had no key or no label, `dropped` were beyond the limit."""

    def __init__(self) -> None:
        self.count = self.unreadable = self.dropped = 0
        self._times: dict[bytes, list[int]] = {}
        self._values: dict[bytes, list[Label]] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._times

    def add(self, key: bytes | None, timestamp: int, value: bytes) -> None:
        """Take in one message, in the order of the log."""
        label = decode_label(value)
        if key is None or label is None:
            self.unreadable += 1
        elif self.count >= LABELS_KEPT_MAX:
            self.dropped += 1
        else:
            self.count += 1
            times = self._times.setdefault(key, [])
            place = bisect_right(times, timestamp)
            times.insert(place, timestamp)
            self._values.setdefault(key, []).insert(place, label)

    def of(self, key: bytes, start: int | None, stop: int | None) -> Label | None:
        """Return the last label of a key at or after `start` and before `stop`; None for no bound."""
        times = self._times[key]
        low = 0 if start is None else bisect_right(times, start - 1)
        high = len(times) if stop is None else bisect_right(times, stop - 1)
        return self._values[key][high - 1] if high > low else None


def read_labels(log: Log, flow: Flow) -> Labels:
    """Read the labels that a flow's topic holds. Raises UnknownTopic, LogError."""
    labels = Labels()
    for partition in range(log.topics()[flow.labels].partitions):
        for batch in _scan(log, flow.labels, partition):
            keys = batch.keys or [None] * len(batch)
            for key, at, value in zip(keys, batch.timestamps, batch.values, strict=True):
                labels.add(key, at, value)
    return labels


def _scan(log: Log, topic: str, partition: int) -> Iterator[RecordBatch]:
    offset, end = log.bounds(topic, partition)
    while offset < end:
        batch = log.read(topic, partition, offset, BATCH_RECORDS_MAX, BATCH_BYTES_MAX)
        if not len(batch):
            return
        offset = batch.next_offset
        yield batch
