"""What happened, in a sentence."""

import pytest

from modelstream.cli import sentences
from modelstream.events import Figures, RegistryEvent
from modelstream.limits import LINE_CHARS_MAX
from modelstream.messages import ModelStamp, Position, Reject, Result, stamp_json
from tests.support.events import (
    admitted,
    drifted,
    measured,
    planned,
    promoted,
    rejected,
    released,
    retired,
    rolled_back,
)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            admitted("a", digest="f" * 64),
            "admitted a@1 for wine (fake, 1 B, sha-256 ffffffffffff)",
        ),
        (promoted("a"), "promoted a@1: current for wine"),
        (rolled_back("a", "2"), "rolled back a@2: wine goes back to the version before"),
        (retired("a"), "retired a@1"),
        (rejected("a"), "rejected a (invalid_model): not a model"),
        (rejected(""), "rejected a message (invalid_model): not a model"),
        (planned("Latest()"), "plan 1 for all data types: Latest()"),
        (planned("", "2", "wine"), "plan 2 for data type wine: that of all"),
        (released("a", "2"), "release of a@2 for wine began: 0.1 of the keys"),
        (released("a", "2", "stepped", 1), "release of a@2 goes a step on: 0.5 of the keys"),
        (released("a", "2", "rolled_back"), "release of a@2 failed: a@1 goes on alone"),
        (released("a", "2", "promoted"), "release of a@2 succeeded: it takes the place of a@1"),
        (measured(), "measured wine by records of none"),
        (
            measured(Figures(name="a", version="1", records=1200)),
            "measured wine by records of a@1 1,200",
        ),
        (drifted("x", alarm=True), "wine: x has drifted (PSI 0.500, KS 0.300)"),
        (drifted("x", alarm=False), "wine: x is back at its profile (PSI 0.500, KS 0.300)"),
    ],
)
def test_an_event_is_told(event: RegistryEvent, told: str) -> None:
    assert sentences.of_event(event) == told


def test_a_result_is_told() -> None:
    stamp = ModelStamp("a", "2", "", 7, 41.5)
    result = Result({"y": 1.5}, stamp_json(stamp), "wine", "wine.records", 0, 12, 0)
    told = 'wine.records/0/12  1970-01-01 00:00:00  {"y":1.5}  a@2 as of 7 in 42 µs'
    assert sentences.of_result(result) == told


def test_a_reject_is_told() -> None:
    reject = Reject(
        reason="not_json",
        detail="it is not",
        data_type=None,
        as_of=7,
        topic="wine.records",
        partition=1,
        offset=2,
        timestamp=0,
        value=b"",
        value_bytes=0,
    )
    assert (
        sentences.of_reject(reject) == "wine.records/1/2  1970-01-01 00:00:00  not_json: it is not"
    )


def test_a_record_is_told_with_its_key_and_cut() -> None:
    at = Position("t", 0, 1)
    assert sentences.of_record(at, 0, b"k", b"{}") == "t/0/1  1970-01-01 00:00:00  k  {}"
    long = sentences.of_record(at, 0, None, "é".encode() * 10_000)
    assert long.endswith(f"  {'é' * LINE_CHARS_MAX} ...")
