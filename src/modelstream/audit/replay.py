"""`replay`: a back-test. Answered records are scored again and compared with what was recorded.

The version is the one that answered them, or another that the registry has admitted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import get_args

import numpy as np

from modelstream.audit.compare import Comparison
from modelstream.audit.coverage import locate
from modelstream.audit.current import reader_of, roster_then
from modelstream.audit.decisions import Records
from modelstream.audit.history import History, read_history
from modelstream.audit.outcomes import Outcomes
from modelstream.audit.records import DataTypes, Source, Told, sources, steps
from modelstream.audit.replan import Replanner
from modelstream.audit.replayed import Change, Difference, ReplayReport, change_of, difference_of
from modelstream.audit.report import Invariant, Progress
from modelstream.audit.reproduce import score_like
from modelstream.audit.rescore import Answer, Rescorer, plain_json
from modelstream.core.plan import Roster
from modelstream.errors import InvalidModel, UnknownModel
from modelstream.events import Admitted, version_of
from modelstream.flow import Flow
from modelstream.limits import REPLAY_SAMPLE_MAX
from modelstream.log.base import Log
from modelstream.messages import Position, RecordBatch, VersionId
from modelstream.stored import Stored, StoredResult

# Versions that an error names.
_NAMED_MAX = 10


# What became of a record: "rejected" was answered before, "answered" was rejected before, and
# "reason" was and is rejected, for another reason.
def replay(
    log: Log,
    flow: Flow,
    *,
    version: VersionId | None = None,
    start: int | None = None,
    end: int | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    data_type: str = "",
    limit: int | None = None,
    progress: Progress | None = None,
) -> ReplayReport:
    """Score answered records again and compare.

    Of every partition those from offset `start` up to, not including, `end` are taken, and of
    these the ones from `since_ms` up to, not including, `until_ms` (since the epoch), of one data
    type where one is given or `version` is of one; `limit` ends it after so many. `progress` is
    told the records done and those there are. Raises UnknownModel for a version that was never
    admitted, or can no longer be had; UnknownTopic, LogError, JailFailed.
    """
    chosen = [
        _within(log, source, start=start, end=end, since_ms=since_ms, until_ms=until_ms)
        for source in sources(log, flow)
    ]
    history = read_history(log, flow)  # after the committed positions, whose versions it has then
    admitted = None if version is None else _admitted(history, version)
    total = sum(max(0, source.committed - source.start) for source in chosen)
    done = 0
    with Rescorer(log, flow) as rescorer:
        run = _Replay(flow, history, rescorer, admitted, data_type)
        for batch, recorded in _recorded(log, flow, chosen):
            if limit is not None and run.records >= limit:
                break
            run.take(batch, recorded, None if limit is None else limit - run.records)
            done += len(batch)
            if progress is not None:
                progress(done, total)
    return run.report()


def _admitted(history: History, version: VersionId) -> Admitted:
    known = history.versions.get(version)
    if known is None:
        names = ", ".join(map(str, list(history.versions)[-_NAMED_MAX:])) or "none yet"
        raise UnknownModel(f"{version} was never admitted; the last admitted are {names}")
    return known.admitted


def _within(
    log: Log,
    source: Source,
    *,
    start: int | None,
    end: int | None,
    since_ms: int | None,
    until_ms: int | None,
) -> Source:
    """Return a source cut to a range of offsets and one of times."""
    lows, highs = [source.start, start or 0], [source.committed]
    if end is not None:
        highs.append(end)
    if since_ms is not None:
        lows.append(log.offset_at(*source.id, since_ms))
    if until_ms is not None:
        highs.append(log.offset_at(*source.id, until_ms))
    return replace(source, start=max(lows), committed=min(highs))


def _recorded(
    log: Log, flow: Flow, chosen: Sequence[Source]
) -> Iterator[tuple[RecordBatch, dict[int, Stored]]]:
    """Go through the records with the outcomes of each batch, by row."""
    for source in chosen:
        outcomes = Outcomes(log, flow, source, _unheard, begin=source.start)
        for step in steps(log, source, source.start):
            found: dict[int, Stored] = {}
            while len(part := outcomes.take(step.limit)):
                rows, inside = locate(step, part)
                for index in np.flatnonzero(inside).tolist():
                    found.setdefault(int(rows[index]), part.outcomes[index])
            if step.batch is not None:
                yield step.batch, found


def _unheard(_invariant: Invariant, _position: Position, _detail: str) -> None:
    """Leave what is amiss on the topics to `verify`."""


class _Replay:
    """The counts of a replay, batch by batch."""

    def __init__(
        self,
        flow: Flow,
        history: History,
        rescorer: Rescorer,
        admitted: Admitted | None,
        data_type: str,
    ) -> None:
        self.records = 0
        self._flow, self._history, self._rescorer = flow, history, rescorer
        self._replanner = Replanner(history, rescorer)
        self._version = None if admitted is None else version_of(admitted)
        self._data_type = data_type or (None if admitted is None else admitted.data_type)
        self._data_types = DataTypes(flow)
        self._changes: Counter[Change] = Counter()
        self._without_outcome = self._not_rescored = 0
        self._unavailable: dict[VersionId, str] = {}
        self._comparison = Comparison()
        self._sample: list[Difference] = []
        if admitted is not None:
            rescorer.loaded(admitted)  # one that cannot be had ends the replay before it begins

    def take(self, batch: RecordBatch, recorded: Mapping[int, Stored], most: int | None) -> None:
        """Score a batch again, up to so many records of it."""
        told = self._data_types.of(batch)
        rows = self._rows(told)[:most]
        answered = [row for row in rows if row in recorded]
        self._without_outcome += len(rows) - len(answered)
        asked: dict[VersionId, list[int]] = {}
        planned: dict[int, tuple[Roster, list[int]]] = {}
        for row in answered:
            roster = None if self._version else roster_then(self._history, recorded[row])
            if roster is not None and roster.planned is not None:
                planned.setdefault(id(roster), (roster, []))[1].append(row)
                continue
            version = self._version or reader_of(self._history, recorded[row])
            if version is not None:
                asked.setdefault(version, []).append(row)
        scored = sum(
            self._score(each, batch, told.records, rows, recorded) for each, rows in asked.items()
        )
        scored += sum(
            self._decide(roster, batch, told.records, rows, recorded)
            for roster, rows in planned.values()
        )
        self.records += scored
        self._not_rescored += len(answered) - scored

    def report(self) -> ReplayReport:
        """Return the counts."""
        return ReplayReport(
            flow=self._flow.name,
            version=self._version,
            data_type=self._data_type,
            records=self.records,
            changes={each: self._changes[each] for each in get_args(Change)},
            without_outcome=self._without_outcome,
            not_rescored=self._not_rescored,
            unavailable=self._unavailable,
            outputs=self._comparison.changes(),
            sample=tuple(self._sample),
        )

    def _rows(self, told: Told) -> list[int]:
        """Return the rows of the data type that is wanted; of any, where none is."""
        wanted = self._data_type
        rows = [group.rows for group in told.groups if wanted is None or group.data_type == wanted]
        return sorted(chain.from_iterable(rows))

    def _score(
        self,
        version: VersionId,
        batch: RecordBatch,
        records: Sequence[bytes],
        rows: Sequence[int],
        recorded: Mapping[int, Stored],
    ) -> int:
        """Score rows and compare; return how many they were, 0 where the version cannot be had."""
        known = self._history.versions.get(version)
        if known is None:
            self._unavailable[version] = "it was never admitted"
            return 0
        values = [records[row] for row in rows]
        outcomes = [recorded[row] for row in rows]
        try:
            if self._version is None:
                answers = score_like(self._rescorer, known.admitted, values, outcomes).answers
            else:
                answers = self._rescorer.answers(known.admitted, values)
        except (InvalidModel, UnknownModel) as error:
            self._unavailable[version] = str(error)
            return 0
        self._compare(known.admitted, outcomes, answers)
        self._count(batch, rows, outcomes, answers)
        return len(rows)

    def _decide(
        self,
        roster: Roster,
        batch: RecordBatch,
        records: Sequence[bytes],
        rows: Sequence[int],
        recorded: Mapping[int, Stored],
    ) -> int:
        """Score rows again by a plan and compare; return how many they were, 0 where it cannot be."""
        outcomes = [recorded[row] for row in rows]
        both = Records(batch, records)
        try:
            answers = self._replanner.answers(roster, both, rows, outcomes)
        except (InvalidModel, UnknownModel) as error:
            planned = roster.planned
            self._unavailable[VersionId("plan", planned.version if planned else "")] = str(error)
            return 0
        self._count(batch, rows, outcomes, answers)
        return len(rows)

    def _count(
        self,
        batch: RecordBatch,
        rows: Sequence[int],
        outcomes: Sequence[Stored],
        answers: Sequence[Answer],
    ) -> None:
        """Tell what became of each record."""
        for row, outcome, answer in zip(rows, outcomes, answers, strict=True):
            change = change_of(outcome, answer)
            self._changes[change] += 1
            if change != "equal" and len(self._sample) < REPLAY_SAMPLE_MAX:
                position = Position(batch.topic, batch.partition, batch.offsets[row])
                self._sample.append(difference_of(position, outcome, answer))

    def _compare(
        self, admitted: Admitted, outcomes: Sequence[Stored], answers: Sequence[Answer]
    ) -> None:
        """Compare the outputs of what was answered both times."""
        both = [
            (bytes(outcome.outputs), answer)
            for outcome, answer in zip(outcomes, answers, strict=True)
            if isinstance(outcome, StoredResult) and isinstance(answer, bytes)
        ]
        self._comparison.add(
            self._rescorer.loaded(admitted).model.outputs,
            [plain_json(old) for old, _ in both],
            [plain_json(new) for _, new in both],
        )
