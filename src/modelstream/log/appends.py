"""How an append is checked, routed to partitions, and cut into what is stored together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from modelstream import limits
from modelstream.errors import InvalidRecord
from modelstream.log.base import TopicInfo
from modelstream.log.stored import StoredBatch, fitting, record_bytes
from modelstream.log.topics import check_partition
from modelstream.messages import Headers, Outgoing


class Piece(NamedTuple):
    """What is stored together: one batch, or one record of a compacted topic under its key."""

    row: int  # of its first record, counted from the first record of the run
    batch: StoredBatch
    size_bytes: int
    key: bytes | None = None  # of compacted topics alone


class Run(NamedTuple):
    """The part of one append that goes to one partition; takes `length` offsets."""

    length: int
    pieces: list[Piece]


def split(outgoing: Outgoing, topic: TopicInfo, now_ms: int) -> dict[int, Run]:
    """Cut an append into runs by partition. Raises InvalidRecord, UnknownTopic (no partition)."""
    whole = _columns(outgoing, now_ms)
    sizes = record_bytes(whole.values, whole.keys, whole.headers)
    _check_sizes(topic, sizes)
    if topic.compacted:
        _check_keyed(topic, whole)
    runs = {}
    for partition, rows in _route(outgoing, topic).items():
        part = whole if len(rows) == len(sizes) else whole.take(rows)
        part_sizes = sizes if part is whole else [sizes[row] for row in rows]
        pieces = _last_of_keys(part, part_sizes) if topic.compacted else _cut(part, part_sizes)
        runs[partition] = Run(len(rows), list(pieces))
    return runs


def _route(outgoing: Outgoing, topic: TopicInfo) -> dict[int, Sequence[int]]:
    """Return row numbers by partition; the hash is that of librdkafka's consistent partitioner."""
    count = len(outgoing.values)
    if outgoing.partition is not None:
        check_partition(topic, outgoing.partition)
    if count == 0:
        return {}
    if outgoing.partition is not None or outgoing.keys is None or topic.partitions == 1:
        return {outgoing.partition or 0: range(count)}
    routes: dict[int, list[int]] = {}
    for row, key in enumerate(outgoing.keys):
        partition = 0 if key is None else crc32(key) % topic.partitions
        routes.setdefault(partition, []).append(row)
    return {partition: routes[partition] for partition in sorted(routes)}


def _cut(batch: StoredBatch, sizes: list[int]) -> Iterator[Piece]:
    low = 0
    while low < len(sizes):
        some = sizes[low : low + limits.STORED_BATCH_RECORDS_MAX]
        fit = fitting(some, limits.STORED_BATCH_BYTES_MAX)
        yield Piece(low, batch.rows(slice(low, low + fit)), sum(some[:fit]))
        low += fit


def _last_of_keys(batch: StoredBatch, sizes: list[int]) -> Iterator[Piece]:
    last = {key: row for row, key in enumerate(batch.keys or [])}
    for key, row in sorted(last.items(), key=lambda item: item[1]):
        yield Piece(row, batch.rows(slice(row, row + 1)), sizes[row], key)


def _columns(outgoing: Outgoing, now_ms: int) -> StoredBatch:
    """Check the columns here, because a wrong one would be found by a reader, too late."""
    count = len(outgoing.values)
    _check_column("value", outgoing.values, count, {bytes})
    keys = outgoing.keys
    if keys is not None:
        _check_column("key", keys, count, {bytes, type(None)})
        keys = None if keys.count(None) == count else list(keys)
    return StoredBatch(
        list(outgoing.values),
        now_ms if not outgoing.timestamps else _timestamps(outgoing.timestamps, count),
        keys,
        None if outgoing.headers is None else _headers(outgoing.headers, count),
    )


def _check_column(name: str, column: Sequence[object], count: int, kinds: set[type]) -> None:
    if len(column) != count:
        raise InvalidRecord(f"{count} values came with {len(column)} {name}s: give one for each")
    if not set(map(type, column)) <= kinds:
        index = next(i for i, item in enumerate(column) if type(item) not in kinds)
        wanted = " or ".join(sorted(kind.__name__ for kind in kinds))
        raise InvalidRecord(
            f"the {name} of record {index} is of type {type(column[index]).__name__}: give {wanted}"
        )


def _timestamps(timestamps: Sequence[int], count: int) -> int | list[int]:
    _check_column("timestamp", timestamps, count, {int})
    if not 0 <= min(timestamps) <= max(timestamps) <= limits.TIMESTAMP_MS_MAX:
        raise InvalidRecord(
            "a timestamp is not a time: give milliseconds since the epoch,"
            f" 0 to {limits.TIMESTAMP_MS_MAX}"
        )
    return timestamps[0] if len(set(timestamps)) == 1 else list(timestamps)


def _headers(headers: Sequence[Headers], count: int) -> list[list[tuple[str, bytes]]]:
    if len(headers) != count:
        raise InvalidRecord(f"{count} values came with {len(headers)} headers: give a list each")
    for index, pairs in enumerate(headers):
        for pair in pairs:
            if tuple(map(type, pair)) != (str, bytes):
                raise InvalidRecord(f"a header of record {index} is not a pair of str and bytes")
    return [[(name, value) for name, value in pairs] for pairs in headers]


def _check_sizes(topic: TopicInfo, sizes: list[int]) -> None:
    if max(sizes, default=0) > topic.record_bytes_max:
        index = next(i for i, size in enumerate(sizes) if size > topic.record_bytes_max)
        raise InvalidRecord(
            f"record {index} for topic {topic.name!r} has {sizes[index]} bytes, and"
            f" {topic.record_bytes_max} is the most: make it smaller, or keep the bytes in the"
            " log's blobs and send their digest"
        )


def _check_keyed(topic: TopicInfo, batch: StoredBatch) -> None:
    keys = batch.keys or [None] * len(batch.values)
    if None in keys:
        raise InvalidRecord(
            f"record {keys.index(None)} for topic {topic.name!r} has no key: a compacted topic"
            " keeps the last record of each key, so give one"
        )
