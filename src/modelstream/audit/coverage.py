"""Complete, once, in order: there is one outcome for every record, and it stands in its place.

A record that was passed over is kept as missing, because its outcome may still come, late.
"""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from modelstream.audit.outcomes import Part
from modelstream.audit.records import Offsets, Source, Step, read_one
from modelstream.audit.report import Findings
from modelstream.flow import Flow
from modelstream.limits import AUDIT_GAPS_MAX
from modelstream.log.base import Log
from modelstream.messages import Position
from modelstream.stored import StoredReject


class Missing:
    """Records without an outcome so far, as runs of neighbouring offsets."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[range]:
        return map(range, self._starts, self._stops)

    def add(self, offsets: Offsets) -> None:
        """Note records; all come after those noted before."""
        if not len(offsets):
            return
        breaks = np.flatnonzero(np.diff(offsets) != 1) + 1
        for run in np.split(offsets, breaks):
            first, last = int(run[0]), int(run[-1])
            if self._stops and self._stops[-1] == first:
                self._stops[-1] = last + 1
            else:
                self._starts.append(first)
                self._stops.append(last + 1)

    def take(self, offset: int) -> bool:
        """Strike a record off; False where it was not noted."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or offset >= self._stops[index]:
            return False
        start, stop = self._starts[index], self._stops[index]
        kept = [(a, b) for a, b in ((start, offset), (offset + 1, stop)) if a < b]
        self._starts[index : index + 1] = [a for a, _ in kept]
        self._stops[index : index + 1] = [b for _, b in kept]
        return True

    def pop(self) -> range:
        """Strike the first run off and return it."""
        return range(self._starts.pop(0), self._stops.pop(0))


class Coverage:
    """What became of the records of one source, step by step.

    `removed` and `outcomes_removed` are the figures of that name in `report.Figures`.
    """

    def __init__(self, log: Log, flow: Flow, source: Source, findings: Findings) -> None:
        self.removed = 0
        self.outcomes_removed = 0
        self._log, self._flow, self._source, self._findings = log, flow, source, findings
        self._missing = Missing()
        self._seen: npt.NDArray[np.bool_] = np.empty(0, np.bool_)

    def begin(self, step: Step) -> None:
        """Go on to the next records."""
        self._seen = np.zeros(len(step.offsets), np.bool_)

    def add(self, step: Step, part: Part) -> None:
        """Take in outcomes that stand before the step's end."""
        rows, inside = locate(step, part)
        new = inside & _firsts(part.records)
        new[new] = ~self._seen[rows[new]]
        self._seen[rows[new]] = True
        for index in np.flatnonzero(~new).tolist():
            self._add_late(part, index, known=bool(inside[index]))
        for index in np.flatnonzero(new & part.behind).tolist():
            self._misplaced(part, index)
        if step.batch is None:
            self.removed += int(new.sum())

    def end(self, step: Step, lost_below: int) -> None:
        """Note what has no outcome among the step's records."""
        self._missing.add(step.offsets[~self._seen])
        while len(self._missing) > AUDIT_GAPS_MAX:
            self._report(self._missing.pop(), lost_below)

    def finish(self, lost_below: int) -> None:
        """Report what is missing for good."""
        for run in self._missing:
            self._report(run, lost_below)

    def _add_late(self, part: Part, index: int, *, known: bool) -> None:
        """Sort out an outcome that is not the first one of a record of this step."""
        offset = int(part.records[index])
        if not known and self._missing.take(offset):
            self._misplaced(part, index)
        elif known or offset < self._source.start or self._is_record(offset):
            detail = f"has another outcome at {self._place(part, index)}"
            self._findings.add("once", self._position(offset), detail)
        elif self._source.compacted:
            self.removed += 1
        else:
            detail = f"has an outcome at {self._place(part, index)}, but no record stands there"
            self._findings.add("complete", self._position(offset), detail)

    def _misplaced(self, part: Part, index: int) -> None:
        detail = f"its outcome at {self._place(part, index)} stands after that of a later record"
        self._findings.add("in_order", self._position(int(part.records[index])), detail)

    def _report(self, run: range, lost_below: int) -> None:
        """Report a run of records without an outcome, but for those that retention may explain."""
        lost = range(run.start, min(run.stop, max(lost_below, self._source.start)))
        self.outcomes_removed += len(range(max(lost.start, self._source.start), lost.stop))
        left = range(max(run.start, lost.stop), run.stop)
        for offset in left:
            if self._findings.full("complete"):
                self._findings.count("complete", left.stop - offset)
                return
            self._findings.add(
                "complete", self._position(offset), "is committed without a result or a reject"
            )

    def _is_record(self, offset: int) -> bool:
        return read_one(self._log, self._source.id, offset) is not None

    def _position(self, offset: int) -> Position:
        return Position(*self._source.id, offset)

    def _place(self, part: Part, index: int) -> Position:
        rejected = isinstance(part.outcomes[index], StoredReject)
        topic = self._flow.rejects if rejected else self._flow.results
        return Position(topic, self._source.id.partition, int(part.at[index]))


def locate(step: Step, part: Part) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return the row of each outcome's record in a step, and whether it is there at all."""
    rows = np.searchsorted(step.offsets, part.records)
    inside = rows < len(step.offsets)
    inside[inside] = step.offsets[rows[inside]] == part.records[inside]
    return rows, inside


def _firsts(records: Offsets) -> npt.NDArray[np.bool_]:
    """Tell of sorted offsets which are the first of their kind."""
    firsts = np.ones(len(records), np.bool_)
    firsts[1:] = records[1:] != records[:-1]
    return firsts
