"""A long run: swaps, kills and bad records, and neither memory nor files grow.

MODELSTREAM_SOAK_SECONDS sets how long (default 30 minutes).
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from modelstream.audit import verify
from modelstream.flow import Flow
from modelstream.log import open_log
from tests.support.artifacts import adder
from tests.support.flows import Rig
from tests.support.processes import end, ends_of, producing, records_of, worker

SECONDS = float(os.environ.get("MODELSTREAM_SOAK_SECONDS", "1800"))
KILL_EVERY_SECONDS = 60.0
SLOPE_BYTES_PER_HOUR_MAX = (
    64 * 1024 * 1024
)  # of one process's life; the log's cache fills meanwhile

pytestmark = pytest.mark.soak


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def life(rig: Rig, seconds: float) -> tuple[list[float], list[int]]:
    """Run one worker for a while and kill it; return its memory and its open files over time."""
    process = worker(rig, once=False)
    born = time.monotonic()
    memory: list[float] = []
    files: list[int] = []
    while time.monotonic() - born < seconds:
        time.sleep(1)
        memory.append(resident_bytes(process.pid))
        files.append(open_files(process.pid))
    end(process)
    return memory, files


def test_nothing_grows_and_nothing_is_lost(tmp_path: Path) -> None:
    rig = Rig(open_log(f"file:{tmp_path}"), Flow(name="wine", partitions=2))
    rig.serve(adder(1.0), "plus")
    slopes: list[float] = []
    with producing(rig, batch=100, pause_s=0.1, swap_every=10_000):
        over = time.monotonic() + SECONDS
        while time.monotonic() < over:
            memory, files = life(rig, min(KILL_EVERY_SECONDS, SECONDS))
            settled = memory[len(memory) // 3 :]
            slopes.append(float(np.polyfit(range(len(settled)), settled, 1)[0]) * 3600)
            assert max(files[5:]) - min(files[5:]) <= 2, "files stay open"
    last = worker(rig, once=True)
    assert last.wait(300) == 0
    end(last)
    assert ends_of(rig) == records_of(rig)
    assert verify(rig.log, rig.flow).findings == ()
    assert float(np.median(slopes)) < SLOPE_BYTES_PER_HOUR_MAX
    rig.log.close()
