"""Split: shares as they are given, the same arm for a key at every time and place."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.policies.split import Split, arm_of
from modelstream.errors import InvalidFlow

pytestmark = pytest.mark.speculation
KEYS = [f"customer-{number}".encode() for number in range(100_000)]


@pytest.mark.parametrize("shares", [[0.95, 0.05], [1, 1], [1, 2, 3, 4], [0.5, 0.0, 0.5]])
def test_shares_are_within_five_sigmas_of_a_binomial(shares: list[float]) -> None:
    arms = arm_of(KEYS, shares, "a salt")
    for arm, share in enumerate(shares):
        p = share / sum(shares)
        sigma = math.sqrt(len(KEYS) * p * (1 - p))
        assert abs((arms == arm).sum() - len(KEYS) * p) <= 5 * sigma


@given(st.lists(st.binary(max_size=20), max_size=50), st.text(max_size=5))
def test_a_key_meets_the_same_arm_whatever_is_around_it(keys: list[bytes], salt: str) -> None:
    together = arm_of(keys, [1, 2, 3], salt)
    alone = [int(arm_of([key], [1, 2, 3], salt)[0]) for key in keys]
    assert together.tolist() == alone


def test_arms_are_these_for_ever() -> None:
    # Another deal would move customers in the middle of an experiment: these are kept.
    assert arm_of([b"a", b"b", b"c", b"d", b""], [1, 1], "").tolist() == [0, 1, 1, 1, 1]
    assert arm_of([b"a", b"b", b"c", b"d", b""], [1, 1], "x").tolist() == [1, 1, 1, 0, 1]


def test_salts_deal_independently() -> None:
    one, two = (arm_of(KEYS, [1, 1], salt) for salt in ("one", "two"))
    both = np.mean(one == two)
    assert 0.49 < both < 0.51


def test_a_share_that_grows_moves_no_key_away_from_its_arm() -> None:
    small, large = (arm_of(KEYS, [share, 1 - share], "s") for share in (0.05, 0.25))
    assert np.all(large[small == 0] == 0)


@pytest.mark.parametrize(
    ("arms", "told"),
    [
        ({}, "at least 1"),
        ({"a": -1}, "a number from 0 up"),
        ({"a": 0}, "no share above 0"),
        ("a", "write shares by model"),
        ([("a", 1), ("a", 1)], "the same arm twice"),
    ],
)
def test_what_is_no_split_is_refused(arms: object, told: str) -> None:
    with pytest.raises(InvalidFlow, match=told):
        Split(arms)  # type: ignore[arg-type]
