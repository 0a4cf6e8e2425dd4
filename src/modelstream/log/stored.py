"""The stored batch: columns of records as they are kept, and how they are joined for a reader.

Where stored batches lie (lists, a database) is the business of each log; how an append is cut into
them is in `appends.py`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain

import msgspec

from modelstream.messages import Headers, RecordBatch, TopicPartition


class StoredBatch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Records of one partition in order, without their offsets.

    `timestamps` is one integer where all are the same (milliseconds since the epoch).
    """

    values: list[bytes]
    timestamps: int | list[int]
    keys: list[bytes | None] | None
    headers: list[list[tuple[str, bytes]]] | None

    def rows(self, pick: slice) -> "StoredBatch":
        """Return the records of a slice."""
        return StoredBatch(
            self.values[pick],
            self.timestamps if isinstance(self.timestamps, int) else self.timestamps[pick],
            None if self.keys is None else self.keys[pick],
            None if self.headers is None else self.headers[pick],
        )

    def take(self, rows: Sequence[int]) -> "StoredBatch":
        """Return the records of these row numbers."""
        times, keys, headers = self.timestamps, self.keys, self.headers
        return StoredBatch(
            [self.values[row] for row in rows],
            times if isinstance(times, int) else [times[row] for row in rows],
            None if keys is None else [keys[row] for row in rows],
            None if headers is None else [headers[row] for row in rows],
        )

    def times(self) -> list[int]:
        """Return the time stamp of each record."""
        if isinstance(self.timestamps, int):
            return [self.timestamps] * len(self.values)
        return self.timestamps

    def max_timestamp(self) -> int:
        """Return the latest time stamp."""
        return self.timestamps if isinstance(self.timestamps, int) else max(self.timestamps)


def record_bytes(
    values: Sequence[bytes],
    keys: Sequence[bytes | None] | None,
    headers: Sequence[Headers] | None,
) -> list[int]:
    """Return the size of each record: value, key and headers."""
    sizes = list(map(len, values))
    if keys is not None:
        sizes = [size + len(key or b"") for size, key in zip(sizes, keys, strict=True)]
    if headers is not None:
        sizes = [
            size + sum(len(name.encode()) + len(value) for name, value in pairs)
            for size, pairs in zip(sizes, headers, strict=True)
        ]
    return sizes


def fitting(sizes: list[int], max_bytes: int) -> int:
    """Return how many of the first records stay within the limit, and one at the least."""
    if sum(sizes) <= max_bytes:
        return len(sizes)
    return max(1, bisect_right(list(accumulate(sizes)), max_bytes))


class Room:
    """What is left of a reader's limits while stored batches are collected for it."""

    def __init__(self, offset: int, max_records: int, max_bytes: int) -> None:
        self._offset = offset
        self._records = max_records
        self._bytes = max_bytes

    def fill(self, first: int, last: int, size_bytes: int) -> bool:
        """Count a stored batch; return whether there is room for another.

        One that begins below the wanted offset counts for no bytes, as only its end is wanted.
        """
        self._records -= last + 1 - max(first, self._offset)
        self._bytes -= size_bytes if first >= self._offset else 0
        return self._records > 0 and self._bytes > 0


def first_at(first: int, batch: StoredBatch, start: int, timestamp_ms: int) -> int | None:
    """Return the first offset, from `start` on, of that time or later; None where there is none."""
    for offset, time in enumerate(batch.times(), first):
        if offset >= start and time >= timestamp_ms:
            return offset
    return None


def gather(
    source: TopicPartition,
    stored: Sequence[tuple[int, StoredBatch]],
    offset: int,
    max_records: int,
    max_bytes: int,
) -> RecordBatch:
    """Join stored batches, each with its first offset, into what a reader asked for.

    At least one record is returned where there is one, so that no limit stops a reader for ever.
    """
    offsets: list[range] = []
    picked: list[StoredBatch] = []
    left = max_records
    for first, batch in stored:
        low = max(0, offset - first)
        high = max(low, min(len(batch.values), low + left))
        offsets.append(range(first + low, first + high))
        picked.append(batch.rows(slice(low, high)))
        left -= high - low
    records = _concatenate(picked)
    fit = fitting(record_bytes(records.values, records.keys, records.headers), max_bytes)
    if fit < len(records.values):
        records = records.rows(slice(fit))
    numbers = _numbers(offsets)[:fit]
    return RecordBatch(
        topic=source.topic,
        partition=source.partition,
        offsets=numbers,
        values=records.values,
        timestamps=records.times(),
        keys=records.keys,
        headers=records.headers,
        next_offset=numbers[-1] + 1 if numbers else offset,
    )


def _concatenate(batches: list[StoredBatch]) -> StoredBatch:
    if len(batches) == 1:
        return batches[0]
    keys = headers = None
    if any(batch.keys is not None for batch in batches):
        keys = list(chain.from_iterable(b.keys or [None] * len(b.values) for b in batches))
    if any(batch.headers is not None for batch in batches):
        headers = list(chain.from_iterable(b.headers or [[] for _ in b.values] for b in batches))
    return StoredBatch(
        list(chain.from_iterable(batch.values for batch in batches)),
        list(chain.from_iterable(batch.times() for batch in batches)),
        keys,
        headers,
    )


def _numbers(offsets: list[range]) -> Sequence[int]:
    """Return the offsets, as one range where nothing lies between them."""
    if not offsets:
        return range(0)
    whole = range(offsets[0].start, offsets[-1].stop)
    if len(whole) == sum(map(len, offsets)):
        return whole
    return list(chain.from_iterable(offsets))
