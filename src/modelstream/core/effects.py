"""What the core is told and what it asks for: plain values, no behaviour.

Going in: a `Batch` of rows by data type, and an `Outcome` for each score call. Coming out: effects,
which a shell performs in any order it likes, except that an `Emit` ends its batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from modelstream.messages import Columns, Failure, ModelStamp, Rows, VersionId


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a batch that belong to one data type."""

    data_type: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that were read together, as the core sees them: row numbers, no values.

    `slices` are the rows of each partition; `failures` the rows whose data type cannot be told.
    """

    id: int
    slices: tuple[range, ...]
    groups: tuple[Group, ...]
    failures: Mapping[int, Failure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one score call gave.

    `columns` have one entry for each of `rows`; the rows asked for that are not there failed.
    `served_version` is that of a remote model, as its server told it.
    """

    rows: Rows
    columns: Columns
    failures: Mapping[int, Failure]
    took_us: float
    served_version: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Bring a version into memory and warm it up, beside those that serve."""

    version: VersionId


@dataclass(frozen=True, slots=True)
class Unload:
    """Release a version; nothing will ask for it until another Load."""

    version: VersionId


@dataclass(frozen=True, slots=True)
class Score:
    """Score these rows of a batch with one version."""

    batch: int
    data_type: str
    version: VersionId
    rows: Rows


@dataclass(frozen=True, slots=True)
class Hold:
    """Put these slices of a batch back: nothing can answer some of their records now."""

    batch: int
    slices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Deliver held partitions again: another version can answer now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for some rows of one data type."""

    data_type: str
    rows: Rows
    columns: Columns
    stamp: ModelStamp


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why one row has no answer."""

    data_type: str | None
    as_of: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Emit:
    """Every row of a batch that is not held is answered or refused: write and commit them."""

    batch: int
    answers: tuple[Answer, ...]
    refusals: Mapping[int, Refusal]


Effect = Load | Unload | Score | Hold | Release | Emit
