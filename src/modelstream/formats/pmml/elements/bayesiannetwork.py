"""The element types of BayesianNetworkModel (DMG 4.4, Bayesian Network Models)."""

import msgspec

from modelstream.formats.pmml.elements.base import EXPRESSION, Element
from modelstream.formats.pmml.elements.expressions import DerivedField, Expression
from modelstream.formats.pmml.elements.model import Model


class ParentValue(Element, kw_only=True, frozen=True):
    """The condition that a parent has a value."""

    parent: str
    value: str


class ValueProbability(Element, kw_only=True, frozen=True):
    """How probable a value is."""

    value: str
    probability: float


class DiscreteConditionalProbability(Element, kw_only=True, frozen=True):
    """How probable the values of a node are where its parents have these values."""

    count: float | None = None
    conditions: tuple[ParentValue, ...] = msgspec.field(name="ParentValue", default=())
    probabilities: tuple[ValueProbability, ...] = msgspec.field(name="ValueProbability", default=())


class DiscreteNode(Element, kw_only=True, frozen=True):
    """A random variable with some values: conditional on its parents, or without any."""

    name: str
    count: float | None = None
    derived: tuple[DerivedField, ...] = msgspec.field(name="DerivedField", default=())
    conditionals: tuple[DiscreteConditionalProbability, ...] = msgspec.field(
        name="DiscreteConditionalProbability", default=()
    )
    probabilities: tuple[ValueProbability, ...] = msgspec.field(name="ValueProbability", default=())


class Mean(Element, kw_only=True, frozen=True):
    """The mean of a distribution."""

    expression: Expression = msgspec.field(name=EXPRESSION)


class Variance(Element, kw_only=True, frozen=True):
    """The variance of a distribution."""

    expression: Expression = msgspec.field(name=EXPRESSION)


class Lower(Element, kw_only=True, frozen=True):
    """The least value of a distribution."""

    expression: Expression = msgspec.field(name=EXPRESSION)


class Upper(Element, kw_only=True, frozen=True):
    """The greatest value of a distribution."""

    expression: Expression = msgspec.field(name=EXPRESSION)


class NormalDistribution(Element, tag="NormalDistributionForBN", kw_only=True, frozen=True):
    """The normal distribution."""

    mean: Mean = msgspec.field(name="Mean")
    variance: Variance = msgspec.field(name="Variance")


class TriangularDistribution(Element, tag="TriangularDistributionForBN", kw_only=True, frozen=True):
    """The triangular distribution."""

    mean: Mean = msgspec.field(name="Mean")
    lower: Lower = msgspec.field(name="Lower")
    upper: Upper = msgspec.field(name="Upper")


class UniformDistribution(Element, tag="UniformDistributionForBN", kw_only=True, frozen=True):
    """The continuous uniform distribution."""

    lower: Lower = msgspec.field(name="Lower")
    upper: Upper = msgspec.field(name="Upper")


class ContinuousDistribution(Element, kw_only=True, frozen=True):
    """One distribution, its parameters computed from the values of other nodes."""

    normal: NormalDistribution | None = msgspec.field(name="NormalDistributionForBN", default=None)
    triangular: TriangularDistribution | None = msgspec.field(
        name="TriangularDistributionForBN", default=None
    )
    uniform: UniformDistribution | None = msgspec.field(
        name="UniformDistributionForBN", default=None
    )


class ContinuousConditionalProbability(Element, kw_only=True, frozen=True):
    """The distribution of a node where its parents have these values."""

    count: float | None = None
    conditions: tuple[ParentValue, ...] = msgspec.field(name="ParentValue", default=())
    distribution: ContinuousDistribution = msgspec.field(name="ContinuousDistribution")


class ContinuousNode(Element, kw_only=True, frozen=True):
    """A random variable that is a number: conditional on its parents, or without any."""

    name: str
    count: float | None = None
    derived: tuple[DerivedField, ...] = msgspec.field(name="DerivedField", default=())
    conditionals: tuple[ContinuousConditionalProbability, ...] = msgspec.field(
        name="ContinuousConditionalProbability", default=()
    )
    distribution: ContinuousDistribution | None = msgspec.field(
        name="ContinuousDistribution", default=None
    )


class BayesianNetworkNodes(Element, kw_only=True, frozen=True):
    """All random variables."""

    discrete: tuple[DiscreteNode, ...] = msgspec.field(name="DiscreteNode", default=())
    continuous: tuple[ContinuousNode, ...] = msgspec.field(name="ContinuousNode", default=())


class BayesianNetworkModel(Model, kw_only=True, frozen=True):
    """A directed graph of random variables; the kind of the target's node is that of the model."""

    nodes: BayesianNetworkNodes = msgspec.field(name="BayesianNetworkNodes")


PARTS: tuple[type[Element], ...] = (
    ParentValue,
    ValueProbability,
    DiscreteConditionalProbability,
    DiscreteNode,
    Mean,
    Variance,
    Lower,
    Upper,
    NormalDistribution,
    TriangularDistribution,
    UniformDistribution,
    ContinuousDistribution,
    ContinuousConditionalProbability,
    ContinuousNode,
    BayesianNetworkNodes,
)
