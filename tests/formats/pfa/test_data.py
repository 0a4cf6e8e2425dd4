"""JSON data as values, and back."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel
from modelstream.formats.pfa import types
from modelstream.formats.pfa.data import Data, write
from modelstream.formats.pfa.types import Array, Enum, Fixed, Map, Record, Type, Union

PAIR = Record("Pair", {"x": types.INT, "y": Union((types.NULL, types.DOUBLE))}, {"x": 7})


def read(kind: Type, node: Any) -> Any:
    return Data().read(kind, node, "init")


def test_a_value_in_a_union_is_tagged() -> None:
    kind = Union((types.NULL, types.DOUBLE, PAIR))
    assert read(kind, None) is None
    assert read(kind, {"double": 3}) == 3.0
    assert read(kind, {"Pair": {"y": {"double": 1}}}) == {"x": 7, "y": 1.0}
    with pytest.raises(InvalidModel, match="tagged with its type"):
        read(kind, 3.0)


@pytest.mark.parametrize(
    ("kind", "node"),
    [
        (types.NULL, 0),
        (types.BOOLEAN, 1),
        (types.INT, 2**31),
        (types.INT, True),
        (types.INT, 1.5),
        (types.LONG, 2**63),
        (types.DOUBLE, "3"),
        (types.STRING, 3),
        (types.BYTES, "\u1234"),
        (Array(types.INT), {}),
        (Map(types.INT), []),
        (PAIR, {"x": 1}),
        (Enum("E", ("a",)), "b"),
        (Fixed("F", 2), "abc"),
    ],
    ids=str,
)
def test_what_does_not_fit_its_type_is_refused(kind: Type, node: Any) -> None:
    with pytest.raises(InvalidModel, match=r"^init"):
        read(kind, node)


def test_numbers_that_json_lacks_are_words() -> None:
    assert math.isnan(read(types.DOUBLE, "NaN"))
    assert [
        write(types.DOUBLE, read(types.DOUBLE, each)) for each in ("Infinity", "-Infinity")
    ] == [
        "Infinity",
        "-Infinity",
    ]


VALUES: st.SearchStrategy[tuple[Type, Any]] = st.one_of(
    st.tuples(st.just(types.INT), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(types.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(types.STRING), st.text()),
    st.tuples(st.just(types.BYTES), st.binary()),
    st.tuples(st.just(Array(types.BOOLEAN)), st.lists(st.booleans())),
    st.tuples(
        st.just(Map(types.INT)),
        st.dictionaries(st.text().filter(lambda k: k != "@"), st.integers(0, 9)),
    ),
    st.tuples(st.just(Union((types.NULL, types.STRING))), st.none() | st.text()),
)


@given(VALUES)
def test_what_is_written_is_read_again(case: tuple[Type, Any]) -> None:
    kind, value = case
    assert read(kind, write(kind, value)) == value
