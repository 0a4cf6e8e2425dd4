"""The wines of the original tutorial, all 1,599 of them, through every model that came with it."""

import json
from pathlib import Path

import pytest

from modelstream.cli.main import main
from modelstream.events import Rejected, decode_events
from modelstream.log import open_log
from modelstream.wire.results import decode_result

FIELDS = (
    "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,"
    "total sulfur dioxide,density,pH,sulphates,alcohol,quality"
)
WINES = 1599
FIRST_SCORES = {
    "winequalityLinearRegression": 5.178126058334128,
    "winequalityDesisionTreeRegression": 5.073059360730594,
    "winequalityDecisionTreeClassification": "5",
    "winequalityRandonForrestClassification": "5",
    "winequalityGeneralizedLinearRegressionGaussian": 5.128828620526595,
    "winequalityGeneralizedLinearRegressionGamma": 5.2760146676116655,
    "winequalityMultilayerPerceptron": "5",
}


def run(*arguments: object) -> int:
    return main([str(each) for each in arguments])


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    path = tmp_path / "flow.toml"
    path.write_text('name = "wine"\n')
    return path


def send_all(flow: Path, wine: Path) -> None:
    rows = wine / "winequality_red.csv"
    assert run("send", flow, rows, "--delimiter", ";", "--columns", FIELDS) == 0


@pytest.mark.parametrize("name", FIRST_SCORES)
def test_every_wine_is_scored_as_the_original_scores_it(
    name: str, flow: Path, shared_data: Path
) -> None:
    wine = shared_data / "wine"
    send_all(flow, wine)
    model = wine / f"{name}.pmml"
    assert run("publish", flow, model, "--name", name, "--wait", 0) == 0
    assert run("serve", flow, "--once") == 0
    log = open_log(f"file:{flow.parent}/data")
    assert log.bounds("wine.results", 0) == (0, WINES)
    first = decode_result(log.read("wine.results", 0, 0, 1, 1 << 20).values[0])
    if isinstance(FIRST_SCORES[name], float):
        assert first.outputs["quality"] == pytest.approx(FIRST_SCORES[name], rel=1e-12)
    else:
        assert first.outputs["quality"] == FIRST_SCORES[name]
    assert run("verify", flow) == 0
    log.close()


@pytest.mark.parametrize(
    ("source", "output", "first"),
    [
        ("optimized_WineQuality.pb", "dense_3/Sigmoid", 0.69121635),
        ("savedmodel.zip", "outputs", 0.6897355),
        ("saved/1", "outputs", 0.6897355),
    ],
)
def test_every_wine_is_scored_by_the_networks_of_tensorflow(
    source: str, output: str, first: float, flow: Path, shared_data: Path
) -> None:
    wine = shared_data / "wine"
    send_all(flow, wine)
    features = FIELDS.removesuffix(",quality")
    told = ("--name", "network", "--features", features, "--wait", 0)
    assert run("publish", flow, wine / source, *told) == 0
    assert run("serve", flow, "--once") == 0
    log = open_log(f"file:{flow.parent}/data")
    assert log.bounds("wine.results", 0) == (0, WINES)
    scores = decode_result(log.read("wine.results", 0, 0, 1, 1 << 20).values[0]).outputs[output]
    assert scores[5] == max(scores) == pytest.approx(first, rel=1e-6)
    assert run("verify", flow) == 0
    log.close()


def test_a_graph_that_cannot_be_served_is_refused_with_a_reason(
    flow: Path, shared_data: Path, tmp_path: Path
) -> None:
    network = (shared_data / "wine" / "optimized_WineQuality.pb").read_bytes()
    graph = tmp_path / "graph.pb"
    graph.write_bytes(network.replace(b"\x12\x07Sigmoid", b"\x12\x07Unknown"))
    assert run("publish", flow, graph, "--name", "g", "--wait", 0) == 0
    assert run("admit", flow, "--once") == 0
    log = open_log(f"file:{flow.parent}/data")
    (event,) = decode_events(log.read("wine.registry", 0, 0, 10, 1 << 20).values)
    assert isinstance(event, Rejected)
    assert event.code == "unsupported_model"
    assert "Unknown (node 'dense_3/Sigmoid')" in event.reason
    log.close()


def test_the_malformed_wines_are_rejected_alone(flow: Path, shared_data: Path) -> None:
    wine = shared_data / "wine"
    lines = (wine / "malformed" / "error_winequality_red.csv").read_text().splitlines()
    names = FIELDS.split(",")
    records = [
        {name: float(text) for name, text in zip(names, line.split(";"), strict=False) if text}
        for line in lines
    ]
    path = flow.parent / "records.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    assert run("send", flow, path) == 0
    model = wine / "winequalityLinearRegression.pmml"
    assert run("publish", flow, model, "--name", "linear", "--wait", 0) == 0
    assert run("serve", flow, "--once") == 0
    log = open_log(f"file:{flow.parent}/data")
    results = log.bounds("wine.results", 0)[1]
    rejects = log.bounds("wine.rejects", 0)[1]
    assert results + rejects == len(records)
    assert results > 0
    assert rejects > 0
    assert run("verify", flow) == 0
    log.close()
