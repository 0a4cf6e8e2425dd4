"""An executor: what waits is scored together, what nobody wants is dropped, what hangs is left."""

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from modelstream.core.effects import Outcome, Score
from modelstream.engines.executor import Ask, Done, Executor
from modelstream.engines.loaded import Loaded, ready
from modelstream.errors import ModelUnavailable
from modelstream.limits import ASKS_WAITING_MAX, EXECUTORS_LEFT_MAX, SCORE_SECONDS_MAX
from modelstream.messages import Failure, Rows, VersionId
from tests.support.fake_models import FakeModel

pytestmark = pytest.mark.speculation
V = VersionId("a", "1")


class Rig:
    """An executor whose scoring waits at a gate, and a clock that a test moves."""

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.sizes: list[int] = []
        self.now = 0.0
        self.done: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self.model = FakeModel()
        self.executor = Executor(
            ready(self.model, ()), self.score, self.done, 10, clock=lambda: self.now
        )

    def score(self, _loaded: Loaded, values: Sequence[Any], rows: Rows) -> Outcome:
        self.begun.set()
        assert self.gate.wait(30)
        self.sizes.append(len(values))
        if "away" in values:
            raise ModelUnavailable("it is away")
        if "broken" in values:
            raise ValueError("no")
        failing = {
            row: Failure("model_error", "bad") for row, v in zip(rows, values, strict=True) if v < 0
        }
        kept = [row for row in rows if row not in failing]
        answered = [value for value in values if value >= 0]
        return Outcome(kept, {"y": np.array(answered, dtype=float)}, failing, 5.0)

    def ask(self, batch: int, *values: Any) -> Ask:
        rows = range(100 * batch, 100 * batch + len(values))
        ask = Ask(Score(batch, "wine", V, rows, apart=True), list(values))
        self.executor.ask(ask)
        return ask

    def take(self) -> Done:
        return self.done.get(timeout=30)


@pytest.fixture
def rig() -> Iterator[Rig]:
    found = Rig()
    yield found
    found.gate.set()
    found.executor.close()
    found.executor.join(30)


def test_what_waits_is_scored_in_one_call_and_parted_again(rig: Rig) -> None:
    rig.ask(1, 1.0)
    assert rig.begun.wait(30)
    second, third = rig.ask(2, 2.0, -1.0, 3.0), rig.ask(3, 4.0)
    rig.gate.set()
    told = [rig.take() for _ in range(3)]
    assert rig.sizes == [1, 4]
    assert [done.ask.score.batch for done in told] == [1, 2, 3]
    assert told[1].ask is second
    assert told[2].ask is third
    one, two = told[1].outcome, told[2].outcome
    assert one is not None
    assert (list(one.rows), one.columns["y"].tolist()) == ([200, 202], [2.0, 3.0])
    assert list(one.failures) == [201]
    assert two is not None
    assert (list(two.rows), two.columns["y"].tolist()) == ([300], [4.0])


def test_a_call_has_no_more_records_than_a_batch(rig: Rig) -> None:
    rig.ask(1, 1.0)
    assert rig.begun.wait(30)
    for batch in range(2, 5):
        rig.ask(batch, *([1.0] * 6))
    rig.gate.set()
    for _ in range(4):
        rig.take()
    assert rig.sizes == [1, 6, 6, 6]


def test_what_nobody_wants_is_not_scored(rig: Rig) -> None:
    rig.ask(1, 1.0)
    assert rig.begun.wait(30)
    rig.ask(2, 2.0).dropped = True
    rig.ask(3, 3.0)
    rig.gate.set()
    assert [rig.take().ask.score.batch for _ in range(2)] == [1, 3]
    assert rig.sizes == [1, 1]


@pytest.mark.parametrize(
    ("value", "reason"), [("away", "it is away"), ("broken", "ValueError: no")]
)
def test_the_thread_goes_on_whatever_a_model_does(rig: Rig, value: str, reason: str) -> None:
    rig.gate.set()
    rig.ask(1, value)
    done = rig.take()
    if done.outcome is None:
        assert done.reason == reason
    else:
        assert done.outcome.failures == {100: Failure("unavailable", reason)}
    rig.ask(2, 2.0)
    assert rig.take().outcome is not None


def test_a_call_that_hangs_is_left_behind_and_others_go_on(rig: Rig) -> None:
    rig.ask(1, 1.0)
    assert rig.begun.wait(30)
    waiting = rig.ask(2, 2.0)
    rig.executor.check()
    assert rig.done.empty(), "it may still answer"
    rig.now += SCORE_SECONDS_MAX
    rig.executor.check()
    failed = rig.take()
    assert failed.outcome is not None
    assert failed.outcome.failures[100].reason == "unavailable"
    rig.gate.set()
    done = rig.take()
    assert done.ask is waiting
    assert done.outcome is not None
    assert list(done.outcome.rows) == [200]
    assert rig.done.empty(), "what hung says nothing any more"


def test_a_version_that_keeps_hanging_fails_at_once(rig: Rig) -> None:
    for batch in range(EXECUTORS_LEFT_MAX + 1):
        rig.begun.clear()
        rig.ask(batch, 1.0)
        assert rig.begun.wait(30)
        rig.now += SCORE_SECONDS_MAX
        rig.executor.check()
        rig.take()
    rig.ask(99, 1.0)
    told = rig.take().outcome
    assert told is not None
    assert "keeps hanging" in told.failures[9900].detail


def test_one_ask_too_many_fails_at_once(rig: Rig) -> None:
    rig.ask(0, 1.0)
    assert rig.begun.wait(30)
    for batch in range(ASKS_WAITING_MAX):
        rig.ask(batch + 1, 1.0)
    assert rig.done.empty()
    rig.ask(1000, 1.0)
    told = rig.take().outcome
    assert told is not None
    assert "too much to do" in told.failures[100_000].detail


def test_the_model_is_released_after_the_call_in_hand(rig: Rig) -> None:
    rig.ask(1, 1.0)
    assert rig.begun.wait(30)
    rig.executor.close()
    assert not rig.model.closed
    rig.gate.set()
    rig.take()
    rig.executor.join(30)
    assert rig.model.closed
