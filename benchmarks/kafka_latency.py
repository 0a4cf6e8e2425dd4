"""`kafka_latency`: how long a record waits for its answer on a real Apache Kafka, under light load."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

import modelstream as ms
from benchmarks.jobs import job_side
from benchmarks.kafka import EXACTLY, LEAST, ordered
from benchmarks.kafka_node import broker, create_topics
from benchmarks.latency import paced
from benchmarks.measure import Figure, Report, percentile
from benchmarks.peer_jobs.on_kafka_order import BATCH, PATIENCE_SECONDS, Order
from benchmarks.served import publish
from benchmarks.server import server_of
from benchmarks.workload import FEATURES, boosted_trees, some_records

PER_SECOND = 1000
# Sent first and not counted: connections, caches and models warm up on them.
WARM_UP_SECONDS = 2
ALONE = "no job in between"
ECHOES = {"echo by hand, at least once": LEAST, "echo by hand, exactly once": EXACTLY}
SERVED = {"modelstream, at least once": LEAST, "modelstream, exactly once": EXACTLY}
_SENT = b'{"sent":'


def run(*, quick: bool = False) -> Report:
    """Measure from the sending of a record to its result in a read_committed reader's hands."""
    seconds = 1 if quick else 30
    told: dict[str, list[float]] = {}
    with broker() as bootstrap:
        create_topics(bootstrap, ["alone"])
        told[ALONE] = waits(bootstrap, "alone", "alone", seconds)
        for name, delivery in ECHOES.items():
            records, results = f"{delivery}.in", f"{delivery}.out"
            create_topics(bootstrap, [records, results])
            with echoing(bootstrap, records, results, delivery):
                told[name] = waits(bootstrap, records, results, seconds)
        for name, delivery in SERVED.items():
            flow = ms.Flow(name=delivery)
            with serving(bootstrap, flow, delivery):
                told[name] = waits(bootstrap, f"{delivery}.records", flow.results, seconds)
    return Report(
        "kafka_latency",
        f"from record to result on Apache Kafka, {PER_SECOND} records a second",
        [
            Figure(f"{name}: p{percent}", percentile(each, percent) / 1000, "ms")
            for name, each in told.items()
            for percent in (50, 99)
        ],
        (
            f"{seconds} s a side, one partition, one node on loopback, linger.ms 0 at the producer",
            "the echo by hand consumes, produces and commits what is there, without a model",
        ),
    )


@contextmanager
def echoing(bootstrap: str, records: str, results: str, delivery: str) -> Iterator[None]:
    """Run the echo by hand, in a process of its own."""
    told = Order(bootstrap, records, results, f"{delivery}.echo", delivery, True, BATCH, [])
    with ordered(told) as directory, job_side("", "on_kafka_echo", directory):
        yield


@contextmanager
def serving(bootstrap: str, flow: ms.Flow, delivery: str) -> Iterator[None]:
    """Serve a flow in a process of its own, with its model admitted."""
    url = f"kafka://{bootstrap}/?delivery={delivery}"
    with (
        tempfile.TemporaryDirectory(prefix="modelstream-bench-") as directory,
        closing(ms.open_log(url)) as log,
        server_of({"name": flow.name}, url, Path(directory)),
    ):
        publish(log, flow, boosted_trees(), FEATURES)
        yield


def waits(bootstrap: str, records: str, results: str, seconds: int) -> list[float]:
    """Send records at their pace while a thread reads results; return microseconds of each."""
    values = some_records((WARM_UP_SECONDS + seconds) * PER_SECOND)
    seen: list[float] = []
    begun = threading.Event()
    reader = threading.Thread(target=_read, args=(bootstrap, results, len(values), seen, begun))
    reader.start()
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    _send(producer, records, values[0])
    begun.wait(PATIENCE_SECONDS)  # until the job is up
    for value in paced(values[1:], PER_SECOND):
        _send(producer, records, value)
    producer.flush(PATIENCE_SECONDS)
    reader.join()
    if len(seen) < len(values):
        raise RuntimeError(f"{len(values)} records were sent to {records}, {len(seen)} answered")
    return seen[WARM_UP_SECONDS * PER_SECOND :]


def _send(producer: Producer, topic: str, value: bytes) -> None:
    """Send a record that tells when it was sent: Kafka's own time stamps are in milliseconds."""
    producer.produce(topic, _SENT + b"%d," % time.time_ns() + value[1:], partition=0)
    producer.poll(0)


def _read(
    bootstrap: str, topic: str, count: int, seen: list[float], begun: threading.Event
) -> None:
    """Note how old each record is when its result can be read."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"latency.{topic}",
            "isolation.level": "read_committed",
            "allow.auto.create.topics": False,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    give_up = time.monotonic() + PATIENCE_SECONDS
    while len(seen) < count and time.monotonic() < give_up:
        messages = consumer.consume(1, 0.1)
        messages += consumer.consume(count, 0)
        now = time.time_ns()
        for message in messages:
            if message.error() is None:
                value = message.value()
                start = value.index(_SENT) + len(_SENT)
                seen.append((now - int(value[start : value.index(b",", start)])) / 1000)
                begun.set()
                give_up = time.monotonic() + PATIENCE_SECONDS
    consumer.close()
