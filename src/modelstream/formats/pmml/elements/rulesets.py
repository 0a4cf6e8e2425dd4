"""The element types of RuleSetModel (DMG 4.4, Ruleset)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import PREDICATE, RULE, Element
from modelstream.formats.pmml.elements.distributions import ScoreDistribution
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.predicates import Predicate


class RuleSelectionMethod(Element, kw_only=True, frozen=True):
    """How one answer is made of the rules that fire."""

    criterion: Literal["firstHit", "weightedSum", "weightedMax"]


class SimpleRule(Element, kw_only=True, frozen=True):
    """A predicate, and the category where it is true."""

    id: str | None = None
    score: str
    record_count: float | None = None
    nb_correct: float | None = None
    confidence: float = 1.0
    weight: float = 1.0
    predicate: Predicate = msgspec.field(name=PREDICATE)
    distribution: tuple[ScoreDistribution, ...] = msgspec.field(
        name="ScoreDistribution", default=()
    )


class CompoundRule(Element, kw_only=True, frozen=True):
    """Rules that have a predicate in common."""

    predicate: Predicate = msgspec.field(name=PREDICATE)
    rules: "tuple[Rule, ...]" = msgspec.field(name=RULE)


Rule = SimpleRule | CompoundRule


class RuleSet(Element, kw_only=True, frozen=True):
    """The rules, and the answer where none fires; the first selection method is the one to use."""

    record_count: float | None = None
    nb_correct: float | None = None
    default_score: str | None = None
    default_confidence: float | None = None
    methods: tuple[RuleSelectionMethod, ...] = msgspec.field(name="RuleSelectionMethod")
    distribution: tuple[ScoreDistribution, ...] = msgspec.field(
        name="ScoreDistribution", default=()
    )
    rules: tuple[Rule, ...] = msgspec.field(name=RULE, default=())


class RuleSetModel(Model, kw_only=True, frozen=True):
    """A set of rules that predict a category."""

    function_name: Literal["classification"]
    rule_set: RuleSet = msgspec.field(name="RuleSet")


RULES = (SimpleRule, CompoundRule)
PARTS = (RuleSelectionMethod, RuleSet)
