"""Compile GaussianProcessModel: the mean and the deviation of a target given training instances.

DMG 4.4, Gaussian Process Models. The process has a mean of zero; the fields of the instances other
than the target are the coordinates, in their order. A missing one makes the answer missing.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.fields import DataField, OutputField
from modelstream.formats.pmml.elements.gaussianprocess import (
    AbsoluteExponentialKernel,
    ARDSquaredExponentialKernel,
    GaussianProcessModel,
    GeneralizedExponentialKernel,
    RadialBasisKernel,
)
from modelstream.formats.pmml.fields.arrays import array_numbers
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.models.instances import Instances
from modelstream.messages import Column

# Covariances of all rows of one table with all rows of another; a column a field.
Kernel = Callable[[Column, Column], Column]


def compile_gaussian_process(
    model: GaussianProcessModel, scope: Scope, data: DataField | None
) -> Body:
    """Return a GaussianProcessModel's rule; `data` is the target's declaration."""
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of GaussianProcessModel is not evaluated")
    if data is None:
        raise InvalidModel("a GaussianProcessModel needs a target")
    instances = Instances(model.instances, scope)
    if not 0 < instances.rows**2 <= limits.PMML_ENSEMBLE_CELLS_MAX:
        raise UnsupportedModel(f"a GaussianProcessModel of {instances.rows} instances")
    target = instances.numbers(data.name)
    names = [f.field for f in model.instances.fields.fields if f.field != data.name]
    if not names:
        raise InvalidModel("a GaussianProcessModel has no InstanceField but its target")
    compared = [instances.compared(name, "absDiff") for name in names]
    table = np.stack([column for _, column in compared], axis=1)
    gamma, noise, kernel = _kernel(model, len(names))
    # Until PMML 4.3 the variance is that of a measurement, since then that of the function.
    measured = noise if scope.context.version == "4.3" else 0.0
    inverse = _inverse(kernel(table, table) + noise * np.eye(len(table)))
    weights = np.einsum("ij,j->i", inverse, target)
    cells = scope.context.cells

    def covariances(batch: Batch) -> Column:
        return kernel(np.stack([batch.read(cell) for cell, _ in compared], axis=1), table)

    known = cells.make(covariances)

    def deviation(batch: Batch) -> Column:
        near = batch.read(known)
        explained = (np.einsum("ri,ij->rj", near, inverse) * near).sum(axis=1)
        spread: Column = np.sqrt(np.maximum(gamma - explained + measured, 0.0))
        return spread

    def standard_deviation(_: OutputField) -> Compiled:
        return Compiled("double", deviation)

    answer = cells.make(lambda batch: Prediction(np.einsum("ri,i->r", batch.read(known), weights)))
    return Body((), answer, features={"standardDeviation": standard_deviation})


def _kernel(model: GaussianProcessModel, fields: int) -> tuple[float, float, Kernel]:
    """Return the variance at a point, that of the noise, and the kernel."""
    given = [
        kernel
        for kernel in (model.radial, model.squared, model.absolute, model.generalized)
        if kernel is not None
    ]
    if len(given) != 1:
        raise InvalidModel(
            f"a GaussianProcessModel needs one kernel and has {len(given) or 'no kernel'}"
        )
    chosen = given[0]
    gamma, noise = chosen.gamma, chosen.noise_variance
    if isinstance(chosen, RadialBasisKernel):
        lengths = np.full(fields, chosen.length)
    else:
        lengths = array_numbers(chosen.lengths.array, "Lambda")
    if len(lengths) != fields or not (lengths > 0.0).all() or gamma <= 0.0 or noise < 0.0:
        raise InvalidModel(
            f"the kernel of a GaussianProcessModel needs {fields} lambdas and a gamma above zero, "
            "and a noiseVariance that is not below"
        )
    fall = _fall(chosen, fields)

    def kernel(one: Column, two: Column) -> Column:
        total = np.zeros((len(one), len(two)))
        for field, length in enumerate(lengths):
            total += fall(np.abs(one[:, field, None] - two[None, :, field]) / length)
        covariance: Column = gamma * np.exp(-total)
        return covariance

    return gamma, noise, kernel


def _fall(
    kernel: RadialBasisKernel
    | ARDSquaredExponentialKernel
    | AbsoluteExponentialKernel
    | GeneralizedExponentialKernel,
    fields: int,
) -> Callable[[Column], Column]:
    """Return by how much a field's distance, in its length scale, lowers the logarithm."""
    if isinstance(kernel, RadialBasisKernel | ARDSquaredExponentialKernel):
        return lambda distance: 0.5 * np.square(distance)
    degree = 1.0 if isinstance(kernel, AbsoluteExponentialKernel) else kernel.degree
    if degree <= 0.0:
        raise InvalidModel(f"GeneralizedExponentialKernel needs a degree above zero, not {degree}")
    if degree != 1.0 and fields > 1:
        raise UnsupportedModel(
            f"GeneralizedExponentialKernel of degree {degree} is evaluated for one field; whether "
            "the power is of each field's distance or of their sum is not certain"
        )
    return lambda distance: distance**degree


def _inverse(covariance: Column) -> Column:
    try:
        lower = np.linalg.inv(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        raise InvalidModel(
            "the covariances of the TrainingInstances have no inverse; a noiseVariance above zero "
            "gives them one"
        ) from None
    inverse: Column = np.einsum("ki,kj->ij", lower, lower)
    return inverse
