"""MLServer as the remote peer: killed and started again in the middle of a stream."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelstream as ms
from modelstream.audit import verify
from modelstream.flow import Flow
from modelstream.formats.base import Remote
from modelstream.log.disk import DiskLog
from tests.support.flows import Rig
from tests.support.mlserver import MlServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.peers
RECORDS = 4_000  # of each partition


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlServer]:
    made = MlServer(tmp_path_factory.mktemp("mlserver"))
    yield made
    made.kill()


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_server_killed_in_mid_stream_loses_nothing_and_answers_resume(
    tmp_path: Path, server: MlServer, protocol: str
) -> None:
    flow = Flow(name="wine", partitions=2, batch_records=100, remote=Remote(server.hosts))
    log = DiskLog(tmp_path)
    rig = Rig(log, flow)
    ms.publish(log, flow, server.url(protocol), name="line", feature_names=["a", "b"])
    stop = threading.Event()
    thread = threading.Thread(target=ms.serve, args=(flow, log), kwargs={"stop": stop})
    thread.start()
    try:
        send(rig, RECORDS // 2)
        eventually(lambda: answered(rig) > RECORDS // 4, 120)
        server.kill()
        send(rig, RECORDS // 2)  # with nobody there to answer them
        server.start()
        eventually(lambda: answered(rig) == 2 * RECORDS, 120)
    finally:
        stop.set()
        thread.join()
    for partition in (0, 1):
        results = rig.results(partition)
        assert rig.rejects(partition) == []
        assert [each.offset for each in results] == list(range(RECORDS))
        assert [each.outputs["y"] for each in results] == [2.0 * at + 4 for at in range(RECORDS)]
        assert {each.model.served_version for each in results} == {"v3"}
    report = verify(log, flow)
    assert report.ok
    assert report.figures.remote == 2 * RECORDS
    log.close()


def send(rig: Rig, count: int) -> None:
    for partition in (0, 1):
        start = rig.log.bounds("wine.records", partition)[1]
        rig.send(*({"a": float(start + at), "b": 1.0} for at in range(count)), partition=partition)


def answered(rig: Rig) -> int:
    return sum(rig.log.bounds("wine.results", partition)[1] for partition in (0, 1))
