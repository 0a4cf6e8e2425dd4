"""How an answer was decided, as results and rejects tell it, and as it is read again.

One JSON object a record: the plan (version, digest and its text), and for each candidate that was asked
its version, digest and duration, with its outputs, or why it failed, or `"late": true`.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from modelstream.core.effects import Candidate, Lineage, Outcome
from modelstream.messages import Failure, VersionId


class PlanTold(msgspec.Struct, frozen=True, gc=False):
    """The plan by which an answer was found."""

    version: str
    digest: str
    policy: str


class CandidateTold(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One candidate and what it said of one record by the time of the decision."""

    name: str
    version: str
    digest: str
    took_us: float = 0.0
    outputs: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    failure: Failure | None = None
    late: bool = False

    @property
    def id(self) -> VersionId:
        """Which version it is."""
        return VersionId(self.name, self.version)


class Decided(msgspec.Struct, frozen=True, gc=False):
    """How one record's answer was decided."""

    plan: PlanTold
    candidates: tuple[CandidateTold, ...]


def lineages_json(lineage: Lineage) -> dict[int, msgspec.Raw]:
    """Return, by row, how the rows of one data type were decided, as JSON."""
    planned = lineage.plan
    encode = msgspec.json.Encoder().encode
    head = encode(PlanTold(planned.version, planned.digest, planned.policy))
    told: dict[int, list[bytes]] = {row: [] for row in lineage.rows}
    for candidate in lineage.candidates:
        for row, text in _told(candidate, encode):
            told[row].append(text)
    return {
        row: msgspec.Raw(b'{"plan":%b,"candidates":[%b]}' % (head, b",".join(texts)))
        for row, texts in told.items()
    }


def decided_of(data: msgspec.Raw) -> Decided:
    """Read how an answer was decided. Raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Decided)


def _told(candidate: Candidate, encode: Any) -> Iterator[tuple[int, bytes]]:
    """Return what one candidate said of each of its rows, as JSON."""
    late = set(candidate.rows)
    name, version = candidate.version
    for outcome in candidate.outcomes:
        late.difference_update(outcome.rows, outcome.failures)
        same = CandidateTold(name, version, candidate.digest, outcome.took_us)
        head = encode(same)[:-1] + b',"outputs":'
        for row, outputs in zip(outcome.rows, _outputs(outcome), strict=True):
            yield row, b"%b%b}" % (head, encode(outputs))
        for row, why in outcome.failures.items():
            yield row, encode(msgspec.structs.replace(same, failure=why))
    if late:
        text = encode(CandidateTold(name, version, candidate.digest, late=True))
        yield from ((row, text) for row in sorted(late))


def _outputs(outcome: Outcome) -> list[dict[str, Any]]:
    """Return each row's outputs by name."""
    names = list(outcome.columns)
    columns = (column.tolist() for column in outcome.columns.values())
    return [dict(zip(names, each, strict=True)) for each in zip(*columns, strict=True)]
