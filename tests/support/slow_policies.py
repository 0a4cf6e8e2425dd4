"""Answer policies once more, slow and obvious: one record at a time, with plain values.

What a candidate says of a record is a dict of outputs, the reason it failed with, or SILENT.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelstream.core.policies.average import Average, Median
from modelstream.core.policies.base import Policy
from modelstream.core.policies.best import LOWER_IS_BETTER, Best
from modelstream.core.policies.first_within import FirstWithin
from modelstream.core.policies.hedge import Hedge
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Constant, Latest, Model
from modelstream.core.policies.split import Split
from modelstream.core.policies.when import When

SILENT = "silent"


@dataclass(frozen=True)
class Won:
    """An answer and whose it is; "" where it is of several, or of none."""

    outputs: dict[str, Any]
    by: str


@dataclass(frozen=True)
class Lost:
    """No answer; the reason."""

    reason: str


@dataclass(frozen=True)
class Waits:
    """No answer yet."""


Verdict = Won | Lost | Waits


@dataclass(frozen=True)
class One:
    """One record: what each candidate said of it, its arm by split, and its fields."""

    said: Mapping[str, dict[str, Any] | str]
    elapsed_ms: float
    arm: Callable[[Split], int]
    fields: Mapping[str, Any]
    merits: Mapping[str, Mapping[str, float]]


def decide(policy: Policy, one: One, *, final: bool) -> Verdict:  # noqa: C901, PLR0911 - one case a policy
    """Decide on one record."""
    match policy:
        case Latest():
            return _said("", one, final=final)
        case Model(name=name):
            return _said(name, one, final=final)
        case Constant():
            return Won(json.loads(policy.outputs), "")
        case FirstWithin():
            return _first_within(policy, one, final=final)
        case Majority():
            return _majority(policy, one, final=final)
        case Average():
            return _average(policy, one, final=final)
        case Best():
            return _best(policy, one, final=final)
        case Hedge():
            return _hedge(policy, one, final=final)
        case Split():
            return decide(policy.members[one.arm(policy)], one, final=final)
        case Shadow():
            verdict = decide(policy.policy, one, final=final)
            if final or one.elapsed_ms >= policy.within_ms:
                return verdict
            others = [decide(each, one, final=False) for each in policy.also]
            return Waits() if Waits() in others else verdict
        case When():
            chosen = policy.policy if _holds(policy.condition, one) else policy.otherwise
            return decide(chosen, one, final=final)
    raise AssertionError(policy)


def _said(ref: str, one: One, *, final: bool) -> Verdict:
    said = one.said.get(ref)
    if said is None:
        return Lost("no_model")
    if isinstance(said, dict):
        return Won(said, ref)
    if said != SILENT:
        return Lost(said)
    return Lost("deadline") if final else Waits()


def _first_within(policy: FirstWithin, one: One, *, final: bool) -> Verdict:
    final = final or one.elapsed_ms >= policy.ms
    reasons = []
    for member in policy.prefer:
        verdict = decide(member, one, final=final)
        if not isinstance(verdict, Lost):
            return verdict
        reasons.append(verdict.reason)
    return Lost("deadline" if "deadline" in reasons else reasons[0])


def _value(outputs: Mapping[str, Any], output: str) -> Any:
    value = outputs.get(output) if output else next(iter(outputs.values()))
    flat = value if isinstance(value, list) else [value]
    bad = any(each is None or (isinstance(each, float) and math.isnan(each)) for each in flat)
    return None if bad else value


def _same(label: Any) -> str:
    whole = isinstance(label, float) and label.is_integer()
    return str(int(label)) if whole else str(label)


def _majority(policy: Majority, one: One, *, final: bool) -> Verdict:
    final = final or bool(policy.within and one.elapsed_ms >= policy.within)
    verdicts = [decide(member, one, final=final) for member in policy.members]
    votes = []
    for verdict in verdicts:
        value = _value(verdict.outputs, policy.output) if isinstance(verdict, Won) else None
        if value is not None:
            votes.append(value.index(max(value)) if isinstance(value, list) else value)
    waiting = sum(isinstance(verdict, Waits) for verdict in verdicts)
    counts: dict[str, int] = {}
    for vote in votes:
        counts[_same(vote)] = counts.get(_same(vote), 0) + 1
    ordered = [*sorted(counts.values(), reverse=True), 0, 0]
    enough = len(votes) >= (policy.quorum or len(policy.members) // 2 + 1)
    if waiting and not (enough and ordered[0] > ordered[1] + waiting):
        return Waits()
    if not enough:
        return Lost("deadline" if _first_reason(policy, verdicts) == "deadline" else "no_consensus")
    if ordered[0] == ordered[1] and policy.tie == "reject":
        return Lost("no_consensus")
    label = next(vote for vote in votes if counts[_same(vote)] == ordered[0])
    return Won({policy.output or "label": label, "votes": ordered[0], "voters": len(votes)}, "")


def _first_reason(policy: Majority | Average, verdicts: Sequence[Verdict]) -> str:
    """Return what the first member that failed did so of; having no such output is failing."""
    for verdict in verdicts:
        if isinstance(verdict, Lost):
            return verdict.reason
        if isinstance(verdict, Won) and policy.output and policy.output not in verdict.outputs:
            return "invalid_value"
    return ""


def _average(policy: Average, one: One, *, final: bool) -> Verdict:
    final = final or bool(policy.within and one.elapsed_ms >= policy.within)
    verdicts = [decide(member, one, final=final) for member in policy.members]
    if Waits() in verdicts:
        return Waits()
    numbers: list[tuple[list[Any], float]] = []
    shapes = set()
    for index, verdict in enumerate(verdicts):
        value = _value(verdict.outputs, policy.output) if isinstance(verdict, Won) else None
        flat = value if isinstance(value, list) else [value]
        if value is None or isinstance(flat[0], str):
            continue
        numbers.append((flat, policy.weights[index] if policy.weights else 1.0))
        shapes.add(len(flat) if isinstance(value, list) else None)
    if len(shapes) > 1:
        return Lost("invalid_value")
    if len(numbers) < policy.quorum:
        return Lost(_first_reason(policy, verdicts) or "no_consensus")
    middle = _median if isinstance(policy, Median) else _mean
    found = [
        middle([(flat[at], weight) for flat, weight in numbers]) for at in range(len(numbers[0][0]))
    ]
    value = found if shapes != {None} else found[0]
    return Won({policy.output or "value": value, "voters": len(numbers)}, "")


def _mean(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in pairs) / sum(weight for _, weight in pairs)


def _median(pairs: Sequence[tuple[float, float]]) -> float:
    ordered = sorted(pairs)
    half = sum(weight for _, weight in ordered) / 2
    low = high = None
    below = 0.0
    for value, weight in ordered:
        below += weight
        low = value if low is None and below >= half else low
        high = value if high is None and below > half else high
    assert low is not None
    assert high is not None
    return (low + high) / 2


def _best(policy: Best, one: One, *, final: bool) -> Verdict:
    final = final or bool(policy.within and one.elapsed_ms >= policy.within)
    name = policy.by.partition(":")[2]
    if policy.by.startswith("declared"):
        sign = 1 if name in LOWER_IS_BETTER else -1

        def rank(member: Policy) -> float:
            merit = one.merits.get(member.refs[0], {}).get(policy.by)
            return math.inf if merit is None else sign * merit

        lost: Lost | None = None
        for member in sorted(policy.members, key=rank):
            verdict = decide(member, one, final=final)
            if not isinstance(verdict, Lost):
                return verdict
            lost = lost or verdict
        assert lost is not None
        return lost
    verdicts = [decide(member, one, final=final) for member in policy.members]
    if Waits() in verdicts:
        return Waits()
    best: tuple[float, Won] | None = None
    for verdict in verdicts:
        figure = _figure(verdict.outputs, name) if isinstance(verdict, Won) else None
        if figure is not None and (best is None or figure > best[0]):
            assert isinstance(verdict, Won)
            best = (figure, verdict)
    if best is not None:
        return best[1]
    lost_ones = [verdict for verdict in verdicts if isinstance(verdict, Lost)]
    return lost_ones[0] if lost_ones else Lost("invalid_value")


def _figure(outputs: Mapping[str, Any], name: str) -> float | None:
    numbers: list[float] = []
    for each, value in outputs.items():
        flat = value if isinstance(value, list) else [value]
        if (each == name if name else "prob" in each) and not isinstance(flat[0], str | None):
            numbers.extend(flat)
    return max(numbers) if numbers and not any(map(math.isnan, numbers)) else None


def _hedge(policy: Hedge, one: One, *, final: bool) -> Verdict:
    first = decide(policy.model, one, final=final)
    if isinstance(first, Won) or (isinstance(first, Waits) and one.elapsed_ms < policy.after_ms):
        return first
    second = decide(policy.fallback, one, final=final)
    return first if isinstance(first, Waits) and isinstance(second, Lost) else second


def _holds(condition: str, one: One) -> bool:
    """Conditions of the tests alone: `x > N`."""
    field, _, number = condition.split()
    value = one.fields[field]
    return value is not None and value > float(number)
