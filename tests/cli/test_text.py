"""Values as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.cli.text import counted, duration, plain, rate, size, when


@given(st.text())
def test_what_is_plain_can_be_printed(text: str) -> None:
    assert plain(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_what_can_be_printed_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_control_characters_become_escapes() -> None:
    assert plain("a\x1b[2J\nb\u202e\ud800") == "a\\x1b[2J\\nb\\u202e\\ud800"


def test_times_are_utc() -> None:
    assert when(1_700_000_000_123) == "2023-11-14 22:13:20"
    assert when(None) == "-"
    assert when(2**62) == f"{2**62} ms"


@pytest.mark.parametrize(
    ("us", "text"), [(0.4, "0 µs"), (41.6, "42 µs"), (1234, "1.2 ms"), (2_500_000, "2.5 s")]
)
def test_durations_have_a_unit(us: float, text: str) -> None:
    assert duration(us) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_000_000, "2.0 MB")],
)
def test_sizes_have_a_unit(count: int | None, text: str) -> None:
    assert size(count) == text


def test_counts_and_rates_are_readable() -> None:
    assert [counted(each, "record") for each in (0, 1, 2000)] == [
        "0 records",
        "1 record",
        "2,000 records",
    ]
    assert [rate(each) for each in (None, 0.25, 3.14, 12_345.6)] == [
        "-",
        "0.25/s",
        "3.1/s",
        "12,346/s",
    ]
