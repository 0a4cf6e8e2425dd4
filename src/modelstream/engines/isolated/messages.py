"""What a parent and the process that scores for it say to each other, as MessagePack in frames.

Records and columns of numbers lie in the memory that both see; nothing is an object.
"""

from typing import Any

import msgspec

from modelstream.messages import Failure


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Load a version; asked first, and once."""

    format: str
    lowered: bytes
    warm_rows: tuple[int, ...]
    bind: dict[str, str | tuple[str, ...]]
    null_is_answer: bool


class Score(msgspec.Struct, frozen=True, tag="score"):
    """Score so many records, which are in memory."""

    records: int


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """It is loaded, and warm."""


class Column(msgspec.Struct, frozen=True, array_like=True):
    """A column: numbers that are in memory from `start` on, or values of any kind."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int = 0
    values: list[Any] = []


class Scored(msgspec.Struct, frozen=True, tag="scored"):
    """An outcome. `rows` are those that were answered; None for all."""

    columns: tuple[Column, ...]
    rows: list[int] | None
    failures: dict[int, Failure]
    took_us: float


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The reason why it cannot be done; the process goes on."""

    reason: str


Request = Open | Score
Reply = Opened | Scored | Failed
