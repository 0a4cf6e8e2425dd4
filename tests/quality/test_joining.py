"""Labels joined with results as both come: whose label it is, and what is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.quality import joining
from modelstream.quality.joining import Answered, LabelJoin
from modelstream.quality.metrics import Label


class Kept:
    """A join, and what it has found: the time of each result with its label."""

    def __init__(self, within_ms: float = 1000) -> None:
        self.found: list[tuple[int, Label]] = []
        self.join = LabelJoin(within_ms, self._note)

    def _note(self, result: Answered, label: Label) -> None:
        self.found.append((result.timestamp, label))

    def result(self, key: bytes, at_ms: int) -> None:
        self.join.add_result(key, Answered("wine", 0, at_ms, []))


def test_a_label_is_of_the_newest_record_before_it() -> None:
    kept = Kept()
    for at_ms in (1, 5, 9):
        kept.result(b"a", at_ms)
    kept.join.add_label(b"a", 7, "yes")
    assert kept.found == [(5, "yes")]
    kept.join.add_label(b"a", 8, "late correction")
    assert kept.found == [(5, "yes"), (9, "late correction")], "what is left is the one after"
    assert kept.join.labelled == 2


def test_a_label_that_came_first_waits() -> None:
    kept = Kept()
    kept.join.add_label(b"a", 5, 1)
    kept.join.add_label(b"a", 6, 2)
    kept.result(b"b", 6)
    kept.result(b"a", 6)
    kept.result(b"a", 7)
    assert kept.found == [(6, 1)], "the first one counts"


@pytest.mark.parametrize("label_first", [False, True])
def test_what_is_too_far_apart_is_not_joined(label_first: bool) -> None:
    kept = Kept(within_ms=10)
    if label_first:
        kept.join.add_label(b"a", 0, 1)
    kept.result(b"a", 11)
    if not label_first:
        kept.join.add_label(b"a", 22, 1)
    assert kept.found == []


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "LABEL_JOIN_MAX", 3)
    results, labels = Kept(), Kept()
    for number in range(5):
        results.result(b"a" if number < 2 else b"%d" % number, number)
        labels.join.add_label(b"%d" % number, number, number)
    assert (results.join.expired, labels.join.expired) == (2, 2)
    for number in range(2, 5):
        results.join.add_label(b"%d" % number, number, number)
    for number in range(5):
        labels.result(b"%d" % number, number)
    assert results.found == labels.found == [(n, n) for n in (2, 3, 4)]


@given(st.permutations(range(12)))
def test_each_record_with_a_key_of_its_own_gets_its_label_whatever_came_first(
    order: list[int],
) -> None:
    kept = Kept()
    for each in order:
        if each < 6:
            kept.result(b"%d" % each, each)
        else:
            kept.join.add_label(b"%d" % (each - 6), 100, each - 6)
    assert sorted(kept.found) == [(n, n) for n in range(6)]
