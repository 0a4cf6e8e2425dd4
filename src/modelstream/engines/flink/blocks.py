"""What travels from the join to what commits: the answers of one partition's records, up to an offset."""

from collections.abc import Sequence

import msgspec

from modelstream.messages import Outgoing, TopicPartition


class Messages(msgspec.Struct, frozen=True, array_like=True):
    """Messages for one topic."""

    topic: str
    values: list[bytes]
    keys: list[bytes | None] | None
    headers: list[list[tuple[str, bytes]]] | None


class Block(msgspec.Struct, frozen=True, array_like=True):
    """The answers of the records of a partition from `first` up to, without, `next_offset`."""

    topic: str
    partition: int
    first: int
    next_offset: int
    messages: tuple[Messages, ...]

    @property
    def source(self) -> TopicPartition:
        """The partition of the records."""
        return TopicPartition(self.topic, self.partition)


_DECODE_BLOCK = msgspec.msgpack.Decoder(Block).decode


def encode_block(block: Block) -> bytes:
    """Write a block."""
    return msgspec.msgpack.encode(block)


def decode_block(data: bytes) -> Block:
    """Read a block."""
    return _DECODE_BLOCK(data)


def messages_from(outgoing: Outgoing) -> Messages:
    """Return messages as they travel."""
    headers = outgoing.headers
    return Messages(
        outgoing.topic,
        list(outgoing.values),
        None if outgoing.keys is None else list(outgoing.keys),
        None if headers is None else [list(each) for each in headers],
    )


def outgoing_of(messages: Messages, partition: int, kept: Sequence[int] | None = None) -> Outgoing:
    """Return messages as they are appended; of some `kept` alone, by their places."""
    places = range(len(messages.values)) if kept is None else kept
    keys, headers = messages.keys, messages.headers
    return Outgoing(
        messages.topic,
        [messages.values[at] for at in places],
        None if keys is None else [keys[at] for at in places],
        partition,
        headers=None if headers is None else [headers[at] for at in places],
    )
