"""Which rule a model of each kind has: the models that are lowered as they are read."""

from collections.abc import Callable
from typing import Any

from modelstream.formats.pmml.answers.prediction import Body
from modelstream.formats.pmml.elements.associations import AssociationModel
from modelstream.formats.pmml.elements.baseline import BaselineModel
from modelstream.formats.pmml.elements.bayesiannetwork import BayesianNetworkModel
from modelstream.formats.pmml.elements.clustering import ClusteringModel
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.elements.gaussianprocess import GaussianProcessModel
from modelstream.formats.pmml.elements.generalregression import GeneralRegressionModel
from modelstream.formats.pmml.elements.models import PlainModel, RegressionModel
from modelstream.formats.pmml.elements.naivebayes import NaiveBayesModel
from modelstream.formats.pmml.elements.nearestneighbor import NearestNeighborModel
from modelstream.formats.pmml.elements.neural import NeuralNetwork
from modelstream.formats.pmml.elements.rulesets import RuleSetModel
from modelstream.formats.pmml.elements.scorecards import Scorecard
from modelstream.formats.pmml.elements.sequences import SequenceModel
from modelstream.formats.pmml.elements.textmodels import TextModel
from modelstream.formats.pmml.elements.timeseries import TimeSeriesModel
from modelstream.formats.pmml.elements.vectors import SupportVectorMachineModel
from modelstream.formats.pmml.fields.dictionary import valid_values
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.models.associations import compile_associations
from modelstream.formats.pmml.models.baseline import compile_baseline
from modelstream.formats.pmml.models.bayesiannetwork import compile_bayesian_network
from modelstream.formats.pmml.models.clustering import compile_clustering
from modelstream.formats.pmml.models.gaussianprocess import compile_gaussian_process
from modelstream.formats.pmml.models.generalregression import compile_general_regression
from modelstream.formats.pmml.models.machines import compile_machines
from modelstream.formats.pmml.models.naivebayes import compile_naive_bayes
from modelstream.formats.pmml.models.nearestneighbor import compile_nearest_neighbor
from modelstream.formats.pmml.models.neural import compile_neural
from modelstream.formats.pmml.models.regression import compile_regression
from modelstream.formats.pmml.models.rulesets import compile_rule_set
from modelstream.formats.pmml.models.scorecards import compile_scorecard
from modelstream.formats.pmml.models.sequences import compile_sequences
from modelstream.formats.pmml.models.textmodels import compile_text
from modelstream.formats.pmml.models.timeseries import compile_time_series


def compile_body(element: PlainModel, scope: Scope, data: DataField | None) -> Body:
    """Return a model's rule; `data` is the declaration of its target, if it has one."""
    return _COMPILERS[type(element)](element, scope, data)


def _regression(model: RegressionModel, scope: Scope, data: DataField | None) -> Body:
    return compile_regression(model, scope, "categorical" if data is None else data.optype)


def _associations(model: AssociationModel, scope: Scope, _: DataField | None) -> Body:
    return compile_associations(model, scope)


def _sequences(model: SequenceModel, scope: Scope, _: DataField | None) -> Body:
    return compile_sequences(model, scope)


def _rule_set(model: RuleSetModel, scope: Scope, data: DataField | None) -> Body:
    return compile_rule_set(model, scope, _labels(data))


def _scorecard(model: Scorecard, scope: Scope, _: DataField | None) -> Body:
    return compile_scorecard(model, scope)


def _neural(model: NeuralNetwork, scope: Scope, data: DataField | None) -> Body:
    return compile_neural(model, None if data is None else data.name, scope)


def _machines(model: SupportVectorMachineModel, scope: Scope, data: DataField | None) -> Body:
    return compile_machines(model, _labels(data), scope)


def _clustering(model: ClusteringModel, scope: Scope, _: DataField | None) -> Body:
    return compile_clustering(model, scope)


def _labels(data: DataField | None) -> tuple[str, ...]:
    return () if data is None else valid_values(data)


_COMPILERS: dict[type[PlainModel], Callable[[Any, Scope, DataField | None], Body]] = {
    AssociationModel: _associations,
    BaselineModel: compile_baseline,
    BayesianNetworkModel: compile_bayesian_network,
    ClusteringModel: _clustering,
    GaussianProcessModel: compile_gaussian_process,
    GeneralRegressionModel: compile_general_regression,
    NaiveBayesModel: compile_naive_bayes,
    NearestNeighborModel: compile_nearest_neighbor,
    NeuralNetwork: _neural,
    RegressionModel: _regression,
    RuleSetModel: _rule_set,
    Scorecard: _scorecard,
    SequenceModel: _sequences,
    SupportVectorMachineModel: _machines,
    TextModel: compile_text,
    TimeSeriesModel: compile_time_series,
}
