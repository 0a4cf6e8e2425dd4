"""Compile NearestNeighborModel: answers made of those of the most similar training instances.

DMG 4.4, Nearest Neighbors. Of instances equally near, the earlier one is the nearer. A row with a
missing input has no neighbors and no answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, OwnFeature, Prediction
from modelstream.formats.pmml.elements.comparisons import Distance
from modelstream.formats.pmml.elements.fields import DataField, OutputField
from modelstream.formats.pmml.elements.nearestneighbor import NearestNeighborModel
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.labels import label_finder, target_labels
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.fields.values import texts
from modelstream.formats.pmml.models.comparisons import (
    Compare,
    Comparison,
    make_measure,
    refuse_cyclic,
)
from modelstream.formats.pmml.models.instances import Instances
from modelstream.messages import Column

# Positions of the nearest instances, and how near they are: a row a row, the nearest first.
Neighbors = tuple[Column, Column]
_Answer = Callable[[Batch], Prediction]


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The instances, the neighbors found among them, and the outputs about these."""

    instances: Instances
    neighbors: Cell[Neighbors]
    features: dict[str, OwnFeature]


def compile_nearest_neighbor(
    model: NearestNeighborModel, scope: Scope, data: DataField | None
) -> Body:
    """Return a NearestNeighborModel's rule; `data` is the target's declaration."""
    search = _prepare(model, scope)
    if model.function_name == "clustering":
        nothing = scope.context.cells.make(lambda batch: Prediction(np.full(batch.rows, np.nan)))
        return Body((), nothing, features=search.features, predicts=False)
    if data is None:
        raise InvalidModel("a NearestNeighborModel without a target is of function clustering")
    return _body(model, data, search, scope)


def compile_neighbor_targets(
    model: NearestNeighborModel, targets: Sequence[DataField], scope: Scope
) -> dict[str, Body]:
    """Return a rule for each of several targets, by name: they share the neighbors."""
    search = _prepare(model, scope)
    return {data.name: _body(model, data, search, scope) for data in targets}


def _prepare(model: NearestNeighborModel, scope: Scope) -> _Search:
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of NearestNeighborModel is not evaluated")
    instances = Instances(model.instances, scope)
    if not 1 <= model.number_of_neighbors <= instances.rows:
        raise InvalidModel(
            f"numberOfNeighbors={model.number_of_neighbors} of {instances.rows} TrainingInstances"
        )
    if not model.inputs.inputs:
        raise InvalidModel("a NearestNeighborModel needs KNNInputs")
    for knn in model.inputs.inputs:
        refuse_cyclic(knn.field, scope)
    neighbors = scope.context.cells.make(_search(model, instances))
    return _Search(instances, neighbors, _features(model, instances, neighbors))


def _body(model: NearestNeighborModel, data: DataField, search: _Search, scope: Scope) -> Body:
    """Return the rule for one target: a mixed model has targets of either kind."""
    cells, features = scope.context.cells, search.features
    regression = model.function_name == "regression"
    if model.function_name == "mixed":
        regression = data.optype == "continuous"
    if regression:
        values = search.instances.numbers(data.name)
        return Body((), cells.make(_regression(model, values, search.neighbors)), features=features)
    written = search.instances.written(data.name)
    labels = target_labels(data, sorted(set(written)))
    answer = cells.make(_classification(model, written, labels, search.neighbors))
    return Body(labels, answer, features=features, probable=False)


def _search(model: NearestNeighborModel, instances: Instances) -> Callable[[Batch], Neighbors]:
    """Return what finds the neighbors of all rows of a batch, some rows at a time."""
    default = model.measure.compare_function
    compared = [
        instances.compared(knn.field, knn.compare_function or default)
        for knn in model.inputs.inputs
    ]
    table = np.stack([column for _, column in compared])
    compare = _measure(model, table)
    sign = 1.0 if model.measure.kind == "distance" else -1.0
    k, rows_at_once = model.number_of_neighbors, max(1, _CELLS_MAX // instances.rows)

    def search(batch: Batch) -> Neighbors:
        asked = np.stack([batch.read(cell) for cell, _ in compared])
        places = np.empty((batch.rows, k), dtype=np.intp)
        nearness = np.empty((batch.rows, k))
        for first in range(0, batch.rows, rows_at_once):
            rows = slice(first, first + rows_at_once)
            measured = compare(asked[:, rows], table).T * sign
            places[rows] = nearest(measured, k)
            nearness[rows] = np.take_along_axis(measured, places[rows], axis=1) * sign
        # A row with a missing input is compared with none of the instances.
        nearness[np.isnan(asked).any(axis=0)] = np.nan
        return places, nearness

    return search


def _measure(model: NearestNeighborModel, table: Column) -> Compare:
    """Return what compares rows with the instances."""
    inputs, measure = model.inputs.inputs, model.measure
    if any(knn.field_weight <= 0.0 for knn in inputs):
        raise InvalidModel("the fieldWeight of a KNNInput must be above zero")
    if not isinstance(measure.measure, Distance) and not np.isin(table, (0.0, 1.0)).all():
        raise InvalidModel("a similarity of bits needs TrainingInstances of zeros and ones")
    comparisons = [
        Comparison(knn.compare_function or measure.compare_function, knn.field_weight)
        for knn in inputs
    ]
    return make_measure(measure.measure, comparisons, "ComparisonMeasure")


# Several tables of this size are in memory while neighbors are sought.
_CELLS_MAX = limits.PMML_ENSEMBLE_CELLS_MAX // 8


def nearest(measured: Column, k: int) -> Column:
    """Return the positions of each row's k least numbers in order, the first of equals first."""
    if k == measured.shape[1]:
        return np.argsort(measured, axis=1, kind="stable")
    some = np.argpartition(measured, k - 1, axis=1)[:, :k]
    some.sort(axis=1)
    found = np.take_along_axis(measured, some, axis=1)
    order = np.argsort(found, axis=1, kind="stable")
    places: Column = np.take_along_axis(some, order, axis=1)
    # Where the last of them has equals outside, the partition took any of those.
    unsure = (measured <= found.max(axis=1, keepdims=True)).sum(axis=1) != k
    if unsure.any():
        places[unsure] = np.argsort(measured[unsure], axis=1, kind="stable")[:, :k]
    return places


def _weights(model: NearestNeighborModel, *, weighted: bool) -> Callable[[Column], Column]:
    """Return what each neighbor counts: one, or the less the farther it is; NaN where unknown."""
    if not weighted:
        return lambda nearness: np.where(np.isnan(nearness), np.nan, 1.0)
    if model.measure.kind == "similarity":
        raise UnsupportedModel("weighted scoring methods by similarity are not evaluated")
    return lambda nearness: 1.0 / (nearness + model.threshold)


def _regression(model: NearestNeighborModel, values: Column, neighbors: Cell[Neighbors]) -> _Answer:
    method = model.continuous_scoring_method
    weigh = _weights(model, weighted=method == "weightedAverage")

    def answer(batch: Batch) -> Prediction:
        places, nearness = batch.read(neighbors)
        weights, found = weigh(nearness), values[places]
        if method == "median":
            return Prediction(np.where(np.isnan(weights[:, 0]), np.nan, np.median(found, axis=1)))
        return Prediction((weights * found).sum(axis=1) / weights.sum(axis=1))

    return answer


def _classification(
    model: NearestNeighborModel,
    written: list[str],
    labels: tuple[str, ...],
    neighbors: Cell[Neighbors],
) -> _Answer:
    """Return the category with most votes; of equals the one with most instances, then by name."""
    find = label_finder(labels)
    classes = np.array([find(text) for text in written], dtype=np.intp)
    sizes = np.bincount(classes, minlength=len(labels))
    precedence = np.array(
        sorted(range(len(labels)), key=lambda label: (-sizes[label], labels[label]))
    )
    weigh = _weights(model, weighted=model.categorical_scoring_method == "weightedMajorityVote")

    def answer(batch: Batch) -> Prediction:
        places, nearness = batch.read(neighbors)
        weights, found = weigh(nearness), classes[places]
        votes = np.stack(
            [np.where(found == label, weights, 0.0).sum(axis=1) for label in precedence], axis=1
        )
        winner = precedence[votes.argmax(axis=1)].astype(np.float64)
        return Prediction(np.where(np.isnan(nearness[:, 0]), np.nan, winner))

    return answer


def _features(
    model: NearestNeighborModel, instances: Instances, neighbors: Cell[Neighbors]
) -> dict[str, Callable[[OutputField], Compiled]]:
    """Return the outputs about the neighbor of a rank: its id, and how near it is."""
    name = model.instance_id_variable
    numbers = [str(number + 1) for number in range(instances.rows)]
    ids = texts([*(numbers if name is None else instances.written(name)), None])

    def entity(output: OutputField) -> Compiled:
        rank = _rank(output, model.number_of_neighbors)

        def evaluate(batch: Batch) -> Column:
            places, nearness = batch.read(neighbors)
            known = ~np.isnan(nearness[:, rank])
            chosen: Column = ids[np.where(known, places[:, rank], -1)]
            return chosen

        return Compiled("string", evaluate)

    def affinity(output: OutputField) -> Compiled:
        rank = _rank(output, model.number_of_neighbors)
        return Compiled("double", lambda batch: batch.read(neighbors)[1][:, rank])

    return {"entityId": entity, "affinity": affinity, "entityAffinity": affinity}


def _rank(output: OutputField, neighbors: int) -> int:
    """Return which neighbor an output is about, counted from zero."""
    rank = 1 if output.rank is None else output.rank
    if not 1 <= rank <= neighbors or output.value is not None:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: rank={rank} of {neighbors} neighbors; "
            "outputs about neighbors are evaluated by rank, without a value"
        )
    return rank - 1
