"""kill -9 of a serving process under load: nothing lost, nothing twice, order kept.

MODELSTREAM_KILLS sets how often (default 12).
"""

import os
import random
import time
from pathlib import Path
from typing import Literal

import pytest

from modelstream.audit import verify
from modelstream.core.policies.text import parse_policy
from modelstream.flow import Flow
from modelstream.log import open_log
from tests.support.artifacts import adder
from tests.support.flows import Rig
from tests.support.processes import end, ends_of, producing, records_of, worker

KILLS = int(os.environ.get("MODELSTREAM_KILLS", "12"))

SPECULATIVE = 'FirstWithin(10, prefer=[Majority(["plus", "one", "two"]), "one"])'

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("policy", "isolation"),
    [
        ("Latest()", "auto"),
        pytest.param(SPECULATIVE, "thread", marks=pytest.mark.speculation),
        pytest.param(SPECULATIVE, "process", marks=pytest.mark.speculation),
    ],
)
def test_nothing_is_lost_and_nothing_is_twice_whenever_a_worker_is_killed(
    tmp_path: Path, policy: str, isolation: Literal["auto", "thread", "process"]
) -> None:
    chance = random.Random(7)
    flow = Flow(name="wine", partitions=2, answer=parse_policy(policy), isolation=isolation)
    rig = Rig(open_log(f"file:{tmp_path}"), flow)
    rig.plan()
    for name in ("one", "two", "plus"):
        rig.serve(adder(1.0), name)
    killed_at_work = 0
    with producing(rig, batch=300, pause_s=0.03, swap_every=3000):
        for _ in range(KILLS):
            before = ends_of(rig)
            process = worker(rig, once=False)
            deadline = time.monotonic() + 30
            while ends_of(rig) == before and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.3))
            killed_at_work += ends_of(rig) > before
            end(process)
    assert killed_at_work == KILLS, "a worker that did no work proves nothing"
    last = worker(rig, once=True)
    assert last.wait(300) == 0
    end(last)
    assert ends_of(rig) == records_of(rig)
    report = verify(rig.log, rig.flow)
    assert report.findings == ()
    rig.log.close()
