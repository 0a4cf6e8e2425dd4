"""An executor scores with one version in a thread of its own, beside the loop and other versions.

What waits for it is scored together. A version that would hold the interpreter's lock meanwhile is
scored in a process of its own, once that is there. A call that hangs harms nobody else: the process is
ended, or the thread left behind, and another one goes on.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, chain
from typing import Any

import numpy as np

from modelstream.core.effects import Outcome, Score
from modelstream.core.policies.base import RowArray, row_array
from modelstream.engines.isolated.scorer import IsolatedScorer
from modelstream.engines.loaded import Loaded
from modelstream.errors import ModelUnavailable
from modelstream.limits import (
    ASKS_WAITING_MAX,
    EXECUTORS_LEFT_MAX,
    SCORE_SECONDS_MAX,
)
from modelstream.messages import Failure, Rows

ScoreRows = Callable[[Loaded, Sequence[Any], Rows], Outcome]
# Makes a version's process; None where it cannot be had.
Isolate = Callable[[], IsolatedScorer | None]


@dataclass(slots=True)
class Ask:
    """One score call for one turn. `values` are the records of its rows; nobody wants it if `dropped`."""

    score: Score
    values: Sequence[Any]
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an ask; without an outcome the version's server is away, and `reason` says why."""

    ask: Ask
    outcome: Outcome | None
    reason: str = ""


class Executor:
    """The queue and the thread of one version. All methods are the loop's; `done` is shared."""

    def __init__(
        self,
        loaded: Loaded,
        score_rows: ScoreRows,
        done: "queue.SimpleQueue[Done]",
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        isolate: Isolate | None = None,
    ) -> None:
        self._loaded, self._score_rows, self._done = loaded, score_rows, done
        self._most, self._clock = most, clock
        self._left = 0
        self._isolated: IsolatedScorer | None = None
        self._isolating = threading.Lock()
        self._over = False
        if isolate is not None:
            threading.Thread(target=self._isolate, args=(isolate,), daemon=True).start()
        self._worker = self._start()

    def ask(self, ask: Ask) -> None:
        """Queue an ask; one too many, or of a version that keeps hanging, fails at once."""
        worker = self._worker
        with worker.changed:
            worker.drop_unwanted()
            full = len(worker.waiting) >= ASKS_WAITING_MAX
            if not full and self._left <= EXECUTORS_LEFT_MAX:
                worker.waiting.append(ask)
                worker.changed.notify()
                return
        why = "has too much to do" if full else "keeps hanging"
        self._done.put(_failed(ask, f"{ask.score.version} {why}"))

    def check(self) -> None:
        """End a process, or leave a thread behind, whose call has been going on for too long."""
        worker = self._worker
        with worker.changed:
            if worker.since is None or self._clock() - worker.since < SCORE_SECONDS_MAX:
                return
            if worker.isolated is not None:
                worker.isolated.give_up()
                return
            worker.ended = True
            stuck, worker.scoring = list(worker.scoring), []
            waiting, worker.waiting = worker.waiting, deque()
        for ask in stuck:
            why = f"{ask.score.version} did not answer in {SCORE_SECONDS_MAX:.0f} s"
            self._done.put(_failed(ask, why))
        self._left += 1
        self._worker = self._start()
        for ask in waiting:
            self.ask(ask)

    def close(self) -> None:
        """End the thread after the call in hand, and then release the version."""
        with self._worker.changed:
            self._worker.ended = True
            self._worker.changed.notify()

    def end(self) -> None:
        """End the thread, and the call in hand as far as that can be: nobody wants what it gives."""
        self.close()
        isolated = self._worker.isolated
        if isolated is not None:
            isolated.give_up(for_good=True)

    def alive(self) -> bool:
        """Tell whether the thread is there."""
        return self._worker.thread.is_alive()

    def join(self, timeout: float) -> None:
        """Wait for the thread's end."""
        self._worker.thread.join(timeout)

    def _start(self) -> "_Worker":
        worker = _Worker(self._clock)
        worker.thread = threading.Thread(
            target=self._run, args=(worker,), name="modelstream-executor", daemon=True
        )
        worker.thread.start()
        return worker

    def _run(self, worker: "_Worker") -> None:
        while asks := worker.take(self._most):
            as_json = all(isinstance(each, bytes) for ask in asks for each in ask.values[:1])
            worker.isolated = isolated = self._isolated if as_json else None
            call = partial(self._score_rows, self._loaded) if isolated is None else isolated.score
            told = _scored(call, asks)
            if worker.finish():
                for done in told:
                    self._done.put(done)
        if worker is self._worker:
            self._loaded.model.close()
            with self._isolating:
                self._over = True
                if self._isolated is not None:
                    self._isolated.close()

    def _isolate(self, isolate: "Isolate") -> None:
        """Have a process made, while the thread scores; without one it goes on to do so."""
        scorer = isolate()
        with self._isolating:
            if scorer is not None and self._over:
                scorer.close()
            else:
                self._isolated = scorer


class _Worker:
    """One thread's asks: those that wait and those in hand."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.thread: threading.Thread
        self.changed = threading.Condition()
        self.waiting: deque[Ask] = deque()
        self.scoring: list[Ask] = []
        self.since: float | None = None
        self.ended = False
        self.isolated: IsolatedScorer | None = None  # that has the call in hand
        self._clock = clock

    def take(self, most: int) -> list[Ask]:
        """Wait for asks and take as many as make one call of `most` records; none once it is over."""
        with self.changed:
            while True:
                while not self.waiting and not self.ended:
                    self.changed.wait()
                if self.ended:
                    return []
                self.drop_unwanted()
                size = 0
                while self.waiting and (not size or size + len(self.waiting[0].values) <= most):
                    ask = self.waiting.popleft()
                    self.scoring.append(ask)
                    size += len(ask.values)
                if self.scoring:
                    self.since = self._clock()
                    return self.scoring

    def finish(self) -> bool:
        """Take note that the call in hand is over; False where it was given up meanwhile."""
        with self.changed:
            wanted = bool(self.scoring)
            self.scoring = []
            self.since = None
            return wanted

    def drop_unwanted(self) -> None:
        """Forget asks that were decided without; to be called with the lock."""
        if any(ask.dropped for ask in self.waiting):
            self.waiting = deque(ask for ask in self.waiting if not ask.dropped)


def _scored(call: Callable[[Sequence[Any], Rows], Outcome], asks: Sequence[Ask]) -> list[Done]:
    """Score what was asked, in one call."""
    try:
        if len(asks) == 1:
            (ask,) = asks
            return [Done(ask, call(ask.values, ask.score.rows))]
        values = list(chain.from_iterable(ask.values for ask in asks))
        outcome = call(values, range(len(values)))
    except ModelUnavailable as error:
        return [Done(ask, None, str(error)) for ask in asks]
    except Exception as error:  # noqa: BLE001 - whatever a model does, the thread goes on
        return [_failed(ask, f"{type(error).__name__}: {error}") for ask in asks]
    ends = accumulate(len(ask.values) for ask in asks)
    rows = row_array(outcome.rows)
    return [
        Done(ask, _part(outcome, rows, end - len(ask.values), ask.score.rows))
        for ask, end in zip(asks, ends, strict=True)
    ]


def _part(outcome: Outcome, rows: RowArray, start: int, wanted: Rows) -> Outcome:
    """Cut one ask's rows, which begin at `start`, out of an outcome; they get their own numbers."""
    low, high = np.searchsorted(rows, [start, start + len(wanted)]).tolist()
    failures = {
        wanted[row - start]: why
        for row, why in outcome.failures.items()
        if start <= row < start + len(wanted)
    }
    whole = high - low == len(wanted)
    return Outcome(
        wanted if whole else [wanted[row - start] for row in rows[low:high].tolist()],
        {name: column[low:high] for name, column in outcome.columns.items()},
        failures,
        outcome.took_us,
        outcome.served_version,
    )


def _failed(ask: Ask, detail: str) -> Done:
    """Return that no record of an ask has an answer, through no fault of its own."""
    rows = ask.score.rows
    return Done(ask, Outcome([], {}, dict.fromkeys(rows, Failure("unavailable", detail)), 0.0))
