"""The element types of clustering models (DMG 4.4, Clustering Models)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.comparisons import (
    CompareFunction,
    ComparisonMeasure,
    Comparisons,
)
from modelstream.formats.pmml.elements.model import Model
from modelstream.formats.pmml.elements.predicates import Array


class ClusteringField(Element, kw_only=True, frozen=True):
    """A coordinate of clusters, and how it is compared."""

    field: str
    is_center_field: bool = True
    field_weight: float = 1.0
    similarity_scale: float | None = None
    compare_function: CompareFunction | None = None
    comparisons: Comparisons | None = msgspec.field(name="Comparisons", default=None)


class MissingValueWeights(Element, kw_only=True, frozen=True):
    """How much each field weighs when what is missing is made up for."""

    array: Array = msgspec.field(name="Array")


class Cluster(Element, kw_only=True, frozen=True):
    """One cluster: its centre."""

    id: str | None = None
    name: str | None = None
    size: int | None = None
    centre: Array | None = msgspec.field(name="Array", default=None)


class ClusteringModel(Model, kw_only=True, frozen=True):
    """Clusters by their centres; those by statistics have no rule of scoring in the standard."""

    function_name: Literal["clustering"]
    model_class: Literal["centerBased"]
    number_of_clusters: int | None = None
    measure: ComparisonMeasure = msgspec.field(name="ComparisonMeasure")
    fields: tuple[ClusteringField, ...] = msgspec.field(name="ClusteringField", default=())
    missing_value_weights: MissingValueWeights | None = msgspec.field(
        name="MissingValueWeights", default=None
    )
    clusters: tuple[Cluster, ...] = msgspec.field(name="Cluster", default=())


PARTS = (ClusteringField, MissingValueWeights, Cluster)
