"""`consensus`: what several candidates cost, in processor time a record, beside one that answers alone.

One model, 100 boosted trees as ONNX, stands under three names: a vote of the three is a third of the
work of each. Records go through the embedded engine, from the log in memory to the log.
"""

import time
from collections.abc import Callable

import modelstream as ms
from benchmarks.measure import Report, Slice, cost, cpu_seconds, interleave, ratio
from benchmarks.registered import register
from benchmarks.workload import FEATURES, boosted_trees, some_records
from modelstream.core.policies.text import parse_policy
from modelstream.engines.embedded import Embedded
from modelstream.formats import recognise
from modelstream.formats.base import Hints
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing

GOAL = 3.3
ALONE = "Latest()"
POLICIES = (
    ALONE,
    'Model("a")',
    'Split({"a": 0.5, "b": 0.5})',
    'FirstWithin(1000, prefer=["a"])',
    'Majority(["a", "b", "c"], quorum=3)',
)
VOTE = POLICIES[-1]


def run(*, quick: bool = False) -> Report:
    """Answer the same records by each policy in turns."""
    rounds, count = (2, 2_000) if quick else (9, 50_000)
    sides = {policy: _side(policy, count) for policy in POLICIES}
    found = interleave(sides, rounds)
    goals = {VOTE: GOAL}
    figures = [
        cost(ALONE, found),
        *(ratio(policy, ALONE, found, goals.get(policy)) for policy in POLICIES[1:]),
    ]
    return Report(
        "consensus",
        f"{rounds} rounds of {count:,} records a side, batches of 1,000",
        figures,
        ("the vote writes what each of three said into every result",),
    )


def _side(policy: str, count: int) -> Callable[[], Slice]:
    """Return a side that answers `count` records by a policy."""
    log = MemoryLog()
    flow = ms.Flow(name="bench", answer=parse_policy(policy), echo=False)
    lowered = recognise(boosted_trees()).lower(boosted_trees(), Hints(feature_names=FEATURES))
    engine = Embedded(flow, log, lambda _: lowered, "bench")
    register(log, flow, ("a", "b", "c"))
    while not engine.shell.machine.snapshot().plans or engine.shell.machine.loading():
        engine.step(1)
    topic = next(iter(flow.record_topics))
    values = some_records(count)
    done = 0

    def side() -> Slice:
        nonlocal done
        for start in range(0, count, 1000):
            log.append(Outgoing(topic, values[start : start + 1000], partition=0))
        done += count
        before = cpu_seconds()
        patience = time.monotonic() + 300
        while (log.committed(flow.group, topic, 0) or 0) < done:
            engine.step(1)
            assert time.monotonic() < patience
        return Slice(count, cpu_seconds() - before)

    return side
