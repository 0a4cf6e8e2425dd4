"""Reproducible: scoring a record again gives the outcome that stands on the log.

Model outputs are compared as JSON, to the last bit; rejects by their reason. How long it took, and
the words in which a reject tells its detail, are no part of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from modelstream.audit.current import roster_then
from modelstream.audit.decisions import Records, Said, check_decisions
from modelstream.audit.history import History
from modelstream.audit.records import DataTypes, Told
from modelstream.audit.report import Findings
from modelstream.audit.rescore import Answer, AnsweredByServer, Rescorer, same_json
from modelstream.core.plan import Roster
from modelstream.errors import InvalidModel, UnknownModel
from modelstream.events import Admitted
from modelstream.flow import Flow
from modelstream.limits import REJECT_VALUE_BYTES_MAX
from modelstream.messages import Failure, Position, RecordBatch, VersionId
from modelstream.stored import Stored, StoredReject, StoredResult, version_named


class Reproduction:
    """Works outcomes out again. `figures` are some of those of `report.Figures`."""

    def __init__(
        self, flow: Flow, history: History, rescorer: Rescorer, findings: Findings
    ) -> None:
        self.figures: Counter[str] = Counter()
        self._flow, self._history = flow, history
        self._rescorer, self._findings = rescorer, findings
        self._data_types = DataTypes(flow)
        self._unloadable: set[VersionId] = set()

    def check(self, batch: RecordBatch, rows: Sequence[int], outcomes: Sequence[Stored]) -> None:
        """Check the outcomes of some rows of a batch of records."""
        told = self._data_types.of(batch)
        data_types = _by_row(told)
        asked: dict[VersionId, list[int]] = {}
        planned: dict[int, _Planned] = {}
        for index, (row, outcome) in enumerate(zip(rows, outcomes, strict=True)):
            failure = told.failures.get(row)
            if failure is None and _was_unknown(outcome):
                self.figures["unready"] += 1
                continue
            objection = _carried_objection(outcome, batch, row, told.records[row])
            objection = objection or _data_type_objection(outcome, data_types.get(row), failure)
            if objection:
                self._find(batch, row, objection)
            elif failure is None:
                roster = roster_then(self._history, outcome)
                if roster is not None and roster.planned is not None:
                    planned.setdefault(id(roster), _Planned(roster, [])).members.append(index)
                    continue
                version = self._version(batch, row, outcome)
                if version is not None:
                    asked.setdefault(version, []).append(index)
        for roster, members in planned.values():
            self._check_planned(
                roster,
                batch,
                told.records,
                [rows[index] for index in members],
                [outcomes[index] for index in members],
            )
        for version, members in asked.items():
            self._check_version(
                version,
                batch,
                told.records,
                [rows[index] for index in members],
                [outcomes[index] for index in members],
            )

    def _check_planned(
        self,
        roster: Roster,
        batch: RecordBatch,
        records: Sequence[bytes],
        rows: Sequence[int],
        outcomes: Sequence[Stored],
    ) -> None:
        """Decide rows again by a plan, and score again what versions said of them."""
        self.figures["unready"] += sum(map(_found_no_model, outcomes))
        said: dict[VersionId, list[Said]] = {}
        both, find = Records(batch, records), partial(self._find, batch)
        for each in check_decisions(roster, both, rows, outcomes, find):
            said.setdefault(each.version, []).append(each)
        for version, those in said.items():
            if version in self._history.versions:  # else "current" has told of it
                self._check_version(
                    version,
                    batch,
                    records,
                    [each.row for each in those],
                    [each.outcome for each in those],
                )

    def _version(self, batch: RecordBatch, row: int, outcome: Stored) -> VersionId | None:
        """Return the version that gave an outcome, None where none did or can have."""
        if isinstance(outcome, StoredResult):
            version = version_named(outcome)
            return version if version in self._history.versions else None
        assert outcome.data_type is not None, "else the record itself is at fault"
        current = self._history.current(outcome.data_type, outcome.as_of)
        if outcome.reason == "no_model":
            self.figures["unready"] += current is not None
            return None
        if current is None:
            detail = f"rejected as {outcome.reason}, but no version was current at {outcome.as_of}"
            self._find(batch, row, detail)
        return current

    def _check_version(
        self,
        version: VersionId,
        batch: RecordBatch,
        records: Sequence[bytes],
        rows: Sequence[int],
        outcomes: Sequence[Stored],
    ) -> None:
        """Score rows with one version and compare."""
        admitted = self._history.versions[version].admitted
        values = [records[row] for row in rows]
        try:
            again = score_like(self._rescorer, admitted, values, outcomes)
        except AnsweredByServer:
            self.figures["remote"] += len(rows)
            return
        except (InvalidModel, UnknownModel) as error:
            self.figures["not_rescored"] += len(rows)
            if version not in self._unloadable:
                self._unloadable.add(version)
                self._find(batch, rows[0], f"{version} cannot be had again: {error}")
            return
        self.figures.update(rescored=len(rows), alone=again.alone)
        for index, difference in again.differences.items():
            self._find(batch, rows[index], f"scored again with {version}: {difference}")

    def _find(self, batch: RecordBatch, row: int, detail: str) -> None:
        position = Position(batch.topic, batch.partition, batch.offsets[row])
        self._findings.add("reproducible", position, detail)


@dataclass(frozen=True, slots=True)
class Rescored:
    """What scoring again gave. `differences` are those from the recorded outcomes, by index.

    `alone` is how many answers agree only where their record is scored by itself.
    """

    answers: list[Answer]
    differences: dict[int, str]
    alone: int


def score_like(
    rescorer: Rescorer, admitted: Admitted, values: Sequence[bytes], outcomes: Sequence[Stored]
) -> Rescored:
    """Score records again and compare. Raises what `Rescorer.loaded` does.

    A record that gives something else than recorded is scored once more by itself, because a
    batch can change the last bits of an answer.
    """
    answers = rescorer.answers(admitted, values)
    differences: dict[int, str] = {}
    alone = 0
    for index, outcome in enumerate(outcomes):
        if not compare(outcome, answers[index]):
            continue
        (answers[index],) = rescorer.answers(admitted, [values[index]])
        difference = compare(outcome, answers[index])
        if difference:
            differences[index] = difference
        else:
            alone += 1
    return Rescored(answers, differences, alone)


def compare(outcome: Stored, answer: Answer) -> str:
    """Tell how an outcome differs from what scoring again gave; empty where it does not."""
    if isinstance(answer, Failure):
        if isinstance(outcome, StoredResult):
            return f"rejected as {answer.reason} ({answer.detail})"
        if outcome.reason != answer.reason:
            return f"rejected as {answer.reason}, not as {outcome.reason}"
        return ""
    if not isinstance(outcome, StoredResult):
        # What was too large for its topic was answered then, too.
        too_large = outcome.reason == "result_too_large"
        return "" if too_large else f"answered, not rejected as {outcome.reason}"
    recorded = bytes(outcome.outputs)
    if same_json(recorded, answer):
        return ""
    return f"{_shown(answer)}, not {_shown(recorded)}"


class _Planned(NamedTuple):
    """Outcomes of one roster, by index."""

    roster: Roster
    members: list[int]


def _found_no_model(outcome: Stored) -> bool:
    return isinstance(outcome, StoredReject) and outcome.reason == "no_model"


def _was_unknown(outcome: Stored) -> bool:
    """Tell a record whose schema was not registered yet when it was to be read."""
    return isinstance(outcome, StoredReject) and outcome.reason == "unknown_schema"


def _carried_objection(outcome: Stored, batch: RecordBatch, row: int, shown: bytes) -> str:
    """Tell whether what an outcome carries of its record is another record's.

    `shown` is the record as JSON.
    """
    value = batch.values[row]
    if outcome.timestamp != batch.timestamps[row]:
        return f"its outcome has the time {outcome.timestamp}, not {batch.timestamps[row]}"
    if isinstance(outcome, StoredResult):
        record = bytes(outcome.record)
        echoed = record == b"null" or record == shown.strip() or same_json(record, shown)
        return "" if echoed else "its result shows another record"
    kept = outcome.value == value[:REJECT_VALUE_BYTES_MAX] and outcome.value_bytes == len(value)
    return "" if kept else "its reject keeps other bytes"


def _data_type_objection(outcome: Stored, data_type: str | None, failure: Failure | None) -> str:
    """Tell whether an outcome is not that of the record's data type, or of its having none."""
    if failure is not None:
        if isinstance(outcome, StoredResult):
            return f"answered, but the record is {failure.reason}: {failure.detail}"
        if outcome.reason != failure.reason:
            return f"rejected as {outcome.reason}, but the record is {failure.reason}"
        return ""
    if outcome.data_type != data_type:
        return f"its outcome is of data type {outcome.data_type!r}, the record of {data_type!r}"
    return ""


def _by_row(told: Told) -> dict[int, str]:
    return {row: group.data_type for group in told.groups for row in group.rows}


def _shown(outputs: bytes) -> str:
    """Return the beginning of a JSON text."""
    text = outputs.decode(errors="replace")
    return text if len(text) <= 200 else text[:199] + "…"
