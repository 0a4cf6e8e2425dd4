"""Distances and similarities between records and references, as vectors.

DMG 4.4, Clustering Models: comparison measures. Matrices have a field a row; of records, a record
a column; of references, a reference a column. Results have a reference a row.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.comparisons import (
    BinarySimilarity,
    Chebychev,
    CompareFunction,
    Distance,
    Euclidean,
    Jaccard,
    Minkowski,
    Similarity,
    SimpleMatching,
    SquaredEuclidean,
    Tanimoto,
)
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.messages import Column

Compare = Callable[[Column, Column], Column]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How one field is compared, and what it weighs.

    `missing_weight` is what it weighs when missing fields are made up for; `table` is what two
    positions of values give, for the function `table`.
    """

    function: CompareFunction
    weight: float = 1.0
    scale: float | None = None
    missing_weight: float = 1.0
    table: Column | None = None


def refuse_cyclic(name: str, scope: Scope) -> None:
    """Raise UnsupportedModel for a field whose last value is next to its first."""
    data = scope.context.data.get(name)
    if data is not None and data.is_cyclic:
        raise UnsupportedModel(
            f"field {name!r} is cyclic (isCyclic), and distances around a cycle are not evaluated"
        )


def make_measure(
    measure: Distance | Similarity, comparisons: Sequence[Comparison], where: str
) -> Compare:
    """Return what compares records with references; NaN where there is no answer.

    Raises InvalidModel or UnsupportedModel when the measure cannot compare the fields so.
    """
    if isinstance(measure, SimpleMatching | Jaccard | Tanimoto | BinarySimilarity):
        if any(comparison.weight != 1.0 for comparison in comparisons):
            raise UnsupportedModel(
                f"{where}: fieldWeight is not evaluated for similarities of bits"
            )
        return _bits(measure)
    return _fields(measure, comparisons, where)


def _fields(measure: Distance, comparisons: Sequence[Comparison], where: str) -> Compare:
    """Return a measure that compares field by field; missing fields leave the sum to the others."""
    power = _power(measure)
    compares = [_compare(comparison, where) for comparison in comparisons]
    together = np.maximum if isinstance(measure, Chebychev) else np.add
    weights = [comparison.missing_weight for comparison in comparisons]
    root = 1.0 if isinstance(measure, SquaredEuclidean) else 1.0 / power

    def compute(records: Column, references: Column) -> Column:
        total = np.zeros((references.shape[1], records.shape[1]))
        known = np.zeros(records.shape[1])
        for number, comparison in enumerate(comparisons):
            record = records[number]
            absent = np.isnan(record)
            term = comparison.weight * compares[number](record, references[number]) ** power
            term[:, absent] = 0.0
            known += np.where(absent, 0.0, weights[number])
            total = together(total, term)
        adjusted = total * np.where(known == 0.0, np.nan, math.fsum(weights) / known)
        return adjusted if root == 1.0 else adjusted**root

    return compute


def _power(measure: Distance) -> float:
    if isinstance(measure, Minkowski):
        if measure.p <= 0.0:
            raise InvalidModel(f"minkowski needs a positive p-parameter, it is {measure.p}")
        return measure.p
    return 2.0 if isinstance(measure, Euclidean | SquaredEuclidean) else 1.0


def _compare(comparison: Comparison, where: str) -> Compare:
    """Return the comparison of a field's values with those of references."""
    if comparison.function == "absDiff":
        return lambda x, y: np.abs(x[None, :] - y[:, None])
    if comparison.function == "delta":
        return lambda x, y: (x[None, :] != y[:, None]).astype(np.float64)
    if comparison.function == "equal":
        return lambda x, y: (x[None, :] == y[:, None]).astype(np.float64)
    if comparison.function == "table":
        return _look_up(comparison, where)
    if not comparison.scale:
        raise InvalidModel(f"{where}: gaussSim needs a similarityScale")
    factor = -math.log(2.0) / comparison.scale**2
    return lambda x, y: np.exp(factor * np.square(x[None, :] - y[:, None]))


def _look_up(comparison: Comparison, where: str) -> Compare:
    table = comparison.table
    if table is None:
        raise InvalidModel(f"{where}: compareFunction='table' needs Comparisons")

    def compare(x: Column, y: Column) -> Column:
        rows = np.where(np.isnan(x), 0, x).astype(np.intp)
        found: Column = table[rows[None, :], y.astype(np.intp)[:, None]]
        return found

    return compare


def _bits(measure: Similarity) -> Compare:
    """Return a similarity of records of zeros and ones; any other value gives no answer."""
    ratio = _RATIOS.get(type(measure))
    numerator, denominator = ratio or _parameters(measure)

    def compute(records: Column, references: Column) -> Column:
        both = np.einsum("fr,fn->nr", records, references)
        record, reference = records.sum(axis=0)[None, :], references.sum(axis=0)[:, None]
        neither = len(records) - record - reference + both
        counts = np.stack([both, record - both, reference - both, neither])
        similarity: Column = np.tensordot(numerator, counts, 1) / np.tensordot(
            denominator, counts, 1
        )
        wrong = ~((records == 0.0) | (records == 1.0)).all(axis=0)
        similarity[:, wrong] = np.nan
        return similarity

    return compute


def _parameters(measure: Similarity) -> tuple[Column, Column]:
    assert isinstance(measure, BinarySimilarity)
    return (
        np.array([measure.c11, measure.c10, measure.c01, measure.c00]),
        np.array([measure.d11, measure.d10, measure.d01, measure.d00]),
    )


# What the counts of bits weigh above and below: one in both, in the record alone, in the reference
# alone, in neither.
_RATIOS: dict[type[Similarity], tuple[Column, Column]] = {
    SimpleMatching: (np.array([1.0, 0, 0, 1]), np.array([1.0, 1, 1, 1])),
    Jaccard: (np.array([1.0, 0, 0, 0]), np.array([1.0, 1, 1, 0])),
    Tanimoto: (np.array([1.0, 0, 0, 1]), np.array([1.0, 2, 2, 1])),
}
