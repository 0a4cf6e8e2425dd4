"""`peers`: other stream processors at the same job, with the same hand-written scoring function."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import modelstream as ms
from benchmarks.by_hand import BATCH, ByHand
from benchmarks.environments import PEERS
from benchmarks.jobs import job_side
from benchmarks.join import Joined
from benchmarks.measure import Report, Side, Slice, cost, interleave, ratio, timed
from benchmarks.served import answer, append, disk_log, engine_of, publish_and_admit
from benchmarks.workload import FEATURES, boosted_trees, some_records

BY_HAND, ONE_BY_ONE = "by hand, tuned", "by hand, one by one"
JOIN, SERVE = "ms.join", "modelstream, disk log"
BYTEWAX, QUIX, KAFKA = "Bytewax, flat_map_batch", "Quix Streams, Kafka", "by hand, Kafka"
# librdkafka's mock broker keeps 5 MB of a partition and forgets what is older: this is 3.5 MB.
SLICE_BATCHES = 32
# Which environment, and which module of `peer_jobs`.
JOBS = {
    BYTEWAX: ("bytewax", "bytewax_job"),
    KAFKA: ("quix", "kafka_job"),
    QUIX: ("quix", "quix_job"),
}


def run(*, quick: bool = False) -> Report:
    """Measure modelstream and its peers in turns."""
    rounds, count = (2, 2 * BATCH) if quick else (21, SLICE_BATCHES * BATCH)
    values = some_records(count)
    limit = ByHand(boosted_trees(), FEATURES)
    flow = ms.Flow(name="bench")
    with ExitStack() as stack:
        log = stack.enter_context(disk_log())
        publish_and_admit(log, flow, boosted_trees(), FEATURES)
        engine = stack.enter_context(engine_of(flow, log))
        joined = Joined()
        stack.callback(joined.close)

        def serve() -> Slice:
            append(log, flow, values)
            return timed(lambda: answer(engine, count))()

        sides: dict[str, Side] = {
            BY_HAND: timed(lambda: limit.answer_all(values)),
            ONE_BY_ONE: timed(lambda: len([limit.answer_one(value) for value in values])),
            JOIN: timed(lambda: joined.answer(count)),
            SERVE: serve,
        }
        for name, (peer, job) in JOBS.items():
            sides[name] = stack.enter_context(side_of(peer, job, values))
        told = interleave(sides, rounds)
    return Report(
        "peers",
        "the same job and scoring function in other stream processors",
        (
            *(cost(name, told) for name in told),
            *(ratio(name, BY_HAND, told, None) for name in told if name != BY_HAND),
            ratio(BYTEWAX, JOIN, told, None),
            ratio(QUIX, SERVE, told, None),
        ),
        (
            f"{rounds} rounds of {count} records; "
            + ", ".join(pin for peer in ("bytewax", "quix") for pin in PEERS[peer]),
            "in memory: ms.join, Bytewax. Over Kafka's protocol, with a mock broker in the same "
            "process, which is part of the cost: Quix Streams and the loop by hand. Durable and "
            "exactly once: modelstream on its disk log",
            "Quix Streams hands records over one by one, so that it scores them one by one",
        ),
    )


@contextmanager
def side_of(peer: str, job: str, values: list[bytes]) -> Iterator[Side]:
    """Run a peer's job in its own environment, and return a side that asks it for slices."""
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as name:
        directory = Path(name)
        (directory / "model.onnx").write_bytes(boosted_trees())
        (directory / "features.json").write_text(json.dumps(FEATURES))
        (directory / "records.jsonl").write_bytes(b"\n".join(values) + b"\n")
        with job_side(peer, job, directory) as side:
            yield side
