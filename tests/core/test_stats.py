"""Figures of a version."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.stats import Histogram, VersionStats

durations = st.floats(min_value=0, max_value=1e9)


@given(st.lists(durations, min_size=1, max_size=200), st.sampled_from([50, 95, 99, 100]))
def test_a_percentile_is_within_a_sixteenth_of_the_exact_one(
    values: list[float], percent: int
) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = float(np.percentile(values, percent, method="inverted_cdf"))
    found = histogram.percentile(percent)
    assert exact <= found or found == histogram.max_us
    assert found <= max(exact, 1.0) * (1 + 1 / 16) + 1 / 16


@given(st.lists(st.tuples(durations, st.integers(1, 50)), max_size=30))
def test_adding_many_at_once_is_adding_each(values: list[tuple[float, int]]) -> None:
    at_once, each = Histogram(), Histogram()
    for value, times in values:
        at_once.add(value, times)
        for _ in range(times):
            each.add(value)
    assert at_once.counts == each.counts
    assert at_once.count == each.count
    assert at_once.max_us == each.max_us


def test_without_durations_every_figure_is_zero() -> None:
    assert Histogram().percentile(99) == 0.0
    summary = VersionStats().summary()
    assert (summary.uses, summary.mean_us, summary.max_us) == (0, 0.0, 0.0)


def test_a_duration_past_the_last_bucket_is_still_the_maximum() -> None:
    histogram = Histogram()
    histogram.add(1e15)
    assert histogram.percentile(50) <= 1e15
    assert histogram.max_us == 1e15


def test_a_records_duration_is_that_of_its_call() -> None:
    stats = VersionStats()
    stats.add(answered=9, failed=1, took_us=100.0)
    stats.add(answered=0, failed=0, took_us=5.0)
    summary = stats.summary()
    assert (summary.uses, summary.errors, summary.calls) == (9, 1, 2)
    assert summary.mean_us == 100.0
    assert summary.max_us == 100.0
