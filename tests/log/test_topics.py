"""The rules for names of topics, and how an unknown one is told."""

import pytest

from modelstream import limits
from modelstream.errors import LogError
from modelstream.log.base import TopicInfo
from modelstream.log.topics import check_topic, unknown_topic


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "é", "x" * 250])
def test_a_name_that_kafka_refuses_is_refused(name: str) -> None:
    with pytest.raises(LogError, match=r"use "):
        check_topic(TopicInfo(name, 1))


def test_the_longest_name_is_taken() -> None:
    check_topic(TopicInfo("x" * limits.TOPIC_NAME_CHARS_MAX, 1))


def test_an_unknown_topic_is_told_with_those_that_are_there() -> None:
    assert "'gone'" in str(unknown_topic("gone", ["b", "a"]))
    assert "(topics of this log: a, b)" in str(unknown_topic("gone", ["b", "a"]))
    assert "(topics of this log: none)" in str(unknown_topic("gone", []))


def test_no_more_topics_are_told_than_one_reads() -> None:
    names = [f"t{number:03}" for number in range(limits.TOPICS_SHOWN_MAX + 1)]
    told = str(unknown_topic("gone", names))
    assert names[-2] in told
    assert names[-1] not in told
    assert told.endswith(", ...)")
