"""Answers of a plan worked out from nothing but the records: candidates scored again, then decided."""

from collections.abc import Sequence

import msgspec

from modelstream.audit.decisions import Records, Won, alike, decide_again, told_of
from modelstream.audit.history import History
from modelstream.audit.rescore import Answer, Rescorer
from modelstream.core.plan import Roster
from modelstream.errors import UnknownModel
from modelstream.events import Admitted
from modelstream.messages import Failure, VersionId
from modelstream.stored import Stored
from modelstream.wire.lineage import CandidateTold, Decided


class Replanner:
    """Finds the answers of plans again."""

    def __init__(self, history: History, rescorer: Rescorer) -> None:
        self._history, self._rescorer = history, rescorer

    def answers(
        self, roster: Roster, records: Records, rows: Sequence[int], outcomes: Sequence[Stored]
    ) -> list[Answer]:
        """Score again whoever had answered in time, and decide by that; one answer for each row.

        Raises UnknownModel, InvalidModel where a version cannot be had again.
        """
        told = [told_of(outcome) for outcome in outcomes]
        again = _Again(records, self._history, self._rescorer)
        answers: dict[int, Answer] = {}
        for members in alike(told):
            chosen = [rows[index] for index in members]
            how = [each for index in members if (each := told[index]) is not None]
            if how:
                won = decide_again(roster, records, chosen, again.decided(how, chosen))
                found = [each.answer for each in won]
            else:
                won = decide_again(roster, records, chosen, [None] * len(chosen))
                found = again.owned(won, chosen)
            answers.update(zip(members, found, strict=True))
        return [answers[index] for index in range(len(rows))]


class _Again:
    """Scores rows of a batch again."""

    def __init__(self, records: Records, history: History, rescorer: Rescorer) -> None:
        self._records, self._history, self._rescorer = records, history, rescorer

    def decided(self, told: Sequence[Decided], rows: Sequence[int]) -> list[Decided]:
        """Put what candidates say now in the place of what they said then; the late stay late."""
        columns = [
            self._said([how.candidates[index] for how in told], rows)
            for index in range(len(told[0].candidates))
        ]
        return [
            Decided(how.plan, tuple(column[at] for column in columns))
            for at, how in enumerate(told)
        ]

    def owned(self, won: Sequence[Won], rows: Sequence[int]) -> list[Answer]:
        """Return what each row's one version says or, where there is none, what was decided."""
        answers = [each.answer for each in won]
        for version in dict.fromkeys(each.by for each in won if each.by is not None):
            members = [index for index, each in enumerate(won) if each.by == version]
            given = self._answers(version, [rows[index] for index in members])
            for index, answer in zip(members, given, strict=True):
                answers[index] = answer
        return answers

    def _said(self, told: Sequence[CandidateTold], rows: Sequence[int]) -> list[CandidateTold]:
        said = list(told)
        answered = [at for at, each in enumerate(told) if not _out_of_time(each)]
        given = self._answers(told[0].id, [rows[at] for at in answered]) if answered else []
        for at, answer in zip(answered, given, strict=True):
            blank = msgspec.structs.replace(told[at], outputs=msgspec.UNSET, failure=None)
            said[at] = (
                msgspec.structs.replace(blank, failure=answer)
                if isinstance(answer, Failure)
                else msgspec.structs.replace(blank, outputs=msgspec.Raw(answer))
            )
        return said

    def _answers(self, version: VersionId, rows: Sequence[int]) -> list[Answer]:
        values = [self._records.as_json[row] for row in rows]
        return self._rescorer.answers(self._admitted(version), values)

    def _admitted(self, version: VersionId) -> Admitted:
        known = self._history.versions.get(version)
        if known is None:
            raise UnknownModel(f"{version} is not on the registry")
        return known.admitted


def _out_of_time(told: CandidateTold) -> bool:
    return told.late or (told.failure is not None and told.failure.reason == "unavailable")
