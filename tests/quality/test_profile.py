"""Profiles and drift: what a column is, and how far another is from it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from modelstream.quality.profile import Watched, counts_of, ks, profile_of, psi


def normal(shift: float, seed: int, count: int = 5000) -> list[float]:
    numbers = np.random.default_rng(seed).normal(size=count) + shift
    return [float(each) for each in numbers]


def test_numbers_are_parted_at_their_quantiles() -> None:
    profile = profile_of("x", "", normal(0, 1))
    assert profile is not None
    assert len(profile.edges) == 19
    assert profile.shares[:-1] == pytest.approx([0.05] * 20, abs=0.001)
    assert profile.shares[-1] == 0.0, "none is missing"


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_ks_is_that_of_scipy_but_for_the_width_of_a_part(shift: float) -> None:
    before, after = normal(0, 1), normal(shift, 2)
    profile = profile_of("x", "", before)
    assert profile is not None
    watched = Watched(profile)
    watched.add(after[:2000])
    watched.add(after[2000:])
    drift = watched.drift()
    exact = stats.ks_2samp(before, after).statistic
    assert exact - 0.05 <= drift.ks <= exact + 1e-9
    assert drift.records == 5000


def test_psi_is_what_it_is_by_hand() -> None:
    expected, actual = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    by_hand = 0.1 * math.log(0.5 / 0.4) + 0.1 * math.log(0.4 / 0.3)
    assert psi(expected, actual) == pytest.approx(by_hand)
    assert ks(expected, actual, ordered=True) == pytest.approx(0.1)
    assert ks(expected, actual, ordered=False) == pytest.approx(0.1)
    assert math.isfinite(psi(np.array([1.0, 0.0]), np.array([0.0, 1.0])))


def test_few_numbers_and_texts_are_classes_and_identifiers_are_nothing() -> None:
    whole = profile_of("n", "", [1.0, 2.0, 2.0, 1, None, 2] * 20)
    assert whole is not None
    assert whole.classes == ("(missing)", "1", "2")
    assert whole.shares == pytest.approx((1 / 6, 2 / 6, 3 / 6, 0))
    texts = profile_of("t", "", ["a", "b", "b", "c", {}] * 10)
    assert texts is not None
    assert texts.classes == ("(others)", "a", "b", "c")
    assert counts_of(texts, ["a", "z"]).tolist() == [0, 1, 0, 0, 1]
    assert profile_of("id", "", [f"k{n}" for n in range(100)]) is None


def test_missing_numbers_are_a_part_of_their_own() -> None:
    profile = profile_of("x", "", normal(0, 1, 900) + [None] * 100)
    assert profile is not None
    assert profile.shares[-1] == pytest.approx(0.1)
    assert counts_of(profile, [None, float("nan"), "text", True]).tolist()[-1] == 4


@given(
    st.lists(st.floats(0.001, 1), min_size=2, max_size=20),
    st.lists(st.floats(0.001, 1), min_size=20, max_size=20),
)
def test_no_shift_is_none_and_any_shift_is_positive(one: list[float], other: list[float]) -> None:
    first = np.array(one) / sum(one)
    second = np.array(other[: len(one)]) / sum(other[: len(one)])
    assert psi(first, first) == 0
    assert psi(first, second) >= 0
    assert (
        0 <= ks(first, second, ordered=True) <= ks(first, second, ordered=False) + 1e-12 <= 1 + 1e-9
    )
