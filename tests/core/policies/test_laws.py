"""Every policy, and every nesting of policies, against one that takes a record at a time."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from modelstream.core.effects import Outcome
from modelstream.core.policies.average import Average, Median
from modelstream.core.policies.base import (
    Case,
    Decision,
    Policy,
    Reply,
    check_members,
    refs_of,
    row_array,
)
from modelstream.core.policies.best import Best
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.hedge import Hedge
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Constant, Latest, Model
from modelstream.core.policies.split import Split, arm_of
from modelstream.core.policies.text import parse_policy, policy_text
from modelstream.core.policies.when import When
from modelstream.errors import InvalidFlow
from modelstream.messages import Column, Failure, VersionId
from tests.support.slow_policies import SILENT, Lost, One, Verdict, Waits, Won
from tests.support.slow_policies import decide as decide_slowly

pytestmark = pytest.mark.speculation

ROWS = 6
# To shrink what is nested so deeply takes minutes and helps little.
# The same examples each time, as it is counted which lines of the core they meet.
PHASES = (Phase.explicit, Phase.generate)
# Candidates by the kind of their answers; "gone" is never there.
KINDS = {
    "": "label",
    "a": "label",
    "b": "label",
    "c": "number",
    "d": "number",
    "e": "vector",
    "f": "vector",
    "gone": "",
}
FAILURES = ["model_error", "not_finite"]
REFS = st.sampled_from(sorted(KINDS))
LEAVES = st.one_of(
    REFS.map(lambda name: Model(name) if name else Latest()),
    st.just(Constant('{"label": "x", "prob": 0.5}')),
)
MS = st.sampled_from([5, 10, 20])
MERITS = {"a": {"declared:auc": 0.7}, "b": {"declared:auc": 0.9}, "c": {"declared:auc": 0.8}}


def nested(inner: st.SearchStrategy[Policy]) -> st.SearchStrategy[Policy]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    output = st.sampled_from(["", "label", "prob"])
    within = st.sampled_from([0, 10])
    models = st.lists(REFS.filter(bool).map(Model), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(FirstWithin, MS, several),
        st.builds(
            Majority,
            several,
            quorum=st.integers(0, 2),
            within=within,
            tie=st.sampled_from(["first", "reject"]),
            output=output,
        ),
        st.builds(Average, several, quorum=st.integers(1, 2), within=within, output=output),
        st.builds(lambda two, w: Average(two[:2], weights=(1, w)), several, st.integers(1, 3)),
        st.builds(Median, several, within=within, output=output),
        st.builds(Best, several, st.sampled_from(["confidence", "output:prob"]), within),
        st.builds(Best, models, st.just("declared:auc")),
        st.builds(Hedge, inner, MS, inner),
        st.builds(split, inner, inner),
        st.builds(Shadow, inner, st.lists(inner, min_size=1, max_size=2).map(tuple), MS),
        st.builds(lambda one, two: When("x > 3", one, two), inner, inner),
    )


def split(one: Policy, two: Policy) -> Policy:
    return one if one == two else Split(((one, 1), (two, 2)))


POLICIES = st.recursive(LEAVES, nested, max_leaves=6)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, list[dict[str, Any] | str]]:
    """What each candidate has said of each record so far."""
    said: dict[str, list[dict[str, Any] | str]] = {}
    number = st.sampled_from([0.1, 0.25, 0.5, 0.75])
    for name, kind in KINDS.items():
        if not kind:
            continue
        outputs = {
            "label": st.builds(
                lambda label, prob: {"label": label, "prob": prob}, st.sampled_from("xyz"), number
            ),
            "number": st.fixed_dictionaries({"value": number | st.sampled_from([1.0, 2.0])}),
            "vector": st.fixed_dictionaries({"scores": st.lists(number, min_size=3, max_size=3)}),
        }[kind]
        each = st.one_of(outputs, st.sampled_from([SILENT, *FAILURES]))
        said[name] = draw(st.lists(each, min_size=ROWS, max_size=ROWS))
    return said


def version(name: str) -> VersionId:
    return VersionId(name or "current", "1")


def case_of(said: Mapping[str, list[Any]], elapsed_ms: float, parts: int) -> Case:
    """Lay what candidates said into outcomes, in some parts each."""
    replies = {}
    for name, by_row in said.items():
        outcomes = []
        for part in range(parts):
            rows = range(part, ROWS, parts)
            answered = [row for row in rows if isinstance(by_row[row], dict)]
            failed = {
                row: Failure(by_row[row], "")
                for row in rows
                if isinstance(by_row[row], str) and by_row[row] != SILENT
            }
            if answered or failed:
                outcomes.append(Outcome(answered, columns_of(by_row, answered), failed, 1.0))
        replies[version(name)] = Reply(outcomes)
    return Case(
        size=ROWS,
        versions={name: version(name) for name in said},
        replies=replies,
        elapsed_us=elapsed_ms * 1000,
        keys=KEYS,
        fields={"x": X},
        merits={version(name): merits for name, merits in MERITS.items()},
    )


KEYS = [f"key {row}".encode() for row in range(ROWS)]
X = np.array([1.0, 4.0, np.nan, 5.0, 2.0, 9.0])


def columns_of(by_row: list[Any], rows: list[int]) -> dict[str, Column]:
    if not rows:
        return {}
    columns: dict[str, Column] = {}
    for name in by_row[rows[0]]:
        values = [by_row[row][name] for row in rows]
        kind = object if isinstance(values[0], str) else np.float64
        columns[name] = np.array(values, dtype=kind)
    return columns


def by_row(decision: Decision) -> dict[int, Verdict]:
    """Take a decision apart; a row that is there twice is no decision."""
    found: dict[int, Verdict] = {}

    def add(row: int, verdict: Verdict) -> None:
        assert row not in found, f"row {row} twice"
        found[row] = verdict

    for piece in decision.pieces:
        for at, row in enumerate(row_array(piece.rows).tolist()):
            outputs = {name: column[at] for name, column in piece.columns.items()}
            plain = {
                name: value.tolist() if isinstance(value, np.generic | np.ndarray) else value
                for name, value in outputs.items()
            }
            name = "" if piece.by is None or piece.by.name == "current" else piece.by.name
            add(row, Won(plain, name))
    for row, failure in decision.failures.items():
        add(row, Lost(failure.reason))
    for row in row_array(decision.waiting).tolist():
        add(row, Waits())
    return found


def slowly(policy: Policy, said: Mapping[str, list[Any]], elapsed_ms: float, *, final: bool) -> Any:
    return {
        row: decide_slowly(
            policy,
            One(
                said={name: each[row] for name, each in said.items()},
                elapsed_ms=elapsed_ms,
                arm=partial(arm, row),
                fields={"x": None if math.isnan(X[row]) else X[row]},
                merits=MERITS,
            ),
            final=final,
        )
        for row in range(ROWS)
    }


def arm(row: int, policy: Split) -> int:
    return int(arm_of([KEYS[row]], [share for _, share in policy.arms], policy.salt)[0])


def alike(found: Verdict, wanted: Verdict) -> bool:
    if not (isinstance(found, Won) and isinstance(wanted, Won)):
        return found == wanted
    return (
        found.by == wanted.by
        and list(found.outputs) == list(wanted.outputs)
        and all(_near(found.outputs[name], wanted.outputs[name]) for name in wanted.outputs)
    )


def _near(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return bool(found == wanted)
    return bool(np.allclose(found, wanted, rtol=1e-12, atol=0))


ELAPSED = st.sampled_from([0.0, 4.0, 7.0, 12.0, 30.0])


@given(POLICIES, answers(), ELAPSED, st.booleans(), st.integers(1, 3))
@settings(max_examples=400, deadline=None, phases=PHASES, derandomize=True)
def test_a_policy_decides_as_the_slow_and_obvious_one(
    policy: Policy, said: dict[str, list[Any]], elapsed_ms: float, final: bool, parts: int
) -> None:
    case = case_of(said, elapsed_ms, parts)
    found = by_row(policy.decide(case, range(ROWS), final=final))
    wanted = slowly(policy, said, elapsed_ms, final=final)
    assert found.keys() == wanted.keys()
    for row, verdict in wanted.items():
        assert alike(found[row], verdict), (row, found[row], verdict)


@given(POLICIES, answers(), ELAPSED)
@settings(max_examples=200, deadline=None, phases=PHASES, derandomize=True)
def test_what_is_decided_stays_when_it_is_made_final(
    policy: Policy, said: dict[str, list[Any]], elapsed_ms: float
) -> None:
    case = case_of(said, elapsed_ms, 1)
    early = by_row(policy.decide(case, range(ROWS)))
    final = by_row(policy.decide(case, range(ROWS), final=True))
    assert Waits() not in final.values()
    for row, verdict in early.items():
        assert isinstance(verdict, Waits) or final[row] == verdict


@given(POLICIES, answers(), ELAPSED, st.lists(st.integers(0, ROWS - 1), unique=True))
@settings(max_examples=200, deadline=None, phases=PHASES, derandomize=True)
def test_other_rows_have_no_say(
    policy: Policy, said: dict[str, list[Any]], elapsed_ms: float, rows: list[int]
) -> None:
    case = case_of(said, elapsed_ms, 1)
    whole = by_row(policy.decide(case, range(ROWS), final=True))
    some = by_row(policy.decide(case, np.array(sorted(rows), dtype=np.intp), final=True))
    assert some == {row: whole[row] for row in rows}


@given(POLICIES, answers(), ELAPSED)
@settings(max_examples=200, deadline=None, phases=PHASES, derandomize=True)
def test_whoever_gave_the_answer_had_been_asked(
    policy: Policy, said: dict[str, list[Any]], elapsed_ms: float
) -> None:
    case = case_of(said, elapsed_ms, 1)
    asked: dict[str, set[int]] = {}
    for ref, rows in policy.ask(case, range(ROWS)):
        assert ref in refs_of(policy)
        asked.setdefault(ref, set()).update(row_array(rows).tolist())
    for row, verdict in by_row(policy.decide(case, range(ROWS))).items():
        if isinstance(verdict, Won) and verdict.by:
            assert row in asked[verdict.by]


@given(POLICIES)
@settings(max_examples=200, deadline=None, phases=PHASES, derandomize=True)
def test_what_is_written_is_read_again(policy: Policy) -> None:
    try:
        check_members("it", (policy,))
    except InvalidFlow:
        return
    assert parse_policy(policy_text(policy)) == policy
    assert policy_text(parse_policy(policy_text(policy))) == policy_text(policy)
