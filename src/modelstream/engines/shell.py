"""The shell around the machine: keeps the loaded versions and performs what the core asks for.

One thread uses it. It knows nothing of topics and commits; `embedded` and `library` do.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence

from modelstream.core.effects import Effect, Emit, Hold, Load, Release, Score, Unload
from modelstream.core.machine import Machine
from modelstream.engines.absences import SCHEMAS, Absences
from modelstream.engines.loaded import Loaded, score
from modelstream.engines.loader import Loader
from modelstream.engines.turn import DataTypeOf, Turn, as_core_batch, begin, read
from modelstream.errors import ModelUnavailable, SchemasUnavailable
from modelstream.events import Admitted, RegistryEvent
from modelstream.flow import Flow
from modelstream.limits import RETRY_LOAD_SECONDS
from modelstream.messages import RecordBatch, VersionId
from modelstream.wire.reading import record_reader
from modelstream.wire.writing import result_format

_log = logging.getLogger("modelstream")


class Shell:
    """A machine, the versions it has in memory, and the thread that brings them there."""

    def __init__(
        self, flow: Flow, load: Callable[[Admitted], Loaded], on_change: Callable[[], None]
    ) -> None:
        self.machine = Machine(flow.answer, flow.on_no_model)
        self.released = False
        self.load_failures: dict[VersionId, str] = {}
        self.absences = Absences(flow.batch_records)
        self._flow = flow
        self._reader = record_reader(flow.schemas)
        self.results = result_format(flow)
        self._loaded: dict[VersionId, Loaded] = {}
        self._loader = Loader(load, on_change)
        self._retry_at: dict[VersionId, float] = {}
        self._batches = 0

    def follow(self, events: Sequence[tuple[int, RegistryEvent]], *, more: bool = False) -> None:
        """Apply registry events; with `more`, nothing is loaded before the rest of them."""
        self._perform(self.machine.on_registry(events, more=more))

    def take_loads(self) -> None:
        """Take in the versions that were loaded meanwhile; this is where a swap happens.

        Records that wait for a server are released now and then, to be tried again.
        """
        for outcome in self._loader.outcomes():
            if outcome.loaded is None:
                self._note_failure(outcome.version, outcome.reason)
            else:
                self.load_failures.pop(outcome.version, None)
                self._loaded[outcome.version] = outcome.loaded
            ok = outcome.loaded is not None
            self._perform(self.machine.on_loaded(outcome.version, ok=ok))
        if self._retry_at:
            self._retry_loads()
        if self.absences.due():
            self.released = True

    def join(self, batches: Sequence[RecordBatch], data_type_of: DataTypeOf) -> Turn:
        """Answer the records of one read."""
        turn = begin(batches)
        self._read(turn)
        self._batches += 1
        batch = as_core_batch(turn, self._batches, data_type_of)
        self._perform(self.machine.on_batch(batch), turn)
        return turn

    def close(self, timeout: float) -> None:
        """End the loader and release every version."""
        self._loader.close(timeout)
        for outcome in self._loader.outcomes():
            if outcome.loaded is not None:
                outcome.loaded.model.close()
        for loaded in self._loaded.values():
            loaded.model.close()
        self._loaded.clear()

    def _perform(self, effects: Sequence[Effect], turn: Turn | None = None) -> None:
        """Perform effects, and those that they lead to, until none is left."""
        todo = deque(effects)
        while todo:
            match todo.popleft():
                case Score() as ask:
                    assert turn is not None
                    todo.extend(self._score(ask, turn))
                case Emit() as emit:
                    assert turn is not None
                    self._emit(emit, turn)
                case Hold(slices=slices):
                    assert turn is not None
                    turn.held |= frozenset(slices)
                case Load(version=version):
                    self._loader.want(self.machine.registry.versions[version].admitted)
                case Unload(version=version):
                    gone = self._loaded.pop(version, None)
                    if gone is not None:
                        gone.model.close()
                case Release():
                    self.absences.forget()
                    self.released = True

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

    def _score(self, ask: Score, turn: Turn) -> Sequence[Effect]:
        """Score once; where a server is away, its records are held."""
        try:
            outcome = score(
                self._loaded[ask.version],
                turn.take(ask.rows),
                ask.rows,
                null_is_answer=self._flow.on_missing_answer == "null",
            )
        except ModelUnavailable as error:
            self.absences.began(ask.version, str(error))
            return self.machine.on_unavailable(ask)
        self.absences.ended(ask.version)
        return self.machine.on_scored(ask, outcome)

    def _emit(self, emit: Emit, turn: Turn) -> None:
        for answer in emit.answers:
            loaded = self._loaded[VersionId(answer.stamp.name, answer.stamp.version)]
            turn.answer(answer, loaded.writer, echo=self._flow.echo)
        for row, refusal in emit.refusals.items():
            turn.refuse(row, refusal)

    def _note_failure(self, version: VersionId, reason: str) -> None:
        """Keep a failed load in sight; the version before it goes on answering."""
        self.load_failures[version] = reason
        self._retry_at[version] = time.monotonic() + RETRY_LOAD_SECONDS
        _log.error(
            "cannot load %s: %s; will try again in %s s", version, reason, RETRY_LOAD_SECONDS
        )

    def _retry_loads(self) -> None:
        now = time.monotonic()
        for version in [each for each, at in self._retry_at.items() if at <= now]:
            del self._retry_at[version]
            self._perform(self.machine.retry(version))
