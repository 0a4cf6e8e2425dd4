"""The element types of GaussianProcessModel (DMG 4.4, Gaussian Process Models)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.nearestneighbor import TrainingInstances
from modelstream.formats.pmml.elements.predicates import Array


class Lambda(Element, kw_only=True, frozen=True):
    """A length scale a field."""

    array: Array = msgspec.field(name="Array")


class RadialBasisKernel(Element, kw_only=True, frozen=True):
    """The squared exponential with one length scale for all fields."""

    description: str | None = None
    gamma: float = 1.0
    noise_variance: float = 1.0
    length: float = msgspec.field(name="lambda", default=1.0)


class ARDSquaredExponentialKernel(Element, kw_only=True, frozen=True):
    """The squared exponential with a length scale a field."""

    description: str | None = None
    gamma: float = 1.0
    noise_variance: float = 1.0
    lengths: Lambda = msgspec.field(name="Lambda")


class AbsoluteExponentialKernel(Element, kw_only=True, frozen=True):
    """The exponential of distances, with a length scale a field."""

    description: str | None = None
    gamma: float = 1.0
    noise_variance: float = 1.0
    lengths: Lambda = msgspec.field(name="Lambda")


class GeneralizedExponentialKernel(Element, kw_only=True, frozen=True):
    """The exponential of a power of distances, with a length scale a field."""

    description: str | None = None
    gamma: float = 1.0
    noise_variance: float = 1.0
    degree: float = 1.0
    lengths: Lambda = msgspec.field(name="Lambda")


class GaussianProcessModel(Model, kw_only=True, frozen=True):
    """A regression by what is known at the training instances."""

    function_name: Literal["regression"]
    optimizer: str | None = None  # what found the kernel's numbers
    radial: RadialBasisKernel | None = msgspec.field(name="RadialBasisKernel", default=None)
    squared: ARDSquaredExponentialKernel | None = msgspec.field(
        name="ARDSquaredExponentialKernel", default=None
    )
    absolute: AbsoluteExponentialKernel | None = msgspec.field(
        name="AbsoluteExponentialKernel", default=None
    )
    generalized: GeneralizedExponentialKernel | None = msgspec.field(
        name="GeneralizedExponentialKernel", default=None
    )
    instances: TrainingInstances = msgspec.field(name="TrainingInstances")


PARTS: tuple[type[Element], ...] = (
    Lambda,
    RadialBasisKernel,
    ARDSquaredExponentialKernel,
    AbsoluteExponentialKernel,
    GeneralizedExponentialKernel,
)
