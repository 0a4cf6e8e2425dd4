"""What the core is told and what it asks for: plain values, no behaviour.

Times are microseconds of one clock that only goes forward; which one is the shell's business.

Going in: a `Batch` of rows by data type, and an `Outcome` for each score call. Coming out: effects,
which a shell performs in any order it likes, except that an `Emit` ends its batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelstream.events import Planned
from modelstream.messages import Column, Columns, Failure, ModelStamp, Rows, VersionId


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a batch that belong to one data type."""

    data_type: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that were read together, as the core sees them: row numbers, no values.

    `slices` are the rows of each partition; `failures` the rows whose data type cannot be told.
    `keys` and `fields` have an entry for each row, where a policy asks for them (`Machine.reads`).
    """

    id: int
    slices: tuple[range, ...]
    groups: tuple[Group, ...]
    failures: Mapping[int, Failure]
    keys: Sequence[bytes] = ()
    fields: Mapping[str, Column] = field(default_factory=dict)


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
    """Score these rows of a batch with one version.

    With `apart` others may be asked meanwhile, and the batch may be decided before it is done.
    """

    batch: int
    data_type: str
    version: VersionId
    rows: Rows
    apart: bool = False


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call `on_time` at this time, though nothing else may have happened."""

    at_us: float


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
    """The answer for some rows of one data type.

    `by` is the version whose outputs they are; None where the plan itself answers.
    """

    data_type: str
    rows: Rows
    columns: Columns
    stamp: ModelStamp
    by: VersionId | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version that was asked, and what it had said by the time of the decision."""

    version: VersionId
    digest: str
    rows: Rows
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """How the rows of one data type were decided."""

    data_type: str
    rows: Rows
    plan: Planned
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why one row has no answer; `by` is the version that was asked, if it was one alone."""

    data_type: str | None
    as_of: int
    failure: Failure
    by: VersionId | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Every row of a batch that is not held is answered or refused: write and commit them."""

    batch: int
    answers: tuple[Answer, ...]
    refusals: Mapping[int, Refusal]
    lineages: tuple[Lineage, ...] = ()


Effect = Load | Unload | Score | WakeAt | Hold | Release | Emit
