"""The join as one subtask of a Flink operator runs it: events in, blocks out; it keeps no position.

What Flink keeps for it: the registry's events and small artifacts (broadcast state), and for each
partition of the records the next offset and how far the registry had been applied (keyed state).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from modelstream.engines.flink.blocks import Block, messages_from
from modelstream.engines.loaded import Loaded, load
from modelstream.engines.outgoing import Outbox
from modelstream.engines.shell import Shell
from modelstream.engines.turn import Turn
from modelstream.errors import UnknownModel
from modelstream.events import Admitted, RegistryEvent, decode_event
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, STOP_SECONDS_MAX
from modelstream.log.base import Log
from modelstream.messages import RecordBatch, TopicPartition
from modelstream.wire.json import read_field


class Polled(NamedTuple):
    """What a poll gave: the answers (none where nothing was there, or all is held), and where it stands."""

    block: Block | None
    next_offset: int
    position: int  # of the registry


class Subtask:
    """One subtask's join, for one thread. `artifacts` are lowered forms by digest, as far as they are kept."""

    def __init__(self, flow: Flow, log: Log) -> None:
        self._flow, self._log = flow, log
        self.artifacts: dict[str, bytes] = {}
        self.shell = Shell(flow, self._load, lambda: None)
        self._outbox = Outbox(flow, self.shell.results, log.topics()[flow.results])
        self._data_types = flow.record_topics
        self._read_type = read_field(flow.data_type_field) if flow.data_type_field else None
        # The registry's end was reached since this subtask began: before that nothing is answered.
        self.at_end = False

    @property
    def position(self) -> int:
        """The offset of the last registry event that was applied."""
        return self.shell.machine.registry.position

    def follow(self, events: Iterable[tuple[int, bytes]]) -> None:
        """Apply registry events that are new, in order.

        One that was applied before is left out: after a restart the stream begins anew.
        """
        new: list[tuple[int, RegistryEvent]] = []
        last = self.position
        for offset, value in events:
            if offset > last:
                new.append((offset, decode_event(value)))
                last = offset
        if new:
            self.shell.follow(new)

    def poll(self, source: TopicPartition, offset: int, position: int) -> Polled:
        """Answer the next records of a partition.

        Nothing is answered before the registry was applied up to its end (`at_end`), and up to
        `position`, where whoever had the partition before was; nor while a version that should
        answer is being loaded.
        """
        self.shell.take_loads()
        here = self.position
        nothing = Polled(None, offset, max(here, position))
        if not self.at_end or here < position or self.shell.machine.loading():
            return nothing
        most = self.shell.absences.batch_records
        batch = self._log.arrived(*source, offset, most, BATCH_BYTES_MAX)
        if not len(batch):
            if batch.next_offset <= offset:
                return nothing
            # The log keeps marks of its own there: there is a position to commit, and no answer.
            marks = Block(*source, offset, batch.next_offset, ())
            return Polled(marks, batch.next_offset, here)
        turn = self.shell.join([batch], self._data_type_of)
        self.shell.finish(turn)
        if turn.held:
            return nothing
        return Polled(self._block(batch, turn), batch.next_offset, self.position)

    def close(self) -> None:
        """Release every model."""
        self.shell.close(STOP_SECONDS_MAX)

    def _block(self, batch: RecordBatch, turn: Turn) -> Block:
        appends = self._outbox.outgoing(batch, turn, turn.slices[0])
        messages = tuple(map(messages_from, appends))
        return Block(*batch.source, batch.offsets[0], batch.next_offset, messages)

    def _data_type_of(self, topic: str) -> str | Callable[[bytes], str]:
        return self._read_type or self._data_types[topic]

    def _load(self, admitted: Admitted) -> Loaded:
        lowered = self.artifacts.get(admitted.lowered) or self._log.blobs.get(admitted.lowered)
        if lowered is None:
            raise UnknownModel(
                f"the lowered form {admitted.lowered[:12]} of {admitted.name}@{admitted.version} is "
                f"not kept; publish the model again"
            )
        flow = self._flow
        return load(
            admitted.format,
            lowered,
            (1, flow.batch_records),
            flow.remote,
            flow.device,
            bind=flow.bind,
            functions=flow.functions,
        )
