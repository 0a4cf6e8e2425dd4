"""What each kind of model is told by: counts and choices, by name and in the order to read them.

A kind of model that is not in `_FACTS` is told by what all models have.
"""

from collections.abc import Callable, Iterable
from typing import Any

from modelstream.formats import limits
from modelstream.formats.pmml.elements.associations import AssociationModel
from modelstream.formats.pmml.elements.baseline import BaselineModel
from modelstream.formats.pmml.elements.bayesiannetwork import BayesianNetworkModel
from modelstream.formats.pmml.elements.clustering import ClusteringModel
from modelstream.formats.pmml.elements.gaussianprocess import GaussianProcessModel
from modelstream.formats.pmml.elements.generalregression import GeneralRegressionModel
from modelstream.formats.pmml.elements.models import ModelElement, Node, RegressionModel, TreeModel
from modelstream.formats.pmml.elements.naivebayes import NaiveBayesModel
from modelstream.formats.pmml.elements.nearestneighbor import NearestNeighborModel
from modelstream.formats.pmml.elements.neural import NeuralNetwork
from modelstream.formats.pmml.elements.rulesets import CompoundRule, Rule, RuleSetModel
from modelstream.formats.pmml.elements.scorecards import Scorecard
from modelstream.formats.pmml.elements.sequences import SequenceModel
from modelstream.formats.pmml.elements.textmodels import TextModel
from modelstream.formats.pmml.elements.timeseries import TimeSeriesModel
from modelstream.formats.pmml.elements.vectors import SupportVectorMachineModel
from modelstream.formats.pmml.elements.vocabulary import tag_of

Facts = dict[str, Any]  # a fact that is None is not told


def family_facts(model: ModelElement) -> Facts:
    """Return what a model is told by as one of its kind."""
    return _FACTS.get(type(model), _no_facts)(model)


def node_facts(roots: Iterable[Node]) -> Facts:
    """Count the nodes of some trees; a tree of one node has the depth zero."""
    nodes = leaves = deepest = 0
    pending = [(root, 0) for root in roots]
    while pending:
        node, depth = pending.pop()
        nodes, deepest = nodes + 1, max(deepest, depth)
        leaves += not node.children
        pending.extend((child, depth + 1) for child in node.children)
    return {"nodes": nodes, "leaves": leaves, "depth": deepest}


def _tree(model: TreeModel) -> Facts:
    return {
        "missing values": model.missing_value_strategy,
        "no true child": model.no_true_child_strategy,
        **node_facts(() if model.node is None else (model.node,)),
    }


def _regression(model: RegressionModel) -> Facts:
    return {
        "normalization": model.normalization_method,
        "equations": len(model.tables),
        "coefficients": sum(
            len(t.numeric) + len(t.categorical) + len(t.terms) for t in model.tables
        ),
    }


def _general_regression(model: GeneralRegressionModel) -> Facts:
    hazards = model.hazards
    return {
        "type": model.model_type,
        "link": model.link_function or model.cumulative_link,
        "distribution": model.distribution,
        "factors": len(model.factors.predictors),
        "covariates": len(model.covariates.predictors),
        "parameters": len(model.parameters.parameters),
        "coefficients": len(model.coefficients.cells),
        "strata": len(hazards.strata) or None if hazards is not None else None,
    }


def _neural(model: NeuralNetwork) -> Facts:
    sizes = [len(layer.neurons) for layer in model.layers]
    activations = dict.fromkeys(
        layer.activation_function or model.activation_function for layer in model.layers
    )
    shown = [*map(str, sizes[: limits.DESCRIBED_PARTS_MAX])]
    return {
        "inputs": len(model.inputs.inputs),
        "layers": len(sizes),
        "neurons": sum(sizes),
        "sizes": "-".join(shown) + ("-..." if len(shown) < len(sizes) else ""),
        "connections": sum(len(n.connections) for layer in model.layers for n in layer.neurons),
        "activation": ", ".join(activations),
        "normalization": model.normalization_method,
        "outputs": len(model.outputs.outputs),
    }


def _machines(model: SupportVectorMachineModel) -> Facts:
    kernels = (model.linear, model.polynomial, model.radial, model.sigmoid)
    supported = [m.vectors.vectors for m in model.machines if m.vectors is not None]
    classification = model.function_name == "classification"
    return {
        "kernel": next((tag_of(type(k)) for k in kernels if k is not None), None),
        "representation": model.svm_representation,
        "method": model.classification_method if classification else None,
        "machines": len(model.machines),
        "coordinates": len(model.dictionary.fields.coordinates),
        "vectors": len(model.dictionary.vectors),
        "support vectors": sum(map(len, supported)),
        "coefficients": sum(len(m.coefficients.values) for m in model.machines),
    }


def _clustering(model: ClusteringModel) -> Facts:
    return {
        "class": model.model_class,
        "measure": tag_of(type(model.measure.measure)),
        "fields": len(model.fields),
        "clusters": len(model.clusters),
    }


def _naive_bayes(model: NaiveBayesModel) -> Facts:
    return {
        "inputs": len(model.inputs.inputs),
        "categories": len(model.target.counts.counts),
        "threshold": model.threshold,
    }


def _nearest_neighbor(model: NearestNeighborModel) -> Facts:
    continuous = model.function_name == "regression"
    return {
        "neighbors": model.number_of_neighbors,
        "measure": tag_of(type(model.measure.measure)),
        "method": model.continuous_scoring_method
        if continuous
        else model.categorical_scoring_method,
        "inputs": len(model.inputs.inputs),
        "instances": len(model.instances.table.rows),
    }


def _gaussian_process(model: GaussianProcessModel) -> Facts:
    kernels = (model.radial, model.squared, model.absolute, model.generalized)
    return {
        "kernel": next((tag_of(type(k)) for k in kernels if k is not None), None),
        "optimizer": model.optimizer,
        "instances": len(model.instances.table.rows),
    }


def _rule_set(model: RuleSetModel) -> Facts:
    methods = model.rule_set.methods
    rules, pending = 0, list[Rule](model.rule_set.rules)
    while pending:
        rule = pending.pop()
        if isinstance(rule, CompoundRule):
            pending.extend(rule.rules)
        else:
            rules += 1
    return {
        "selection": methods[0].criterion if methods else None,
        "rules": rules,
        "default": model.rule_set.default_score,
    }


def _associations(model: AssociationModel) -> Facts:
    return {
        "items": len(model.items),
        "itemsets": len(model.itemsets),
        "rules": len(model.rules),
    }


def _scorecard(model: Scorecard) -> Facts:
    every = model.characteristics.characteristics
    return {
        "characteristics": len(every),
        "attributes": sum(len(each.attributes) for each in every),
        "initial score": model.initial_score,
        "reason codes": model.reason_code_algorithm if model.use_reason_codes else "none",
    }


def _bayesian_network(model: BayesianNetworkModel) -> Facts:
    nodes = model.nodes
    return {"discrete nodes": len(nodes.discrete), "continuous nodes": len(nodes.continuous)}


def _baseline(model: BaselineModel) -> Facts:
    return {"statistic": model.test.test_statistic, "field": model.test.field}


def _time_series(model: TimeSeriesModel) -> Facts:
    trend = model.smoothing.trend
    return {"best fit": model.best_fit, "trend": "none" if trend is None else trend.trend}


def _sequences(model: SequenceModel) -> Facts:
    return {
        "items": len(model.items),
        "sets": len(model.itemsets) + len(model.predicates),
        "sequences": len(model.sequences),
        "rules": len(model.rules),
    }


def _text(model: TextModel) -> Facts:
    return {
        "terms": model.number_of_terms,
        "documents": len(model.corpus.documents),
        "similarity": model.similarity.similarity_type,
    }


def _no_facts(_: Any) -> Facts:
    return {}


_FACTS: dict[type[Any], Callable[[Any], Facts]] = {
    AssociationModel: _associations,
    BaselineModel: _baseline,
    BayesianNetworkModel: _bayesian_network,
    ClusteringModel: _clustering,
    GaussianProcessModel: _gaussian_process,
    GeneralRegressionModel: _general_regression,
    NaiveBayesModel: _naive_bayes,
    NearestNeighborModel: _nearest_neighbor,
    NeuralNetwork: _neural,
    RegressionModel: _regression,
    RuleSetModel: _rule_set,
    Scorecard: _scorecard,
    SequenceModel: _sequences,
    SupportVectorMachineModel: _machines,
    TextModel: _text,
    TimeSeriesModel: _time_series,
    TreeModel: _tree,
}
