"""The shell around the machine: keeps the loaded versions and performs what the core asks for.

One thread uses it. It knows nothing of topics and commits; `embedded` and `library` do. A turn whose
rows are scored by one version is done at once, in this thread; one for which several candidates are
asked is done when the machine says so, by what executors and the clock bring (`take_scores`).
"""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from modelstream.core.effects import (
    Answer,
    Effect,
    Emit,
    Hold,
    Load,
    Outcome,
    Release,
    Score,
    Unload,
    WakeAt,
)
from modelstream.core.machine import Machine
from modelstream.engines.absences import SCHEMAS, Absences
from modelstream.engines.executor import Ask, Done, Executor
from modelstream.engines.failed_loads import FailedLoads
from modelstream.engines.isolated.scorer import IsolatedScorer
from modelstream.engines.loaded import Loaded, score
from modelstream.engines.loader import Loader
from modelstream.engines.turn import DataTypeOf, Turn, as_core_batch, begin, read
from modelstream.errors import ModelUnavailable, SchemasUnavailable
from modelstream.events import Admitted, RegistryEvent
from modelstream.flow import Flow
from modelstream.limits import FLIGHT_WAIT_MS
from modelstream.messages import Columns, Outputs, RecordBatch, Rows, VersionId
from modelstream.wire.lineage import lineages_json, merge_told
from modelstream.wire.reading import record_reader
from modelstream.wire.results import ResultWriter
from modelstream.wire.writing import result_format

_log = logging.getLogger("modelstream")


class Shell:
    """A machine, the versions it has in memory, and the thread that brings them there."""

    def __init__(
        self,
        flow: Flow,
        load: Callable[[Admitted], Loaded],
        on_change: Callable[[], None],
        isolate: Callable[[Admitted], IsolatedScorer | None] | None = None,
    ) -> None:
        on_demand = flow.partition_by == "data_type"
        self.machine = Machine(flow.answer, flow.on_no_model, on_demand=on_demand)
        self.released = False
        self.failed = FailedLoads()
        self.absences = Absences(flow.batch_records)
        self._flow = flow
        self._reader = record_reader(flow.schemas)
        self.results = result_format(flow)
        self._loaded: dict[VersionId, Loaded] = {}
        self._loader = Loader(load, on_change)
        self._batches = 0
        self._turns: dict[int, Turn] = {}  # those in flight
        self._isolate = isolate
        self._executors: dict[VersionId, Executor] = {}
        self._leaving: list[Executor] = []
        self._asks: dict[int, list[Ask]] = {}  # by turn
        self._scored: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._wake_us: float | None = None
        self._writers: dict[tuple[str, ...], ResultWriter] = {}  # of plans' own answers

    def follow(self, events: Sequence[tuple[int, RegistryEvent]], *, more: bool = False) -> None:
        """Apply registry events; with `more`, nothing is loaded before the rest of them."""
        self._perform(self.machine.on_registry(events, more=more))

    def leave(self, data_types: Sequence[str]) -> None:
        """Release what is loaded for data types that are others' to answer now."""
        self._perform(self.machine.leave(data_types))

    def take_loads(self) -> None:
        """Take in the versions that were loaded meanwhile; this is where a swap happens.

        Records that wait for a server are released now and then, to be tried again.
        """
        for outcome in self._loader.outcomes():
            if outcome.loaded is None:
                self.failed.note(outcome.version, outcome.reason)
            else:
                self.failed.reasons.pop(outcome.version, None)
                self._loaded[outcome.version] = outcome.loaded
            ok = outcome.loaded is not None
            self._perform(self.machine.on_loaded(outcome.version, ok=ok))
        for version in self.failed.due():
            self._perform(self.machine.retry(version))
        if self.absences.due():
            self.released = True

    def join(self, batches: Sequence[RecordBatch], data_type_of: DataTypeOf) -> Turn:
        """Begin to answer the records of one read; the turn tells when it is done."""
        self._batches += 1
        turn = begin(self._batches, batches)
        now_us = _now_us()
        self._turns[turn.id] = turn
        self._read(turn)
        batch = as_core_batch(turn, data_type_of, self.machine.reads())
        turn.groups = batch.groups
        self._perform(self.machine.on_batch(batch, now_us))
        return turn

    def take_scores(self, wait_ms: float = 0) -> None:
        """Take in what executors have scored meanwhile, and the time; wait for news, if need be."""
        for executor in self._executors.values():
            executor.check()
        if self._wake_us is not None:
            wait_ms = min(wait_ms, max(0.0, (self._wake_us - _now_us()) / 1000))
        try:
            done = (
                self._scored.get(timeout=wait_ms / 1000) if wait_ms else self._scored.get_nowait()
            )
            while True:
                self._take(done)
                done = self._scored.get_nowait()
        except queue.Empty:
            pass
        if self._wake_us is not None and _now_us() >= self._wake_us:
            self._wake_us = None
            self._perform(self.machine.on_time(_now_us()))

    def finish(self, turn: Turn) -> None:
        """Wait until a turn is done."""
        while not turn.done:
            self.take_scores(FLIGHT_WAIT_MS)

    def forget(self, turn: Turn) -> None:
        """Give a turn up; its records are delivered again."""
        self.machine.forget(turn.id)
        self._end(turn)

    def close(self, timeout: float) -> None:
        """End the loader and the executors, and release every version."""
        self._loader.close(timeout)
        for outcome in self._loader.outcomes():
            if outcome.loaded is not None:
                outcome.loaded.model.close()
        for version, executor in self._executors.items():
            executor.end()
            self._leaving.append(executor)
            self._loaded.pop(version, None)
        for executor in self._leaving:
            executor.join(timeout)
        self._executors.clear()
        for loaded in self._loaded.values():
            loaded.model.close()
        self._loaded.clear()

    def _perform(self, effects: Sequence[Effect]) -> None:
        """Perform effects, and those that they lead to, until none is left."""
        todo = deque(effects)
        while todo:
            match todo.popleft():
                case Score() as ask:
                    todo.extend(self._score(ask))
                case Emit() as emit:
                    self._emit(emit, self._turns[emit.batch])
                case WakeAt(at_us=at_us):
                    self._wake_us = at_us if self._wake_us is None else min(at_us, self._wake_us)
                case Hold(batch=batch, slices=slices):
                    self._turns[batch].held |= frozenset(slices)
                case Load(version=version):
                    self._loader.want(self.machine.registry.versions[version].admitted)
                case Unload(version=version):
                    self._unload(version)
                case Release():
                    self.absences.forget()
                    self.released = True

    def _unload(self, version: VersionId) -> None:
        """Release a version; one with an executor is released there, after the call in hand."""
        gone = self._loaded.pop(version, None)
        executor = self._executors.pop(version, None)
        if executor is not None:
            executor.close()
            self._leaving = [each for each in self._leaving if each.alive()]
            self._leaving.append(executor)
        elif gone is not None:
            gone.model.close()

    def _read(self, turn: Turn) -> None:
        """Make JSON of records that are something else; where a registry is away, they wait."""
        away = [] if self._reader is None else read(turn, self._reader)
        try:
            self.results.prepare()
        except SchemasUnavailable as error:
            away.append(error)
            turn.held = frozenset(range(len(turn.batches)))
        if away:
            self.absences.began(SCHEMAS, str(away[0]))
        elif SCHEMAS in self.absences.reasons:
            self.absences.ended(SCHEMAS)

    def _score(self, ask: Score) -> Sequence[Effect]:
        """Score at once, or have it scored where others are asked meanwhile.

        A version that has an executor is used there alone, as not every model serves two threads.
        """
        turn = self._turns[ask.batch]
        if ask.apart or ask.version in self._executors:
            waiting = Ask(ask, turn.take_shared(ask.rows))
            self._asks.setdefault(ask.batch, []).append(waiting)
            self._executor(ask.version).ask(waiting)
            return ()
        try:
            values = turn.take(ask.rows)
            outcome = self._score_rows(self._loaded[ask.version], values, ask.rows)
        except ModelUnavailable as error:
            return self._without(ask, str(error))
        self.absences.ended(ask.version)
        return self.machine.on_scored(ask, outcome, _now_us())

    def _score_rows(self, loaded: Loaded, values: Sequence[Any], rows: Rows) -> Outcome:
        null_is_answer = self._flow.on_missing_answer == "null"
        return score(loaded, values, rows, null_is_answer=null_is_answer)

    def _executor(self, version: VersionId) -> Executor:
        if version not in self._executors:
            admitted = self.machine.registry.versions[version].admitted
            self._executors[version] = Executor(
                self._loaded[version],
                self._score_rows,
                self._scored,
                self._flow.batch_records,
                isolate=None if self._isolate is None else partial(self._isolate, admitted),
            )
        return self._executors[version]

    def _take(self, done: Done) -> None:
        """Tell the machine what came of an ask."""
        score_call = done.ask.score
        if done.outcome is not None:
            if not score_call.apart:
                self.absences.ended(score_call.version)
            self._perform(self.machine.on_scored(score_call, done.outcome, _now_us()))
        elif score_call.batch in self._turns:
            self._perform(self._without(score_call, done.reason))

    def _without(self, ask: Score, reason: str) -> Sequence[Effect]:
        """Go on where a version's server is away: others answer, or the records are held."""
        if not ask.apart:
            self.absences.began(ask.version, reason)
        return self.machine.on_unavailable(ask, _now_us())

    def _emit(self, emit: Emit, turn: Turn) -> None:
        for lineage in emit.lineages:
            told = lineages_json(lineage, self._objects, len(turn.values))
            turn.decided = merge_told(turn.decided, told) if turn.decided else told
        for answer in emit.answers:
            turn.answer(answer, self._writer(answer), echo=self._flow.echo)
        for row, refusal in emit.refusals.items():
            turn.refuse(row, refusal)
        self._end(turn)

    def _end(self, turn: Turn) -> None:
        """Take a turn out of flight; what is still asked for it is wanted by nobody."""
        turn.done = True
        self._turns.pop(turn.id, None)
        for ask in self._asks.pop(turn.id, ()):
            ask.dropped = True

    def _objects(self, version: VersionId, columns: Columns) -> list[Outputs]:
        return self._loaded[version].writer.objects(columns)

    def _writer(self, answer: Answer) -> ResultWriter:
        """Return what writes an answer's outputs: its version's, or one for a plan's own columns."""
        if answer.by is not None:
            return self._loaded[answer.by].writer
        names = tuple(answer.columns)
        if names not in self._writers:
            self._writers[names] = ResultWriter(names)
        return self._writers[names]


def _now_us() -> float:
    """Return the machine's time: a clock that only goes forward, in microseconds."""
    return time.monotonic_ns() / 1000
