"""Compile BaselineModel: how far a value is from its usual distribution (DMG 4.4, Baseline Model).

A model is a function of one record. Of the test statistics that is the z-value: a record's distance
from the baseline's mean, in its deviations, below zero where the record is below the mean. The
others are of many records in their order, so that a score would depend on how they are batched.
"""

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.baseline import (
    Baseline,
    BaselineModel,
    TestDistributions,
    TestStatistic,
)
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.models.design import numeric_field

# Those that are a function of one record.
STATISTICS: tuple[TestStatistic, ...] = ("zValue",)


def compile_baseline(model: BaselineModel, scope: Scope, _: DataField | None) -> Body:
    """Return a BaselineModel's rule. Raises InvalidModel or UnsupportedModel."""
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of BaselineModel is not evaluated")
    _check(model.test)
    mean, variance = _moments(model.test.baseline)
    if not (np.isfinite(mean) and 0.0 < variance < np.inf):
        raise InvalidModel("the Baseline of a z-value needs a mean, and a variance above zero")
    cell = numeric_field(model.test.field, scope).cell
    deviation = np.sqrt(variance)

    def answer(batch: Batch) -> Prediction:
        return Prediction((batch.read(cell) - mean) / deviation)

    return Body((), scope.context.cells.make(answer))


def _check(test: TestDistributions) -> None:
    """Refuse what is not a function of one record, and what a z-value has no rule for."""
    if test.test_statistic not in STATISTICS:
        raise UnsupportedModel(
            f"testStatistic={test.test_statistic!r} of TestDistributions is not evaluated: it is a "
            "statistic of a sequence of records, and a model is a function of one; supported: "
            f"{', '.join(STATISTICS)}"
        )
    if test.window_size not in {0, 1}:
        raise UnsupportedModel(
            f"windowSize={test.window_size} of TestDistributions is not evaluated: it is a "
            "statistic of several records, and a model is a function of one"
        )
    extra = {
        "Alternate": test.alternate,
        "weightField": test.weight_field,
        "normalizationScheme": test.normalization_scheme,
        "resetValue": test.reset_value or None,
    }
    for name, value in extra.items():
        if value is not None:
            raise UnsupportedModel(f"{name} of TestDistributions is not evaluated for a z-value")


def _moments(baseline: Baseline) -> tuple[float, float]:
    """Return the mean and the variance of a distribution."""
    found: list[tuple[float, float]] = []
    if (known := baseline.any or baseline.gaussian) is not None:
        found.append((known.mean, known.variance))
    if (poisson := baseline.poisson) is not None:
        found.append((poisson.mean, poisson.mean))
    if (uniform := baseline.uniform) is not None:
        width = uniform.upper - uniform.lower
        found.append((uniform.lower + width / 2.0, width**2 / 12.0 if width > 0.0 else np.nan))
    if len(found) != 1 or (baseline.any is not None and baseline.gaussian is not None):
        raise InvalidModel("a Baseline needs one distribution")
    return found[0]
