"""A member of a group meets each fault of a cluster on librdkafka's mock cluster.

The mock keeps every record that was ever sent to it, so the topic tells that nothing was lost; what
was committed, and how often, is told by the producers themselves (`Ledger`).
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import confluent_kafka
import pytest
from confluent_kafka import KafkaError

from modelstream.errors import Fenced, LogError
from modelstream.log.appends import split
from modelstream.log.base import TopicInfo
from modelstream.log.kafka import commits, transactions
from modelstream.log.kafka.address import KafkaAddress
from modelstream.log.kafka.cluster import Cluster
from modelstream.log.kafka.consumer import KafkaConsumer
from modelstream.log.kafka.reader import Readers
from modelstream.log.kafka.transactions import Runs
from modelstream.messages import Outgoing, RecordBatch, TopicPartition
from tests.conftest import missing
from tests.support.kafka.mock import Api, MockCluster, NoMock, mock_cluster
from tests.support.logs import BYTES, covers
from tests.support.waiting import eventually

TOPICS = {"in": TopicInfo("in", 2), "out": TopicInfo("out", 2)}
# A fault is met, and passed, sooner than with the defaults.
QUICK = {
    "fetch.wait.max.ms": "20",
    "retry.backoff.ms": "20",
    "heartbeat.interval.ms": "200",
}
RECORDS = [str(number).encode() for number in range(40)]


class Fault(NamedTuple):
    """An error that requests of one kind are answered with, so many times."""

    api: Api
    error: int
    times: int = 1


class Ledger:
    """What became of every transaction of the producers it makes."""

    def __init__(self) -> None:
        self.producers = 0
        self.begun = 0
        self.committed: list[bytes] = []
        self.commits = 0

    def producer(self, options: dict[str, Any]) -> "LedgerProducer":
        """Make a producer, as `confluent_kafka.Producer` does."""
        self.producers += 1
        return LedgerProducer(options, self)


class LedgerProducer:
    """A real producer; a transaction's records are told to the ledger when it is committed."""

    def __init__(self, options: dict[str, Any], ledger: Ledger) -> None:
        self._inner, self._ledger = confluent_kafka.Producer(options), ledger
        self._open: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def begin_transaction(self) -> None:
        self._open = []
        self._ledger.begun += 1
        self._inner.begin_transaction()

    def produce(self, topic: str, value: bytes, *others: Any, **named: Any) -> None:
        self._inner.produce(topic, value, *others, **named)
        self._open.append(value)

    def commit_transaction(self, seconds: float) -> None:
        self._inner.commit_transaction(seconds)
        self._ledger.commits += 1
        self._ledger.committed += self._open


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    try:
        with mock_cluster(3) as made:
            for topic in TOPICS.values():
                made.create_topic(topic.name, topic.partitions)
            yield made
    except NoMock as error:
        missing(str(error))


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    made = Ledger()
    monkeypatch.setattr(transactions, "Producer", made.producer)
    return made


@pytest.fixture
def member(cluster: MockCluster, ledger: Ledger) -> Iterator[KafkaConsumer]:
    """A member that has met nothing yet; the records are there."""
    _send(cluster)
    made = _member(cluster)
    yield made
    made.close()


def _send(cluster: MockCluster) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
    for number, value in enumerate(RECORDS):
        producer.produce("in", value, partition=number % 2)
    assert producer.flush(10) == 0


def _member(cluster: MockCluster, **more: str) -> KafkaConsumer:
    options = QUICK | {name.replace("_", "."): value for name, value in more.items()}
    address = KafkaAddress(cluster.bootstrap, options=options)
    return KafkaConsumer(
        address, Cluster(address), _split, group="g", topics=[TOPICS["in"]], instance="one"
    )


def _split(outgoing: Sequence[Outgoing]) -> Runs:
    return [(each.topic, split(each, TOPICS[each.topic], 0)) for each in outgoing]


def _answers(batches: Sequence[RecordBatch]) -> list[Outgoing]:
    return [Outgoing("out", batch.values, partition=batch.partition) for batch in batches]


def _step(member: KafkaConsumer, records: int = 5) -> int:
    """Answer what comes; return how many records were committed."""
    batches = member.poll(records, 500, BYTES)
    if batches:
        member.commit(covers(batches), _answers(batches))
    return sum(map(len, batches))


def _finish(member: KafkaConsumer, ledger: Ledger) -> None:
    """Answer all that is left."""

    def done() -> bool:
        _step(member, len(RECORDS))
        return len(ledger.committed) >= len(RECORDS)

    eventually(done)


def _check_complete(cluster: MockCluster, ledger: Ledger) -> None:
    """Every record was committed once, and what was committed is on the topic."""
    assert Counter(ledger.committed) == Counter(RECORDS)
    address = KafkaAddress(cluster.bootstrap, options=QUICK)
    readers = Readers(address, Cluster(address).end)
    try:
        found: list[bytes] = []
        for partition in range(2):
            offset = 0
            source = TopicPartition("out", partition)
            while len(batch := readers.read(source, offset, 1000, BYTES)):
                found.extend(batch.values)
                offset = batch.next_offset
    finally:
        readers.close()
    assert set(found) == set(RECORDS)


def _first(member: KafkaConsumer) -> list[RecordBatch]:
    """Return the first batches of a member that joins its group meanwhile."""
    found: list[RecordBatch] = []

    def polled() -> bool:
        found.extend(member.poll(5, 200, BYTES))
        return bool(found)

    eventually(polled)
    return found


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Api.PRODUCE, KafkaError.NOT_LEADER_FOR_PARTITION, 2),
        Fault(Api.TXN_OFFSET_COMMIT, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, 2),
        Fault(Api.ADD_OFFSETS_TO_TXN, KafkaError.COORDINATOR_NOT_AVAILABLE, 2),
        Fault(Api.ADD_PARTITIONS_TO_TXN, KafkaError.CONCURRENT_TRANSACTIONS, 3),
        Fault(Api.END_TXN, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, 2),
    ],
    ids=lambda fault: f"{fault.api.name}-{fault.error}",
)
def test_what_passes_by_itself_is_waited_out_within_the_transaction(
    cluster: MockCluster,
    ledger: Ledger,
    member: KafkaConsumer,
    fault: Fault,
) -> None:
    batches = _first(member)
    cluster.fail(fault.api, *[fault.error] * fault.times)
    member.commit(covers(batches), _answers(batches))
    assert (ledger.begun, ledger.commits, ledger.producers) == (1, 1, 1)
    _finish(member, ledger)
    _check_complete(cluster, ledger)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Api.END_TXN, KafkaError.REQUEST_TIMED_OUT),
        Fault(Api.END_TXN, KafkaError.PRODUCER_FENCED),
        Fault(Api.END_TXN, KafkaError.INVALID_PRODUCER_EPOCH),
        Fault(Api.ADD_PARTITIONS_TO_TXN, KafkaError.INVALID_PRODUCER_ID_MAPPING),
        Fault(Api.PRODUCE, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER),
    ],
    ids=lambda fault: f"{fault.api.name}-{fault.error}",
)
def test_after_a_failed_transaction_the_producer_is_renewed_and_the_batch_written_again(
    cluster: MockCluster,
    ledger: Ledger,
    member: KafkaConsumer,
    fault: Fault,
) -> None:
    batches = _first(member)
    cluster.fail(fault.api, fault.error)
    member.commit(covers(batches), _answers(batches))
    assert (ledger.begun, ledger.commits, ledger.producers) == (2, 1, 2)
    _finish(member, ledger)
    _check_complete(cluster, ledger)


@pytest.mark.parametrize("error", [KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS])
def test_a_commit_that_meets_a_rebalance_is_tried_again_in_the_new_generation(
    cluster: MockCluster, ledger: Ledger, member: KafkaConsumer, error: int
) -> None:
    batches = _first(member)
    cluster.fail(Api.TXN_OFFSET_COMMIT, error)
    member.commit(covers(batches), _answers(batches))
    assert (ledger.begun, ledger.commits, ledger.producers) == (2, 1, 2)
    _finish(member, ledger)
    _check_complete(cluster, ledger)


@pytest.mark.parametrize("error", [KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID])
def test_a_member_that_lost_its_group_is_fenced_and_gets_its_records_again(
    cluster: MockCluster,
    ledger: Ledger,
    member: KafkaConsumer,
    monkeypatch: pytest.MonkeyPatch,
    error: int,
) -> None:
    monkeypatch.setattr(commits, "KAFKA_REBALANCE_SECONDS_MAX", 0.0)
    batches = _first(member)
    cluster.fail(Api.TXN_OFFSET_COMMIT, error)
    with pytest.raises(Fenced):
        member.commit(covers(batches), _answers(batches))
    assert (ledger.begun, ledger.commits) == (1, 0)
    again = _first(member)
    assert again[0].offsets[0] == 0, "nothing was committed, so it is delivered again"
    member.commit(covers(again), _answers(again))
    _finish(member, ledger)
    _check_complete(cluster, ledger)


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (
            Fault(Api.PRODUCE, KafkaError.TOPIC_AUTHORIZATION_FAILED),
            "allow this user to use the topic",
        ),
        (Fault(Api.PRODUCE, KafkaError.MSG_SIZE_TOO_LARGE), r"raise its max\.message\.bytes"),
        (
            Fault(Api.ADD_OFFSETS_TO_TXN, KafkaError.GROUP_AUTHORIZATION_FAILED),
            "allow this user to read in the flow's group",
        ),
        (Fault(Api.TXN_OFFSET_COMMIT, KafkaError.FENCED_INSTANCE_ID), "give every instance a name"),
    ],
)
def test_what_no_waiting_mends_is_told_at_once_and_nothing_is_committed(
    cluster: MockCluster,
    ledger: Ledger,
    member: KafkaConsumer,
    fault: Fault,
    advice: str,
) -> None:
    batches = _first(member)
    cluster.fail(fault.api, fault.error)
    with pytest.raises(LogError, match=f"nothing was committed: .*{advice}"):
        member.commit(covers(batches), _answers(batches))
    assert (ledger.begun, ledger.commits) == (1, 0)
    _finish(member, ledger)
    _check_complete(cluster, ledger)


def test_a_member_that_the_group_forgot_joins_again_and_commits_nothing_from_before(
    cluster: MockCluster, ledger: Ledger
) -> None:
    _send(cluster)
    member = _member(cluster, session_timeout_ms="1000")
    batches = _first(member)
    source = batches[0].source
    both = [TopicPartition("in", number) for number in range(2)]
    member.pause(both)
    before = member._member.held[source]
    cluster.fail(Api.HEARTBEAT, KafkaError.UNKNOWN_MEMBER_ID)

    def joined_again() -> bool:
        member.poll(1, 100, BYTES)
        return member._member.held.get(source, before) is not before

    eventually(joined_again)
    with pytest.raises(Fenced):
        member.commit(covers(batches), _answers(batches))
    assert ledger.begun == 0
    member.resume(both)
    _finish(member, ledger)
    member.close()
    _check_complete(cluster, ledger)


def test_a_slow_network_only_takes_its_time(
    cluster: MockCluster, ledger: Ledger, member: KafkaConsumer
) -> None:
    batches = _first(member)
    cluster.set_round_trip(150)
    member.commit(covers(batches), _answers(batches))
    _finish(member, ledger)
    cluster.set_round_trip(0)
    assert ledger.begun == ledger.commits
    assert ledger.producers == 1
    _check_complete(cluster, ledger)


def test_a_broker_that_goes_and_comes_back_is_waited_for(
    cluster: MockCluster, ledger: Ledger, member: KafkaConsumer
) -> None:
    batches = _first(member)
    broker = batches[0].partition + 1
    cluster.set_down(broker)
    back = threading.Timer(0.5, cluster.set_up, [broker])
    back.start()
    member.commit(covers(batches), _answers(batches))
    back.join()
    _finish(member, ledger)
    _check_complete(cluster, ledger)


def test_a_producer_that_cannot_begin_yet_is_waited_for(
    cluster: MockCluster, ledger: Ledger
) -> None:
    _send(cluster)
    cluster.fail(Api.INIT_PRODUCER_ID, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
    member = _member(cluster)
    _finish(member, ledger)
    member.close()
    _check_complete(cluster, ledger)
