"""Anomaly detection models against the standard's scores, on small models of each kind."""

import math

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import X, Y, document, lower, plain, schema, score

TREES = (
    f'<MiningModel functionName="regression">{schema("x")}'
    '<Output><OutputField name="depth" feature="predictedValue"/></Output>'
    '<Segmentation multipleModelMethod="average">'
    + "".join(
        f'<Segment><True/><TreeModel functionName="regression">{schema("x")}'
        f'<Node><True/><Node score="{low}"><SimplePredicate field="x" operator="lessThan" value="1"/>'
        f'</Node><Node score="{high}"><SimplePredicate field="x" operator="greaterOrEqual" value="1"/>'
        "</Node></Node></TreeModel></Segment>"
        for low, high in [(1, 4), (2, 7)]
    )
    + "</Segmentation></MiningModel>"
)
CLUSTERS = (
    f'<ClusteringModel functionName="clustering" modelClass="centerBased">{schema("x")}'
    '<ComparisonMeasure kind="distance"><euclidean/></ComparisonMeasure>'
    '<ClusteringField field="x"/><Cluster id="a"><Array type="real">0</Array></Cluster>'
    '<Cluster id="b"><Array type="real">10</Array></Cluster></ClusteringModel>'
)
MACHINE = (
    f'<SupportVectorMachineModel functionName="regression" svmRepresentation="Coefficients">'
    f'{schema("x")}<LinearKernelType/><VectorDictionary><VectorFields><FieldRef field="x"/>'
    "</VectorFields></VectorDictionary><SupportVectorMachine>"
    '<Coefficients absoluteValue="-1"><Coefficient value="2"/></Coefficients>'
    "</SupportVectorMachine></SupportVectorMachineModel>"
)
MEANS = '<MeanClusterDistances><Array type="real">2 0.5</Array></MeanClusterDistances>'
OUTPUT = (
    '<Output><OutputField name="score" feature="predictedValue"/>'
    '<OutputField name="odd" feature="decision" dataType="boolean"><Apply function="greaterThan">'
    '<FieldRef field="score"/><Constant dataType="double">0.6</Constant></Apply></OutputField>'
    "</Output>"
)


def model(inner: str, kind: str, after: str = "", output: str = OUTPUT, **attributes: str) -> bytes:
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    body = (
        f'<AnomalyDetectionModel functionName="regression" algorithmType="{kind}"{declared}>'
        f"{schema('x')}{output}{inner}{after}</AnomalyDetectionModel>"
    )
    return document(body)


def test_an_isolation_forest_scores_the_mean_depth_by_the_expected_one() -> None:
    answers = score(model(TREES, "iforest", sampleDataSize="16"), x=[0, 3, None])
    expected = 2 * (math.log(15) + 0.5772156649015329) - 2 * 15 / 16
    wanted = [2 ** (-1.5 / expected), 2 ** (-5.5 / expected), None]
    assert plain(answers["score"]) == pytest.approx(wanted)
    assert plain(answers["odd"])[:2] == [True, False]


def test_outputs_can_refer_to_those_of_the_model_inside() -> None:
    output = OUTPUT.replace('<FieldRef field="score"/>', '<FieldRef field="depth"/>')
    answers = score(model(TREES, "iforest", output=output, sampleDataSize="16"), x=[0])
    assert plain(answers["odd"]) == [True]
    assert "depth" not in answers


def test_a_machine_of_one_class_scores_what_it_gives() -> None:
    assert plain(score(model(MACHINE, "ocsvm"), x=[2, None])["score"]) == [3.0, None]


def test_a_distance_is_scored_by_the_mean_of_its_cluster() -> None:
    answers = score(model(CLUSTERS, "clusterMeanDist", MEANS), x=[1, 9, 10, None])
    assert plain(answers["score"]) == [0.5, 2.0, 0.0, None]


def test_any_other_model_answers_for_itself() -> None:
    output = OUTPUT.replace('<Constant dataType="double">0.6</Constant>', "<Constant>b</Constant>")
    output = output.replace("greaterThan", "equal")
    answers = score(model(CLUSTERS, "other", output=output), x=[1, 9])
    assert plain(answers["score"]) == ["a", "b"]
    assert plain(answers["odd"]) == [False, True]


def test_an_anomaly_score_is_an_input_of_the_models_after_it_in_a_chain() -> None:
    inner = model(MACHINE, "ocsvm").decode().partition("</DataDictionary>")[2][: -len("</PMML>")]
    body = (
        f'<MiningModel functionName="regression">{schema("x", target="y")}'
        f'<Segmentation multipleModelMethod="modelChain"><Segment><True/>{inner}</Segment>'
        f'<Segment><True/><RegressionModel functionName="regression">{schema("score", target="y")}'
        '<RegressionTable intercept="1"><NumericPredictor name="score" coefficient="10"/>'
        "</RegressionTable></RegressionModel></Segment></Segmentation></MiningModel>"
    )
    assert plain(score(document(body, X + Y), x=[2])["y"]) == [31.0]


@pytest.mark.parametrize(
    ("artifact", "error", "reason"),
    [
        (model(TREES, "iforest"), InvalidModel, "sampleDataSize"),
        (model(TREES, "iforest", sampleDataSize="1"), InvalidModel, "at least 2"),
        (model(CLUSTERS, "iforest", sampleDataSize="9"), InvalidModel, "of MiningModel or Tree"),
        (model(TREES, "ocsvm"), InvalidModel, "of SupportVectorMachineModel, not of MiningModel"),
        (model(CLUSTERS, "clusterMeanDist"), InvalidModel, "needs MeanClusterDistances"),
        (
            model(CLUSTERS, "clusterMeanDist", MEANS.replace("2 0.5", "2")),
            InvalidModel,
            "1 values for 2 clusters",
        ),
        (model(TREES, "lof"), UnsupportedModel, "algorithmType='lof'"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(
    artifact: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        lower(artifact)
