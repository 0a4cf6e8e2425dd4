"""Chains of models that are neither regressions nor classifications, and what they can be asked."""

import pytest

from modelstream.errors import UnsupportedModel
from tests.support.pmml import X, document, load, plain, schema, score

MEASURE = '<ComparisonMeasure kind="distance"><squaredEuclidean/></ComparisonMeasure>'


def centre(name: str, at: float) -> str:
    return f'<Cluster id="{name}"><Array n="1" type="real">{at}</Array></Cluster>'


def clusters(field: str = "x") -> str:
    return (
        '<ClusteringModel functionName="clustering" modelClass="centerBased" numberOfClusters="2">'
        f'{schema(field)}{MEASURE}<ClusteringField field="{field}"/>'
        f"{centre('near', 0)}{centre('far', 10)}</ClusteringModel>"
    )


def half() -> str:
    return (
        f'<RegressionModel functionName="regression">{schema("x")}'
        '<Output><OutputField name="h" feature="predictedValue" isFinalResult="false"/></Output>'
        '<RegressionTable intercept="0"><NumericPredictor name="x" coefficient="0.5"/>'
        "</RegressionTable></RegressionModel>"
    )


def chain(function: str, last: str, method: str = "modelChain", output: str = "") -> bytes:
    return document(
        f'<MiningModel functionName="{function}">{schema("x")}{output}'
        f'<Segmentation multipleModelMethod="{method}"><Segment id="1"><True/>{half()}</Segment>'
        f'<Segment id="2">{last}</Segment></Segmentation></MiningModel>',
        X,
    )


@pytest.mark.parametrize("function", ["clustering", "mixed"])
def test_a_chain_has_the_function_of_its_last_model_or_a_mixed_one(function: str) -> None:
    answers = score(chain(function, f"<True/>{clusters('h')}"), x=[4.0, 16.0])
    assert plain(answers["_target"]) == ["near", "far"]


def test_a_chain_is_asked_what_its_last_model_alone_can_tell() -> None:
    features = ("clusterId", "clusterAffinity", "entityId", "affinity")
    outputs = "".join(f'<OutputField name="{f}" feature="{f}"/>' for f in features)
    artifact = chain("clustering", f"<True/>{clusters('h')}", output=f"<Output>{outputs}</Output>")
    answers = score(artifact, x=[4.0, 16.0])
    assert plain(answers["clusterId"]) == plain(answers["entityId"]) == ["near", "far"]
    assert plain(answers["clusterAffinity"]) == plain(answers["affinity"]) == [4.0, 4.0]


def test_what_a_model_alone_can_tell_is_not_asked_of_one_that_may_not_run() -> None:
    sometimes = '<SimplePredicate field="x" operator="lessThan" value="5"/>' + half()
    output = '<Output><OutputField name="o" feature="clusterId"/></Output>'
    with pytest.raises(UnsupportedModel, match="clusterId"):
        load(chain("mixed", sometimes, output=output))


@pytest.mark.parametrize("function", ["clustering", "mixed", "associationRules"])
def test_models_of_other_functions_are_not_averaged(function: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"'average' of a {function}"):
        load(chain(function, f"<True/>{clusters()}", method="average"))
