"""Current: the version that an outcome names is the one that the registry had made current then."""

from itertools import groupby
from typing import NamedTuple

import msgspec

from modelstream.audit.history import History
from modelstream.audit.outcomes import Part
from modelstream.audit.records import Source
from modelstream.audit.report import Findings
from modelstream.core.plan import Roster
from modelstream.messages import Position, VersionId
from modelstream.stored import Stored, StoredResult, as_of, version_named
from modelstream.wire.lineage import decided_of


class Claim(NamedTuple):
    """What an outcome says of its model; a reject names none."""

    data_type: str | None
    as_of: int
    version: VersionId | None
    digest: str
    plan: tuple[str, str] | None = None  # version and digest
    candidates: tuple[tuple[VersionId, str], ...] = ()  # with their digests


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
        named = claim.version is not None and claim.version in self._history.versions
        if claim.version is not None and (named or claim.plan is None):
            self.versions.add(claim.version)
        self.versions.update(version for version, _ in claim.candidates)
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
        roster = self._history.roster(claim.data_type or "", claim.as_of)
        planned = roster.planned if roster else None
        if claim.plan and (planned is None or claim.plan != (planned.version, planned.digest)):
            return f"plan {claim.plan[0]} was not the plan at {claim.as_of}"
        asked = list(claim.candidates)
        own = planned and (VersionId("plan", planned.version), planned.digest)
        if claim.version is not None and (claim.version, claim.digest) != own:
            asked.insert(0, (claim.version, claim.digest))
        told = (self._not_to_be_asked(claim, roster, *each) for each in asked)
        return next(filter(None, told), "")

    def _not_to_be_asked(
        self, claim: Claim, roster: Roster | None, version: VersionId, digest: str
    ) -> str:
        """Tell why a version was not to answer then."""
        known = self._history.versions.get(version)
        if known is None or known.position > claim.as_of:
            return f"{version} was not admitted at {claim.as_of}"
        if digest != known.admitted.digest:
            return f"{version} has digest {known.admitted.digest}, not {digest}"
        current = () if roster is None else roster.ids()
        if version in current:
            return ""
        if self._history.retired_at(version, claim.as_of):
            return f"{version} had been retired at {self._history.retired[version].position}"
        instead = ", ".join(map(str, current)) or "no version"
        return f"{instead} was current for {claim.data_type!r} at {claim.as_of}, not {version}"


def _claim(outcome: Stored) -> Claim:
    plan: tuple[str, str] | None = None
    candidates: tuple[tuple[VersionId, str], ...] = ()
    if isinstance(outcome.decided, msgspec.Raw):
        how = decided_of(outcome.decided)
        plan = (how.plan.version, how.plan.digest)
        candidates = tuple((each.id, each.digest) for each in how.candidates)
    if isinstance(outcome, StoredResult):
        model = outcome.model
        version = version_named(outcome)
        return Claim(outcome.data_type, model.as_of, version, model.digest, plan, candidates)
    return Claim(outcome.data_type, outcome.as_of, None, "", plan, candidates)


def reader_of(history: History, outcome: Stored) -> VersionId | None:
    """Return the version that read a record, as far as its outcome tells; None where none did."""
    if isinstance(outcome, StoredResult):
        return None if answered_by_plan(history, outcome) else version_named(outcome)
    if outcome.data_type is None or outcome.reason == "no_model":
        return None
    return history.current(outcome.data_type, outcome.as_of)


def answered_by_plan(history: History, outcome: StoredResult) -> bool:
    """Tell an answer that is no single version's, but a plan's."""
    roster = roster_then(history, outcome)
    planned = roster.planned if roster else None
    stamp = outcome.model
    return planned is not None and (stamp.name, stamp.version, stamp.digest) == (
        planned.name,
        planned.version,
        planned.digest,
    )


def roster_then(history: History, outcome: Stored) -> Roster | None:
    """Return who was to answer a record, and by which policy, when it was read."""
    return history.roster(outcome.data_type or "", as_of(outcome))
