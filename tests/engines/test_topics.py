"""A flow's topics: made where they are missing, and checked where somebody else made them."""

import logging

import pytest

from modelstream.engines.topics import prepare
from modelstream.errors import LogError
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog

FLOW = Flow(name="wine", partitions=3)


def test_missing_topics_are_made_and_kept_for_ever() -> None:
    log = MemoryLog()
    prepare(FLOW, log)
    made = log.topics()
    assert {name: made[name].partitions for name in made} == {
        "wine.models": 1,
        "wine.registry": 1,
        "wine.records": 3,
        "wine.results": 3,
        "wine.rejects": 3,
    }
    assert {topic.retention_ms for topic in made.values()} == {None}
    prepare(FLOW, log)
    assert log.topics() == made


@pytest.mark.parametrize("name", ["wine.models", "wine.registry"])
def test_messages_that_need_one_order_need_one_partition(name: str) -> None:
    log = MemoryLog()
    log.create_topic(name, 2)
    with pytest.raises(LogError, match=f"{name}' has 2 partitions.*make it with 1"):
        prepare(FLOW, log)


def test_a_registry_that_forgets_is_refused() -> None:
    log = MemoryLog()
    log.create_topic("wine.registry", 1, retention_ms=60_000)
    with pytest.raises(LogError, match=r"keeps messages for 60000 ms.*retention\.ms=-1"):
        prepare(FLOW, log)
    log = MemoryLog()
    log.create_topic("wine.registry", 1, compacted=True)
    with pytest.raises(LogError, match=r"is compacted.*cleanup\.policy=delete"):
        prepare(FLOW, log)


def test_a_models_topic_that_forgets_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    log = MemoryLog()
    log.create_topic("wine.models", 1, retention_ms=60_000)
    with caplog.at_level(logging.WARNING, "modelstream"):
        prepare(FLOW, log)
    assert "'wine.models' keeps messages for 60000 ms" in caplog.text


def test_results_need_the_partitions_of_the_records() -> None:
    log = MemoryLog()
    log.create_topic("wine.results", 2)
    with pytest.raises(LogError, match=r"has 2 partition\(s\), the records have 3"):
        prepare(FLOW, log)


def test_results_are_not_compacted() -> None:
    log = MemoryLog()
    log.create_topic("wine.rejects", 3, compacted=True)
    with pytest.raises(LogError, match=r"every record's answer is to be kept"):
        prepare(FLOW, log)
