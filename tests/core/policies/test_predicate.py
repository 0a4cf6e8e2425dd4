"""Conditions on a record: what they hold for, with missing values, and what cannot be read."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.core.policies.predicate import fields_of, parse_predicate
from modelstream.errors import InvalidFlow
from modelstream.limits import POLICY_TEXT_CHARS_MAX, PREDICATE_TERMS_MAX

pytestmark = pytest.mark.speculation
FIELDS = {
    "amount": np.array([5.0, 2000.0, np.nan, 1000.0]),
    "country": np.array(["DE", "FR", None, "US"], dtype=object),
    "card.new": np.array([True, False, None, True], dtype=object),
}


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("amount > 1000", [0, 1, 0, 0]),
        ("amount >= 1000", [0, 1, 0, 1]),
        ("amount < 1000", [1, 0, 0, 0]),
        ("amount <= 1000", [1, 0, 0, 1]),
        ("amount == 5", [1, 0, 0, 0]),
        ("amount != 5", [0, 1, 0, 1]),
        ("amount in [5, 2000]", [1, 1, 0, 0]),
        ("country in ['DE', 'FR']", [1, 1, 0, 0]),
        ("country not in ['DE', 'FR']", [0, 0, 0, 1]),
        ("country > 'E'", [0, 1, 0, 1]),
        ("card.new == True", [1, 0, 0, 1]),
        ("amount > 1000 or country == 'DE'", [1, 1, 0, 0]),
        ("amount > 100 and country == 'FR' and card.new == False", [0, 1, 0, 0]),
        ("not amount > 1000", [1, 0, 1, 1]),
        ("amount > -3", [1, 1, 0, 1]),
    ],
)
def test_a_condition_holds_for_these(condition: str, held: list[int]) -> None:
    assert parse_predicate(condition).holds(FIELDS).tolist() == [bool(each) for each in held]


def test_literals_tell_the_types_of_fields() -> None:
    found = fields_of(parse_predicate("amount > 1 and country == 'DE' and not card.new == True"))
    assert found == {"amount": "float64", "country": "string", "card.new": "bool"}


@given(
    st.lists(st.floats(-9, 9) | st.none(), max_size=8),
    st.integers(-5, 5),
    st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
)
def test_numbers_are_compared_one_by_one(
    values: list[float | None], limit: int, compare: str
) -> None:
    column = np.array([np.nan if each is None else each for each in values], dtype=float)
    by_hand: dict[str, Any] = {
        ">": lambda x: x > limit,
        ">=": lambda x: x >= limit,
        "<": lambda x: x < limit,
        "<=": lambda x: x <= limit,
        "==": lambda x: x == limit,
        "!=": lambda x: x != limit,
    }
    wanted = [each is not None and by_hand[compare](each) for each in values]
    assert parse_predicate(f"x {compare} {limit}").holds({"x": column}).tolist() == wanted


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("amount", "cannot be read"),
        ("amount >", "cannot be read"),
        ("1 < amount < 3", "cannot be read"),
        ("amount > other", "cannot be read"),
        ("amount > [1]", "cannot be read"),
        ("amount in 5", "cannot be read"),
        ("amount in []", "cannot be read"),
        ("amount in [1, 'a']", "cannot be read"),
        ("amount in [1, True]", "cannot be read"),
        ("amount is None", "cannot be read"),
        ("amount == None", "cannot be read"),
        ("f() > 1", "cannot be read"),
        ("x[0] > 1", "cannot be read"),
        ("amount > 1 and amount == 'a'", "for a float64 and a string"),
        (" or ".join(["x > 1"] * (PREDICATE_TERMS_MAX + 1)), "more than"),
        ("x > 1" + " " * POLICY_TEXT_CHARS_MAX, "at most"),
    ],
)
def test_what_is_no_condition_is_refused(condition: str, told: str) -> None:
    with pytest.raises(InvalidFlow) as refused:
        parse_predicate(condition)
    assert told in str(refused.value)
