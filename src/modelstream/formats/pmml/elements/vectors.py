"""The element types of support vector machines (DMG 4.4, Vector Machine)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import TEXT, Element
from modelstream.formats.pmml.elements.expressions import FieldRef
from modelstream.formats.pmml.elements.model import Function, Model
from modelstream.formats.pmml.elements.predicates import Array
from modelstream.formats.pmml.elements.predictors import CategoricalPredictor

# The group of what a coordinate of vectors can be; they are in one order.
COORDINATE = "#coordinate"


class Indices(Element, kw_only=True, frozen=True):
    """The positions of what a sparse array holds, from one."""

    text: str = msgspec.field(name=TEXT, default="")


class RealEntries(Element, tag="REAL-Entries", kw_only=True, frozen=True):
    """The numbers that a sparse array holds."""

    text: str = msgspec.field(name=TEXT, default="")


class RealSparseArray(Element, tag="REAL-SparseArray", kw_only=True, frozen=True):
    """Numbers at some positions, `default_value` at all others."""

    n: int | None = None
    default_value: float = 0.0
    indices: Indices | None = msgspec.field(name="Indices", default=None)
    entries: RealEntries | None = msgspec.field(name="REAL-Entries", default=None)


class VectorFields(Element, kw_only=True, frozen=True):
    """The coordinates of all vectors."""

    number_of_fields: int | None = None
    coordinates: tuple[FieldRef | CategoricalPredictor, ...] = msgspec.field(
        name=COORDINATE, default=()
    )


class VectorInstance(Element, kw_only=True, frozen=True):
    """One vector."""

    id: str
    dense: Array | None = msgspec.field(name="Array", default=None)
    sparse: RealSparseArray | None = msgspec.field(name="REAL-SparseArray", default=None)


class VectorDictionary(Element, kw_only=True, frozen=True):
    """All vectors of a model."""

    number_of_vectors: int | None = None
    fields: VectorFields = msgspec.field(name="VectorFields")
    vectors: tuple[VectorInstance, ...] = msgspec.field(name="VectorInstance", default=())


class LinearKernelType(Element, kw_only=True, frozen=True):
    """K(x, y) = <x, y>."""

    description: str | None = None


class PolynomialKernelType(Element, kw_only=True, frozen=True):
    """K(x, y) = (gamma * <x, y> + coef0) ** degree."""

    description: str | None = None
    gamma: float = 1.0
    coef0: float = 1.0
    degree: float = 1.0


class RadialBasisKernelType(Element, kw_only=True, frozen=True):
    """K(x, y) = exp(-gamma * ||x - y|| ** 2)."""

    description: str | None = None
    gamma: float = 1.0


class SigmoidKernelType(Element, kw_only=True, frozen=True):
    """K(x, y) = tanh(gamma * <x, y> + coef0)."""

    description: str | None = None
    gamma: float = 1.0
    coef0: float = 1.0


class SupportVector(Element, kw_only=True, frozen=True):
    """A vector of the dictionary."""

    vector_id: str


class SupportVectors(Element, kw_only=True, frozen=True):
    """The vectors of one machine."""

    number_of_support_vectors: int | None = None
    number_of_attributes: int | None = None
    vectors: tuple[SupportVector, ...] = msgspec.field(name="SupportVector", default=())


class Coefficient(Element, kw_only=True, frozen=True):
    """One coefficient."""

    value: float = 0.0


class Coefficients(Element, kw_only=True, frozen=True):
    """A coefficient for each vector, or for each coordinate, and the constant."""

    number_of_coefficients: int | None = None
    absolute_value: float = 0.0
    values: tuple[Coefficient, ...] = msgspec.field(name="Coefficient", default=())


class SupportVectorMachine(Element, kw_only=True, frozen=True):
    """One function on vectors, and the categories that it separates."""

    target_category: str | None = None
    alternate_target_category: str | None = None
    threshold: float | None = None
    vectors: SupportVectors | None = msgspec.field(name="SupportVectors", default=None)
    coefficients: Coefficients = msgspec.field(name="Coefficients")


class SupportVectorMachineModel(Model, kw_only=True, frozen=True):
    """Support vector machines with one kernel."""

    function_name: Function
    threshold: float = 0.0
    svm_representation: Literal["SupportVectors", "Coefficients"] = "SupportVectors"
    classification_method: Literal["OneAgainstAll", "OneAgainstOne"] = "OneAgainstAll"
    max_wins: bool = False
    alternate_binary_target_category: str | None = None  # until PMML 4.0: of the only machine
    linear: LinearKernelType | None = msgspec.field(name="LinearKernelType", default=None)
    polynomial: PolynomialKernelType | None = msgspec.field(
        name="PolynomialKernelType", default=None
    )
    radial: RadialBasisKernelType | None = msgspec.field(name="RadialBasisKernelType", default=None)
    sigmoid: SigmoidKernelType | None = msgspec.field(name="SigmoidKernelType", default=None)
    dictionary: VectorDictionary = msgspec.field(name="VectorDictionary")
    machines: tuple[SupportVectorMachine, ...] = msgspec.field(
        name="SupportVectorMachine", default=()
    )


PARTS = (
    Indices,
    RealEntries,
    RealSparseArray,
    VectorFields,
    VectorInstance,
    VectorDictionary,
    LinearKernelType,
    PolynomialKernelType,
    RadialBasisKernelType,
    SigmoidKernelType,
    SupportVector,
    SupportVectors,
    Coefficient,
    Coefficients,
    SupportVectorMachine,
)
