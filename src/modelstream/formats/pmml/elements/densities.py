"""The element types of distributions (DMG 4.4, Statistics: CONTINUOUS-DISTRIBUTION-TYPES)."""

from modelstream.formats.pmml.elements.base import Element


class GaussianDistribution(Element, kw_only=True, frozen=True):
    """The normal distribution."""

    mean: float
    variance: float


class PoissonDistribution(Element, kw_only=True, frozen=True):
    """The distribution of counts of independent events."""

    mean: float


PARTS: tuple[type[Element], ...] = (GaussianDistribution, PoissonDistribution)
