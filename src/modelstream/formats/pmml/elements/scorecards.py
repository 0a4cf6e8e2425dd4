"""The element types of Scorecard (DMG 4.4, Scorecard)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import EXPRESSION, PREDICATE, Element
from modelstream.formats.pmml.elements.expressions import Expression
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.predicates import Predicate


class ComplexPartialScore(Element, kw_only=True, frozen=True):
    """A partial score that is computed."""

    expression: Expression = msgspec.field(name=EXPRESSION)


class Attribute(Element, kw_only=True, frozen=True):
    """The partial score where a predicate is true; one that is computed comes first."""

    reason_code: str | None = None
    partial_score: float | None = None
    predicate: Predicate = msgspec.field(name=PREDICATE)
    complex: ComplexPartialScore | None = msgspec.field(name="ComplexPartialScore", default=None)


class Characteristic(Element, kw_only=True, frozen=True):
    """One addend of the score: that of the first attribute whose predicate is true."""

    name: str | None = None
    reason_code: str | None = None
    baseline_score: float | None = None
    attributes: tuple[Attribute, ...] = msgspec.field(name="Attribute", default=())


class Characteristics(Element, kw_only=True, frozen=True):
    """The addends of the score."""

    characteristics: tuple[Characteristic, ...] = msgspec.field(name="Characteristic", default=())


class Scorecard(Model, kw_only=True, frozen=True):
    """A sum of partial scores, and the reasons why it is not better."""

    function_name: Literal["regression"]
    initial_score: float = 0.0
    use_reason_codes: bool = True
    reason_code_algorithm: Literal["pointsAbove", "pointsBelow"] = "pointsBelow"
    baseline_score: float | None = None
    # Says how the producer chose the baselines, which are given as numbers whatever it is.
    baseline_method: Literal["max", "min", "mean", "neutral", "other"] = "other"
    characteristics: Characteristics = msgspec.field(name="Characteristics")


PARTS = (ComplexPartialScore, Attribute, Characteristic, Characteristics)
