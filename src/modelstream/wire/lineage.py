"""How an answer was decided, as results and rejects tell it, and as it is read again.

One JSON object a record: the plan (version, digest and its text), and for each candidate that was asked
its version, digest and duration, with its outputs, or why it failed, or `"late": true`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from modelstream.core.effects import Candidate, Lineage, Outcome
from modelstream.messages import Columns, Failure, VersionId

ObjectsOf = Callable[[VersionId, Columns], list[Any]]


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


_DECODE_DECIDED = msgspec.json.Decoder(Decided).decode


def lineages_json(
    lineage: Lineage, objects_of: ObjectsOf, rows: int
) -> list[msgspec.Raw | msgspec.UnsetType]:
    """Return, for each of a batch's `rows`, how it was decided, as JSON; UNSET for those of others.

    `objects_of` makes one object a row of a version's columns.
    """
    planned = lineage.plan
    plan = msgspec.json.encode(PlanTold(planned.version, planned.digest, planned.policy))
    head = b'{"plan":%b,"candidates":[' % plan
    told: list[msgspec.Raw | msgspec.UnsetType] = [msgspec.UNSET] * rows
    said = [_said(candidate, objects_of) for candidate in lineage.candidates]
    if all(each.rows == lineage.rows for each in lineage.candidates):
        texts = map(b",".join, zip(*said, strict=True))
        for row, text in zip(lineage.rows, texts, strict=True):
            told[row] = msgspec.Raw(b"%b%b]}" % (head, text))
        return told
    of_rows: dict[int, list[bytes]] = {row: [] for row in lineage.rows}
    for candidate, each in zip(lineage.candidates, said, strict=True):
        for row, text in zip(candidate.rows, each, strict=True):
            of_rows[row].append(text)
    for row, parts in of_rows.items():
        told[row] = msgspec.Raw(b"%b%b]}" % (head, b",".join(parts)))
    return told


def merge_told(
    first: Sequence[msgspec.Raw | msgspec.UnsetType],
    second: Sequence[msgspec.Raw | msgspec.UnsetType],
) -> list[msgspec.Raw | msgspec.UnsetType]:
    """Join what is told of the rows of two data types."""
    pairs = zip(first, second, strict=True)
    return [two if one is msgspec.UNSET else one for one, two in pairs]


def decided_of(data: msgspec.Raw) -> Decided:
    """Read how an answer was decided. Raises msgspec.DecodeError."""
    return _DECODE_DECIDED(data)


def _said(candidate: Candidate, objects_of: ObjectsOf) -> Sequence[bytes]:
    """Return what one candidate said of each of its rows, as JSON, in their order."""
    name, version = candidate.version
    encode = msgspec.json.Encoder().encode
    whole = len(candidate.outcomes) == 1 and candidate.outcomes[0].rows == candidate.rows
    late = encode(CandidateTold(name, version, candidate.digest, late=True))
    found: dict[int, bytes] = {}
    for outcome in candidate.outcomes:
        same = CandidateTold(name, version, candidate.digest, outcome.took_us)
        head = encode(same)[:-1] + b',"outputs":'
        texts = [b"%b%b}" % (head, text) for text in _outputs(candidate, outcome, objects_of)]
        if whole:
            return texts
        found.update(zip(outcome.rows, texts, strict=True))
        for row, why in outcome.failures.items():
            found[row] = encode(msgspec.structs.replace(same, failure=why))
    return [found.get(row, late) for row in candidate.rows]


def _outputs(candidate: Candidate, outcome: Outcome, objects_of: ObjectsOf) -> list[bytes]:
    """Return each row's outputs as JSON."""
    if not len(outcome.rows):
        return []
    objects = objects_of(candidate.version, outcome.columns)
    # No JSON has a line break inside; so they are written in one go, and parted.
    return msgspec.json.Encoder().encode_lines(objects).split(b"\n")[: len(objects)]
