"""One flow on disk and on Kafka: only the line `log` differs, and the answers do not."""

import json
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from modelstream.cli.main import main
from modelstream.limits import BATCH_BYTES_MAX, INLINE_BYTES_MAX
from modelstream.log import open_log
from modelstream.log.base import Log
from tests.support.kafka.broker import Running

pytestmark = pytest.mark.kafka

FIELDS = (
    "fixed acidity,volatile acidity,citric acid,residual sugar,chlorides,free sulfur dioxide,"
    "total sulfur dioxide,density,pH,sulphates,alcohol,quality"
)
WINES = 1599
LINEAR, TREE = "winequalityLinearRegression.pmml", "winequalityDesisionTreeRegression.pmml"


def test_the_wine_flow_answers_on_kafka_what_it_answers_on_disk(
    tmp_path: Path, shared_data: Path, kafka_broker: Running
) -> None:
    name = f"wine-{uuid.uuid4().hex[:8]}"
    told = {}
    for url in (f"file:{tmp_path}/data", kafka_broker.url):
        flow = tmp_path / "flow.toml"
        flow.write_text(f'name = "{name}"\nlog = "{url}"\n')
        live_through(flow, shared_data / "wine")
        with closing(open_log(url)) as log:
            told[url] = [outcomes(log, f"{name}.{topic}") for topic in ("results", "rejects")]
    on_disk, on_kafka = told.values()
    results, rejects = on_disk
    versions = [f"{each['model']['name']}@{each['model']['version']}" for each in results]
    assert versions == ["quality@1"] * WINES + ["quality@2"] * WINES + ["quality@1"] * WINES
    assert [each["reason"] for each in rejects] == ["wrong_type"]
    assert on_kafka == on_disk


def live_through(flow: Path, wine: Path) -> None:
    """Send, publish, swap, reject a model and a record, roll back, verify: as one types it."""
    broken = flow.with_name("broken.pmml")
    broken.write_text("<PMML>")
    wrong = flow.with_name("wrong.jsonl")
    wrong.write_text('{"fixed acidity": "sour"}\n')

    send_wines(flow, wine)
    run("publish", flow, wine / LINEAR, "--name", "quality", "--wait", 0)
    run("serve", flow, "--once")
    run("publish", flow, wine / TREE, "--name", "quality", "--wait", 0)
    run("publish", flow, broken, "--name", "quality", "--wait", 0)
    run("serve", flow, "--once")
    send_wines(flow, wine)
    run("serve", flow, "--once")
    run("rollback", flow, "--wait", 0)
    run("send", flow, wrong)
    send_wines(flow, wine)
    run("serve", flow, "--once")
    run("verify", flow)


def send_wines(flow: Path, wine: Path) -> None:
    run("send", flow, wine / "winequality_red.csv", "--delimiter", ";", "--columns", FIELDS)


def run(*arguments: object) -> None:
    assert main([str(each) for each in arguments]) == 0, arguments


def outcomes(log: Log, topic: str) -> list[dict[str, Any]]:
    """Return the messages of a topic without clocks and offsets, which logs count in their way."""
    told: list[dict[str, Any]] = []
    position = 0
    while len(batch := log.read(topic, 0, position, 1000, BATCH_BYTES_MAX)):
        told.extend(json.loads(value) for value in batch.values)
        position = batch.next_offset
    for each in told:
        for stamped in (each, each.get("model", {})):
            for key in ("offset", "timestamp", "as_of", "took_us"):
                stamped.pop(key, None)
    return told


def test_a_model_that_no_message_holds_is_published_admitted_and_scores(
    tmp_path: Path, shared_data: Path, kafka_broker: Running
) -> None:
    model = shared_data / "wine" / "winequalityRandonForrestClassification.pmml"
    text = model.read_text()
    padded = tmp_path / "large.pmml"
    padded.write_text(text.replace("</PMML>", f"<!--{'large ' * 200_000}--></PMML>"))
    assert padded.stat().st_size > 2 * INLINE_BYTES_MAX
    flow = tmp_path / "flow.toml"
    name = f"large-{uuid.uuid4().hex[:8]}"
    flow.write_text(f'name = "{name}"\nlog = "{kafka_broker.url}"\n')
    send_wines(flow, shared_data / "wine")
    run("publish", flow, padded, "--name", "quality", "--wait", 0)
    run("serve", flow, "--once")
    with closing(open_log(kafka_broker.url)) as log:
        results = outcomes(log, f"{name}.results")
        (message,) = log.read(f"{name}.models", 0, 0, 10, BATCH_BYTES_MAX).values
    assert len(message) < INLINE_BYTES_MAX
    assert len(results) == WINES
    assert results[0]["outputs"]["quality"] == "5"
    run("verify", flow)
