"""`serve`: admitter and join together, in one process and in several, stopped and started."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from modelstream.engines.serve import admit, serve
from modelstream.engines.workers import Workers
from modelstream.errors import InvalidFlow, LogError
from modelstream.events import Admitted, Promoted, Rejected
from modelstream.flow import Flow
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.log.memory import MemoryLog
from modelstream.models.admit import Admitter
from modelstream.publishing import promote, publish, retire, rollback, verdict
from tests.support.artifacts import adder
from tests.support.flows import Rig


def until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        time.sleep(0.01)
        assert time.monotonic() < deadline, "it did not get there"


def test_once_admits_what_is_there_and_answers_what_is_there() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    publish(rig.log, rig.flow, adder(1.0), name="plus")
    rig.send({"x": 1.0}, {"x": 2.0}, b"?")
    assert serve(rig.flow, rig.log, once=True) == 3
    assert [result.outputs["score"] for result in rig.results()] == [2.0, 3.0]
    assert len(rig.rejects()) == 1
    assert serve(rig.flow, rig.log, once=True) == 0, "there is nothing left to do"


def test_once_ends_where_records_wait_for_a_model() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.send({"x": 1.0})
    assert serve(rig.flow, rig.log, once=True) == 0
    assert rig.results() == []
    publish(rig.log, rig.flow, adder(1.0), name="plus")
    assert serve(rig.flow, rig.log, once=True) == 1


def test_once_ends_where_the_current_version_cannot_be_loaded() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    admitted = rig.admit(adder(1.0), "broken")
    assert admitted.lowered
    rig.event(msgspec.structs.replace(admitted, version="2", lowered=rig.log.blobs.put(b"none")))
    rig.promote("broken", "2")
    rig.send({"x": 1.0})
    assert serve(rig.flow, rig.log, once=True) == 0
    assert rig.results() == []
    rig.promote("broken", "1")
    assert serve(rig.flow, rig.log, once=True) == 1


def test_a_whole_life_of_versions_while_it_serves() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    log, flow = rig.log, rig.flow
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(flow, log), kwargs={"stop": stop})
    thread.start()

    def scored_by(version: str) -> None:
        """Send until the wanted version answers."""

        def done() -> bool:
            rig.send({"x": 0.0})
            return bool(rig.results()) and rig.results()[-1].model.version == version

        until(done)

    one = verdict(log, flow, publish(log, flow, adder(1.0), name="plus"), 30)
    assert one is not None
    assert [type(event) for event in one] == [Admitted, Promoted]
    scored_by("1")
    staged = publish(log, flow, adder(2.0), name="plus", stage=True)
    assert [type(event) for event in verdict(log, flow, staged, 30) or []] == [Admitted]
    broken = verdict(log, flow, publish(log, flow, b"?", name="bad", format="onnx"), 30)
    assert [type(event) for event in broken or []] == [Rejected]
    scored_by("1")
    verdict(log, flow, promote(log, flow, "plus"), 30)
    scored_by("2")
    verdict(log, flow, rollback(log, flow), 30)
    scored_by("1")
    verdict(log, flow, promote(log, flow, "plus", "2"), 30)
    scored_by("2")
    verdict(log, flow, retire(log, flow, "plus", "2"), 30)
    scored_by("1")
    again = verdict(log, flow, promote(log, flow, "plus", "2"), 30)
    assert [type(event) for event in again or []] == [Rejected], (
        "a retired version never comes back"
    )
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_the_admitter_runs_alone_too() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    position = publish(rig.log, rig.flow, adder(1.0), name="plus")
    assert verdict(rig.log, rig.flow, position, 0.01) is None, "nobody admits yet"
    admit(rig.flow, rig.log, once=True)
    assert len(verdict(rig.log, rig.flow, position, 1) or []) == 2
    again = publish(rig.log, rig.flow, adder(1.0), name="plus")
    admit(rig.flow, rig.log, once=True)
    assert verdict(rig.log, rig.flow, again, 1) == [], "it is current already"


def test_an_error_of_the_admitter_stops_the_flow_and_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> int:
        raise LogError("the disk is full")

    monkeypatch.setattr(Admitter, "step", broken)
    with pytest.raises(LogError, match="disk is full"):
        serve(Flow(name="wine"), MemoryLog())
    with pytest.raises(LogError, match="disk is full"):
        admit(Flow(name="wine"), MemoryLog())


def test_turns_are_told() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    rig.serve(adder(1.0), "plus")
    rig.send({"x": 1.0})
    told: list[int] = []
    serve(rig.flow, rig.log, once=True, on_turn=lambda _, done: told.append(done))
    assert sum(told) == 1


@pytest.mark.parametrize("workers", [0, 10_000])
def test_a_senseless_number_of_workers_is_refused(workers: int) -> None:
    with pytest.raises(InvalidFlow, match="workers"):
        serve(Flow(name="wine"), MemoryLog(), workers=workers)


def test_workers_need_a_log_that_processes_share() -> None:
    with pytest.raises(InvalidFlow, match="file:"):
        serve(Flow(name="wine"), MemoryLog(), workers=2, once=True)


@pytest.fixture
def on_disk(tmp_path: Path) -> Rig:
    return Rig(open_log(f"file:{tmp_path}/data"), Flow(name="wine", partitions=4))


def fill(rig: Rig, count: int = 200) -> None:
    for partition in range(4):
        rig.send(*[{"x": float(number)} for number in range(count)], partition=partition)


def test_workers_share_the_partitions(on_disk: Rig) -> None:
    publish(on_disk.log, on_disk.flow, adder(1.0), name="plus")
    fill(on_disk)
    assert serve(on_disk.flow, on_disk.log, workers=2, once=True) == 800
    for partition in range(4):
        assert [result.offset for result in on_disk.results(partition)] == list(range(200))


def all_answered(log: Log, count: int) -> bool:
    return sum(log.bounds("wine.results", part)[1] for part in range(4)) == count


def test_a_worker_that_dies_is_followed_by_another(on_disk: Rig) -> None:
    on_disk.serve(adder(1.0), "plus")
    workers = Workers(on_disk.flow, on_disk.log.url, 2, once=False)
    stop = threading.Event()
    thread = threading.Thread(target=workers.run, args=(stop,))
    thread.start()
    fill(on_disk)
    until(lambda: all_answered(on_disk.log, 800))
    first = set(workers.pids())
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    fill(on_disk)
    until(lambda: all_answered(on_disk.log, 1600))
    assert not first & set(workers.pids())
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_worker_that_cannot_work_says_why(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    with pytest.raises(LogError):
        Workers(Flow(name="wine"), f"file:{place}", 1, once=True).run(threading.Event())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_process_cleanly(on_disk: Rig, number: signal.Signals) -> None:
    on_disk.serve(adder(1.0), "plus")
    program = (
        "import modelstream as ms, sys;"
        "log = ms.open_log(sys.argv[1]);"
        "print(ms.serve(ms.Flow(name='wine', partitions=4), log)); log.close()"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, on_disk.log.url], stdout=subprocess.PIPE
    )
    fill(on_disk)
    until(lambda: all_answered(on_disk.log, 800))
    process.send_signal(number)
    told, _ = process.communicate(timeout=30)
    assert (process.returncode, told.strip()) == (0, b"800")
