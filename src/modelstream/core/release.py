"""Releases: a candidate takes a champion's place step by step, or not at all, by declared rules.

A rule is text: `auc + 0.01 over 5,000 labels`, `errors > 1 % or p99 > 20 ms`. With + or - a figure of
the candidate is compared with the champion's, else with a number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from modelstream.core.policies.base import Policy
from modelstream.core.policies.shadow import Shadow
from modelstream.core.policies.single import Model
from modelstream.core.policies.split import Split
from modelstream.errors import InvalidFlow
from modelstream.events import Figures, Measured, Released, ReleaseState
from modelstream.limits import JUDGED_LABELS_MIN, JUDGED_RECORDS_MIN, RELEASE_STEPS_MAX
from modelstream.messages import VersionId

_CONDITION = re.compile(
    r"(?P<figure>[a-z_0-9]+) *(?P<op>>=|<=|[-+<>]) *(?P<amount>[0-9]+(\.[0-9]+)?) *(?P<unit>%|ms)?"
    r"( +over +(?P<count>[0-9][0-9,]*) +(?P<of>records|labels))?"
)
_RECORDS = frozenset({"errors", "late", "p50", "p99", "records", "labels", "agreement"})
_MILLISECONDS = frozenset({"p50", "p99"})
Op = Literal["+", "-", ">", "<", ">=", "<="]
_OPS: Mapping[str, Op] = {"+": "+", "-": "-", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one figure, once `count` records or labels of each version compared are there."""

    figure: str
    op: Op
    amount: float
    count: int
    of: Literal["records", "labels"]
    text: str

    def holds(self, candidate: Figures, champion: Figures) -> bool:
        """Tell whether it holds; it does not while there is too little to tell by."""
        own = self._told(candidate)
        if own is None:
            return False
        if self.op in {"+", "-"}:
            other = self._told(champion)
            if other is None:
                return False
            return own >= other + self.amount if self.op == "+" else own <= other - self.amount
        if self.op in {">", ">="}:
            return own > self.amount or (self.op == ">=" and own == self.amount)
        return own < self.amount or (self.op == "<=" and own == self.amount)

    def _told(self, figures: Figures) -> float | None:
        enough = figures.records if self.of == "records" else figures.labels
        return figure_of(figures, self.figure) if enough >= self.count else None


class Rule(NamedTuple):
    """Alternatives; of each one all conditions have to hold."""

    alternatives: tuple[tuple[Condition, ...], ...]

    def holds(self, candidate: Figures, champion: Figures) -> str:
        """Return the alternative that holds, as text; empty where none does."""
        for conditions in self.alternatives:
            if all(each.holds(candidate, champion) for each in conditions):
                return " and ".join(each.text for each in conditions)
        return ""


class Verdict(NamedTuple):
    """What becomes of a release, and why."""

    state: ReleaseState
    because: str
    evidence: tuple[Figures, ...]


def figure_of(figures: Figures, name: str) -> float | None:
    """Return a figure by its name in rules; None where it is not known."""
    told: dict[str, float | None] = {
        "records": figures.records,
        "labels": figures.labels,
        "errors": figures.failures / figures.records if figures.records else None,
        "late": figures.late / figures.records if figures.records else None,
        "p50": figures.p50_ms,
        "p99": figures.p99_ms,
    }
    return told[name] if name in told else figures.metrics.get(name)


def parse_rule(text: str) -> Rule:
    """Read a rule; an empty one never holds. Raises InvalidFlow with what to write."""
    if not text.strip():
        return Rule(())
    return Rule(
        tuple(
            tuple(_condition(part.strip(), text) for part in re.split(r"\band\b", alternative))
            for alternative in re.split(r"\bor\b", text)
        )
    )


def check_release(steps: Sequence[float], every: int, promote: str, roll_back: str) -> None:
    """Raise InvalidFlow unless a release can be made this way."""
    for rule in (promote, roll_back):
        parse_rule(rule)
    if not 1 <= len(steps) <= RELEASE_STEPS_MAX:
        raise InvalidFlow(f"a release has 1 to {RELEASE_STEPS_MAX} steps, not {len(steps)}")
    rising = all(one < other for one, other in pairwise(steps))
    if not rising or not steps[0] >= 0 or not steps[-1] < 1:
        told = ", ".join(f"{share:.6g}" for share in steps)
        raise InvalidFlow(
            f"steps are {told}; they are shares from 0 (a shadow) up to below 1, each above the last"
        )
    if every < 1:
        raise InvalidFlow(f"every is {every}; it is a number of the candidate's records from 1 up")


def policy_at(released: Released) -> Policy:
    """Return how answers are found at a release's step."""
    share = released.steps[released.step]
    champion, candidate = str(released.champion), f"{released.name}@{released.version}"
    if share == 0:
        return Shadow(Model(champion), also=(Model(candidate),))
    arms = ((Model(champion), 1 - share), (Model(candidate), share))
    return Split(arms, salt=candidate)


def judge(released: Released, measured: Measured) -> Verdict | None:
    """Return what becomes of a release by figures of its present step; None while nothing does.

    A step is judged by itself: figures of steps with other shares are not added up, as what is in
    them is mixed otherwise.
    """
    found = {VersionId(each.name, each.version): each for each in measured.versions}
    candidate = found.get(VersionId(released.name, released.version))
    if candidate is None:
        return None
    champion = found.get(released.champion, Figures(name="", version=""))
    evidence = (candidate, champion)
    wrong = parse_rule(released.roll_back).holds(candidate, champion)
    if wrong:
        return Verdict("rolled_back", wrong, evidence)
    enough = candidate.records >= released.every
    reached = f"{candidate.records} records, {released.every} are enough" if enough else ""
    if released.step + 1 < len(released.steps):
        return Verdict("stepped", reached, evidence) if enough else None
    if not released.promote:
        return Verdict("promoted", reached, evidence) if enough else None
    right = parse_rule(released.promote).holds(candidate, champion)
    return Verdict("promoted", right, evidence) if right and enough else None


def _condition(text: str, whole: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InvalidFlow(
            f"rule {whole!r} cannot be read at {text!r}; write such as "
            f"'auc + 0.01 over 5,000 labels' or 'errors > 1 % or p99 > 20 ms'"
        )
    figure, op, unit = match["figure"], match["op"], match["unit"]
    if (unit == "ms") != (figure in _MILLISECONDS):
        right = "in ms" if figure in _MILLISECONDS else "not in ms"
        raise InvalidFlow(f"rule {whole!r}: {figure} is {right}")
    of: Literal["records", "labels"] = "records" if figure in _RECORDS else "labels"
    least = 1 if figure in {"records", "labels"} else _LEAST[of]
    if match["of"]:
        of = "records" if match["of"] == "records" else "labels"
        least = int(match["count"].replace(",", ""))
    amount = float(match["amount"]) / (100 if unit == "%" else 1)
    return Condition(figure, _OPS[op], amount, least, of, text)


_LEAST = {"records": JUDGED_RECORDS_MIN, "labels": JUDGED_LABELS_MIN}
