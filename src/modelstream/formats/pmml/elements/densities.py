"""The element types of distributions (DMG 4.4, Statistics: CONTINUOUS-DISTRIBUTION-TYPES)."""

from modelstream.formats.pmml.elements.base import Element


class AnyDistribution(Element, kw_only=True, frozen=True):
    """A distribution of which no more is known than this."""

    mean: float
    variance: float


class GaussianDistribution(Element, kw_only=True, frozen=True):
    """The normal distribution."""

    mean: float
    variance: float


class PoissonDistribution(Element, kw_only=True, frozen=True):
    """The distribution of counts of independent events."""

    mean: float


class UniformDistribution(Element, kw_only=True, frozen=True):
    """The continuous uniform distribution."""

    lower: float
    upper: float


PARTS: tuple[type[Element], ...] = (
    AnyDistribution,
    GaussianDistribution,
    PoissonDistribution,
    UniformDistribution,
)
