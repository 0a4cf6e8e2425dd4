import pytest

from modelstream.errors import ModelUnavailable
from modelstream.formats.remote.breaker import Breaker
from modelstream.limits import REMOTE_FAILURES_MAX, REMOTE_OPEN_SECONDS


def test_it_opens_after_repeated_failures_and_lets_one_probe_pass_after_a_pause() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(REMOTE_FAILURES_MAX):
        assert breaker.admit() is False
        breaker.failed("it is away")
    with pytest.raises(ModelUnavailable, match="it is away"):
        breaker.admit()
    now[0] += REMOTE_OPEN_SECONDS
    assert breaker.admit() is True
    with pytest.raises(ModelUnavailable):
        breaker.admit()
    breaker.failed("still away")
    with pytest.raises(ModelUnavailable, match="still away"):
        breaker.admit()
    now[0] += REMOTE_OPEN_SECONDS
    assert breaker.admit() is True
    breaker.succeeded()
    assert breaker.admit() is False


def test_an_answer_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(lambda: 0.0)
    for _ in range(2 * REMOTE_FAILURES_MAX):
        breaker.failed("away for a moment")
        breaker.succeeded()
        assert breaker.admit() is False
