"""Compile BayesianNetworkModel: the target's distribution given what is known of the other nodes.

DMG 4.4, Bayesian Network Models. Inference is exact: hidden discrete nodes are summed out. What
would take an integral over a hidden continuous node is refused, or rejects the record. Inputs that
are missing in a record are hidden nodes of it.
"""

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction, most_probable
from modelstream.formats.pmml.elements.bayesiannetwork import BayesianNetworkModel
from modelstream.formats.pmml.elements.fields import DataField, OutputField
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.labels import label_finder, target_labels
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.models.conditionals import ContinuousVariable, present, take
from modelstream.formats.pmml.models.inference import Network, build_network
from modelstream.formats.pmml.models.networks import read_network
from modelstream.messages import Column


def compile_bayesian_network(
    model: BayesianNetworkModel, scope: Scope, data: DataField | None
) -> Body:
    """Return a BayesianNetworkModel's rule; `data` is the target's declaration."""
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of BayesianNetworkModel is not evaluated")
    if data is None:
        raise UnsupportedModel("a BayesianNetworkModel is evaluated for a declared target")
    variables = read_network(model.nodes, data.name, scope)
    target = variables.get(data.name)
    if target is None:
        raise InvalidModel(f"the target {data.name!r} is not a node of the BayesianNetworkModel")
    network = build_network(variables, data.name)
    if isinstance(target, ContinuousVariable):
        return _regression(network, target, scope)
    labels = target_labels(data, target.labels)
    find = label_finder(labels)
    places = [find(label) for label in target.labels]

    def answer(batch: Batch) -> Prediction:
        table = np.full((batch.rows, len(labels)), np.nan)
        for part in network.infer(batch):
            table[part.rows] = 0.0
            table[part.rows[:, None], places] = part.weights
        return Prediction(most_probable(table), table)

    return Body(labels, scope.context.cells.make(answer))


def _regression(network: Network, target: ContinuousVariable, scope: Scope) -> Body:
    """Return the mean and the deviation of a continuous target, a mixture of its conditionals."""
    moments = present(target.moments)

    def mixture(batch: Batch) -> Column:
        found = np.full((batch.rows, 2), np.nan)
        table = batch.read(moments)
        for part in network.infer(batch):
            _, chosen = target.conditions.select(batch, part.rows, part.known)
            chosen = chosen.reshape(len(chosen), -1)
            impossible = part.weights == 0.0
            means, variances = (
                np.where(impossible, 0.0, take(table[part.rows, :, moment], chosen, np.nan))
                for moment in (0, 1)
            )
            mean = (part.weights * means).sum(axis=1)
            spread = part.weights * (variances + (means - mean[:, None]) ** 2)
            found[part.rows] = np.stack([mean, spread.sum(axis=1)], axis=1)
        return found

    cells = scope.context.cells
    cell = cells.make(mixture)

    def deviation(_: OutputField) -> Compiled:
        return Compiled("double", lambda batch: np.sqrt(batch.read(cell)[:, 1]))

    answer = cells.make(lambda batch: Prediction(batch.read(cell)[:, 0]))
    return Body((), answer, features={"standardDeviation": deviation})
