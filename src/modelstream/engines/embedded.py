"""The embedded engine: the join as a loop over a log. Read, join, commit; that is all.

Any number of instances, in threads or processes, share the partitions of the records; each of them
reads the whole registry.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from modelstream.engines.flights import Flight, Flights
from modelstream.engines.isolated.choice import isolate
from modelstream.engines.loaded import Loaded, load
from modelstream.engines.met import Met
from modelstream.engines.outgoing import Outbox
from modelstream.engines.shell import Shell
from modelstream.engines.topics import prepare
from modelstream.engines.turn import Turn
from modelstream.errors import Fenced, LogError
from modelstream.events import Admitted, decode_events
from modelstream.flow import Flow
from modelstream.limits import (
    BATCH_BYTES_MAX,
    FLIGHT_WAIT_MS,
    POLL_WAIT_MS,
    REGISTRY_READ_RECORDS,
    STOP_SECONDS_MAX,
)
from modelstream.log.base import Log
from modelstream.log.outages import wait_out
from modelstream.messages import Outgoing, RecordBatch, TopicPartition
from modelstream.wire.json import read_field

_log = logging.getLogger("modelstream")
# `Log.read`, or `Log.arrived`.
ReadLog = Callable[[str, int, int, int, int], RecordBatch]


class Embedded:
    """One instance of a flow on a log. Make it, `run` it (or `step` by hand), `close` it.

    `lowered` brings what an admitted version is loaded from.
    """

    def __init__(
        self, flow: Flow, log: Log, lowered: Callable[[Admitted], bytes], instance: str
    ) -> None:
        prepare(flow, log)
        self._flow, self._log, self._lowered = flow, log, lowered
        self._registry_offset = 0
        self._flights = Flights()
        self._met = Met(on=flow.partition_by == "data_type")
        self._paused: set[TopicPartition] = set()
        self._settled: set[TopicPartition] = set()
        self._data_types = flow.record_topics
        self._read_type = read_field(flow.data_type_field) if flow.data_type_field else None
        self.shell = Shell(
            flow, self._load, lambda: None, partial(isolate, flow=flow, lowered=lowered)
        )
        self._outbox = Outbox(flow, self.shell.results, log.topics()[flow.results])
        try:
            self.follow_registry()
            self._consumer = log.consumer(flow.group, list(self._data_types), instance=instance)
        except LogError:
            self.shell.close(STOP_SECONDS_MAX)
            raise

    def run(self, stop: threading.Event) -> None:
        """Join until told to stop; the batch in hand is finished."""
        while not stop.is_set():
            wait_out(self.step, stop)

    def step(self, max_wait_ms: int = POLL_WAIT_MS) -> int:
        """Take one turn of the loop; return the number of records answered and committed.

        Where several candidates are asked, turns begin while those before them are in flight.
        Raises LogUnavailable while the log is away: the next turn goes on from what was committed.
        """
        self._follow(self._log.arrived)
        self.shell.take_loads()
        if self.shell.released:
            self._resume()
        self._settle()
        self.shell.take_scores()
        done = self._land()
        if not self._flights.full() and self._begin(0 if self._flights else max_wait_ms):
            return done + self._land()
        if self._flights:
            self.shell.take_scores(FLIGHT_WAIT_MS)
        return done + self._land()

    def follow_registry(self) -> None:
        """Fold what is new on the registry, to its end."""
        self._follow(self._log.read)

    def _follow(self, read: ReadLog) -> None:
        """Fold what a reading of the registry gives."""
        batch = self._read_registry(read, self._registry_offset)
        while len(batch):
            following = self._read_registry(read, batch.next_offset)
            events = list(zip(batch.offsets, decode_events(batch.values), strict=True))
            self.shell.follow(events, more=bool(len(following)))
            self._registry_offset = batch.next_offset
            batch = following
        self._registry_offset = batch.next_offset

    def lag(self) -> int:
        """Return the number of records of this instance's partitions that have no outcome yet."""
        return sum(self._consumer.lag().values())

    def held(self) -> bool:
        """Tell whether partitions wait for a model, or for its server."""
        return bool(self._paused)

    def ends(self) -> dict[TopicPartition, int]:
        """Return the end of every partition of the records, whoever has it."""
        return {
            TopicPartition(topic, partition): self._log.bounds(topic, partition)[1]
            for topic in self._data_types
            for partition in range(self._log.topics()[topic].partitions)
        }

    def reached(self, goal: Mapping[TopicPartition, int]) -> bool:
        """Tell whether all records below a goal have their outcomes, or wait for a model.

        Not while a version that should answer is on its way: it may answer those that wait. One
        that cannot be loaded is not on its way, though it is tried again now and then.
        """
        if self.shell.machine.loading():
            return False
        return all(
            source in self._paused or (self._log.committed(self._flow.group, *source) or 0) >= end
            for source, end in goal.items()
            if end
        )

    def close(self) -> None:
        """Leave the group and release every model."""
        self._consumer.close()
        self.shell.close(STOP_SECONDS_MAX)

    def _read_registry(self, read: ReadLog, offset: int) -> RecordBatch:
        return read(self._flow.registry, 0, offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX)

    def _begin(self, max_wait_ms: int) -> bool:
        """Read what is there and begin to answer it; tell whether there was something."""
        most = self.shell.absences.batch_records
        batches = self._consumer.poll(most, max_wait_ms, BATCH_BYTES_MAX)
        batches = [batch for batch in batches if self._is_settled(batch)]
        if batches:
            self._flights.begin(batches)
            turn = self.shell.join(batches, self._data_type_of)
            self._met.note(turn)
            self._flights.add(turn)
        return bool(batches)

    def _land(self) -> int:
        """Commit the turns that are done, in one step; return the number of their records."""
        turns = []
        while (flight := self._flights.take()) is not None:
            self._put_back(flight)
            turns.append(flight.turn)
        if not turns:
            return 0
        try:
            return self._commit(turns)
        except LogError as error:
            # What was read since is delivered again, from the committed positions.
            for turn in self._flights.clear():
                self.shell.forget(turn)
            if not isinstance(error, Fenced):
                raise
            _log.warning("%s; another instance has taken over", error)
            self._settled.clear()
            return 0

    def _commit(self, turns: Sequence[Turn]) -> int:
        """Write results, rejects and positions in one atomic step. Raises LogError."""
        covers: dict[TopicPartition, int] = {}
        appends: list[Outgoing] = []
        done = 0
        for turn in turns:
            for index, (batch, rows) in enumerate(zip(turn.batches, turn.slices, strict=True)):
                if index in turn.held:
                    continue
                covers[batch.source] = batch.next_offset
                appends.extend(self._outbox.outgoing(batch, turn, rows))
                done += len(rows)
        if covers:
            self._consumer.commit(covers, appends)
        return done

    def _settle(self) -> None:
        """Begin with partitions that are new here, once this instance is as far as any other was.

        Whoever had them before may have read the registry further, and have had a newer version
        in memory: answering at once could answer with an older one than the record before.
        """
        held = self._consumer.assignment()
        if held == self._settled:
            return
        self._settled &= held
        self.shell.leave(self._met.lost(held))
        new = held - self._settled
        self.follow_registry()
        if not self.shell.machine.loading():
            self._settled |= new
            self._consumer.resume(list(new - self._paused))

    def _is_settled(self, batch: RecordBatch) -> bool:
        """Tell whether a batch may be answered; if not, put it back until its partition is."""
        if batch.source in self._settled:
            return True
        self._consumer.rewind({batch.source: batch.offsets[0]})
        self._consumer.pause([batch.source])
        return False

    def _put_back(self, flight: Flight) -> None:
        """Deliver held partitions again once another version can answer, or a pause is over.

        What was read after them is put back with them, so that a partition's order is kept.
        """
        turn = flight.turn
        held = [turn.batches[index] for index in turn.held - flight.dropped]
        turn.held |= flight.dropped
        if not held:
            return
        for batch in held:
            self._flights.drop(batch.source)
        self._consumer.rewind({batch.source: batch.offsets[0] for batch in held})
        self._consumer.pause([batch.source for batch in held])
        self._paused.update(batch.source for batch in held)

    def _resume(self) -> None:
        self.shell.released = False
        self._consumer.resume(list(self._paused))
        self._paused.clear()

    def _data_type_of(self, topic: str) -> str | Callable[[bytes], str]:
        return self._read_type or self._data_types[topic]

    def _load(self, admitted: Admitted) -> Loaded:
        lowered = self._lowered(admitted)
        warm_rows = (1, self._flow.batch_records)
        flow = self._flow
        return load(
            admitted.format,
            lowered,
            warm_rows,
            flow.remote,
            flow.device,
            bind=flow.bind,
            functions=flow.functions,
        )
