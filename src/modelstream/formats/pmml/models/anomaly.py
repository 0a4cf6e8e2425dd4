"""Compile AnomalyDetectionModel: what the model inside it answers, as an anomaly score.

DMG 4.4, Anomaly Detection Models. The inner model's outputs can be referred to by those of the
outer one; they are not answers of the whole.
"""

import math
from collections.abc import Callable

import msgspec
import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.outputs import Answered
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.clustering import ClusteringModel
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.elements.models import (
    AnomalyDetectionModel,
    MiningModel,
    ModelElement,
    TreeModel,
)
from modelstream.formats.pmml.elements.vectors import SupportVectorMachineModel
from modelstream.formats.pmml.elements.vocabulary import tag_of
from modelstream.formats.pmml.ensembles.segments import CompiledModel, Composition
from modelstream.formats.pmml.fields.arrays import array_numbers
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope

CompileModel = Callable[[ModelElement, Scope], CompiledModel]
_Answer = Callable[[Batch], Prediction]
# What models the named algorithms are made of.
_INNER: dict[str, tuple[type[ModelElement], ...]] = {
    "iforest": (MiningModel, TreeModel),
    "ocsvm": (SupportVectorMachineModel,),
    "clusterMeanDist": (ClusteringModel,),
}


def compile_anomaly(
    model: AnomalyDetectionModel, scope: Scope, compile_model: CompileModel
) -> Composition:
    """Return an AnomalyDetectionModel's rule.

    Raises InvalidModel or UnsupportedModel, naming what is wrong with it.
    """
    wanted = _INNER.get(model.algorithm_type)
    if wanted is not None and not isinstance(model.model, wanted):
        raise InvalidModel(
            f"algorithmType={model.algorithm_type!r} is of "
            f"{' or '.join(map(tag_of, wanted))}, not of {tag_of(type(model.model))}"
        )
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext of AnomalyDetectionModel is not evaluated")
    inner = compile_model(model.model, scope)
    answered = inner.answered
    if answered is None:
        raise UnsupportedModel(
            "an AnomalyDetectionModel of a model with several targets is not evaluated"
        )
    lowered = msgspec.structs.replace(model, model=inner.element)
    body = _body(model, answered, scope)
    return Composition(lowered, body, outputs=inner.outputs)


def _body(model: AnomalyDetectionModel, answered: Answered, scope: Scope) -> Body:
    if model.algorithm_type == "other":
        return Body(
            answered.labels,
            answered.cell,
            answered.entities,
            answered.features,
            probable=answered.probable,
        )
    if model.algorithm_type == "clusterMeanDist":
        return Body((), scope.context.cells.make(_cluster_distance(model, answered)))
    if answered.labels:
        raise InvalidModel("the model inside an AnomalyDetectionModel must be a regression")
    if model.algorithm_type == "ocsvm":
        return Body((), answered.cell)
    return Body((), scope.context.cells.make(_isolation(model, answered)))


def _isolation(model: AnomalyDetectionModel, answered: Answered) -> _Answer:
    """Return 2 ** -(depth / c(n)): the nearer to one, the easier a record is isolated.

    c(n) = 2 H(n - 1) - 2 (n - 1) / n is the depth to expect, with H(x) about ln(x) + Euler's
    constant.
    """
    size = model.sample_data_size
    if size is None or size < 2:
        raise InvalidModel("algorithmType='iforest' needs a sampleDataSize of at least 2")
    expected = 2.0 * (math.log(size - 1.0) + np.euler_gamma) - 2.0 * (size - 1.0) / size
    cell = answered.cell
    return lambda batch: Prediction(np.exp2(-batch.read(cell).values / expected))


def _cluster_distance(model: AnomalyDetectionModel, answered: Answered) -> _Answer:
    """Return the distance to the closest cluster, by the mean distance within that cluster."""
    if model.mean_distances is None:
        raise InvalidModel("algorithmType='clusterMeanDist' needs MeanClusterDistances")
    means = array_numbers(model.mean_distances.array, "MeanClusterDistances")
    if len(means) != len(answered.labels):
        raise InvalidModel(
            f"MeanClusterDistances has {len(means)} values for {len(answered.labels)} clusters"
        )
    affinity = answered.features["affinity"](OutputField(name="affinity"))
    padded = np.append(means, np.nan)
    cell = answered.cell

    def answer(batch: Batch) -> Prediction:
        winners = batch.read(cell).values
        places = np.where(np.isnan(winners), len(means), winners).astype(np.intp)
        return Prediction(affinity.evaluate(batch) / padded[places])

    return answer
