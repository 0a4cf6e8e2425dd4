import json
from collections.abc import Iterator

import pytest

from modelstream.flow import Flow
from modelstream.limits import REHEARSAL_RECORDS_MAX, REHEARSAL_SCAN_RECORDS_MAX
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing
from modelstream.models.recent import recent_records


@pytest.fixture
def log() -> Iterator[MemoryLog]:
    log = MemoryLog()
    yield log
    log.close()


def numbered(first: int, last: int) -> list[bytes]:
    return [str(each).encode() for each in range(first, last)]


def test_a_topic_that_nobody_made_yet_has_no_records(log: MemoryLog) -> None:
    assert recent_records(log, Flow(name="wine"), "wine") == ()


def test_an_empty_topic_has_no_records(log: MemoryLog) -> None:
    log.create_topic("wine.records", 3)
    assert recent_records(log, Flow(name="wine"), "wine") == ()


def test_the_last_records_are_returned_oldest_first(log: MemoryLog) -> None:
    log.create_topic("wine.records")
    log.append(Outgoing("wine.records", numbered(0, 100)))
    newest = tuple(numbered(100 - REHEARSAL_RECORDS_MAX, 100))
    assert recent_records(log, Flow(name="wine"), "wine") == newest


def test_the_last_records_of_several_partitions_are_told_by_their_time(log: MemoryLog) -> None:
    log.create_topic("wine.records", 2)
    for partition, (first, last) in enumerate([(0, 20), (20, 60)]):
        log.append(
            Outgoing(
                "wine.records",
                numbered(first, last),
                partition=partition,
                timestamps=list(range(first, last)),
            )
        )
    newest = tuple(numbered(60 - REHEARSAL_RECORDS_MAX, 60))
    assert recent_records(log, Flow(name="wine"), "wine") == newest


def test_tombstones_are_no_records(log: MemoryLog) -> None:
    log.create_topic("wine.records")
    log.append(Outgoing("wine.records", [b"1", b"", b"2"]))
    assert recent_records(log, Flow(name="wine"), "wine") == (b"1", b"2")


def test_only_the_topics_of_the_data_type_are_read(log: MemoryLog) -> None:
    flow = Flow(name="shop", records={"red": "wine", "white": "wine", "lager": "beer"})
    for topic in flow.record_topics:
        log.create_topic(topic)
        log.append(Outgoing(topic, [topic.encode()]))
    assert sorted(recent_records(log, flow, "wine")) == [b"red", b"white"]
    assert recent_records(log, flow, "beer") == (b"lager",)


def test_where_a_field_tells_the_data_type_the_records_are_looked_through(log: MemoryLog) -> None:
    flow = Flow(name="shop", records="all", data_type_field="product.kind")
    log.create_topic("all")
    records = [json.dumps({"n": n, "product": {"kind": "abc"[n % 3]}}).encode() for n in range(300)]
    log.append(Outgoing("all", [*records, b"no json", b"[]", b'{"product": 1}', b"\xff"]))
    found = recent_records(log, flow, "b")
    assert found == tuple(records[1::3][-REHEARSAL_RECORDS_MAX:])
    assert recent_records(log, flow, "z") == ()


def test_only_so_many_records_are_looked_through(log: MemoryLog) -> None:
    flow = Flow(name="shop", records="all", data_type_field="kind")
    log.create_topic("all")
    log.append(Outgoing("all", [b'{"kind": "rare"}']))
    log.append(Outgoing("all", [b'{"kind": "common"}'] * (REHEARSAL_SCAN_RECORDS_MAX - 1)))
    assert recent_records(log, flow, "rare") == (b'{"kind": "rare"}',)
    log.append(Outgoing("all", [b'{"kind": "common"}']))
    assert recent_records(log, flow, "rare") == ()
