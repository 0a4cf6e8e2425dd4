"""Which types accept which, and which type accepts all of some (Avro 1.7.6, PFA 0.8.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pfa import types
from modelstream.formats.pfa.types import (
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    NOTHING,
    NULL,
    STRING,
    Array,
    Function,
    Map,
    Record,
    Type,
    Union,
    accepts,
    broadest,
)

PLAIN = st.sampled_from([each for each in types.PRIMITIVES.values() if each not in (LONG, FLOAT)])


def kinds() -> st.SearchStrategy[Type]:
    return st.recursive(
        PLAIN, lambda inner: st.one_of(inner.map(Array), inner.map(Map)), max_leaves=3
    )


def test_a_wider_number_accepts_a_narrower_one() -> None:
    order = [INT, LONG, FLOAT, DOUBLE]
    for at, wide in enumerate(order):
        assert [accepts(wide, narrow) for narrow in order] == [n <= at for n in range(4)]


def test_a_union_accepts_its_members_and_smaller_unions() -> None:
    wide = Union((NULL, DOUBLE, STRING))
    assert accepts(wide, STRING)
    assert accepts(wide, INT)
    assert accepts(wide, Union((NULL, STRING)))
    assert not accepts(Union((NULL, STRING)), wide)
    assert not accepts(STRING, Union((NULL, STRING)))


def test_records_are_accepted_by_their_own_type_alone() -> None:
    one, other = Record("One", {"x": INT}), Record("Other", {"x": INT})
    assert accepts(one, one)
    assert not accepts(one, other)


def test_a_function_takes_more_and_gives_less() -> None:
    wanted = Function((INT,), DOUBLE)
    assert accepts(wanted, Function((DOUBLE,), INT))
    assert not accepts(Function((DOUBLE,), INT), wanted)


def test_nothing_is_accepted_by_no_type_and_does_not_count() -> None:
    assert not accepts(DOUBLE, NOTHING)
    assert broadest([NOTHING, INT]) == INT
    assert broadest([NOTHING]) == NULL


@given(kinds())
def test_a_type_accepts_itself(kind: Type) -> None:
    assert accepts(kind, kind)


@given(st.lists(kinds(), min_size=1, max_size=3))
def test_the_broadest_type_accepts_each(several: list[Type]) -> None:
    try:
        wide = broadest(several)
    except types.Incompatible:
        return
    assert all(accepts(wide, each) for each in several)


def test_types_whose_values_look_alike_make_no_union() -> None:
    with pytest.raises(types.Incompatible, match="told apart"):
        types.union([Array(INT), NULL, Array(STRING)])
    with pytest.raises(types.Incompatible):
        types.check_distinct([INT, LONG])


def test_records_of_different_types_make_no_union_by_themselves() -> None:
    with pytest.raises(types.Incompatible, match="no type accepts"):
        broadest([Record("One"), Record("Other")])
