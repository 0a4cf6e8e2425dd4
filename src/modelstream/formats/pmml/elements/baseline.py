"""The element types of BaselineModel (DMG 4.4, Baseline Model)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.densities import (
    AnyDistribution,
    GaussianDistribution,
    PoissonDistribution,
    UniformDistribution,
)
from modelstream.formats.pmml.elements.model import Model

TestStatistic = Literal[
    "zValue", "chiSquareIndependence", "chiSquareDistribution", "CUSUM", "scalarProduct"
]


class Baseline(Element, kw_only=True, frozen=True):
    """The distribution of a field as long as nothing has changed."""

    any: AnyDistribution | None = msgspec.field(name="AnyDistribution", default=None)
    gaussian: GaussianDistribution | None = msgspec.field(name="GaussianDistribution", default=None)
    poisson: PoissonDistribution | None = msgspec.field(name="PoissonDistribution", default=None)
    uniform: UniformDistribution | None = msgspec.field(name="UniformDistribution", default=None)


class Alternate(Baseline, kw_only=True, frozen=True):
    """The distribution of a field after a change."""


class TestDistributions(Element, kw_only=True, frozen=True):
    """How records are tested for a change."""

    field: str
    test_statistic: TestStatistic
    reset_value: float = 0.0
    window_size: int = 0
    weight_field: str | None = None
    normalization_scheme: str | None = None
    baseline: Baseline = msgspec.field(name="Baseline")
    alternate: Alternate | None = msgspec.field(name="Alternate", default=None)


class BaselineModel(Model, kw_only=True, frozen=True):
    """A score of how far a record is from what was usual."""

    test: TestDistributions = msgspec.field(name="TestDistributions")


PARTS: tuple[type[Element], ...] = (Baseline, Alternate, TestDistributions)
