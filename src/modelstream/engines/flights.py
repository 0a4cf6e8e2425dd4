"""Turns in flight: read, not yet committed. They are committed in the order in which they were read."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from modelstream.engines.turn import Turn
from modelstream.limits import TURNS_IN_FLIGHT_MAX
from modelstream.messages import RecordBatch, TopicPartition


@dataclass(slots=True)
class Flight:
    """A turn, and those of its batches that are delivered again without its doing."""

    turn: Turn
    dropped: set[int] = field(default_factory=set)


class Flights:
    """A bounded line of turns."""

    def __init__(self) -> None:
        self._line: deque[Flight] = deque()

    def __len__(self) -> int:
        return len(self._line)

    def full(self) -> bool:
        """Tell whether no further turn may begin."""
        return len(self._line) >= TURNS_IN_FLIGHT_MAX

    def begin(self, batches: Sequence[RecordBatch]) -> None:
        """Take note of what is delivered next; what is delivered again leaves the turns it was in."""
        for batch in batches:
            self.drop(batch.source, batch.offsets[0])

    def add(self, turn: Turn) -> None:
        """Put a turn at the end."""
        self._line.append(Flight(turn))

    def drop(self, source: TopicPartition, offset: int = 0) -> None:
        """Leave a partition's records from an offset on out of all turns: they come again."""
        for flight in self._line:
            for index, batch in enumerate(flight.turn.batches):
                if batch.source == source and batch.next_offset > offset:
                    flight.dropped.add(index)

    def take(self) -> Flight | None:
        """Return the first turn in line if it is done."""
        return self._line.popleft() if self._line and self._line[0].turn.done else None

    def clear(self) -> list[Turn]:
        """Give all turns up and return them."""
        turns = [flight.turn for flight in self._line]
        self._line.clear()
        return turns
