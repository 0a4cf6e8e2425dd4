"""The element types of comparisons between records (DMG 4.4, Clustering: comparison measures)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.matrices import Matrix

CompareFunction = Literal["absDiff", "gaussSim", "delta", "equal", "table"]

# The group of what a comparison measure can be.
MEASURE = "#measure"


class Euclidean(Element, tag="euclidean", kw_only=True, frozen=True):
    """The root of the sum of squares."""


class SquaredEuclidean(Element, tag="squaredEuclidean", kw_only=True, frozen=True):
    """The sum of squares."""


class Chebychev(Element, tag="chebychev", kw_only=True, frozen=True):
    """The maximum."""


class CityBlock(Element, tag="cityBlock", kw_only=True, frozen=True):
    """The sum."""


class Minkowski(Element, tag="minkowski", kw_only=True, frozen=True):
    """The p-th root of the sum of p-th powers."""

    p: float = msgspec.field(name="p-parameter")


class SimpleMatching(Element, tag="simpleMatching", kw_only=True, frozen=True):
    """The share of fields that are alike."""


class Jaccard(Element, tag="jaccard", kw_only=True, frozen=True):
    """Among the fields that are one in either, the share that are one in both."""


class Tanimoto(Element, tag="tanimoto", kw_only=True, frozen=True):
    """The share of fields that are alike, where those that are not count twice."""


class BinarySimilarity(Element, tag="binarySimilarity", kw_only=True, frozen=True):
    """A ratio of weighted counts of the four ways that two bits can meet."""

    c00: float = msgspec.field(name="c00-parameter")
    c01: float = msgspec.field(name="c01-parameter")
    c10: float = msgspec.field(name="c10-parameter")
    c11: float = msgspec.field(name="c11-parameter")
    d00: float = msgspec.field(name="d00-parameter")
    d01: float = msgspec.field(name="d01-parameter")
    d10: float = msgspec.field(name="d10-parameter")
    d11: float = msgspec.field(name="d11-parameter")


Distance = Euclidean | SquaredEuclidean | Chebychev | CityBlock | Minkowski
Similarity = SimpleMatching | Jaccard | Tanimoto | BinarySimilarity


class ComparisonMeasure(Element, kw_only=True, frozen=True):
    """How two records are compared, and whether less or more is closer."""

    kind: Literal["distance", "similarity"]
    compare_function: CompareFunction = "absDiff"
    minimum: float | None = None
    maximum: float | None = None
    measure: Distance | Similarity = msgspec.field(name=MEASURE)


class Comparisons(Element, kw_only=True, frozen=True):
    """What the comparison of any two values of a field gives."""

    matrix: Matrix = msgspec.field(name="Matrix")


MEASURES = (
    Euclidean,
    SquaredEuclidean,
    Chebychev,
    CityBlock,
    Minkowski,
    SimpleMatching,
    Jaccard,
    Tanimoto,
    BinarySimilarity,
)
PARTS = (*MEASURES, ComparisonMeasure, Comparisons)
