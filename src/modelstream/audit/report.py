"""What an audit says: findings, the collector that bounds them, and every report as plain data."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, get_args

import msgspec

from modelstream.limits import AUDIT_FINDINGS_MAX
from modelstream.messages import Position, VersionId

Invariant = Literal["complete", "once", "in_order", "current", "reproducible"]
INVARIANTS: tuple[Invariant, ...] = get_args(Invariant)
# Told of the records done so far, and of those there are in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant.

    `position` is the record's; where no record of the flow is meant, that of the message itself.
    """

    invariant: Invariant
    position: Position
    detail: str


class Findings:
    """Collects findings: counts all, keeps the first AUDIT_FINDINGS_MAX of each invariant."""

    def __init__(self) -> None:
        self.counts: Counter[Invariant] = Counter()
        self._kept: list[Finding] = []

    def add(self, invariant: Invariant, position: Position, detail: str) -> None:
        """Take a finding in."""
        self.counts[invariant] += 1
        if self.counts[invariant] <= AUDIT_FINDINGS_MAX:
            self._kept.append(Finding(invariant, position, detail))

    def count(self, invariant: Invariant, more: int) -> None:
        """Count findings that are told no further."""
        self.counts[invariant] += more

    def full(self, invariant: Invariant) -> bool:
        """Tell whether further findings of an invariant would only be counted."""
        return self.counts[invariant] >= AUDIT_FINDINGS_MAX

    def kept(self) -> tuple[Finding, ...]:
        """Return the findings that are told in full, in the order in which they were made."""
        return tuple(self._kept)


@dataclass(frozen=True, slots=True)
class Figures:
    """What an audit went through.

    `records` lie below the committed positions and are kept still. `removed` are outcomes whose
    record retention has deleted, `outcomes_removed` records whose outcome it may have deleted:
    these can no longer be checked in full. `rescored` are outcomes that were worked out again,
    `alone` those among them that agree only where the record is scored alone; `not_rescored` those
    whose version cannot be loaded, `remote` those that a server answered, which no topic can
    reproduce. `unready` are `no_model` rejects while a version was current
    that the join may still have been loading, and `unknown_schema` rejects whose schema is
    registered by now.
    """

    partitions: int = 0
    records: int = 0
    results: int = 0
    rejects: int = 0
    removed: int = 0
    outcomes_removed: int = 0
    versions: int = 0
    rescored: int = 0
    alone: int = 0
    not_rescored: int = 0
    remote: int = 0
    unready: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of `verify`. `counts` has every invariant; `findings` the first of each."""

    flow: str
    figures: Figures
    counts: Mapping[Invariant, int]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Tell whether no invariant was found broken."""
        return not any(self.counts.values())

    def to_plain(self) -> dict[str, Any]:
        """Return the report as JSON would have it."""
        return {"ok": self.ok, **to_plain(self)}


def to_plain(value: Any) -> Any:
    """Return reports as JSON values: positions and versions are text."""
    if is_dataclass(value):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, (Position, VersionId)):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return to_plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [to_plain(each) for each in value]
    return msgspec.to_builtins(value)
