"""The same flow on a real Apache Flink: its answers, its order, and nothing lost by a kill."""

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from modelstream import publishing
from modelstream.audit.verify import verify
from modelstream.engines.serve import serve
from modelstream.engines.topics import prepare
from modelstream.flow import Flow, load_flow
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.messages import Outgoing
from modelstream.records.csv import CsvLayout, read_csv
from modelstream.wire.results import decode_result
from tests.support.artifacts import adder
from tests.support.kafka.broker import Running

pytestmark = pytest.mark.flink
ROOT = Path(__file__).parents[3]
FIELDS = [
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
    "quality",
]


def command(python: Path, flow: Path, *more: str) -> list[str]:
    return [str(python), "-m", "modelstream", "serve", str(flow), "--engine", "flink", *more]


def environment() -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return plain | {"PYTHONPATH": str(ROOT / "src")}


def serve_once(python: Path, flow: Path, *more: str) -> None:
    done = subprocess.run(
        command(python, flow, "--once", *more),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@contextmanager
def serving(python: Path, flow: Path, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve in processes of a group of their own, which are killed at the end."""
    with subprocess.Popen(
        command(python, flow, *more),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wines(shared: Path) -> list[bytes]:
    layout = CsvLayout(";", tuple(FIELDS), frozenset(), frozenset())
    chunks = read_csv(shared / "wine" / "winequality_red.csv", layout)
    return [value for chunk in chunks for value in chunk.values]


def outcomes(log: Log, flow: Flow) -> list[tuple[int, int, str, object]]:
    """Return partition, offset, version and outputs of every result, in order."""
    told = []
    for partition in range(flow.partitions):
        offset = 0
        while len(batch := log.read(flow.results, partition, offset, 1000, 1 << 24)):
            for value in batch.values:
                result = decode_result(value)
                told.append((partition, result.offset, result.model.version, result.outputs))
            offset = batch.next_offset
    return told


@pytest.mark.parametrize("partition_by", ["key", "data_type"])
def test_the_answers_are_those_of_the_embedded_engine(
    tmp_path: Path, shared_data: Path, flink_python: Path, partition_by: str
) -> None:
    told = {}
    for engine in ("embedded", "flink"):
        path = tmp_path / f"{engine}.toml"
        path.write_text(
            f'name = "wine"\npartitions = 2\npartition_by = "{partition_by}"\n'
            f'log = "file:{tmp_path}/{engine}"\n'
        )
        flow = load_flow(path)
        with closing(open_log(flow.log)) as log:
            prepare(flow, log)
            for number, model in enumerate(("LinearRegression", "DesisionTreeRegression")):
                file = shared_data / "wine" / f"winequality{model}.pmml"
                publishing.publish(log, flow, file, name="quality")
                values = [*wines(shared_data), b"not json", b'{"alcohol": "much"}']
                keys = [f"{number} {at}".encode() for at in range(len(values))]
                log.append(Outgoing("wine.records", values, keys=keys))
                if engine == "embedded":
                    serve(flow, log, once=True)
                else:
                    serve_once(flink_python, path, "--workers", "2")
            report = verify(log, flow)
            assert report.ok, report
            assert report.figures.results == 2 * 1599
            assert report.figures.rejects == 4
            told[engine] = outcomes(log, flow)
    assert told["flink"] == told["embedded"]
    assert {version for _, _, version, _ in told["flink"]} == {"1", "2"}


def test_nothing_is_lost_or_twice_when_all_is_killed_while_models_change(
    tmp_path: Path, flink_python: Path
) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(
        f'name = "wine"\npartitions = 2\nlog = "file:{tmp_path}/data"\n'
        f'[flink]\n"execution.checkpointing.dir" = "file://{tmp_path}/checkpoints"\n'
    )
    flow = load_flow(path)
    sent = 0
    with closing(open_log(flow.log)) as log:
        prepare(flow, log)
        for kill in range(3):
            publishing.publish(log, flow, adder(float(kill)), name="plus")
            with serving(flink_python, path) as process:
                before = answered(log, flow)
                deadline = time.monotonic() + 120
                while answered(log, flow) < before + 3000:
                    values = [json.dumps({"x": float(sent + n)}).encode() for n in range(100)]
                    keys = [f"k{sent + n}".encode() for n in range(100)]
                    log.append(Outgoing("wine.records", values, keys=keys))
                    sent += 100
                    if sent % 2000 == 0:
                        publishing.publish(log, flow, adder(float(sent)), name="plus")
                    assert process.poll() is None, "the job has ended"
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
        serve_once(flink_python, path)
        assert answered(log, flow) == sent
        report = verify(log, flow)
        assert report.findings == ()
        assert report.figures.results == sent


def answered(log: Log, flow: Flow) -> int:
    return sum(log.committed(flow.group, "wine.records", each) or 0 for each in range(2))


def test_a_deadline_holds_and_tells_who_answered(tmp_path: Path, flink_python: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text(
        f'name = "wine"\nlog = "file:{tmp_path}/data"\n'
        'answer = \'FirstWithin(500, prefer=["smart", "fast"])\'\n'
    )
    flow = load_flow(path)
    with closing(open_log(flow.log)) as log:
        prepare(flow, log)
        publishing.publish(log, flow, adder(1.0), name="fast")
        publishing.publish(log, flow, adder(5.0), name="smart")
        log.append(Outgoing("wine.records", [b'{"x":1}'] * 500, partition=0))
        serve_once(flink_python, path)
        report = verify(log, flow)
        assert report.ok, report
        assert report.figures.results == 500


@pytest.mark.kafka
def test_on_kafka_each_record_is_answered_once(
    tmp_path: Path, flink_python: Path, kafka_broker: Running
) -> None:
    path = tmp_path / "flow.toml"
    name = f"flink-{uuid.uuid4().hex[:8]}"
    path.write_text(f'name = "{name}"\npartitions = 2\nlog = "{kafka_broker.url}"\n')
    flow = load_flow(path)
    topic = flow.record_topics
    with closing(open_log(flow.log)) as log:
        prepare(flow, log)
        for amount in (1.0, 2.0):
            publishing.publish(log, flow, adder(amount), name="plus")
            for _ in range(10):
                values = [json.dumps({"x": float(n)}).encode() for n in range(300)]
                keys = [b"%d" % n for n in range(300)]
                log.append(Outgoing(next(iter(topic)), values, keys=keys))
            serve_once(flink_python, path, "--workers", "2")
        report = verify(log, flow)
        assert report.findings == ()
        assert report.figures.results == 6000
        assert {version for _, _, version, _ in outcomes(log, flow)} == {"1", "2"}
