"""Corners of policies that records seldom meet: odd constants, odd answers, late shadows."""

import numpy as np
import pytest

from modelstream.core.effects import Outcome
from modelstream.core.policies.average import Average, Median
from modelstream.core.policies.base import Case, Reply
from modelstream.core.policies.best import Best
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Constant, Model, as_policy
from modelstream.core.policies.split import Split
from modelstream.core.policies.text import parse_policy
from modelstream.errors import InvalidFlow
from modelstream.messages import Column, VersionId

pytestmark = pytest.mark.speculation
A, B = VersionId("a", "1"), VersionId("b", "1")
BOTH = (Model("a"), Model("b"))


def case(a: Column | None, b: Column | None, elapsed_ms: float = 0) -> Case:
    replies = {
        version: Reply([Outcome(range(len(column)), {"y": column}, {}, 1.0)])
        for version, column in ((A, a), (B, b))
        if column is not None
    }
    return Case(2, {"a": A, "b": B}, replies, elapsed_us=elapsed_ms * 1000)


def test_vectors_of_unlike_shapes_have_no_mean() -> None:
    found = Average(BOTH).decide(case(np.ones((2, 3)), np.ones((2, 4))), range(2))
    assert {why.detail for why in found.failures.values()} == {
        "members answer with vectors of unlike shapes"
    }


def test_text_and_whole_numbers_may_agree() -> None:
    five = np.array([5, 6])
    text = np.array(["5", "x"], dtype=object)
    found = Majority(BOTH).decide(case(five, text), range(2))
    (piece,) = found.pieces
    assert piece.columns["label"].tolist() == [5, 6]
    assert piece.columns["votes"].tolist() == [2, 1]


def test_true_and_false_are_answers() -> None:
    (piece,) = (
        Majority(BOTH)
        .decide(case(np.array([True, False]), np.array([True, True])), range(2))
        .pieces
    )
    assert piece.columns["label"].tolist() == [True, False]


def test_a_shadow_holds_a_result_up_for_so_long_and_no_longer() -> None:
    shadow = Shadow("a", ["b"], 50)  # type: ignore[arg-type]
    early = shadow.decide(case(np.ones(2), None), range(2))
    assert list(early.waiting) == [0, 1]
    assert early.wake_us == 50_000
    assert shadow.decide(case(np.ones(2), None, 50), range(2)).pieces[0].by == A
    half = case(np.ones(2), None)
    half.replies[B] = Reply([Outcome([0], {"y": np.ones(1)}, {}, 1.0)])
    some = shadow.decide(half, range(2))
    assert list(some.waiting) == [1]
    assert [list(piece.rows) for piece in some.pieces] == [[0]]


def test_constants_are_of_the_kinds_that_results_have() -> None:
    outputs = {"n": 1, "t": "x", "v": [1.0, 2.0], "none": None, "b": True}
    (piece,) = Constant(outputs).decide(Case(2, {}), range(2)).pieces  # type: ignore[arg-type]
    told = {name: column.tolist() for name, column in piece.columns.items()}
    assert told == {
        "b": [True, True],
        "n": [1, 1],
        "none": [None, None],
        "t": ["x", "x"],
        "v": [[1.0, 2.0], [1.0, 2.0]],
    }
    assert Constant('{"n": 1}').ask(Case(2, {}), range(2)) == ()


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Average(BOTH, quorum=3), "use 1 to 2"),
        (lambda: Average(BOTH, within=-1), "above 0"),
        (lambda: Average(BOTH, weights=(1, 0)), "above 0"),
        (lambda: Median(BOTH, weights=(1, "x")), "above 0"),  # type: ignore[arg-type]
        (lambda: Majority(BOTH, within=float("inf")), "above 0"),
        (lambda: Best(BOTH, within=float("nan")), "above 0"),
        (lambda: Split({"a": 1}, salt=3), "it is text"),  # type: ignore[arg-type]
        (lambda: Constant("not json"), "no JSON object"),
        (lambda: as_policy(3), "is no policy"),  # type: ignore[arg-type]
        (lambda: parse_policy("Model(**{'name': 'a'})"), "cannot be read"),
        (lambda: parse_policy("Split({[1]: 1})"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(made: object, told: str) -> None:
    with pytest.raises(InvalidFlow) as refused:
        made()  # type: ignore[operator]
    assert told in str(refused.value)
