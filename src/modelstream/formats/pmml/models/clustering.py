"""Compile ClusteringModel: the cluster whose centre is closest to a record.

DMG 4.4, Clustering Models. The answer is the cluster's id, or its number from one where it has
none. Missing fields are made up for by the others; with all missing there is no answer.
"""

from collections.abc import Sequence

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, OwnFeature, Prediction
from modelstream.formats.pmml.elements.clustering import Cluster, ClusteringField, ClusteringModel
from modelstream.formats.pmml.elements.comparisons import Distance
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.fields.arrays import array_items, array_numbers, parse_numbers
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Compiled, Field, Scope
from modelstream.formats.pmml.fields.stacks import refuse_single_precision, stack_fields
from modelstream.formats.pmml.fields.values import Scalar, is_text, parse_declared, texts
from modelstream.formats.pmml.models.comparisons import Comparison, make_measure, refuse_cyclic
from modelstream.formats.pmml.models.matrices import matrix_table
from modelstream.messages import Column


def compile_clustering(model: ClusteringModel, scope: Scope) -> Body:
    """Return a ClusteringModel's rule.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    refuse_single_precision(model)
    clusters = model.clusters
    if not clusters or model.number_of_clusters not in {None, len(clusters)}:
        raise InvalidModel(
            f"a ClusteringModel of {model.number_of_clusters} clusters has {len(clusters)}"
        )
    if len(clusters) > limits.PMML_CLUSTERS_MAX:
        raise UnsupportedModel(
            f"a ClusteringModel of {len(clusters)} clusters; {limits.PMML_CLUSTERS_MAX} are evaluated"
        )
    ids = tuple(cluster.id or str(number) for number, cluster in enumerate(clusters, start=1))
    if len(set(ids)) < len(ids):
        raise InvalidModel("two Clusters of a ClusteringModel have the same id")
    make = scope.context.cells.make
    affinities = _affinities(model, scope)
    sign = 1.0 if model.measure.kind == "distance" else -1.0

    def rank(batch: Batch) -> Column:
        table = batch.read(affinities)
        order = np.argsort(sign * table, axis=0, kind="stable").astype(np.float64)
        return np.where(np.isnan(table).any(axis=0), np.nan, order)

    ranked = make(rank)
    names = texts([cluster.name for cluster in clusters])
    features = _features(ids, names, ranked, affinities)
    cell = make(lambda batch: Prediction(batch.read(ranked)[0]))
    return Body(ids, cell, features=features, probable=False)


def _affinities(model: ClusteringModel, scope: Scope) -> Cell[Column]:
    """Return the cell of how close each record is to each cluster: a cluster a row."""
    declared = [field for field in model.fields if field.is_center_field]
    if not declared:
        raise InvalidModel("a ClusteringModel has no ClusteringField that is a center field")
    fields = [_Coordinate(field, model, scope) for field in declared]
    centres = np.array([_centre(cluster, fields) for cluster in model.clusters]).T
    measure = model.measure.measure
    weights = np.ones(len(fields))
    if model.missing_value_weights is not None:
        if not isinstance(measure, Distance):
            raise UnsupportedModel("MissingValueWeights are not evaluated for similarities of bits")
        weights = array_numbers(model.missing_value_weights.array, "MissingValueWeights")
        if len(weights) != len(fields):
            raise InvalidModel(f"{len(weights)} MissingValueWeights for {len(fields)} fields")
    comparisons = [
        field.comparison(float(weight)) for field, weight in zip(fields, weights, strict=True)
    ]
    if not isinstance(measure, Distance) and not np.isin(centres, (0.0, 1.0)).all():
        raise InvalidModel("a similarity of bits needs centres of zeros and ones")
    compare = make_measure(measure, comparisons, "ComparisonMeasure")
    records = stack_fields([field.coded for field in fields], scope, "ClusteringField")
    return scope.context.cells.make(lambda batch: compare(batch.read(records), centres))


class _Coordinate:
    """One field of the centres; values of categories stand as their positions."""

    def __init__(self, declared: ClusteringField, model: ClusteringModel, scope: Scope) -> None:
        self._declared = declared
        self._function = declared.compare_function or model.measure.compare_function
        self._field = field = scope.find(declared.field)
        refuse_cyclic(declared.field, scope)
        self._where = f"ClusteringField {declared.field!r}"
        self._codes: dict[Scalar, int] | None = None
        if is_text(field.data_type) and self._function in {"absDiff", "gaussSim"}:
            raise InvalidModel(
                f"{self._where}: compareFunction={self._function!r} needs a numeric field"
            )
        if self._function == "table":
            values = [parse_declared(v, field.data_type, self._where) for v in field.values]
            self._codes = {value: number for number, value in enumerate(values)}
        elif is_text(field.data_type):
            self._codes = {}
        self.coded = field if self._codes is None else self._coded(field, scope)

    def position(self, item: str) -> float:
        """Return a centre's value as it is compared."""
        if self._codes is None:
            return float(parse_numbers([item], self._where)[0])
        value = parse_declared(item, self._field.data_type, self._where)
        if self._function == "table" and value not in self._codes:
            raise InvalidModel(f"{self._where}: {item!r} is not a value of the field")
        return self._codes.setdefault(value, len(self._codes))

    def comparison(self, missing_weight: float) -> Comparison:
        """Return how the field is compared."""
        table = None
        if self._codes is not None and self._function == "table":
            if self._declared.comparisons is None:
                raise InvalidModel(f"{self._where}: compareFunction='table' needs Comparisons")
            table = matrix_table(self._declared.comparisons.matrix, self._where)
            if table.shape != (len(self._codes), len(self._codes)):
                raise InvalidModel(f"{self._where}: Comparisons are not of all values")
        return Comparison(
            self._function,
            self._declared.field_weight,
            self._declared.similarity_scale,
            missing_weight,
            table,
        )

    def _coded(self, field: Field, scope: Scope) -> Field:
        """Return the field as positions of its values; a value that has none is unlike all."""
        other = np.nan if self._function == "table" else -1.0
        codes = self._codes if self._codes is not None else {}

        def locate(batch: Batch) -> Column:
            column = batch.read(field.cell).tolist()
            return np.array(
                # NaN is not itself: a missing number is not looked up.
                [np.nan if v is None or v != v else codes.get(v, other) for v in column]  # noqa: PLR0124
            )

        cell = scope.context.cells.make(locate)
        return Field(field.name, "double", "categorical", cell, field.depth + 1)


def _centre(cluster: Cluster, fields: Sequence[_Coordinate]) -> list[float]:
    if cluster.centre is None:
        raise InvalidModel(f"Cluster {cluster.id or cluster.name!r} has no Array for its centre")
    items = array_items(cluster.centre)
    if len(items) != len(fields):
        raise InvalidModel(f"a Cluster has {len(items)} coordinates for {len(fields)} fields")
    return [field.position(item) for field, item in zip(fields, items, strict=True)]


def _features(
    ids: tuple[str, ...], names: Column, ranked: Cell[Column], affinities: Cell[Column]
) -> dict[str, OwnFeature]:
    """Return the outputs of the id, name and affinity of the cluster of a rank.

    `ranked` has the clusters of each row, the closest first; of equals the first comes first.
    """

    def winner(table: Column) -> OwnFeature:
        padded = texts([*table.tolist(), None])

        def build(output: OutputField) -> Compiled:
            place = _place(output, ids)

            def evaluate(batch: Batch) -> Column:
                values = batch.read(ranked)[place]
                rows = np.where(np.isnan(values), len(ids), values).astype(np.intp)
                column: Column = padded[rows]
                return column

            return Compiled("string", evaluate)

        return build

    def affinity(output: OutputField) -> Compiled:
        place = _place(output, ids)
        if output.value is None:
            return Compiled("double", lambda batch: closeness(batch, place))
        if output.value not in ids:
            raise InvalidModel(
                f"OutputField {output.name!r}: {output.value!r} is not a cluster; they are "
                f"{', '.join(ids)}"
            )
        row = ids.index(output.value)
        return Compiled("double", lambda batch: batch.read(affinities)[row])

    def closeness(batch: Batch, place: int) -> Column:
        values = batch.read(ranked)[place]
        rows = np.where(np.isnan(values), 0, values).astype(np.intp)
        found: Column = batch.read(affinities)[rows, np.arange(batch.rows)]
        return np.where(np.isnan(values), np.nan, found)

    entity = winner(texts(list(ids)))
    shown = winner(texts([name or i for name, i in zip(names.tolist(), ids, strict=True)]))
    features: dict[str, OwnFeature] = dict.fromkeys(("entityId", "clusterId"), entity)
    features |= dict.fromkeys(("affinity", "clusterAffinity", "entityAffinity"), affinity)
    return features | {"predictedDisplayValue": shown}


def _place(output: OutputField, ids: tuple[str, ...]) -> int:
    """Return which cluster an output is about, counted from zero."""
    rank = 1 if output.rank is None else output.rank
    if not 1 <= rank <= len(ids) or (rank > 1 and output.value is not None):
        raise UnsupportedModel(
            f"OutputField {output.name!r}: rank={rank} of {len(ids)} clusters is not evaluated; "
            "a rank is that of a cluster, and a value names one"
        )
    return rank - 1
