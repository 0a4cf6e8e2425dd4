"""A breaker: who keeps missing is left out, and tried again after ever longer pauses."""

from modelstream.core.breaker import Breaker
from modelstream.limits import (
    BREAKER_MISSES,
    BREAKER_PATIENCE_US,
    BREAKER_PAUSE_US_MAX,
    BREAKER_PAUSE_US_MIN,
)


def opened() -> tuple[Breaker, float]:
    breaker, now = Breaker(), 0.0
    for _ in range(BREAKER_MISSES):
        breaker.missed(now)
        now += BREAKER_PATIENCE_US / (BREAKER_MISSES - 1)
    return breaker, now


def test_many_misses_in_a_moment_are_one_slow_call() -> None:
    breaker = Breaker()
    for number in range(100):
        breaker.missed(number * BREAKER_PATIENCE_US / 200)
    assert breaker.allows(BREAKER_PATIENCE_US)


def test_an_answer_between_begins_anew() -> None:
    breaker = Breaker()
    for number in range(100):
        breaker.missed(number * BREAKER_PATIENCE_US)
        breaker.answered()
    assert breaker.allows(100 * BREAKER_PATIENCE_US)


def test_who_misses_long_enough_is_left_out_for_a_pause() -> None:
    breaker, now = opened()
    assert not breaker.allows(now)
    assert breaker.allows(now + BREAKER_PAUSE_US_MIN)
    assert not breaker.allows(now + BREAKER_PAUSE_US_MIN), "one batch tries it"


def test_pauses_double_up_to_their_limit_and_an_answer_ends_them() -> None:
    breaker, now = opened()
    pauses = []
    for _ in range(10):
        now += 10 * BREAKER_PAUSE_US_MAX
        assert breaker.allows(now)
        breaker.missed(now)
        pauses.append(breaker.pause_us)
    assert pauses[:3] == [
        2 * BREAKER_PAUSE_US_MIN,
        4 * BREAKER_PAUSE_US_MIN,
        8 * BREAKER_PAUSE_US_MIN,
    ]
    assert pauses[-1] == BREAKER_PAUSE_US_MAX
    breaker.answered()
    assert breaker.allows(now)
    assert breaker.pause_us == BREAKER_PAUSE_US_MIN
