"""Between Kafka's messages and record batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat

from confluent_kafka import Message, Producer

from modelstream.log.appends import Run
from modelstream.messages import Headers, RecordBatch, TopicPartition

# Told the offset that a record was given: called with an error, or None, and the message.
OnDelivery = Callable[[object, Message], None]


def by_partition(messages: Iterable[Message]) -> dict[TopicPartition, list[Message]]:
    """Sort messages by where they come from; each partition's stay in order."""
    found: dict[tuple[str, int], list[Message]] = {}
    for message in messages:
        found.setdefault((message.topic(), message.partition()), []).append(message)
    return {TopicPartition(*source): those for source, those in found.items()}


def record_batch(
    source: TopicPartition, messages: Sequence[Message], next_offset: int
) -> RecordBatch:
    """Lay the messages of one partition out as columns; a tombstone is an empty value."""
    keys = [message.key() for message in messages]
    headers = [message.headers() for message in messages]
    return RecordBatch(
        source.topic,
        source.partition,
        [message.offset() for message in messages],
        [message.value() or b"" for message in messages],
        [message.timestamp()[1] for message in messages],
        keys if any(key is not None for key in keys) else None,
        [_headers(each) for each in headers] if any(headers) else None,
        next_offset,
    )


def size_of(message: Message) -> int:
    """Return the bytes of a message as limits count them."""
    return len(message) + len(message.key() or b"")


def fitting(messages: Sequence[Message], max_bytes: int) -> tuple[int, int]:
    """Return how many messages fit, one at least where there is one, and their bytes."""
    total = 0
    for count, message in enumerate(messages):
        size = size_of(message)
        if count and total + size > max_bytes:
            return count, total
        total += size
    return len(messages), total


def produce(
    producer: Producer, topic: str, partition: int, run: Run, on_delivery: OnDelivery | None
) -> None:
    """Hand a run of records to a producer, waiting where its queue is full."""
    for value, key, timestamp, headers in _records(run):
        while True:
            try:
                producer.produce(
                    topic,
                    value,
                    key,
                    partition,
                    on_delivery=on_delivery,
                    timestamp=timestamp,
                    headers=list(headers),
                )
            except BufferError:
                producer.poll(0.05)
            else:
                break


def _records(run: Run) -> Iterator[tuple[bytes, bytes | None, int, Headers]]:
    for piece in run.pieces:
        batch = piece.batch
        yield from zip(
            batch.values,
            batch.keys or repeat(None),
            _stamps(batch.timestamps),
            batch.headers or repeat(()),
            strict=False,  # what is repeated has no end
        )


def _stamps(timestamps: int | Sequence[int]) -> Iterable[int]:
    """Return a time for each record; the client reads 0 as now, so the epoch is a millisecond on."""
    if isinstance(timestamps, int):
        return repeat(timestamps or 1)
    return [stamp or 1 for stamp in timestamps] if 0 in timestamps else timestamps


def _headers(headers: Iterable[tuple[str, bytes | str | None]] | None) -> Headers:
    return [(name, _bytes(value)) for name, value in headers or ()]


def _bytes(value: bytes | str | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
