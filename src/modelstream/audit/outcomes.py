"""The outcomes of a partition of records, read from the results and rejects in step with them.

What stands there and is no outcome of a record is reported, not returned. Only a step's outcomes
are held at a time, whatever the topics' size.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modelstream.audit.records import Offsets, Source, committed_now
from modelstream.audit.report import Invariant
from modelstream.flow import Flow
from modelstream.limits import AUDIT_OUTCOMES_MAX
from modelstream.log.base import Log
from modelstream.messages import Position, RecordBatch
from modelstream.stored import (
    UNREADABLE,
    OutcomeTopic,
    Stored,
    decode_stored,
    outcome_topics,
    record_of,
)

Tell = Callable[[Invariant, Position, str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """Some outcomes of one partition of records.

    `records` are the offsets of their records, `at` their own. `behind`: it stands after an outcome
    of a later record on the same topic.
    """

    outcomes: list[Stored]
    records: Offsets
    at: Offsets
    behind: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.outcomes)

    def slice(self, start: int, stop: int | None = None) -> "Part":
        """Return neighbouring outcomes."""
        pick = slice(start, stop)
        return Part(self.outcomes[pick], self.records[pick], self.at[pick], self.behind[pick])

    def take(self, indices: Sequence[int]) -> "Part":
        """Return the outcomes of these indices."""
        pick = np.asarray(indices, dtype=np.intp)
        chosen = [self.outcomes[index] for index in indices]
        return Part(chosen, self.records[pick], self.at[pick], self.behind[pick])


class Outcomes:
    """The outcomes of one partition of records, from those of record `begin` on.

    `tell` is told of what does not belong there.
    """

    def __init__(self, log: Log, flow: Flow, source: Source, tell: Tell, begin: int = 0) -> None:
        partitions = {topic: log.topics()[topic].partitions for topic in flow.record_topics}

        def committed() -> int:
            return committed_now(log, flow, source.id)

        desk = _Desk(source, partitions, committed, tell)
        self._streams = [_Stream(topic, desk, begin) for topic in outcome_topics(log, flow)]

    def first(self) -> int | None:
        """Return the first record that has an outcome, None where none has."""
        found = [stream.peek() for stream in self._streams]
        return min((each for each in found if each is not None), default=None)

    def take(self, limit: int) -> Part:
        """Return outcomes of records below `limit`, by record; of equal ones the first leads.

        Never more than AUDIT_OUTCOMES_MAX of a topic; an empty part is the last one.
        """
        results, rejects = (stream.take(limit) for stream in self._streams)
        if not len(rejects):
            joined = results
        elif not len(results):
            joined = rejects
        else:
            joined = _joined([results, rejects])
        if (joined.records[1:] >= joined.records[:-1]).all():
            return joined
        return joined.take(np.argsort(joined.records, kind="stable").tolist())

    def lost_below(self) -> int:
        """Return the offset below which retention may have deleted the outcomes of records.

        It is right for records that `take` has gone past.
        """
        return max(stream.lost_below() for stream in self._streams)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Sorts messages: which are outcomes of the source's records, and what the others are."""

    source: Source
    partitions: Mapping[str, int]
    committed: Callable[[], int]
    tell: Tell

    def mine(self, outcome: Stored) -> bool:
        """Tell whether an outcome is of one of the source's records."""
        topic, partition = self.source.id
        return (
            outcome.topic == topic
            and outcome.partition == partition
            and outcome.offset < self.source.committed
        )

    def put_aside(self, place: Position, outcome: Stored) -> None:
        """Report an outcome that is of no record; one of another source or time is no matter."""
        record = record_of(outcome)
        if outcome.partition != self.source.id.partition:
            self._stray("in_order", place, f"stands in another partition than its record {record}")
        elif not outcome.partition < self.partitions.get(outcome.topic, 0):
            self._stray("complete", place, f"is of {record}, which is no record of this flow")
        elif outcome.topic == self.source.id.topic and outcome.offset >= (now := self.committed()):
            detail = f"has an outcome at {place}, but only what is below {now} is committed"
            self.tell("complete", record, detail)

    def unreadable(self, place: Position, error: Exception) -> None:
        """Report a message that cannot be read."""
        self._stray(
            "complete", place, f"is neither a result nor a reject that can be read: {error}"
        )

    def _stray(self, invariant: Invariant, place: Position, detail: str) -> None:
        if self.source.home:
            self.tell(invariant, place, detail)


class _Stream:
    """The source's outcomes on one of the two topics, in the order in which they stand there."""

    def __init__(self, topic: OutcomeTopic, desk: _Desk, begin: int) -> None:
        self._topic, self._desk = topic, desk
        self._partition = desk.source.id.partition
        self._next, self._end = topic.bounds(self._partition)
        self._trimmed = self._next > 0
        if begin:
            self._next = topic.seek(Position(*desk.source.id, begin))
        self._first: int | None = None
        self._highest = -1
        self._buffer = _joined([])

    def peek(self) -> int | None:
        """Return the record of the next outcome, None at the end."""
        self._fill()
        return int(self._buffer.records[0]) if len(self._buffer) else None

    def take(self, limit: int) -> Part:
        """Return what stands before the first outcome of a record at `limit` or later."""
        pieces: list[Part] = []
        room = AUDIT_OUTCOMES_MAX
        while room and self.peek() is not None:
            later = np.flatnonzero(self._buffer.records >= limit)
            count = min(int(later[0]) if len(later) else len(self._buffer), room)
            pieces.append(self._buffer.slice(0, count))
            self._buffer = self._buffer.slice(count)
            room -= count
            if len(self._buffer):
                break
        return pieces[0] if len(pieces) == 1 else _joined(pieces)

    def lost_below(self) -> int:
        """Return the first record whose outcome is kept, 0 where nothing was deleted."""
        if not self._trimmed:
            return 0
        return self._desk.source.committed if self._first is None else self._first

    def _fill(self) -> None:
        while not len(self._buffer) and self._next < self._end:
            batch = self._topic.read(self._partition, self._next)
            self._next = batch.next_offset if len(batch) else self._end
            self._buffer = self._part(batch)
        if self._first is None and len(self._buffer):
            self._first = int(self._buffer.records[0])

    def _part(self, batch: RecordBatch) -> Part:
        """Decode a batch and keep what is the source's."""
        outcomes: list[Stored] = []
        places: list[int] = []
        kind, name = self._topic.kind, self._topic.name
        for offset, value in zip(batch.offsets, batch.values, strict=True):
            try:
                outcome = decode_stored(kind, value)
            except UNREADABLE as error:
                self._desk.unreadable(Position(name, batch.partition, offset), error)
                continue
            if self._desk.mine(outcome):
                outcomes.append(outcome)
                places.append(offset)
            else:
                self._desk.put_aside(Position(name, batch.partition, offset), outcome)
        records = np.fromiter((each.offset for each in outcomes), np.int64, len(outcomes))
        before = np.maximum.accumulate(np.concatenate(([self._highest], records)))
        self._highest = int(before[-1])
        at = np.array(places, dtype=np.int64)
        return Part(outcomes, records, at, records < before[:-1])


def _joined(parts: Sequence[Part]) -> Part:
    return Part(
        [outcome for part in parts for outcome in part.outcomes],
        np.concatenate([np.empty(0, np.int64), *(part.records for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.at for part in parts)]),
        np.concatenate([np.empty(0, np.bool_), *(part.behind for part in parts)]),
    )
