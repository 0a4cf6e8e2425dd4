"""A version in a process of its own: the same answers, whatever happens to the process."""

import json
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from modelstream.engines.isolated.messages import Open
from modelstream.engines.isolated.scorer import IsolatedScorer, shared_forker
from modelstream.engines.loaded import load, score
from modelstream.errors import InvalidModel, ModelFailed, ModelTimedOut
from modelstream.formats import recognise
from modelstream.formats.base import Hints
from modelstream.limits import ISOLATED_MEMORY_BYTES
from tests.support.artifacts import adder, nothing


def opening(data: bytes, **more: object) -> Open:
    form = recognise(data)
    told = {"warm_rows": (1,), "bind": {}, "null_is_answer": False} | more
    return Open(format=form.name, lowered=form.lower(data, Hints()), **told)  # type: ignore[arg-type]


@pytest.fixture
def plus() -> Iterator[IsolatedScorer]:
    scorer = IsolatedScorer(opening(adder(1.0)), shared_forker())
    yield scorer
    scorer.close()


def kill(scorer: IsolatedScorer, how: signal.Signals = signal.SIGKILL) -> None:
    handle = scorer.process()
    assert handle is not None
    signal.pidfd_send_signal(handle, how)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


VALUES = [b'{"x":1}', b'{"x":"no"}', b"{}", b"nonsense", b'{"x":2.5}']


def test_an_outcome_is_that_of_a_version_in_memory(plus: IsolatedScorer) -> None:
    there = opening(adder(1.0))
    here = score(load(there.format, there.lowered, ()), VALUES, range(5, 10), null_is_answer=False)
    outcome = plus.score(VALUES, range(5, 10))
    assert list(outcome.rows) == list(here.rows) == [5, 9]
    assert outcome.failures == here.failures
    assert {name: column.tolist() for name, column in outcome.columns.items()} == {
        name: column.tolist() for name, column in here.columns.items()
    }
    assert [column.dtype for column in outcome.columns.values()] == [np.dtype(np.float32)]
    assert outcome.took_us > 0


def test_all_rows_keep_their_own_range(plus: IsolatedScorer) -> None:
    rows = range(3)
    assert plus.score([b'{"x":1}'] * 3, rows).rows == rows
    assert plus.score([b'{"x":1}'] * 2, [4, 9]).rows == [4, 9]
    assert list(plus.score([], []).rows) == []


def test_a_process_that_was_killed_is_replaced_and_nothing_is_lost(plus: IsolatedScorer) -> None:
    for number in range(10):
        kill(plus)
        outcome = plus.score([json.dumps({"x": number}).encode()], range(1))
        assert outcome.columns["score"].tolist() == [number + 1]
    assert plus.deaths == 10


def test_a_process_that_dies_while_it_is_idle_leaves_nothing_behind(plus: IsolatedScorer) -> None:
    before = descriptors()
    for _ in range(5):
        kill(plus)
        plus.score([b'{"x":1}'], range(1))
    assert descriptors() == before


def test_a_batch_larger_than_the_memory_is_asked_for_in_parts(plus: IsolatedScorer) -> None:
    wide = b'{"x":1,"more":"%b"}' % (b"a" * (ISOLATED_MEMORY_BYTES // 5))
    outcome = plus.score([wide] * 7, range(7))
    assert outcome.columns["score"].tolist() == [2.0] * 7
    assert list(outcome.rows) == list(range(7))


def test_a_call_that_hangs_is_ended_from_outside(plus: IsolatedScorer) -> None:
    kill(plus, signal.SIGSTOP)
    timer = threading.Timer(0.2, plus.give_up)
    timer.start()
    assert plus.score([b'{"x":1}'], range(1)).columns["score"].tolist() == [2.0]
    timer.join()
    assert plus.deaths == 1


def test_a_call_that_takes_too_long_ends_the_process() -> None:
    slow = IsolatedScorer(opening(adder()), shared_forker(), seconds=0.2)
    try:
        kill(slow, signal.SIGSTOP)
        with pytest.raises(ModelTimedOut, match=r"within 0\.2 s"):
            slow.score([b'{"x":1}'], range(1))
        assert slow.process() is None
        assert slow.score([b'{"x":1}'], range(1)).columns["score"].tolist() == [2.0]
    finally:
        slow.close()


def test_a_record_that_ends_the_process_is_found(
    plus: IsolatedScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_records = plus._memory.put_records

    def deadly(values: Sequence[bytes]) -> None:
        put_records(values)
        if any(b"666" in value for value in values):
            kill(plus)

    monkeypatch.setattr(plus._memory, "put_records", deadly)
    values = [b'{"x":666}' if number == 5 else b'{"x":1}' for number in range(8)]
    outcome = plus.score(values, range(8))
    assert list(outcome.rows) == [0, 1, 2, 3, 4, 6, 7]
    assert list(outcome.failures) == [5]
    assert "ended at this record" in outcome.failures[5].detail
    many = [b'{"x":666}'] * 100
    with pytest.raises(ModelFailed, match="again and again"):
        plus.score(many, range(100))


@pytest.mark.parametrize("null_is_answer", [False, True])
def test_answers_may_be_missing_where_the_flow_says_so(null_is_answer: bool) -> None:
    scorer = IsolatedScorer(opening(nothing(), null_is_answer=null_is_answer), shared_forker())
    try:
        outcome = scorer.score([b'{"x":1}', b'{"x":0}'], range(2))
        assert len(outcome.failures) == (0 if null_is_answer else 2)
    finally:
        scorer.close()


def test_what_cannot_be_loaded_is_told() -> None:
    wrong = Open("onnx", b"nothing", (), {}, null_is_answer=False)
    with pytest.raises(InvalidModel, match="cannot load it: InvalidModel"):
        IsolatedScorer(wrong, shared_forker())


def test_a_scorer_that_was_closed_scores_nothing(plus: IsolatedScorer) -> None:
    plus.close()
    plus.close()
    plus.give_up()
    with pytest.raises(ModelFailed, match="released"):
        plus.score([b'{"x":1}'], range(1))
