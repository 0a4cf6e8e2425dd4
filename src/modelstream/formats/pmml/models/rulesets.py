"""Compile RuleSetModel: rules with predicates, and which of those that fire answers.

DMG 4.4, Ruleset. A rule whose predicate is unknown does not fire; rules without an id are known
by their number, from 1. The standard defines no probabilities for rule sets.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.elements.rulesets import CompoundRule, Rule, RuleSetModel, SimpleRule
from modelstream.formats.pmml.expressions.predicates import compile_predicate
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Compiled, Scope, check_depth
from modelstream.formats.pmml.fields.values import texts
from modelstream.messages import Column

_Fires = Callable[[Batch], Column]


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """The simple rules in the document's order; `scores` are positions of labels."""

    labels: tuple[str, ...]
    rules: tuple[SimpleRule, ...]
    fires: tuple[_Fires, ...]
    scores: Column
    default: int | None
    default_confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What the rules say of each row; `winner` is a rule's position, -1 where none fires."""

    prediction: Prediction
    winner: Column


def compile_rule_set(model: RuleSetModel, scope: Scope, labels: tuple[str, ...]) -> Body:
    """Return a RuleSetModel's rule; `labels` are the categories declared for its target.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    if not model.rule_set.methods:
        raise InvalidModel("a RuleSet needs a RuleSelectionMethod")
    rules = _flatten(model, scope, labels)
    criterion = model.rule_set.methods[0].criterion
    select = _by_sum(rules) if criterion == "weightedSum" else _by_first(rules, criterion)
    cells = scope.context.cells
    outcome = cells.make(select)
    answer = cells.make(lambda batch: batch.read(outcome).prediction)
    entity = _refuse_entity if criterion == "weightedSum" else _entity(rules, outcome)
    return Body(rules.labels, answer, features={"entityId": entity}, probable=False)


def _flatten(model: RuleSetModel, scope: Scope, labels: tuple[str, ...]) -> _Rules:
    """Return the simple rules, each firing where those around it do."""
    rule_set = model.rule_set
    pairs = [pair for rule in rule_set.rules for pair in _simple_rules(rule, scope, ())]
    scores = [rule.score for rule, _ in pairs]
    default = [] if rule_set.default_score is None else [rule_set.default_score]
    every = tuple(dict.fromkeys((*labels, *scores, *default)))
    confidence = rule_set.default_confidence
    return _Rules(
        every,
        tuple(rule for rule, _ in pairs),
        tuple(fires for _, fires in pairs),
        np.array([every.index(score) for score in scores], dtype=np.intp),
        every.index(default[0]) if default else None,
        np.nan if confidence is None else confidence,
    )


def _simple_rules(
    rule: Rule, scope: Scope, around: tuple[Cell[Column], ...]
) -> Iterator[tuple[SimpleRule, _Fires]]:
    check_depth(len(around))
    test = compile_predicate(rule.predicate, scope)
    cell = scope.context.cells.make(lambda batch: test(batch) == 1.0)
    parts = (*around, cell)
    if isinstance(rule, CompoundRule):
        for inner in rule.rules:
            yield from _simple_rules(inner, scope, parts)
    else:
        yield rule, lambda batch: np.logical_and.reduce([batch.read(part) for part in parts])


def _by_first(rules: _Rules, criterion: str) -> Callable[[Batch], _Outcome]:
    """Return what chooses the first rule that fires; of weightedMax, of the greatest weight.

    A category that is not predicted has the confidence of the rule that would have been next.
    """
    order = np.arange(len(rules.rules))
    if criterion == "weightedMax":
        order = np.argsort([-rule.weight for rule in rules.rules], kind="stable")

    def select(batch: Batch) -> _Outcome:
        winner = np.full(batch.rows, -1, dtype=np.intp)
        confidences = np.full((batch.rows, len(rules.labels)), np.nan)
        for number in order:
            fired, label = rules.fires[number](batch), rules.scores[number]
            winner[fired & (winner < 0)] = number
            next_ = fired & np.isnan(confidences[:, label])
            confidences[next_, label] = rules.rules[number].confidence
        values = np.where(winner < 0, np.nan, np.append(rules.scores, 0)[winner])
        return _with_default(rules, values, confidences, winner)

    return select


def _by_sum(rules: _Rules) -> Callable[[Batch], _Outcome]:
    """Return what chooses the category with the greatest weight; of equals, the first declared.

    A category's confidence is that of its rules, in sum, over the number of rules that fire.
    """

    def select(batch: Batch) -> _Outcome:
        shape = (batch.rows, len(rules.labels))
        weights, confidences, counts = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for rule, fires, label in zip(rules.rules, rules.fires, rules.scores, strict=True):
            fired = fires(batch)
            weights[fired, label] += rule.weight
            confidences[fired, label] += rule.confidence
            counts[fired, label] += 1
        none = counts.sum(axis=1) == 0
        best = np.where(counts > 0, weights, -np.inf).argmax(axis=1)
        shares = np.where(counts > 0, confidences, np.nan) / counts.sum(axis=1, keepdims=True)
        winner = np.full(batch.rows, -1, dtype=np.intp)
        return _with_default(rules, np.where(none, np.nan, best), shares, winner)

    return select


def _with_default(rules: _Rules, values: Column, confidences: Column, winner: Column) -> _Outcome:
    """Return the outcome with the default score where no rule fires."""
    none = np.isnan(values)
    if rules.default is not None:
        values = np.where(none, rules.default, values)
        confidences[none, rules.default] = rules.default_confidence
    return _Outcome(Prediction(values, None, confidences), winner)


def _entity(rules: _Rules, outcome: Cell[_Outcome]) -> Callable[[OutputField], Compiled]:
    """Return the output of the winning rule's id; the default score has none."""
    ids = [rule.id or str(number) for number, rule in enumerate(rules.rules, start=1)]
    table = texts([*ids, None])

    def build(output: OutputField) -> Compiled:
        if (output.rank or 1) != 1:
            raise UnsupportedModel(
                f"OutputField {output.name!r}: rank of entityId other than 1 is not evaluated"
            )
        return Compiled("string", lambda batch: table[batch.read(outcome).winner])

    return build


def _refuse_entity(output: OutputField) -> Compiled:
    raise UnsupportedModel(
        f"OutputField {output.name!r}: with criterion weightedSum no single rule answers; "
        "entityId is evaluated for firstHit and weightedMax"
    )
