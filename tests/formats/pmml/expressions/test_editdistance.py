"""The distance of two words."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pmml.expressions.editdistance import edit_distance

WORDS = st.text("abc", max_size=6)


@cache
def by_definition(one: str, other: str) -> int:
    """Return the least number of letters put in, taken out or replaced."""
    if not one or not other:
        return len(one) + len(other)
    replaced = by_definition(one[1:], other[1:]) + (one[0] != other[0])
    put_in, taken_out = by_definition(one, other[1:]), by_definition(one[1:], other)
    return min(replaced, put_in + 1, taken_out + 1)


@given(WORDS, WORDS, st.integers(0, 7))
def test_the_distance_is_the_defined_one_up_to_the_most(one: str, other: str, most: int) -> None:
    assert edit_distance(one, other, most) == min(by_definition(one, other), most + 1)
