"""Predicates as graphs of binary tests with three ends: true, false and unknown.

A graph lives in a `Decisions`; an end is a number below zero, a test one from zero up. Equal tests
are one test, and what an earlier test has settled about its input is not asked again. So the
missing-value strategies of trees are ordinary edges, and the kernel knows none of them.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from math import inf, nextafter
from typing import NamedTuple

from modelstream.formats.pmml.elements.predicates import (
    Always,
    CompoundPredicate,
    Never,
    Predicate,
    SimplePredicate,
    SimpleSetPredicate,
)
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL, MEMBER


class Question(NamedTuple):
    """What a test asks of one input: <= split, == split, or in members."""

    input: int
    mode: int
    split: float
    members: tuple[float, ...] = ()


class Test(NamedTuple):
    """A question and where each answer leads."""

    question: Question
    true: int
    false: int
    unknown: int


class Asked(NamedTuple):
    """A question, and whether its answer is the other way round."""

    question: Question
    negated: bool = False

    def turned(self, *, negate: bool) -> "Asked":
        """Return the question with its answer turned round, or as it is."""
        return Asked(self.question, self.negated != negate)


# Gives the question of a simple predicate; of isMissing and isNotMissing the input alone counts.
Ask = Callable[[SimplePredicate | SimpleSetPredicate], Asked]


class Decisions:
    """Tests that share what they have in common.

    `present` are the inputs that are known not to be missing, `certain` others that never are and
    may become more with every question. Work grows with the square of the
    number of tests, so a caller decides large predicates elsewhere.
    """

    def __init__(
        self, ask: Ask, present: AbstractSet[int], certain: AbstractSet[int] = frozenset()
    ) -> None:
        self.tests: list[Test] = []
        self._ask = ask
        self._present = present
        self._certain = certain
        self._known: dict[Test, int] = {}

    def decide(self, predicate: Predicate, true: int, false: int, unknown: int) -> int:
        """Return the graph that leads to one of three ends as a predicate turns out."""
        if isinstance(predicate, Always):
            return true
        if isinstance(predicate, Never):
            return false
        if isinstance(predicate, CompoundPredicate):
            return self._compound(predicate, true, false, unknown)
        if isinstance(predicate, SimplePredicate) and predicate.operator in _PRESENCE:
            there, absent = (false, true) if predicate.operator == "isMissing" else (true, false)
            return self.present(self._ask(predicate).question.input, there, absent)
        asked = self._ask(predicate)
        if asked.negated:
            true, false = false, true
        return self.test(asked.question, true, false, unknown)

    def test(self, question: Question, true: int, false: int, unknown: int) -> int:
        """Return a test; what follows it knows its answer, where that spares tests.

        A missing value goes along with one of the answers if it then still ends where it must:
        so it takes no test of its own, and nothing is reached twice.
        """
        if question.mode == MEMBER and not question.members:
            return self.present(question.input, false, unknown)
        number = question.input
        yes = self._settle(true, number, lambda t: _answer_after_yes(question, t))
        no = self._settle(false, number, lambda t: _answer_after_no(question, t))
        if self._is_present(number):
            return self._add(Test(question, yes, no, no))
        missing = self._settle(unknown, number, lambda t: t.unknown)
        if missing not in {yes, no}:
            if self._settle(false, number, lambda t: t.unknown) == missing:
                no = missing = false
            elif self._settle(true, number, lambda t: t.unknown) == missing:
                yes = missing = true
        return self._add(Test(question, yes, no, missing))

    def present(self, number: int, there: int, absent: int) -> int:
        """Return a test whether an input is not missing."""
        if self._is_present(number) or there == absent:
            return there
        absent = self._settle(absent, number, lambda t: t.unknown)
        anything = Question(number, LESS_OR_EQUAL, inf)
        return self._add(Test(anything, there, absent, absent))

    def threshold(self, number: int, split: float, below: int, above: int) -> int:
        """Return a test of an input that is never missing, whose answer nothing after it asks."""
        return self._add(Test(Question(number, LESS_OR_EQUAL, split), below, above, above))

    def _is_present(self, number: int) -> bool:
        return number in self._present or number in self._certain

    def _add(self, test: Test) -> int:
        if test.true == test.false == test.unknown:
            return test.true
        if test not in self._known:
            self._known[test] = len(self.tests)
            self.tests.append(test)
        return self._known[test]

    def _settle(self, root: int, number: int, answer: Callable[[Test], int | None]) -> int:
        """Return a graph without the tests of one input whose answer is settled."""
        if root < 0:
            return root
        settled: dict[int, int] = {}

        def visit(at: int) -> int:
            if at < 0:
                return at
            if at not in settled:
                test = self.tests[at]
                asked_here = test.question.input == number
                led_to = answer(test) if asked_here else None
                if led_to is not None:
                    settled[at] = visit(led_to)
                else:
                    true, false = visit(test.true), visit(test.false)
                    unknown = false if asked_here else visit(test.unknown)
                    settled[at] = self._add(Test(test.question, true, false, unknown))
            return settled[at]

        return visit(root)

    def _compound(self, predicate: CompoundPredicate, true: int, false: int, unknown: int) -> int:
        """Chain the parts from the last to the first."""
        operator, parts = predicate.boolean_operator, predicate.predicates
        if operator == "surrogate":
            for part in reversed(parts):
                unknown = self.decide(part, true, false, unknown)
            return unknown
        if operator == "and":
            return self._chain(parts, true, false, unknown)
        if operator == "or":  # not (not a and not b)
            return self._chain(parts, false, true, unknown, negate=True)
        even, odd = false, true
        for part in reversed(parts[1:]):
            even, odd = (
                self.decide(part, odd, even, unknown),
                self.decide(part, even, odd, unknown),
            )
        return self.decide(parts[0], odd, even, unknown)

    def _chain(
        self,
        parts: tuple[Predicate, ...],
        all_hold: int,
        one_fails: int,
        unknown: int,
        *,
        negate: bool = False,
    ) -> int:
        """Return Kleene's `and` of the parts, or of their negations."""
        # After an unknown part only a failing one can still change the end.
        sure, unsure = all_hold, unknown
        for part in reversed(parts):
            if negate:
                sure, unsure = (
                    self.decide(part, one_fails, sure, unsure),
                    self.decide(part, one_fails, unsure, unsure),
                )
            else:
                sure, unsure = (
                    self.decide(part, sure, one_fails, unsure),
                    self.decide(part, unsure, one_fails, unsure),
                )
        return sure


_PRESENCE = frozenset({"isMissing", "isNotMissing"})


def numeric_question(number: int, operator: str, value: float, *, boolean: bool) -> Asked:
    """Return the question of a comparison with a number; all but equality are `<=`.

    The kernel is fastest where all tests are of one kind: x < v is x <= the number before v.
    """
    if operator in {"lessOrEqual", "greaterThan"}:
        return Asked(Question(number, LESS_OR_EQUAL, value), operator == "greaterThan")
    if operator in {"lessThan", "greaterOrEqual"}:
        before = nextafter(value, -inf)
        return Asked(Question(number, LESS_OR_EQUAL, before), operator == "greaterOrEqual")
    negated = operator == "notEqual"
    if boolean and value in {0.0, 1.0}:
        return Asked(Question(number, LESS_OR_EQUAL, 0.5), negated != (value == 1.0))
    return Asked(Question(number, EQUAL, value), negated)


def _answer_after_yes(question: Question, test: Test) -> int | None:
    """Return where a later test of the same input leads once a question was answered yes.

    None: it is not settled, except that the input is not missing.
    """
    later = test.question
    if later == question:
        return test.true
    if later.mode == LESS_OR_EQUAL and later.split == inf:
        return test.true
    if later.mode == question.mode == LESS_OR_EQUAL and later.split >= question.split:
        return test.true
    return None


def _answer_after_no(question: Question, test: Test) -> int | None:
    """Return the same once a question was answered no."""
    later = test.question
    if later == question:
        return test.false
    if later.mode == LESS_OR_EQUAL and later.split == inf:
        return test.true
    if later.mode == question.mode == LESS_OR_EQUAL and later.split <= question.split:
        return test.false
    return None
