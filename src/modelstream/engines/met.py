"""Which data types were met in which partition, where each of them is to have one owner."""

from bisect import bisect_left
from collections.abc import Collection

from modelstream.engines.turn import Turn
from modelstream.messages import TopicPartition


class Met:
    """Data types by partition; nothing is kept unless it is `on`."""

    def __init__(self, *, on: bool) -> None:
        self._on = on
        self._types: dict[TopicPartition, set[str]] = {}

    def note(self, turn: Turn) -> None:
        """Take note of a turn's data types."""
        if not self._on:
            return
        for group in turn.groups:
            for batch, rows in zip(turn.batches, turn.slices, strict=True):
                at = bisect_left(group.rows, rows.start)
                if at < len(group.rows) and group.rows[at] < rows.stop:
                    self._types.setdefault(batch.source, set()).add(group.data_type)

    def lost(self, held: Collection[TopicPartition]) -> list[str]:
        """Return the data types that were met in partitions that are not held, and in no other."""
        gone = [self._types.pop(source) for source in list(self._types) if source not in held]
        kept = set().union(*self._types.values())
        return sorted(set().union(*gone) - kept)
