"""Kills at random, and at every write-side system call: a commit is there whole, or not at all."""

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modelstream.log.disk import DiskLog
from modelstream.messages import Outgoing
from tests.support import copying
from tests.support.logs import read_all

pytestmark = pytest.mark.faults

PARTITIONS = 3
KILLS = int(os.environ.get("MODELSTREAM_KILLS", "20"))
# Everything that can change what lies on the disk; a call that is not made costs nothing.
CALLS = (
    "write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,truncate,"
    "fallocate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat"
)


def command(path: Path, durability: str, records: int, commits: int) -> list[str]:
    return [sys.executable, copying.__file__, str(path), durability, str(records), str(commits)]


def produce(path: Path, records: int, size: int) -> None:
    rng = random.Random(records)
    with closing(DiskLog(path)) as log:
        log.create_topic("in", PARTITIONS)
        log.create_topic("out", PARTITIONS)
        for partition in range(PARTITIONS):
            values = [b"%d " % number + rng.randbytes(size) for number in range(records)]
            log.append(Outgoing("in", values, [value[:4] for value in values], partition))


def copied(path: Path) -> int:
    """Return how many results are there, having checked that they are those of the positions."""
    with closing(sqlite3.connect(path / "log.db")) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
    count = 0
    with closing(DiskLog(path)) as log:
        for partition in range(PARTITIONS):
            done = log.committed("copy", "in", partition) or 0
            assert log.bounds("out", partition) == (0, done)
            assert read_all(log, "out", partition) == read_all(log, "in", partition)[:done]
            count += done
    return count


def finish(path: Path, total: int) -> None:
    subprocess.run(command(path, "process", 1000, 10**6), check=True, stdout=subprocess.PIPE)
    assert copied(path) == total


def test_whenever_a_process_is_killed_every_record_has_one_result_in_order(tmp_path: Path) -> None:
    path, each = tmp_path / "log", 1000 * KILLS
    produce(path, each, 50)
    rng = random.Random(KILLS)
    progress = []
    for _ in range(KILLS):
        victim = subprocess.Popen(command(path, "process", 20, 10**6), stdout=subprocess.PIPE)
        assert victim.stdout is not None
        victim.stdout.readline()  # about to open the log
        time.sleep(rng.uniform(0, 0.04))
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        progress.append(copied(path))
    assert progress == sorted(progress)
    assert 0 < progress[KILLS // 2] < PARTITIONS * each, "the kills were to hit commits"
    finish(path, PARTITIONS * each)


@pytest.fixture(scope="module")
def strace() -> str:
    found = shutil.which("strace")
    probe = subprocess.run([found or "false", "-f", "true"], capture_output=True, check=False)
    if found is None or probe.returncode:
        reason = "kills at system calls need strace, and leave to trace a process"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Copier:
    """Copies again and again from the same beginning, under strace, in forks of one process."""

    def __init__(self, strace: str, directory: Path, durability: str, records: int) -> None:
        self.log = directory / "log"
        self._original, self._trace = directory / "original", directory / "trace"
        produce(self._original, 10, 3000)
        self._strace = [strace, "-o", str(self._trace), "-e", f"trace={CALLS}"]
        self._server = subprocess.Popen(
            [*command(self.log, durability, records, 1), "on-demand"],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a process that forks has one thread
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._receive() == "ready"

    def run(self, *inject: str) -> int:
        """Copy once; return the exit status of the process, negative for the signal it died of."""
        shutil.rmtree(self.log, ignore_errors=True)
        shutil.copytree(self._original, self.log)
        self._send()
        victim = self._receive()
        tracer = subprocess.Popen(
            [*self._strace, *inject, "-p", victim], stderr=subprocess.PIPE, text=True
        )
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        self._send()
        status = self._receive()
        tracer.communicate()
        return int(status)

    def calls(self) -> Counter[str]:
        """Return the calls of the last run, by name."""
        return Counter(re.findall(r"^(\w+)\(", self._trace.read_text(), re.MULTILINE))

    def close(self) -> None:
        self._server.communicate()
        assert self._server.returncode == 0

    def _send(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(b"\n")
        self._server.stdin.flush()

    def _receive(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().decode().strip()


def every_call(copier: Copier, fault: str) -> Iterator[tuple[int, int]]:
    """Copy once for each call, with a fault at it; return exit statuses and results found."""
    assert copier.run() == 0
    assert copied(copier.log) == 21
    calls = copier.calls()
    assert calls["pwrite64"] > 20
    assert calls["fsync"] + calls["fdatasync"] > 0
    for call, count in calls.items():
        for number in range(1, count + 1):
            status = copier.run("-e", f"inject={call}:{fault}:when={number}")
            yield status, copied(copier.log)


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_kill_at_any_write_of_a_commit_leaves_all_of_it_or_nothing(
    tmp_path: Path, strace: str, durability: str
) -> None:
    with closing(Copier(strace, tmp_path, durability, 21)) as copier:
        ends = Counter(every_call(copier, "signal=KILL"))
        assert set(ends) == {(-signal.SIGKILL, 0), (-signal.SIGKILL, 21)}
        finish(copier.log, PARTITIONS * 10)


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
def test_a_failure_of_any_write_of_a_commit_is_told_and_leaves_all_of_it_or_nothing(
    tmp_path: Path, strace: str, fault: str
) -> None:
    with closing(Copier(strace, tmp_path, "power", 21)) as copier:
        ends = Counter(every_call(copier, f"error={fault}"))
        assert {found for _, found in ends} == {0, 21}
        assert (copying.TOLD, 0) in ends
        assert {status for status, _ in ends} == {0, copying.TOLD}
        finish(copier.log, PARTITIONS * 10)
