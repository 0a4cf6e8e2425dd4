"""The element types of NaiveBayesModel (DMG 4.4, Naive Bayes)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.densities import (
    GaussianDistribution,
    PoissonDistribution,
    UniformDistribution,
)
from modelstream.formats.pmml.elements.expressions import DerivedField
from modelstream.formats.pmml.elements.model import Model


class TargetValueCount(Element, kw_only=True, frozen=True):
    """How often a category of the target was seen."""

    value: str
    count: float


class TargetValueCounts(Element, kw_only=True, frozen=True):
    """How often the categories of the target were seen; never, where one is not here."""

    counts: tuple[TargetValueCount, ...] = msgspec.field(name="TargetValueCount", default=())


class PairCounts(Element, kw_only=True, frozen=True):
    """How often a value of an input was seen with each category of the target."""

    value: str
    counts: TargetValueCounts = msgspec.field(name="TargetValueCounts")


class TargetValueStat(Element, kw_only=True, frozen=True):
    """The distribution of an input where the target is of a category."""

    value: str
    gaussian: GaussianDistribution | None = msgspec.field(name="GaussianDistribution", default=None)
    poisson: PoissonDistribution | None = msgspec.field(name="PoissonDistribution", default=None)
    uniform: UniformDistribution | None = msgspec.field(name="UniformDistribution", default=None)


class TargetValueStats(Element, kw_only=True, frozen=True):
    """The distributions of an input."""

    stats: tuple[TargetValueStat, ...] = msgspec.field(name="TargetValueStat", default=())


class BayesInput(Element, kw_only=True, frozen=True):
    """One input: discrete with pairs, or continuous with distributions."""

    field_name: str
    derived: DerivedField | None = msgspec.field(name="DerivedField", default=None)
    stats: TargetValueStats | None = msgspec.field(name="TargetValueStats", default=None)
    pairs: tuple[PairCounts, ...] = msgspec.field(name="PairCounts", default=())


class BayesInputs(Element, kw_only=True, frozen=True):
    """All inputs."""

    inputs: tuple[BayesInput, ...] = msgspec.field(name="BayesInput", default=())


class BayesOutput(Element, kw_only=True, frozen=True):
    """The target."""

    field_name: str | None = None
    counts: TargetValueCounts = msgspec.field(name="TargetValueCounts")


class NaiveBayesModel(Model, kw_only=True, frozen=True):
    """Probabilities of categories from inputs taken to be independent."""

    function_name: Literal["classification"]

    threshold: float
    inputs: BayesInputs = msgspec.field(name="BayesInputs")
    target: BayesOutput = msgspec.field(name="BayesOutput")


PARTS: tuple[type[Element], ...] = (
    TargetValueCount,
    TargetValueCounts,
    PairCounts,
    TargetValueStat,
    TargetValueStats,
    BayesInput,
    BayesInputs,
    BayesOutput,
)
