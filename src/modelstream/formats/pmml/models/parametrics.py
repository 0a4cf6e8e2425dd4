"""Continuous distributions whose parameters are expressions of a record's fields.

DMG 4.4, Bayesian Network Models: ContinuousDistribution. The mean of a triangular distribution is
its mean, as the element is named, not its most probable value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel
from modelstream.formats.pmml.elements.bayesiannetwork import ContinuousDistribution
from modelstream.formats.pmml.elements.expressions import Expression
from modelstream.formats.pmml.expressions.expressions import cast_compiled, compile_expression
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.messages import Column

Moments = tuple[Column, Column]  # the means and the variances


@dataclass(frozen=True, slots=True, eq=False)
class _Law:
    """One kind of distribution: missing where the parameters, a column each, make none."""

    moments: Callable[..., Moments]
    log_density: Callable[..., Column]


@dataclass(frozen=True, slots=True, eq=False)
class Parametric:
    """A distribution a row."""

    law: _Law
    parameters: tuple[Compiled, ...]

    def moments(self, batch: Batch) -> Moments:
        """Return the mean and the variance of each row."""
        return self.law.moments(*(parameter.evaluate(batch) for parameter in self.parameters))

    def log_density(self, batch: Batch, values: Column) -> Column:
        """Return the logarithm of the density at a value a row; minus infinity where it is zero."""
        parameters = (parameter.evaluate(batch) for parameter in self.parameters)
        return self.law.log_density(values, *parameters)


def parameters_of(distribution: ContinuousDistribution) -> tuple[Expression, ...]:
    """Return the expressions of the parameters."""
    return _law(distribution)[1]


def compile_distribution(distribution: ContinuousDistribution, scope: Scope) -> Parametric:
    """Return a distribution ready to run. Raises InvalidModel or UnsupportedModel."""
    law, expressions = _law(distribution)
    compiled = (compile_expression(expression, scope, "double") for expression in expressions)
    return Parametric(law, tuple(cast_compiled(one, "double") for one in compiled))


def _law(distribution: ContinuousDistribution) -> tuple[_Law, tuple[Expression, ...]]:
    found: list[tuple[_Law, tuple[Expression, ...]]] = []
    if (normal := distribution.normal) is not None:
        found.append((_NORMAL, (normal.mean.expression, normal.variance.expression)))
    if (uniform := distribution.uniform) is not None:
        found.append((_UNIFORM, (uniform.lower.expression, uniform.upper.expression)))
    if (triangular := distribution.triangular) is not None:
        parts = (triangular.mean, triangular.lower, triangular.upper)
        found.append((_TRIANGULAR, tuple(part.expression for part in parts)))
    if len(found) != 1:
        raise InvalidModel(f"a ContinuousDistribution holds {len(found)} distributions, not one")
    return found[0]


def _normal_moments(mean: Column, variance: Column) -> Moments:
    return mean, np.where(variance >= 0.0, variance, np.nan)


def _normal_density(values: Column, mean: Column, variance: Column) -> Column:
    spread = np.where(variance > 0.0, variance, np.nan)
    density: Column = -0.5 * (np.log(2.0 * np.pi * spread) + (values - mean) ** 2 / spread)
    return density


def _uniform_moments(lower: Column, upper: Column) -> Moments:
    width = np.where(upper > lower, upper - lower, np.nan)
    return lower + width / 2.0, width**2 / 12.0


def _uniform_density(values: Column, lower: Column, upper: Column) -> Column:
    width = np.where(upper > lower, upper - lower, np.nan)
    return np.where((values < lower) | (values > upper), -np.inf, 0.0) - np.log(width)


def _peak(mean: Column, lower: Column, upper: Column) -> Column:
    """Return the most probable value; the mean is that of it and the two limits."""
    peak = 3.0 * mean - lower - upper
    return np.where((upper > lower) & (peak >= lower) & (peak <= upper), peak, np.nan)


def _triangular_moments(mean: Column, lower: Column, upper: Column) -> Moments:
    peak = _peak(mean, lower, upper)
    products = lower * upper + lower * peak + upper * peak
    variance = (lower**2 + upper**2 + peak**2 - products) / 18.0
    return np.where(np.isnan(peak), np.nan, mean), variance


def _triangular_density(values: Column, mean: Column, lower: Column, upper: Column) -> Column:
    peak = _peak(mean, lower, upper)
    rising = np.where(values < peak, (values - lower) / (peak - lower), 1.0)
    falling = np.where(values > peak, (upper - values) / (upper - peak), 1.0)
    height = np.where((values < lower) | (values > upper), 0.0, rising * falling)
    density: Column = np.log(height * 2.0 / (upper - lower))
    return np.where(np.isnan(peak), np.nan, density)


_NORMAL = _Law(_normal_moments, _normal_density)
_UNIFORM = _Law(_uniform_moments, _uniform_density)
_TRIANGULAR = _Law(_triangular_moments, _triangular_density)
