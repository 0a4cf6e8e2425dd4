"""Decisions made again: what a plan makes of a record, and of what its candidates said of it.

What candidates said is taken from the result; `reproduce` then scores that again too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from modelstream.audit.rescore import Answer, same_json
from modelstream.core.effects import Outcome
from modelstream.core.plan import Roster
from modelstream.core.policies.base import Case, Decision, Reply, Rows, reads_of, row_array
from modelstream.messages import Column, Failure, RecordBatch, VersionId
from modelstream.stored import (
    Stored,
    StoredReject,
    StoredResult,
    StoredStamp,
    as_of,
    version_named,
)
from modelstream.wire.asides import fields_of, keys_of
from modelstream.wire.lineage import CandidateTold, Decided, decided_of

# Told a row and what is wrong with its outcome.
Find = Callable[[int, str], None]


class Records(NamedTuple):
    """A batch of records, and each of them as JSON."""

    batch: RecordBatch
    as_json: Sequence[bytes]


class Said(NamedTuple):
    """What a version is recorded to have said of one row of a batch."""

    version: VersionId
    row: int
    outcome: Stored


class Won(NamedTuple):
    """What a row's answer is when it is decided again; `by` is None where the plan itself answers."""

    by: VersionId | None
    answer: Answer


def check_decisions(
    roster: Roster, records: Records, rows: Sequence[int], outcomes: Sequence[Stored], find: Find
) -> list[Said]:
    """Decide rows again, report what comes out otherwise, and return what versions said of them."""
    told = [told_of(outcome) for outcome in outcomes]
    said: list[Said] = []
    for members in alike(told):
        chosen = [rows[index] for index in members]
        again = decide_again(roster, records, chosen, [told[index] for index in members])
        for index, won in zip(members, again, strict=True):
            outcome, how = outcomes[index], told[index]
            if roster.apart and how is None and not _needs_no_telling(outcome):
                find(rows[index], "its outcome does not tell how it was decided")
                continue
            if how is None and not roster.apart:
                said.extend(_owned(won, rows[index], outcome, find))
            elif how is not None:
                objection = _objection(roster, outcome, won)
                if objection:
                    find(rows[index], f"decided again by {how.plan.policy}: {objection}")
                said.extend(_said(how, rows[index], outcome))
    return said


def decide_again(
    roster: Roster, records: Records, rows: Sequence[int], told: Sequence[Decided | None]
) -> list[Won]:
    """Decide some rows of a batch by what candidates are told to have said, the same ones for all.

    Where nothing is told, and a policy asks one version for each row, that one is `by`.
    """
    first = told[0] if told else None
    asked = roster.ids() if first is None else [each.id for each in first.candidates]
    case = Case(
        size=len(rows),
        versions={ref: each for ref, each in roster.versions.items() if each in asked},
        merits=roster.merits,
        **_asides(roster, records, rows),
    )
    if first is None:
        return _owners(roster, case)
    for index, candidate in enumerate(first.candidates):
        each = [how.candidates[index] for how in told if how is not None]
        case.replies[candidate.id] = Reply(_outcomes(each))
    return _won(roster.policy.decide(case, range(len(rows)), final=True), len(rows))


def _asides(roster: Roster, records: Records, rows: Sequence[int]) -> dict[str, Any]:
    reads = reads_of(roster.policy)
    keys = keys_of([records.batch]) if "" in reads else []
    return {
        "keys": [keys[row] for row in rows] if keys else (),
        "fields": fields_of([records.as_json[row] for row in rows], reads),
    }


def _owners(roster: Roster, case: Case) -> list[Won]:
    """Return for each row whom a policy asks about it or, where that is nobody, what it says."""
    won = _won(roster.policy.decide(case, range(case.size), final=True), case.size)
    for ref, rows in roster.policy.ask(case, range(case.size)):
        version = case.versions.get(ref)
        if version is not None:
            for row in row_array(rows).tolist():
                won[row] = Won(version, won[row].answer)
    return won


def _won(decision: Decision, size: int) -> list[Won]:
    found: dict[int, Won] = {}
    for piece in decision.pieces:
        for row, outputs in zip(_plain(piece.rows), _objects(piece.columns), strict=True):
            found[row] = Won(piece.by, msgspec.json.encode(outputs))
    for row, failure in decision.failures.items():
        found[row] = Won(None, failure)
    return [found[row] for row in range(size)]


def _plain(rows: Rows) -> list[int]:
    plain: list[int] = row_array(rows).tolist()
    return plain


def _objects(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    lists = (column.tolist() for column in columns.values())
    return [dict(zip(columns, each, strict=True)) for each in zip(*lists, strict=True)]


def _outcomes(told: Sequence[CandidateTold]) -> list[Outcome]:
    """Lay what one candidate said of several rows into outcomes, one for each set of outputs."""
    failures = {row: each.failure for row, each in enumerate(told) if each.failure is not None}
    outputs: dict[tuple[str, ...], dict[int, dict[str, Any]]] = {}
    for row, each in enumerate(told):
        if isinstance(each.outputs, msgspec.Raw):
            read = msgspec.json.decode(each.outputs)
            outputs.setdefault(tuple(read), {})[row] = read
    made = [
        Outcome(
            list(by_row),
            {name: _column([each[name] for each in by_row.values()]) for name in names},
            {},
            0.0,
        )
        for names, by_row in outputs.items()
    ]
    return [*made, Outcome([], {}, failures, 0.0)] if failures else made


def _column(values: list[Any]) -> Column:
    """Lay values as JSON tells them into a column; a number that is missing is NaN there."""
    if any(isinstance(value, str | dict) for value in values):
        return _of_objects(values)
    if not any(isinstance(value, list) for value in values):
        missing = [np.nan if value is None else value for value in values]
        return _of_objects(values) if all(value is None for value in values) else np.array(missing)
    try:
        column = np.array(values)
    except ValueError:
        return _of_objects(values)
    return column if column.dtype.kind in "fiub" else _of_objects(values)


def _of_objects(values: list[Any]) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def told_of(outcome: Stored) -> Decided | None:
    """Return how an outcome tells that it was decided, None where it does not."""
    return decided_of(outcome.decided) if isinstance(outcome.decided, msgspec.Raw) else None


def alike(told: Sequence[Decided | None]) -> list[list[int]]:
    """Return the indices of those that name the same candidates, in the same order."""
    found: dict[Any, list[int]] = {}
    for index, how in enumerate(told):
        key = None if how is None else tuple(each.id for each in how.candidates)
        found.setdefault(key, []).append(index)
    return list(found.values())


def _needs_no_telling(outcome: Stored) -> bool:
    """Tell a reject that was made before, or after, the decision."""
    return isinstance(outcome, StoredReject) and outcome.reason in {"no_model", "result_too_large"}


def _owned(won: Won, row: int, outcome: Stored, find: Find) -> list[Said]:
    """Check a row of which one version was asked; return what that one said."""
    if won.by is None:
        objection = "" if isinstance(won.answer, Failure) else _differs(outcome, won.answer)
        if objection:
            find(row, f"decided again: {objection}")
        return []
    if isinstance(outcome, StoredResult) and version_named(outcome) != won.by:
        find(row, f"{won.by} answers this record, not {version_named(outcome)}")
        return []
    return [] if _needs_no_telling(outcome) else [Said(won.by, row, outcome)]


def _said(how: Decided, row: int, outcome: Stored) -> list[Said]:
    """Return what candidates said, each as if it were the outcome; an executor's troubles are left out."""
    said: list[Said] = []
    for each in how.candidates:
        if isinstance(each.outputs, msgspec.Raw):
            said.append(Said(each.id, row, _as_result(outcome, each, each.outputs)))
        elif each.failure is not None and each.failure.reason != "unavailable":
            said.append(Said(each.id, row, _as_reject(outcome, each.failure)))
    return said


def _as_result(outcome: Stored, said: CandidateTold, outputs: msgspec.Raw) -> StoredResult:
    return StoredResult(
        outputs=outputs,
        model=StoredStamp(*said.id, said.digest, as_of(outcome), said.took_us),
        data_type=outcome.data_type or "",
        topic=outcome.topic,
        partition=outcome.partition,
        offset=outcome.offset,
        timestamp=outcome.timestamp,
    )


def _as_reject(outcome: Stored, why: Failure) -> StoredReject:
    return StoredReject(
        reason=why.reason,
        detail=why.detail,
        data_type=outcome.data_type,
        as_of=0,
        topic=outcome.topic,
        partition=outcome.partition,
        offset=outcome.offset,
        timestamp=outcome.timestamp,
        value=b"",
        value_bytes=0,
    )


def _objection(roster: Roster, outcome: Stored, won: Won) -> str:
    """Tell how an outcome differs from what comes of deciding again."""
    if isinstance(outcome, StoredResult) and not isinstance(won.answer, Failure):
        planned = roster.planned
        by = won.by or (VersionId("plan", planned.version) if planned else None)
        if version_named(outcome) != by:
            return f"{by} has won, not {version_named(outcome)}"
    return _differs(outcome, won.answer)


def _differs(outcome: Stored, answer: Answer) -> str:
    if isinstance(answer, Failure):
        if isinstance(outcome, StoredResult):
            return f"rejected as {answer.reason} ({answer.detail})"
        wrong = outcome.reason not in {answer.reason, "result_too_large"}
        return f"rejected as {answer.reason}, not as {outcome.reason}" if wrong else ""
    if not isinstance(outcome, StoredResult):
        too_large = outcome.reason == "result_too_large"
        return "" if too_large else f"answered, not rejected as {outcome.reason}"
    same = same_json(bytes(outcome.outputs), answer)
    return "" if same else "another answer comes of what the candidates said"
