"""Records to columns; what does not fit is one failure, never a batch's."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.base import Field
from modelstream.limits import RECORD_BYTES_MAX
from modelstream.messages import Table
from modelstream.wire.columns import MixedShapes
from modelstream.wire.json import Decoder, failure_of, read_field

TWO = (Field("a", "float64"), Field("b", "float64", optional=True))


def reasons(decoder: Decoder, *values: bytes) -> dict[int, str]:
    return {row: failure.reason for row, failure in decoder.decode(values).failures.items()}


def test_numbers_become_float64_columns() -> None:
    decoded = Decoder(TWO).decode([b'{"a":1,"b":2.5}', b'{"a":-3,"b":4}'])
    assert decoded.rows == range(2)
    assert decoded.columns["a"].tolist() == [1.0, -3.0]
    assert decoded.columns["b"].tolist() == [2.5, 4.0]
    assert decoded.failures == {}


def test_number_columns_in_input_order_are_views_of_one_matrix() -> None:
    columns = Decoder(TWO).decode([b'{"b":2,"a":1}']).columns
    assert columns["a"].base is columns["b"].base is not None


def test_one_number_field_alone() -> None:
    decoder = Decoder([Field("a", "float64", optional=True)])
    columns = decoder.decode([b'{"a":1}', b"{}"]).columns
    assert columns["a"][0] == 1.0
    assert math.isnan(columns["a"][1])


def test_a_missing_or_null_optional_number_is_nan() -> None:
    columns = Decoder(TWO).decode([b'{"a":1}', b'{"a":1,"b":null}', b'{"a":1,"b":2}']).columns
    assert np.isnan(columns["b"]).tolist() == [True, True, False]


def test_an_unknown_field_is_skipped() -> None:
    assert Decoder(TWO).decode([b'{"a":1,"z":{"deep":[1,2]}}']).failures == {}


def test_of_a_key_that_stands_twice_the_last_value_counts() -> None:
    assert Decoder(TWO).decode([b'{"a":1,"a":2}']).columns["a"].tolist() == [2.0]


def test_a_bad_record_fails_alone() -> None:
    decoded = Decoder(TWO).decode([b'{"a":1}', b"nonsense", b'{"a":3}'])
    assert list(decoded.rows) == [0, 2]
    assert decoded.columns["a"].tolist() == [1.0, 3.0]
    assert decoded.failures[1].reason == "not_json"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_json"),
        (b"not json", "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1}}', "not_json"),
        (b'{"a":1},{"a":2}', "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":Infinity}', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"a":1e999}', "wrong_type"),
        (b"[1,2]", "wrong_type"),
        (b"[" * 100_000, "wrong_type"),
        (b'{"z":' + b"[" * 100_000, "not_json"),
        (b'{"b":1}', "missing_field"),
        (b'{"a":"1"}', "wrong_type"),
        (b'{"a":true}', "wrong_type"),
        (b'{"a":null}', "wrong_type"),
        (b'{"a":[1]}', "wrong_type"),
    ],
)
def test_what_is_wrong_with_a_record_is_told(value: bytes, reason: str) -> None:
    assert reasons(Decoder(TWO), b'{"a":1}', value, b'{"a":2}') == {1: reason}


def test_two_broken_records_never_make_a_whole_one_together() -> None:
    decoded = Decoder(TWO).decode([b'{"a":1},{"a":2,', b'"b":3}'])
    assert set(decoded.failures) == {0, 1}


def test_the_failure_names_the_field() -> None:
    decoded = Decoder(TWO).decode([b"{}", b'{"a":"x"}'])
    assert "`a`" in decoded.failures[0].detail
    assert "$.a" in decoded.failures[1].detail


def test_texts_and_booleans_are_columns_of_their_own_kind() -> None:
    decoder = Decoder([Field("s", "string"), Field("k", "bool")])
    columns = decoder.decode([b'{"s":"x","k":true}', b'{"s":"","k":false}']).columns
    assert columns["s"].tolist() == ["x", ""]
    assert columns["s"].dtype == object
    assert columns["k"].dtype == np.bool_


def test_a_missing_text_or_boolean_is_none() -> None:
    decoder = Decoder([Field("s", "string", optional=True), Field("k", "bool", optional=True)])
    columns = decoder.decode([b"{}", b'{"s":"x","k":true}']).columns
    assert columns["s"].tolist() == [None, "x"]
    assert columns["k"].tolist() == [None, True]


def test_a_number_is_no_text() -> None:
    assert reasons(Decoder([Field("s", "string")]), b'{"s":1}') == {0: "wrong_type"}


def test_integers_past_what_a_float_can_tell_are_refused() -> None:
    decoder = Decoder([Field("n", "int64")])
    decoded = decoder.decode([b'{"n":9007199254740992}', b'{"n":9007199254740994}'])
    assert list(decoded.rows) == [0]
    assert decoded.failures[1].reason == "wrong_type"


def test_tensors_are_stacked() -> None:
    decoder = Decoder([Field("t", "float32", (2, 2))])
    decoded = decoder.decode([b'{"t":[[1,2],[3,4]]}', b'{"t":[[5,6],[7,8]]}'])
    assert decoded.columns["t"].shape == (2, 2, 2)
    assert decoded.columns["t"][1, 0, 1] == 6


@pytest.mark.parametrize("value", [b'{"t":[1]}', b'{"t":[1,2,3]}', b'{"t":[]}'])
def test_a_tensor_of_another_shape_fails_alone(value: bytes) -> None:
    decoded = Decoder([Field("t", "float32", (2,))]).decode([b'{"t":[1,2]}', value])
    assert list(decoded.rows) == [0]
    assert "[2]" in decoded.failures[1].detail


def test_a_ragged_tensor_fails_alone() -> None:
    decoded = Decoder([Field("t", "float32", (None, 2))]).decode(
        [b'{"t":[[1,2],[3]]}', b'{"t":[[1,2]]}']
    )
    assert list(decoded.rows) == [1]
    assert "ragged" in decoded.failures[0].detail


def test_records_that_differ_in_an_open_dimension_are_no_batch() -> None:
    decoder = Decoder([Field("t", "float32", (None,))])
    assert decoder.decode([b'{"t":[1,2]}', b'{"t":[3,4]}']).columns["t"].shape == (2, 2)
    with pytest.raises(MixedShapes):
        decoder.decode([b'{"t":[1,2]}', b'{"t":[1]}'])


def test_a_dotted_input_is_a_literal_key_or_a_path() -> None:
    decoder = Decoder([Field("Sepal.Length", "float64")])
    decoded = decoder.decode([b'{"Sepal.Length":5.1}', b'{"Sepal":{"Length":4.9}}'])
    assert decoded.columns["Sepal.Length"].tolist() == [5.1, 4.9]


def test_the_literal_key_wins_over_the_path() -> None:
    decoder = Decoder([Field("a.b", "float64")])
    assert decoder.decode([b'{"a":{"b":1},"a.b":2}']).columns["a.b"].tolist() == [2.0]


def test_a_deep_path_and_what_is_missing_on_it() -> None:
    decoder = Decoder([Field("a.b.c", "float64", optional=True)])
    values = [b'{"a":{"b":{"c":1}}}', b'{"a":{"b":7}}', b'{"a":{}}', b"{}", b'{"a":null}']
    assert np.isnan(decoder.decode(values).columns["a.b.c"]).tolist() == [False, *[True] * 4]


def test_a_required_path_that_is_missing_or_of_another_type_fails_alone() -> None:
    decoder = Decoder([Field("a.b", "float64"), Field("x", "float64")])
    decoded = decoder.decode([b'{"x":1,"a":{"b":1}}', b'{"x":2}', b'{"x":3,"a":{"b":"t"}}'])
    assert decoded.columns["x"].tolist() == [1.0]
    assert decoded.failures[1].reason == "missing_field"
    assert decoded.failures[2].reason == "wrong_type"


def test_a_path_below_an_input_of_its_own_is_a_literal_key_alone() -> None:
    decoder = Decoder([Field("a", "float64"), Field("a.b", "float64", optional=True)])
    assert decoder.decode([b'{"a":1,"a.b":2}']).columns["a.b"].tolist() == [2.0]


def test_records_that_are_objects_already() -> None:
    decoded = Decoder(TWO).convert([{"a": 1, "z": 5}, {"a": "x"}, {"a": np.float64(3)}, 7])
    assert list(decoded.rows) == [0, 2]
    assert decoded.columns["a"].tolist() == [1.0, 3.0]
    assert {failure.reason for failure in decoded.failures.values()} == {"wrong_type"}


def test_a_model_without_inputs_reads_any_object() -> None:
    decoded = Decoder([]).decode([b"{}", b"1"])
    assert list(decoded.rows) == [0]


def test_a_record_over_the_limit_is_told_by_its_size() -> None:
    failure = failure_of(b" " * (RECORD_BYTES_MAX + 1), ValueError("whatever"))
    assert failure.reason == "too_large"


def test_one_field_is_read_by_its_path() -> None:
    assert read_field("kind")(b'{"kind":"wine","x":1}') == "wine"
    assert read_field("meta.kind")(b'{"meta":{"kind":"beer"}}') == "beer"


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


@given(st.lists(st.tuples(numbers, st.none() | numbers), max_size=20))
def test_what_json_says_is_what_the_columns_hold(rows: list[tuple[float, float | None]]) -> None:
    values = [json.dumps({"a": a, "b": b}).encode() for a, b in rows]
    decoded = Decoder(TWO).decode(values)
    assert decoded.rows == range(len(rows))
    assert decoded.columns["a"].tolist() == [float(a) for a, _ in rows]
    expected = [math.nan if b is None else float(b) for _, b in rows]
    assert np.array_equal(decoded.columns["b"], expected, equal_nan=True)


@given(st.lists(st.binary(max_size=30) | st.just(b'{"a":1}'), max_size=10))
def test_every_row_is_read_or_failed_and_none_is_both(values: list[bytes]) -> None:
    decoded = Decoder(TWO).decode(values)
    assert sorted([*decoded.rows, *decoded.failures]) == list(range(len(values)))
    assert all(len(column) == len(decoded.rows) for column in decoded.columns.values())


def test_an_input_may_have_another_name_in_records() -> None:
    decoder = Decoder(TWO, {"a": "left", "b": "meta.right"})
    decoded = decoder.decode([b'{"left":1,"meta":{"right":2}}', b'{"a":1,"meta":{"right":2}}'])
    assert decoded.columns["a"].tolist() == [1.0]
    assert decoded.columns["b"].tolist() == [2.0]
    assert decoded.failures[1].reason == "missing_field"


def test_renamed_numbers_are_one_matrix_still() -> None:
    decoder = Decoder([Field("a", "float64"), Field("b", "float64")], {"a": "x", "b": "y"})
    columns = decoder.decode([b'{"y":2,"x":1}']).columns
    assert isinstance(columns, Table)
    assert columns.matrix.tolist() == [[1.0, 2.0]]


def test_several_fields_may_make_a_vector() -> None:
    decoder = Decoder([Field("v", "float32", (3,))], {"v": ("a", "b.c", "a")})
    decoded = decoder.decode(
        [b'{"a":1,"b":{"c":2}}', b'{"a":1}', b'{"a":"x","b":{"c":2}}', b'{"a":3,"b.c":4}']
    )
    assert decoded.columns["v"].tolist() == [[1.0, 2.0, 1.0], [3.0, 4.0, 3.0]]
    assert {row: each.reason for row, each in decoded.failures.items()} == {
        1: "missing_field",
        2: "wrong_type",
    }


def test_a_field_may_be_an_input_and_part_of_a_vector() -> None:
    inputs = [Field("a", "float64"), Field("v", "float64", (2,)), Field("again", "float64")]
    decoder = Decoder(inputs, {"v": ("a", "b"), "again": "a"})
    decoded = decoder.decode([b'{"a":1,"b":2}', b'{"b":2}'])
    columns = {name: column.tolist() for name, column in decoded.columns.items()}
    assert columns == {"a": [1.0], "v": [[1.0, 2.0]], "again": [1.0]}
    assert decoded.failures[1].reason == "missing_field"


def test_a_vector_of_another_length_is_told() -> None:
    decoder = Decoder([Field("v", "float32", (3,))], {"v": ("a", "b")})
    assert reasons(decoder, b'{"a":1,"b":2}') == {0: "wrong_type"}
