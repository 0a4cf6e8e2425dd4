"""`explain`: why a record got the answer it has, from the log alone, and the answer scored again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from modelstream.audit.current import Currency, reader_of, roster_then
from modelstream.audit.decisions import Records, told_of
from modelstream.audit.explanation import CandidateFacts, Explanation, ModelFacts, Verdict
from modelstream.audit.find import Placed, find_outcome, find_record
from modelstream.audit.history import History, Moment, read_history
from modelstream.audit.outcomes import Part
from modelstream.audit.records import DataTypes, Source, Told, committed_now, read_one
from modelstream.audit.replan import Replanner
from modelstream.audit.report import Finding, Findings
from modelstream.audit.reproduce import Reproduction
from modelstream.audit.rescore import Rescorer, plain_answer, plain_json
from modelstream.errors import UnknownModel
from modelstream.events import Admitted
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import (
    Column,
    Failure,
    Position,
    RecordBatch,
    TopicPartition,
    VersionId,
)
from modelstream.stored import Stored, StoredReject, StoredResult, as_of, version_named

# By the figure that tells of it.
_WHY_NOT = {
    "remote": "a server answered it, and what it answers cannot be worked out from the topics",
    "unready": "a version was current, and may still have been loading",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A record, its outcome and the registry that they are judged by."""

    position: Position
    batch: RecordBatch | None
    placed: Placed | None
    history: History

    @property
    def outcome(self) -> Stored | None:
        """The record's outcome."""
        return None if self.placed is None else self.placed.outcome

    def version(self) -> VersionId | None:
        """Return the version that read the record."""
        return None if self.outcome is None else reader_of(self.history, self.outcome)

    def admitted(self) -> Admitted | None:
        """Return that version's admission, None where the registry knows of none."""
        version = self.version()
        known = None if version is None else self.history.versions.get(version)
        return None if known is None else known.admitted


@dataclass(frozen=True, slots=True)
class _Again:
    """What scoring again gave. `why_not` tells why it was not done."""

    why_not: str = ""
    inputs: Mapping[str, Any] | None = None
    rescored: Mapping[str, Any] | Failure | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict in one word."""
        if self.why_not:
            return "not_rescored"
        return "different" if self.findings else "same"


def explain(log: Log, flow: Flow, where: Position | str, *, rescore: bool = True) -> Explanation:
    """Explain the answer to one record.

    `where` is its position or that of its outcome, as a Position or as `topic/partition/offset`,
    or the record's key: then the newest result with it is explained. Raises UnknownModel where
    there is no such record, UnknownTopic, LogError, JailFailed.
    """
    found = find_record(log, flow, where)
    source = TopicPartition(found.record.topic, found.record.partition)
    case = _Case(
        found.record,
        read_one(log, source, found.record.offset),
        find_outcome(log, flow, found.record),
        read_history(log, flow),
    )
    if case.batch is None and case.placed is None:
        raise UnknownModel(
            f"nothing is kept of {found.record}: neither the record nor an outcome; give a "
            f"position from {log.bounds(*source)[0]} on"
        )
    again = _score_again(log, flow, case) if rescore else _Again("it was not asked for")
    return _explanation(log, flow, case, again, found.others)


def _score_again(log: Log, flow: Flow, case: _Case) -> _Again:
    """Score the record as its outcome says that it was."""
    batch, outcome, version = case.batch, case.outcome, case.version()
    if batch is None:
        return _Again("the record was deleted")
    if outcome is None:
        return _Again("the record has no outcome yet")
    if version is not None and version not in case.history.versions:
        return _Again(f"{version} is not on the registry")
    findings = Findings()
    with Rescorer(log, flow) as rescorer:
        reproduction = Reproduction(flow, case.history, rescorer, findings)
        reproduction.check(batch, [0], [outcome])
        if reproduction.figures["not_rescored"]:
            return _Again(findings.kept()[0].detail, findings=findings.kept())
        why_not = next((why for each, why in _WHY_NOT.items() if reproduction.figures[each]), "")
        if why_not:
            return _Again(why_not, findings=findings.kept())
        inputs, rescored = _inputs_and_answer(rescorer, case, batch, outcome)
    return _Again("", inputs, rescored, findings.kept())


def _inputs_and_answer(
    rescorer: Rescorer, case: _Case, batch: RecordBatch, outcome: Stored
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | Failure | None]:
    """Return the record's columns as the model sees them, and what it answers."""
    admitted = case.admitted()
    told = DataTypes(rescorer.flow).of(batch)
    records = told.records
    roster = roster_then(case.history, outcome)
    if told.groups and roster is not None and roster.planned is not None:
        again = Replanner(case.history, rescorer)
        (answer,) = again.answers(roster, Records(batch, records), [0], [outcome])
        return None, plain_answer(answer)
    if admitted is None:
        return None, told.failures.get(0)
    decoded = rescorer.loaded(admitted).decoder.decode(records)
    inputs = None
    if len(decoded.rows):
        inputs = {name: _shown(column) for name, column in decoded.columns.items()}
    (answer,) = rescorer.answers(admitted, records)
    return inputs, plain_answer(answer)


def _shown(column: Column) -> Any:
    """Return the one value of a column, None where it is missing."""
    value = column[0]
    missing = isinstance(value, np.floating) and np.isnan(value)
    return None if missing else column.tolist()[0]


def _explanation(log: Log, flow: Flow, case: _Case, again: _Again, others: int) -> Explanation:
    """Put together what is known."""
    outcome, batch, history = case.outcome, case.batch, case.history
    result = outcome if isinstance(outcome, StoredResult) else None
    reject = outcome if isinstance(outcome, StoredReject) else None
    source = TopicPartition(case.position.topic, case.position.partition)
    told = None if batch is None else DataTypes(flow).of(batch)
    data_type = outcome.data_type if outcome is not None else _data_type(told)
    seen = history.last if outcome is None else as_of(outcome)
    roster = history.roster(data_type or "", seen)
    planned = roster.planned if roster else None
    return Explanation(
        position=case.position,
        others=others,
        key=_key(batch),
        timestamp=None if batch is None else batch.timestamps[0],
        record=_record(batch, told),
        committed=committed_now(log, flow, source),
        outcome=None if outcome is None else "result" if result else "reject",
        outcome_at=None if case.placed is None else case.placed.at,
        data_type=data_type,
        as_of=None if outcome is None else seen,
        outputs=None if result is None else plain_json(bytes(result.outputs)),
        failure=None if reject is None else Failure(reject.reason, reject.detail),
        took_us=None if result is None else result.model.took_us,
        model=_facts(flow, case, seen),
        current_then=history.current(data_type or "", seen),
        current_now=history.current(data_type or "", history.last),
        registry_last=history.last,
        inputs=again.inputs,
        rescored=again.rescored,
        verdict=again.verdict,
        why_not=again.why_not,
        findings=_currency(case) + again.findings,
        policy="" if planned is None else planned.policy,
        candidates=() if outcome is None else _candidates(outcome),
    )


def _candidates(outcome: Stored) -> tuple[CandidateFacts, ...]:
    """Return what an outcome tells of those that were asked."""
    told = told_of(outcome)
    won = version_named(outcome) if isinstance(outcome, StoredResult) else None
    return tuple(
        CandidateFacts(
            each.id,
            each.digest,
            each.took_us,
            plain_json(each.outputs) if isinstance(each.outputs, msgspec.Raw) else each.failure,
            each.late,
            each.id == won,
        )
        for each in (told.candidates if told else ())
    )


def _facts(flow: Flow, case: _Case, seen: int) -> ModelFacts | None:
    """Return what the registry knew of the version at `seen`, and of its end since."""
    admitted, history = case.admitted(), case.history
    if admitted is None:
        return None
    version = VersionId(admitted.name, admitted.version)
    return ModelFacts(
        version=version,
        digest=admitted.digest,
        format=admitted.format,
        size=admitted.size,
        publisher=admitted.publisher,
        description=admitted.description,
        metrics=admitted.metrics,
        published=Position(flow.models, 0, admitted.source),
        created_at_ms=admitted.created_at_ms,
        admitted=Moment(history.versions[version].position, admitted.at_ms),
        promoted=history.promotion(version, seen),
        retired=history.retired.get(version),
    )


def _currency(case: _Case) -> tuple[Finding, ...]:
    """Return what the registry has against the outcome."""
    if case.placed is None:
        return ()
    findings = Findings()
    topic, partition, offset = case.position
    source = Source(TopicPartition(topic, partition))
    Currency(case.history, source, findings).check(
        Part(
            [case.placed.outcome],
            np.array([offset]),
            np.array([case.placed.at.offset]),
            np.array([False]),
        )
    )
    return findings.kept()


def _record(batch: RecordBatch | None, told: Told | None) -> Any:
    """Return the record as it is read or, where it cannot be, as it stands."""
    if batch is None or told is None:
        return None
    return plain_json(told.records[0] or batch.values[0])


def _data_type(told: Told | None) -> str | None:
    """Return the data type of a record without an outcome."""
    groups = () if told is None else told.groups
    return groups[0].data_type if groups else None


def _key(batch: RecordBatch | None) -> str | None:
    key = None if batch is None or batch.keys is None else batch.keys[0]
    return None if key is None else key.decode(errors="backslashreplace")
