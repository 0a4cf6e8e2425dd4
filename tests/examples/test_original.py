"""The original's publishers, byte for byte as they write, on the flow of `examples/original`."""

import csv
import json
import struct
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelstream.audit import explain, verify
from modelstream.engines.serve import serve
from modelstream.errors import InvalidFlow
from modelstream.events import Admitted, Rejected, decode_events
from modelstream.flow import Flow, load_flow, parse_flow
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.messages import Outgoing, Result
from modelstream.wire.results import decode_reject, decode_result
from tests.support.kafka.broker import Running

ORIGINAL = Path(__file__).resolve().parents[2] / "examples" / "original"
# Of the first wine, as JPMML scores it.
LINEAR = 5.178126058334128
TENSORFLOW, SAVED, PMML = 0, 1, 2


def varint(number: int) -> bytes:
    written = b""
    while number > 0x7F:
        written += bytes([number & 0x7F | 0x80])
        number >>= 7
    return written + bytes([number])


def text(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def wine_record(values: Sequence[float], ts: int = 0) -> bytes:
    """Write a WineRecord as its Java code does: what is 0 is left out."""
    written = b"".join(
        varint(number << 3 | 1) + struct.pack("<d", value)
        for number, value in enumerate(values[:11], start=1)
        if value
    )
    return written + text(12, b"wine") + (varint(13 << 3) + varint(ts) if ts else b"")


def model_descriptor(name: str, kind: int, *, data: bytes = b"", location: str = "") -> bytes:
    """Write a ModelDescriptor as its Java code does."""
    return (
        text(1, name.encode())
        + text(2, b"generated from SparkML")
        + text(3, b"wine")
        + (varint(4 << 3) + varint(kind) if kind else b"")
        + (text(5, data) if data else text(6, location.encode()))
    )


def wines(shared_data: Path, count: int) -> list[list[float]]:
    with (shared_data / "wine" / "winequality_red.csv").open() as file:
        rows = [[float(each) for each in row[:11]] for row in csv.reader(file, delimiter=";")]
    return rows[:count]


def artifact(shared_data: Path, name: str) -> bytes:
    return (shared_data / "wine" / name).read_bytes()


def linear(shared_data: Path, kind: int = PMML) -> bytes:
    data = artifact(shared_data, "winequalityLinearRegression.pmml")
    return model_descriptor("winequalityLinearRegression", kind, data=data)


def put(log: Log, topic: str, *values: bytes) -> None:
    if topic not in log.topics():
        log.create_topic(topic, 1)
    log.append(Outgoing(topic, values))


def results(log: Log, flow: Flow) -> list[Result]:
    found: list[Result] = []
    offset = 0
    while len(batch := log.read(flow.results, 0, offset, 1000, 1 << 24)):
        found += map(decode_result, batch.values)
        offset = batch.next_offset
    return found


@pytest.fixture
def flow() -> Flow:
    return load_flow(ORIGINAL / "flow.toml")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return open_log(f"file:{tmp_path}/log")


def events(log: Log, flow: Flow) -> list[Any]:
    return decode_events(log.read(flow.registry, 0, 0, 100, 1 << 24).values)


def test_the_original_s_wines_are_scored_by_the_original_s_pmml(
    flow: Flow, log: Log, shared_data: Path
) -> None:
    given = wines(shared_data, 50)
    put(log, "mdata", *map(wine_record, given[:25]))
    put(log, "mdata", *(wine_record(each, ts=1_570_000_000_000) for each in given[25:]))
    put(log, "models", linear(shared_data))
    serve(flow, log, once=True)
    scored = results(log, flow)
    assert len(scored) == 50
    assert scored[0].outputs["quality"] == pytest.approx(LINEAR, rel=1e-12)
    assert scored[0].model.name == "winequalityLinearRegression"
    told = json.loads(bytes(scored[0].record))
    assert (told["fixed_acidity"], told["citric_acid"], told["dataType"]) == (7.4, 0.0, "wine")
    assert verify(log, flow).ok
    inputs = explain(log, flow, "mdata/0/0").inputs
    assert inputs is not None
    assert inputs["fixed acidity"] == 7.4


def test_the_original_s_network_takes_its_vector(flow: Flow, log: Log, shared_data: Path) -> None:
    data = artifact(shared_data, "optimized_WineQuality.pb")
    name = "data/optimized_WineQuality"
    put(log, "models", model_descriptor(name, TENSORFLOW, data=data))
    put(log, "mdata", *map(wine_record, wines(shared_data, 20)))
    serve(flow, log, once=True)
    scored = results(log, flow)
    assert len(scored) == 20
    chances = scored[0].outputs["dense_3/Sigmoid"]
    assert chances.index(max(chances)) == 5, "the first wine's quality, as the original tells it"
    assert scored[0].model.name == name


def test_every_pmml_of_the_original_becomes_current_in_turn(
    flow: Flow, log: Log, shared_data: Path
) -> None:
    paths = sorted((shared_data / "wine").glob("*.pmml"))
    put(log, "mdata", *map(wine_record, wines(shared_data, 5)))
    put(
        log,
        "models",
        *(model_descriptor(each.stem, PMML, data=each.read_bytes()) for each in paths),
    )
    serve(flow, log, once=True)
    admitted = [each.name for each in events(log, flow) if isinstance(each, Admitted)]
    assert admitted == [each.stem for each in paths]
    assert {each.model.name for each in results(log, flow)} == {paths[-1].stem}


def test_the_older_dialect_has_to_be_told(flow: Flow, log: Log, shared_data: Path) -> None:
    put(log, "models", linear(shared_data, kind=1))
    put(log, "mdata", *map(wine_record, wines(shared_data, 5)))
    serve(flow, log, once=True)
    assert [type(each) for each in events(log, flow)] == [Rejected], "here 1 is a SavedModel"
    older = replace(flow, name="older", descriptor_dialect="pmml1", registry="older.registry")
    serve(older, log, once=True)
    assert len(results(log, older)) == 5


def test_a_path_on_the_publisher_s_machine_is_refused(flow: Flow, log: Log) -> None:
    put(log, "models", model_descriptor("saved", SAVED, location="data/saved/1"))
    serve(flow, log, once=True)
    (rejected,) = events(log, flow)
    assert isinstance(rejected, Rejected)


def test_bytes_that_are_no_wine_are_rejected(flow: Flow, log: Log, shared_data: Path) -> None:
    put(log, "models", linear(shared_data))
    good = wine_record(wines(shared_data, 1)[0])
    put(log, "mdata", good[:-3], b"\xff", good, text(12, b""))
    serve(replace(flow, on_no_model="reject"), log, once=True)
    assert [each.offset for each in results(log, flow)] == [2]
    told = [decode_reject(each) for each in log.read(flow.rejects, 0, 0, 10, 1 << 20).values]
    assert [(each.offset, each.reason) for each in told] == [
        (0, "malformed"),
        (1, "malformed"),
        (3, "no_model"),
    ]


def test_the_set_of_descriptors_is_that_of_the_proto_file() -> None:
    proto = (ORIGINAL / "winerecord.proto").read_text()
    data = (ORIGINAL / "winerecord.binpb").read_bytes()
    names = [
        line.split()[1] for line in proto.splitlines() if line.startswith("  ") and "=" in line
    ]
    assert len(names) == 13
    assert all(name.encode() in data for name in names)


def test_a_wrong_message_is_a_wrong_flow(flow: Flow, log: Log) -> None:
    wrong = replace(flow, schemas=replace(flow.schemas, message="com.lightbend.model.Beer"))
    with pytest.raises(InvalidFlow, match="WineRecord"):
        serve(wrong, log, once=True)


@pytest.mark.kafka
def test_the_original_s_producer_and_topics_on_kafka(
    kafka_broker: Running, shared_data: Path
) -> None:
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    own = uuid.uuid4().hex[:8]
    declared = (ORIGINAL / "flow.toml").read_text()
    for name in ('"wine"', '"mdata"', '"models"'):
        declared = declared.replace(f"= {name}", f"= {name[:-1]}-{own}{name[-1]}", 1)
    flow = parse_flow(declared, directory=ORIGINAL)
    topics = [NewTopic(each, 1, 1) for each in (flow.models, *flow.record_topics)]
    admin = AdminClient({"bootstrap.servers": kafka_broker.bootstrap})
    for made in admin.create_topics(topics).values():
        made.result(30)
    producer = Producer({"bootstrap.servers": kafka_broker.bootstrap})
    (data,) = flow.record_topics
    for each in wines(shared_data, 200):
        producer.produce(data, wine_record(each), partition=0)
    producer.produce(flow.models, linear(shared_data), partition=0)
    assert producer.flush(30) == 0
    log = open_log(kafka_broker.url)
    serve(flow, log, once=True)
    scored = results(log, flow)
    assert [each.offset for each in scored] == list(range(200))
    assert scored[0].outputs["quality"] == pytest.approx(LINEAR, rel=1e-12)
    assert verify(log, flow).ok
    log.close()
