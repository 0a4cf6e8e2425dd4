"""Current: the version that an outcome names is the one that the registry had made current then."""

from itertools import groupby
from typing import NamedTuple

from modelstream.audit.history import History
from modelstream.audit.outcomes import Part
from modelstream.audit.records import Source
from modelstream.audit.report import Findings
from modelstream.audit.stored import Stored, StoredResult, version_named
from modelstream.messages import Position, VersionId


class Claim(NamedTuple):
    """What an outcome says of its model; a reject names none."""

    data_type: str | None
    as_of: int
    version: VersionId | None
    digest: str


class Currency:
    """Checks the outcomes of one source. `versions` are those that results were seen to name."""

    def __init__(self, history: History, source: Source, findings: Findings) -> None:
        self.versions: set[VersionId] = set()
        self._history, self._source, self._findings = history, source, findings
        self._highest: dict[str | None, int] = {}

    def check(self, part: Part) -> None:
        """Check outcomes, a run of equal claims at a time."""
        claims = [_claim(outcome) for outcome in part.outcomes]
        for claim, run in groupby(range(len(claims)), key=claims.__getitem__):
            self._check_run(part, claim, list(run))

    def _check_run(self, part: Part, claim: Claim, run: list[int]) -> None:
        objection = self._objection(claim)
        if claim.version is not None:
            self.versions.add(claim.version)
        # One that stands out of order has been reported; its as_of belongs elsewhere.
        in_order = [index for index in run if not part.behind[index]]
        if not objection and in_order:
            highest = self._highest.get(claim.data_type, -1)
            if claim.as_of < highest:
                objection = f"as_of goes back to {claim.as_of}, after {highest}"
                run = in_order
            else:
                self._highest[claim.data_type] = claim.as_of
        if objection:
            for index in run:
                position = Position(*self._source.id, int(part.records[index]))
                self._findings.add("current", position, objection)

    def _objection(self, claim: Claim) -> str:
        """Tell what the registry has against a claim."""
        if claim.as_of > self._history.last:
            return f"as_of is {claim.as_of}, but the registry ends at {self._history.last}"
        if claim.version is None:
            return ""
        known = self._history.versions.get(claim.version)
        if known is None or known.position > claim.as_of:
            return f"{claim.version} was not admitted at {claim.as_of}"
        if claim.digest != known.admitted.digest:
            return f"{claim.version} has digest {known.admitted.digest}, not {claim.digest}"
        return self._not_current(claim, claim.version)

    def _not_current(self, claim: Claim, version: VersionId) -> str:
        """Tell which version should have answered, if it is another one."""
        current = self._history.current(claim.data_type or "", claim.as_of)
        if current == version:
            return ""
        if self._history.retired_at(version, claim.as_of):
            return f"{version} had been retired at {self._history.retired[version].position}"
        instead = "no version" if current is None else current
        return f"{instead} was current for {claim.data_type!r} at {claim.as_of}, not {version}"


def _claim(outcome: Stored) -> Claim:
    if isinstance(outcome, StoredResult):
        model = outcome.model
        return Claim(outcome.data_type, model.as_of, version_named(outcome), model.digest)
    return Claim(outcome.data_type, outcome.as_of, None, "")


def reader_of(history: History, outcome: Stored) -> VersionId | None:
    """Return the version that read a record, as far as its outcome tells; None where none did."""
    if isinstance(outcome, StoredResult):
        return version_named(outcome)
    if outcome.data_type is None or outcome.reason == "no_model":
        return None
    return history.current(outcome.data_type, outcome.as_of)
