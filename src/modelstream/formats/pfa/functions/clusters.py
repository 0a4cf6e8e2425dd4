"""Clusters and neighbours (PFA 0.8.1, model.cluster.*, model.neighbor.*)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelstream.formats.pfa.columns import Batch, Structs, column_of, is_column
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.array_numbers import ranked
from modelstream.formats.pfa.functions.metrics import apart
from modelstream.formats.pfa.functions.numbers import add_up
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Record
from modelstream.formats.pfa.values import Struct

Metric = Callable[[Any, Any], float]
_CENTERED = "clusters: [C{center: [double]}]"
_MEASURED = "clusters: [C{center: B}], metric: (A, B -> double)"


def _squared(x: Sequence[float], y: Sequence[float]) -> float:
    total: float = add_up((one - other) * (one - other) for one, other in zip(x, y, strict=False))
    return total


def _nearest(datum: Any, points: Sequence[Any], count: int, metric: Metric) -> list[int]:
    """Return the places of the nearest points; of equally near ones the first comes first."""
    distances = [metric(datum, point) for point in points]
    return ranked(distances, lambda x, y: x < y, count) if distances and count else []


def _closest(datum: Any, clusters: list[Any], metric: Metric = _squared) -> Any:
    if not clusters:
        raise Fault("no clusters", 29000)
    (at,) = _nearest(datum, [each["center"] for each in clusters], 1, metric)
    return clusters[at]


def _closest_columns(call: Call) -> ColumnRule:
    kind = call.result
    assert isinstance(kind, Record)

    def rule(batch: Batch, datum: Any, clusters: Any, *metric: Any) -> Any:
        if is_column(clusters) or not clusters:
            return NotImplemented
        distances = np.empty((len(clusters), batch.rows))
        for at, cluster in enumerate(clusters):
            found = (
                metric[0](datum, cluster["center"]) if metric else apart(datum, cluster["center"])
            )
            if found is NotImplemented:
                return NotImplemented
            distances[at] = found
        batch.doubt(np.asarray(np.isnan(distances).any(axis=0)))
        return _taken(kind, clusters, distances.argmin(axis=0))

    return rule


def _taken(kind: Record, records: list[Struct], places: Any) -> Structs:
    """Return the record of each row, of a few that are at these places."""
    fields = {}
    for name, field in kind.fields.items():
        fields[name] = column_of([record[name] for record in records], field)[places]
    return Structs(kind.name, fields)


def _closest_n(n: int, datum: Any, clusters: list[Any], metric: Metric = _squared) -> list[Any]:
    if n < 0:
        raise Fault("n must be nonnegative", 29010)
    found = _nearest(datum, [each["center"] for each in clusters], n, metric)
    return [clusters[at] for at in found]


def _iteration(data: list[Any], clusters: list[Any], metric: Metric, update: Any) -> list[Any]:
    if not data:
        raise Fault("no data", 29030)
    if not clusters:
        raise Fault("no clusters", 29031)
    centers = [each["center"] for each in clusters]
    matched: list[list[Any]] = [[] for _ in clusters]
    for datum in data:
        matched[_nearest(datum, centers, 1, metric)[0]].append(datum)
    return [
        update(own, cluster) if own else cluster
        for own, cluster in zip(matched, clusters, strict=True)
    ]


def _update_mean(data: list[list[float]], cluster: Struct, weight: float) -> Struct:
    if not data:
        raise Fault("no data", 29040)
    if any(len(each) != len(cluster["center"]) for each in data):
        raise Fault("dimensions of vectors do not match", 29041)
    sums = [add_up(column) for column in zip(*data, strict=True)]
    center = [
        float(np.divide(total + weight * old, len(data) + weight))
        for total, old in zip(sums, cluster["center"], strict=True)
    ]
    return cluster.replaced(center=center)


def _mean(points: list[list[float]], weight: Callable[[Any], float] | None = None) -> list[float]:
    if not points:
        raise Fault("not enough points", 30000)
    if any(len(point) != len(points[0]) for point in points):
        raise Fault("inconsistent dimensionality", 30001)
    weights = [1.0 if weight is None else weight(point) for point in points]
    total = add_up(weights)
    return [
        float(np.divide(add_up(w * x for w, x in zip(weights, column, strict=True)), total))
        for column in zip(*points, strict=True)
    ]


def _nearest_k(k: int, datum: Any, codebook: list[Any], metric: Metric | None = None) -> list[Any]:
    if k < 0:
        raise Fault("k must be nonnegative", 30010)
    if metric is None and any(len(point) != len(datum) for point in codebook):
        raise Fault("inconsistent dimensionality", 30011)
    return [codebook[at] for at in _nearest(datum, codebook, k, metric or _squared)]


def _ball(r: float, datum: Any, codebook: list[Any], metric: Metric | None = None) -> list[Any]:
    if metric is not None:
        return [point for point in codebook if metric(datum, point) < r]
    if any(len(point) != len(datum) for point in codebook):
        raise Fault("inconsistent dimensionality", 30021)
    return [point for point in codebook if np.sqrt(_squared(datum, point)) < r]


def _make_closest(call: Call) -> Rule:
    del call
    return _closest


FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction(
        "model.cluster.closest",
        (f"(datum: [double], {_CENTERED}) -> C", f"(datum: A, {_MEASURED}) -> C"),
        _make_closest,
        _closest_columns,
    ),
    plain(
        "model.cluster.closestN",
        f"(n: int, datum: [double], {_CENTERED}) -> [C]",
        f"(n: int, datum: A, {_MEASURED}) -> [C]",
        rule=_closest_n,
    ),
    plain(
        "model.cluster.kmeansIteration",
        "(data: [[A]], clusters: [C{center: [B]}], metric: ([A], [B] -> double), "
        "update: ([[A]], C -> C)) -> [C]",
        rule=_iteration,
    ),
    plain(
        "model.cluster.updateMean",
        "(data: [[double]], cluster: C{center: [double]}, weight: double) -> C",
        rule=_update_mean,
    ),
    plain(
        "model.neighbor.mean",
        "(points: [[double]]) -> [double]",
        "(points: [[double]], weight: ([double] -> double)) -> [double]",
        rule=_mean,
    ),
    plain(
        "model.neighbor.nearestK",
        "(k: int, datum: [double], codebook: [[double]]) -> [[double]]",
        "(k: int, datum: A, codebook: [B], metric: (A, B -> double)) -> [B]",
        rule=_nearest_k,
    ),
    plain(
        "model.neighbor.ballR",
        "(r: double, datum: [double], codebook: [[double]]) -> [[double]]",
        "(r: double, datum: A, codebook: [B], metric: (A, B -> double)) -> [B]",
        rule=_ball,
    ),
)
