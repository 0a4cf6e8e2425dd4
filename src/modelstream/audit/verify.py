"""`verify`: are the results what the design promises? From the topics alone, without a server.

Every invariant has a room of its own: complete, once and in order are in `coverage`, current in
`current`, reproducible in `reproduce`. Here they are taken through the partitions, step by step.
"""

from collections import Counter

import numpy as np

from modelstream.audit.coverage import Coverage, locate
from modelstream.audit.current import Currency
from modelstream.audit.history import History, read_history
from modelstream.audit.outcomes import Outcomes, Part
from modelstream.audit.records import Source, Step, read_one, sources, steps, stray_sources
from modelstream.audit.report import INVARIANTS, Figures, Findings, Progress, Report
from modelstream.audit.reproduce import Reproduction
from modelstream.audit.rescore import Rescorer
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.messages import Position, VersionId
from modelstream.stored import StoredReject


def verify(
    log: Log, flow: Flow, *, rescore: bool = True, progress: Progress | None = None
) -> Report:
    """Check a flow's records, results, rejects and registry against each other.

    What is committed while it reads is left for the next time, so a running flow can be verified.
    Without `rescore` no model is loaded and "reproducible" is not checked. `progress` is told the
    records done and those there are. Raises UnknownTopic, LogError, JailFailed.
    """
    found = sources(log, flow)
    history = read_history(log, flow)  # after the committed positions, whose versions it has then
    findings = Findings()
    for damage in history.damages:
        findings.add("current", Position(flow.registry, 0, damage.position), damage.detail)
    with Rescorer(log, flow) as rescorer:
        audit = _Audit(log, flow, history, findings, rescorer if rescore else None)
        total = sum(max(0, each.committed - each.start) for each in found)
        for source in found:
            audit.check(source, progress, total)
        for source in stray_sources(log, flow, found):
            audit.check(source, None, 0)
    return audit.report(len(found))


class _Audit:
    """The figures of all sources, and what checks them."""

    def __init__(
        self,
        log: Log,
        flow: Flow,
        history: History,
        findings: Findings,
        rescorer: Rescorer | None,
    ) -> None:
        self._log, self._flow, self._history, self._findings = log, flow, history, findings
        self._figures: Counter[str] = Counter()
        self._versions: set[VersionId] = set()
        self._reproduction = (
            None if rescorer is None else Reproduction(flow, history, rescorer, findings)
        )

    def check(self, source: Source, progress: Progress | None, total: int) -> None:
        """Take one source through every check."""
        outcomes = Outcomes(self._log, self._flow, source, self._findings.add)
        coverage = Coverage(self._log, self._flow, source, self._findings)
        currency = Currency(self._history, source, self._findings)
        first = outcomes.first()
        for step in steps(self._log, source, source.start if first is None else first):
            coverage.begin(step)
            while len(part := outcomes.take(step.limit)):
                coverage.add(step, part)
                currency.check(part)
                self._reproduce(source, step, part)
                self._count(part)
            coverage.end(step, outcomes.lost_below())
            if step.batch is not None:
                self._figures["records"] += len(step.offsets)
            if progress is not None:
                progress(self._figures["records"], total)
        coverage.finish(outcomes.lost_below())
        self._versions |= currency.versions
        self._figures["removed"] += coverage.removed
        self._figures["outcomes_removed"] += coverage.outcomes_removed

    def report(self, partitions: int) -> Report:
        """Return what was found."""
        figures = self._figures.copy()
        figures.update(partitions=partitions, versions=len(self._versions))
        if self._reproduction is not None:
            figures.update(self._reproduction.figures)
        counts = {each: self._findings.counts[each] for each in INVARIANTS}
        return Report(self._flow.name, Figures(**figures), counts, self._findings.kept())

    def _reproduce(self, source: Source, step: Step, part: Part) -> None:
        """Work out again what is there to be: the step's rows at once, late ones one by one."""
        if self._reproduction is None:
            return
        rows, inside = locate(step, part)
        if step.batch is not None and inside.any():
            chosen = part if inside.all() else part.take(np.flatnonzero(inside).tolist())
            self._reproduction.check(step.batch, rows[inside].tolist(), chosen.outcomes)
        for index in np.flatnonzero(~inside).tolist():
            batch = read_one(self._log, source.id, int(part.records[index]))
            if batch is not None:
                self._reproduction.check(batch, [0], [part.outcomes[index]])

    def _count(self, part: Part) -> None:
        rejects = sum(isinstance(outcome, StoredReject) for outcome in part.outcomes)
        self._figures.update(results=len(part) - rejects, rejects=rejects)
