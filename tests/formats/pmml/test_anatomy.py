"""What models are said to be made of, for every kind of model."""

import pytest

from modelstream.formats import limits
from modelstream.formats.base import Part
from modelstream.formats.pmml.elements.vocabulary import MODELS, tag_of
from tests.support.pmml import load
from tests.support.pmml_documents import DOCUMENTS, doc, ensemble, tree

Facts = dict[str, str | int | float]

TREE: Facts = {
    "function": "classification",
    "missing values": "none",
    "no true child": "returnNullPrediction",
    "nodes": 5,
    "leaves": 3,
    "depth": 2,
}
NUMBERS: Facts = {**TREE, "function": "regression"}
LOGISTIC: Facts = {
    "function": "classification",
    "normalization": "softmax",
    "equations": 2,
    "coefficients": 1,
}
LINE: Facts = {
    "name": "line",
    "function": "regression",
    "algorithm": "least squares",
    "derived fields": 7,
    "normalization": "none",
    "equations": 1,
    "coefficients": 6,
}
RULES: Facts = {"function": "classification", "selection": "firstHit", "rules": 2, "default": "b"}
SHARED: Facts = {"shared derived fields": 1, "functions": 1}
TREES: Facts = {"trees": 2, "nodes": 10, "leaves": 6, "depth": 2}


def segments(*parts: tuple[str, Facts]) -> tuple[Part, ...]:
    """Return the parts of an ensemble: each begins with its id, the weight follows from it."""
    return tuple(
        Part(kind, {"segment": f"s{n}", **({"weight": n + 1.0} if n else {}), **facts})
        for n, (kind, facts) in enumerate(parts)
    )


ANATOMIES: dict[str, Part] = {
    "line": Part("RegressionModel", {**SHARED, **LINE}),
    "logistic": Part("RegressionModel", LOGISTIC),
    "tree": Part("TreeModel", {**TREE, "missing values": "defaultChild"}),
    "walk": Part("TreeModel", {**TREE, "missing values": "weightedConfidence"}),
    "forest": Part(
        "MiningModel",
        {"function": "classification", "method": "average", "segments": 2, **TREES},
        segments(("TreeModel", TREE), ("TreeModel", {**TREE, "missing values": "nullPrediction"})),
    ),
    "votes": Part(
        "MiningModel",
        {
            "function": "classification",
            "method": "weightedMajorityVote",
            "segments": 3,
            "trees": 1,
            "nodes": 5,
            "leaves": 3,
            "depth": 2,
        },
        segments(("TreeModel", TREE), ("RegressionModel", LOGISTIC), ("RuleSetModel", RULES)),
    ),
    "chain": Part(
        "MiningModel",
        {
            **SHARED,
            "function": "regression",
            "method": "modelChain",
            "segments": 2,
            "trees": 1,
            "nodes": 5,
            "leaves": 3,
            "depth": 2,
        },
        segments(("TreeModel", NUMBERS), ("RegressionModel", LINE)),
    ),
    "rules": Part("RuleSetModel", RULES),
    "associations": Part(
        "AssociationModel", {"function": "associationRules", "items": 2, "itemsets": 2, "rules": 1}
    ),
    "scorecard": Part(
        "Scorecard",
        {
            "function": "regression",
            "characteristics": 1,
            "attributes": 2,
            "initial score": 100.0,
            "reason codes": "pointsBelow",
        },
    ),
    "network": Part(
        "NeuralNetwork",
        {
            "function": "regression",
            "inputs": 2,
            "layers": 2,
            "neurons": 3,
            "sizes": "2-1",
            "connections": 5,
            "activation": "tanh, identity",
            "normalization": "none",
            "outputs": 1,
        },
    ),
    "machine": Part(
        "SupportVectorMachineModel",
        {
            "function": "classification",
            "kernel": "RadialBasisKernelType",
            "representation": "SupportVectors",
            "method": "OneAgainstAll",
            "machines": 1,
            "coordinates": 2,
            "vectors": 2,
            "support vectors": 2,
            "coefficients": 2,
        },
    ),
    "clusters": Part(
        "ClusteringModel",
        {
            "function": "clustering",
            "class": "centerBased",
            "measure": "squaredEuclidean",
            "fields": 2,
            "clusters": 2,
        },
    ),
    "general": Part(
        "GeneralRegressionModel",
        {
            "function": "regression",
            "type": "generalizedLinear",
            "link": "log",
            "distribution": "poisson",
            "factors": 1,
            "covariates": 1,
            "parameters": 3,
            "coefficients": 3,
        },
    ),
    "bayes": Part(
        "NaiveBayesModel",
        {"function": "classification", "inputs": 2, "categories": 2, "threshold": 0.001},
    ),
    "neighbors": Part(
        "NearestNeighborModel",
        {
            "function": "regression",
            "neighbors": 2,
            "measure": "euclidean",
            "method": "weightedAverage",
            "inputs": 2,
            "instances": 2,
        },
    ),
    "process": Part(
        "GaussianProcessModel",
        {"function": "regression", "kernel": "RadialBasisKernel", "instances": 2},
    ),
    "baseline": Part(
        "BaselineModel", {"function": "regression", "statistic": "zValue", "field": "x"}
    ),
    "series": Part(
        "TimeSeriesModel",
        {"function": "timeSeries", "best fit": "ExponentialSmoothing", "trend": "damped_additive"},
    ),
    "text": Part(
        "TextModel",
        {"function": "clustering", "terms": 2, "documents": 2, "similarity": "cosine"},
    ),
    "sequences": Part(
        "SequenceModel",
        {"function": "sequences", "items": 2, "sets": 2, "sequences": 2, "rules": 1},
    ),
    "bayesian": Part(
        "BayesianNetworkModel",
        {"function": "classification", "discrete nodes": 2, "continuous nodes": 0},
    ),
    "anomalies": Part(
        "AnomalyDetectionModel",
        {"function": "regression", "anomalies by": "iforest"},
        (
            Part(
                "MiningModel",
                {"function": "regression", "method": "average", "segments": 2, **TREES},
                segments(("TreeModel", NUMBERS), ("TreeModel", NUMBERS)),
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", ANATOMIES)
def test_a_model_is_told_by_what_it_is_made_of(name: str) -> None:
    structure = load(DOCUMENTS[name]).describe().structure
    assert structure == ANATOMIES[name]
    assert list(structure.facts) == list(ANATOMIES[name].facts)


def test_every_kind_of_model_is_told() -> None:
    told = {part.kind for part in ANATOMIES.values()}
    assert told == {tag_of(model) for model in MODELS}
    assert set(ANATOMIES) == set(DOCUMENTS)


def parts_in(part: Part) -> int:
    return len(part.parts) + sum(map(parts_in, part.parts))


def test_of_many_segments_the_first_are_listed_and_the_others_counted() -> None:
    trees = [tree() for _ in range(limits.DESCRIBED_PARTS_MAX + 5)]
    structure = load(doc(ensemble("average", *trees))).describe().structure
    assert structure.facts["trees"] == len(trees)
    assert [part.facts["segment"] for part in structure.parts] == [
        f"s{n}" for n in range(limits.DESCRIBED_PARTS_MAX)
    ]
    assert structure.more == 5


def test_segments_of_segments_are_bounded_in_all() -> None:
    inner = ensemble("average", *[tree() for _ in range(9)])
    structure = load(doc(ensemble("average", *[inner] * 4))).describe().structure
    assert [(len(part.parts), part.more) for part in structure.parts] == [(4, 5)] * 4
    assert parts_in(structure) == limits.DESCRIBED_PARTS_MAX


def test_a_segment_with_a_predicate_says_so() -> None:
    body = ensemble("selectFirst", tree(), tree()).replace(
        "<True/><TreeModel", '<SimplePredicate field="x" operator="isMissing"/><TreeModel', 1
    )
    first, second = load(doc(body)).describe().structure.parts
    assert first.facts["for"] == "SimplePredicate"
    assert "for" not in second.facts


def test_a_deep_tree_is_counted_without_recursion() -> None:
    opening = '<Node score="1"><SimplePredicate field="x" operator="lessThan" value="1"/>'
    body = tree("y", "12")
    first, last = body.index("<Node"), body.rindex("</Node>") + len("</Node>")
    deep = opening.replace("<SimplePredicate", "<SimplePredicate", 1) * 900 + "</Node>" * 900
    facts = load(doc(body[:first] + deep + body[last:])).describe().structure.facts
    assert (facts["nodes"], facts["leaves"], facts["depth"]) == (900, 1, 899)
