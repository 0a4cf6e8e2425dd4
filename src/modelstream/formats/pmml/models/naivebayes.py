"""Compile NaiveBayesModel: probabilities of categories from counts and densities.

DMG 4.4, Naive Bayes. A missing input counts for nothing, and so does a value that was never seen
with any category. Products are sums of logarithms, which do not underflow.
"""

import math
from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction, most_probable
from modelstream.formats.pmml.elements.densities import (
    GaussianDistribution,
    PoissonDistribution,
    UniformDistribution,
)
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.elements.naivebayes import (
    BayesInput,
    NaiveBayesModel,
    TargetValueCounts,
    TargetValueStat,
)
from modelstream.formats.pmml.expressions.expressions import derive_field
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.codes import code_cell
from modelstream.formats.pmml.fields.labels import label_finder, target_labels
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.fields.values import Scalar, parse_declared
from modelstream.formats.pmml.functions.links import softmax
from modelstream.formats.pmml.models.design import numeric_field
from modelstream.messages import Column

# The logarithm of a factorial of more than this is no float64 any more; nor was that ever counted.
_COUNTS_BELOW = 1e300
# What an input adds to the logarithms of all likelihoods: a row a row, a column a category.
_Addend = Callable[[Batch], Column]


def compile_naive_bayes(model: NaiveBayesModel, scope: Scope, data: DataField | None) -> Body:
    """Return a NaiveBayesModel's rule; `data` is the target's declaration."""
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of NaiveBayesModel is not evaluated")
    if model.threshold < 0.0:
        raise InvalidModel("the threshold of a NaiveBayesModel is a probability")
    labels = target_labels(data, (count.value for count in model.target.counts.counts))
    inputs = _Inputs(model.threshold, labels, scope)
    addends = [inputs.addend(bayes) for bayes in model.inputs.inputs]
    prior = _log(inputs.counts(model.target.counts))

    def answer(batch: Batch) -> Prediction:
        likelihood = np.tile(prior, (batch.rows, 1))
        for addend in addends:
            likelihood = likelihood + addend(batch)
        probabilities = softmax(likelihood)
        return Prediction(most_probable(probabilities), probabilities)

    return Body(labels, scope.context.cells.make(answer))


class _Inputs:
    """What the inputs of one model have in common."""

    def __init__(self, threshold: float, labels: tuple[str, ...], scope: Scope) -> None:
        self._threshold = threshold
        self._labels = labels
        self._find = label_finder(labels)
        self._scope = scope

    def counts(self, given: TargetValueCounts) -> Column:
        """Return the count of each category."""
        counts = np.zeros(len(self._labels))
        for count in given.counts:
            if count.count < 0.0:
                raise InvalidModel(f"TargetValueCount {count.value!r} is below zero")
            counts[self._find(count.value)] += count.count
        return counts

    def addend(self, bayes: BayesInput) -> _Addend:
        """Return what an input adds."""
        if bool(bayes.pairs) == (bayes.stats is not None):
            raise InvalidModel(
                f"BayesInput {bayes.field_name!r} needs either PairCounts or TargetValueStats"
            )
        return self._discrete(bayes) if bayes.pairs else self._continuous(bayes)

    def _discrete(self, bayes: BayesInput) -> _Addend:
        where = f"BayesInput {bayes.field_name!r}"
        field = self._scope.find(bayes.field_name)
        if bayes.derived is not None:
            field = derive_field(bayes.derived, bayes.derived.name or field.name, self._scope)
        positions: dict[Scalar, int] = {}
        for number, pair in enumerate(bayes.pairs):
            value = parse_declared(pair.value, field.data_type, where)
            if positions.setdefault(value, number) != number:
                raise InvalidModel(f"{where} has two PairCounts of value {pair.value!r}")
        seen = np.stack([self.counts(pair.counts) for pair in bayes.pairs])
        shares = np.where(seen > 0.0, seen / np.maximum(seen.sum(axis=0), 1e-300), self._threshold)
        table = np.concatenate([_log(shares), np.zeros((2, len(self._labels)))])
        codes = code_cell(field, positions, self._scope)

        def add(batch: Batch) -> Column:
            addend: Column = table[batch.read(codes)]
            return addend

        return add

    def _continuous(self, bayes: BayesInput) -> _Addend:
        where = f"BayesInput {bayes.field_name!r}"
        if bayes.derived is not None or bayes.stats is None:
            raise InvalidModel(f"{where}: a DerivedField is for PairCounts only")
        field = numeric_field(bayes.field_name, self._scope)
        densities: list[Callable[[Column], Column] | None] = [None] * len(self._labels)
        for stat in bayes.stats.stats:
            densities[self._find(stat.value)] = _density(stat, where)
        known = [density for density in densities if density is not None]
        if len(known) != len(densities):
            raise InvalidModel(f"{where} needs a TargetValueStat of each category of the target")
        least = _log(np.array(self._threshold))

        def add(batch: Batch) -> Column:
            column = batch.read(field.cell)
            logs = np.stack([density(column) for density in known], axis=1)
            return np.where(np.isnan(column)[:, None], 0.0, np.maximum(logs, least))

        return add


def _log(values: Column) -> Column:
    """Return the logarithm; minus infinity of zero."""
    with np.errstate(divide="ignore"):
        logs: Column = np.log(values)
    return logs


def _density(stat: TargetValueStat, where: str) -> Callable[[Column], Column]:
    """Return the logarithm of the density of a distribution."""
    if stat.gaussian is not None:
        return _gaussian(stat.gaussian, where)
    if stat.poisson is not None:
        return _poisson(stat.poisson, where)
    if stat.uniform is not None:
        return _uniform(stat.uniform, where)
    raise InvalidModel(f"{where}: a TargetValueStat has no distribution")


def _uniform(distribution: UniformDistribution, where: str) -> Callable[[Column], Column]:
    """Return the logarithm of the density, which is even between the bounds."""
    low, high = distribution.lower, distribution.upper
    if not low < high:
        raise InvalidModel(f"{where}: a UniformDistribution needs an upper above its lower")
    inside = -math.log(high - low)
    return lambda column: np.where((column >= low) & (column <= high), inside, -np.inf)


def _gaussian(distribution: GaussianDistribution, where: str) -> Callable[[Column], Column]:
    """Return the logarithm of the density."""
    mean, variance = distribution.mean, distribution.variance
    if variance <= 0.0:
        raise InvalidModel(f"{where}: a GaussianDistribution needs a variance above zero")
    scale = -0.5 * math.log(2.0 * math.pi * variance)
    return lambda column: scale - (column - mean) ** 2 / (2.0 * variance)


def _poisson(distribution: PoissonDistribution, where: str) -> Callable[[Column], Column]:
    """Return the logarithm of the probability; only whole numbers from zero on have one."""
    mean = distribution.mean
    if mean <= 0.0:
        raise InvalidModel(f"{where}: a PoissonDistribution needs a mean above zero")
    factorial = np.vectorize(math.lgamma, otypes=[np.float64])

    def density(column: Column) -> Column:
        possible = (column >= 0.0) & (np.trunc(column) == column) & (column < _COUNTS_BELOW)
        counts = np.where(possible, column, 0.0)
        logs = counts * math.log(mean) - mean - factorial(counts + 1.0)
        return np.where(possible, logs, -np.inf)

    return density
