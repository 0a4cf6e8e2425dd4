"""`kafka`: what a flow costs on a real Apache Kafka, beside a loop by hand and other processors."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, Producer

from benchmarks.by_hand import Plainly
from benchmarks.environments import PEERS
from benchmarks.jobs import job_side
from benchmarks.kafka_node import broker, create_topics
from benchmarks.measure import Report, Side, cost, interleave, ratio
from benchmarks.peer_jobs.on_kafka_order import BATCH, PATIENCE_SECONDS, Order
from benchmarks.workload import FEATURES, boosted_trees, some_records

BY_HAND, TRICKS, OURS = "by hand", "by hand, tuned", "modelstream"
BY_HAND_LEAST, OURS_LEAST = "by hand, at least once", "modelstream, at least once"
QUIX, FAUST, FAUST_LEAST = "Quix Streams", "Faust", "Faust, at least once"
GOAL = 1.3
RECORDS = "bench.records"
# Fetched ahead by a client with room for it; behind the last slice lies as much, so that the last
# one costs what the others do.
AHEAD_RECORDS = 100_000
# Of a peer that goes record by record, so that its slice takes no longer than the others'.
PEER_SLICES = 10
CHECKED_RECORDS = 100
EXACTLY, LEAST = "exactly_once", "at_least_once"
# The peer whose environment it needs, the module of `peer_jobs`, the delivery, and is it tuned.
SIDES: Mapping[str, tuple[str, str, str, bool]] = {
    BY_HAND: ("", "on_kafka_hand", EXACTLY, False),
    TRICKS: ("", "on_kafka_hand", EXACTLY, True),
    OURS: ("", "on_kafka_flow", EXACTLY, False),
    BY_HAND_LEAST: ("", "on_kafka_hand", LEAST, False),
    OURS_LEAST: ("", "on_kafka_flow", LEAST, False),
    QUIX: ("quix", "on_kafka_quix", EXACTLY, True),
    FAUST: ("faust", "on_kafka_faust", EXACTLY, True),
    FAUST_LEAST: ("faust", "on_kafka_faust", LEAST, True),
}


def run(*, quick: bool = False, peers: bool = True) -> Report:
    """Measure all sides in turns, each a process of its own, on one broker."""
    rounds, count = (2, 2 * BATCH) if quick else (11, 30 * BATCH)
    ahead = 0 if quick else AHEAD_RECORDS
    names = [name for name, (peer, *_) in SIDES.items() if peers or not peer]
    with broker() as bootstrap, ExitStack() as stack:
        fill(bootstrap, some_records((rounds + 2) * count + ahead))
        sides = {
            name: stack.enter_context(side_of(name, number, bootstrap, count))
            for number, name in enumerate(names)
        }
        told = interleave(sides, rounds)
        for number in range(len(names)):
            check(bootstrap, results_of(number))
    return Report(
        "kafka",
        f"read, scored and committed on Apache Kafka, {BATCH} records a transaction",
        (
            *(cost(name, told) for name in told),
            ratio(OURS, BY_HAND, told, GOAL),
            ratio(OURS_LEAST, BY_HAND_LEAST, told, None),
            ratio(OURS, TRICKS, told, None),
            *(ratio(name, OURS, told, None) for name in names if SIDES[name][0]),
        ),
        (
            f"{rounds} rounds of {count} records a side, of the peers {_peer_slice(count)}; each "
            "side is a process, and what its client fetches ahead is part of its figure",
            "one node on loopback, one partition; the broker's own processor time is in no figure",
            *_of_peers(names),
        ),
    )


def _of_peers(names: list[str]) -> list[str]:
    if QUIX not in names:
        return []
    pins = ", ".join(pin for peer in ("quix", "faust") for pin in PEERS[peer])
    return [f"{pins}; Quix Streams scores record by record, Faust in batches (take)"]


def fill(bootstrap: str, values: list[bytes]) -> None:
    """Make all topics, and produce a backlog, so that no side waits for another."""
    create_topics(bootstrap, [RECORDS, *(results_of(number) for number in range(len(SIDES)))])
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,  # or a retry changes the order
            "linger.ms": 50,
            "compression.type": "lz4",
        }
    )
    for number, value in enumerate(values):
        producer.produce(RECORDS, value, partition=0)
        if number % BATCH == 0:
            producer.poll(0)
            while len(producer) > 50 * BATCH:
                producer.poll(0.01)
    if producer.flush(PATIENCE_SECONDS):
        raise RuntimeError("the broker did not take all records")


@contextmanager
def side_of(name: str, number: int, bootstrap: str, count: int) -> Iterator[Side]:
    """Run one side, and return what asks it for slices."""
    peer, job, delivery, tuned = SIDES[name]
    told = Order(
        bootstrap,
        RECORDS,
        results_of(number),
        f"bench.side{number}",
        delivery,
        tuned,
        _peer_slice(count) if peer else count,
        list(FEATURES),
    )
    with ordered(told) as directory, job_side(peer, job, directory) as side:
        yield side


@contextmanager
def ordered(told: Order) -> Iterator[Path]:
    """Write an order and the model into a directory, where a job finds them."""
    with tempfile.TemporaryDirectory(prefix="modelstream-bench-") as name:
        directory = Path(name)
        (directory / "model.onnx").write_bytes(boosted_trees())
        (directory / "order.json").write_text(json.dumps(told._asdict()))
        yield directory


def _peer_slice(count: int) -> int:
    return max(count // PEER_SLICES, BATCH)


def results_of(number: int) -> str:
    """Return the topic of a side's results."""
    return f"bench.results{number}"


def check(bootstrap: str, topic: str) -> None:
    """Raise RuntimeError where the first results are not those of the first records, in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"check.{topic}",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    came = [each.value() for each in consumer.consume(CHECKED_RECORDS, PATIENCE_SECONDS)]
    consumer.close()
    values = some_records(CHECKED_RECORDS)
    wanted = [_answer(each) for each in Plainly(boosted_trees(), FEATURES).answer(values)]
    if [_answer(each) for each in came] != wanted:
        raise RuntimeError(f"{topic} has other results than it should")


def _answer(value: bytes) -> tuple[str, int, float]:
    """Return of a result what every side must have alike."""
    told = msgspec.json.decode(value)
    outputs = told["outputs"]
    return told["record"]["id"], outputs["label"], round(outputs["probability(1)"], 5)
