"""`latency`: how long one record waits for its answer under light load."""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

import modelstream as ms
from benchmarks.by_hand import ByHand
from benchmarks.measure import Figure, Report, percentile
from benchmarks.served import append, publish
from benchmarks.server import server_of
from benchmarks.workload import FEATURES, boosted_trees, some_records
from modelstream.limits import BATCH_BYTES_MAX
from modelstream.log.base import Log

BY_HAND, JOIN, ALONE, SERVED = "by hand, tuned", "ms.join", "log alone", "served"
PER_SECOND = 200
# Records that are sent first and not counted: connections, caches and models warm up on them.
WARM_UP = 50
PATIENCE_SECONDS = 30.0


def run(*, quick: bool = False) -> Report:
    """Measure in memory and through the disk log, each beside a bare loop."""
    rounds, count = (1, 40) if quick else (5, 200)
    values = some_records(WARM_UP + count)
    limit = ByHand(boosted_trees(), FEATURES)
    told: dict[str, list[float]] = {each: [] for each in (BY_HAND, JOIN, ALONE, SERVED)}
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory:
        for number in range(rounds):
            told[BY_HAND] += by_hand(limit, values)
            told[JOIN] += joined(values)
            place = Path(directory) / str(number)
            place.mkdir()
            told[ALONE] += log_alone(values, place)
            told[SERVED] += served(values, place)
    figures = [
        Figure(f"{name}: p{percent}", percentile(waits, percent), "us")
        for name, waits in told.items()
        for percent in (50, 99)
    ]
    floor = percentile(told[BY_HAND], 50)
    figures += [
        Figure(f"{name} / {BY_HAND}: p50", percentile(waits, 50) / floor, "x")
        for name, waits in told.items()
        if name != BY_HAND
    ]
    return Report(
        "latency",
        f"one record at a time, {PER_SECOND} a second",
        figures,
        (
            f"{rounds} rounds of {count} records a side",
            "log alone: from append to a tailing reader of the same topic; served: from append "
            "to a tailing reader of the results, over the join in a process of its own",
        ),
    )


def by_hand(limit: ByHand, values: Sequence[bytes]) -> list[float]:
    """Answer each record by hand as it comes; return microseconds."""
    waits = []
    for value in paced(values):
        started = time.perf_counter_ns()
        limit.answer([value])
        waits.append((time.perf_counter_ns() - started) / 1000)
    return waits[WARM_UP:]


def joined(values: Sequence[bytes]) -> list[float]:
    """Answer each record with `ms.join` as it comes; return microseconds."""
    encode = msgspec.json.Encoder().encode
    started, waits = 0, []

    def arriving() -> Iterator[bytes]:
        nonlocal started
        for value in paced(values):
            started = time.perf_counter_ns()
            yield value

    model = ms.ModelDescriptor(
        name="trees", data=boosted_trees(), format="onnx", feature_names=FEATURES
    )
    for result in ms.join(arriving(), [model], batch=1):
        encode(result)
        waits.append((time.perf_counter_ns() - started) / 1000)
    return waits[WARM_UP:]


def log_alone(values: Sequence[bytes], directory: Path) -> list[float]:
    """Send records over a topic to a reader of that very topic; return microseconds."""
    flow = ms.Flow(name="alone")
    with closing(ms.open_log(f"file:{directory / 'alone'}")) as log:
        log.create_topic("alone.records")
        return tailed(log, flow, "alone.records", values)


def served(values: Sequence[bytes], directory: Path) -> list[float]:
    """Send records to a flow that is served, and read its results; return microseconds."""
    told = {"name": "bench"}
    flow = ms.Flow(name="bench")
    with (
        closing(ms.open_log(f"file:{directory / 'served'}")) as log,
        server_of(told, log.url, directory),
    ):
        publish(log, flow, boosted_trees(), FEATURES)
        return tailed(log, flow, flow.results, values)


def tailed(log: Log, flow: ms.Flow, topic: str, values: Sequence[bytes]) -> list[float]:
    """Append records at their pace while a thread reads `topic`; return what each waited.

    Record and result have the same offset: one partition, and nothing is rejected.
    """
    sent: list[int] = []
    seen: list[int] = []
    reader = threading.Thread(target=_read, args=(log, topic, len(values), seen))
    reader.start()
    for value in paced(values):
        sent.append(time.perf_counter_ns())
        append(log, flow, [value])
    reader.join()
    if len(seen) < len(values):
        raise RuntimeError(f"{len(values)} records were sent to {topic}, {len(seen)} arrived")
    waits = [(end - start) / 1000 for start, end in zip(sent, seen, strict=True)]
    return waits[WARM_UP:]


def _read(log: Log, topic: str, count: int, seen: list[int]) -> None:
    """Note when each record of a topic can be read."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    with closing(log.consumer("reader", [topic], instance="reader")) as consumer:
        while len(seen) < count and time.monotonic() < give_up:
            for batch in consumer.poll(count, 100, BATCH_BYTES_MAX):
                seen.extend([time.perf_counter_ns()] * len(batch))


def paced(values: Sequence[bytes], per_second: int = PER_SECOND) -> Iterator[bytes]:
    """Give so many values a second, each at its time."""
    start = time.perf_counter()
    for number, value in enumerate(values):
        time.sleep(max(0.0, start + number / per_second - time.perf_counter()))
        yield value
