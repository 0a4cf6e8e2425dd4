"""The record that is meant is found by position or key, and its outcome wherever it stands."""

import pytest

from modelstream.audit.find import find_outcome, find_record
from modelstream.errors import InvalidMessage, UnknownModel, UnknownTopic
from modelstream.flow import Flow
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, Position
from modelstream.stored import StoredReject, StoredResult
from tests.support.artifacts import adder
from tests.support.audits import (
    RECORDS,
    REJECTS,
    RESULTS,
    answer_all,
    long_story,
    messages,
    tampered,
    with_more,
    without,
)
from tests.support.flows import Rig


@pytest.mark.parametrize(
    ("where", "offset"),
    [
        (Position(RECORDS, 0, 3), 3),
        (f"{RECORDS}/0/3", 3),
        (f"{RESULTS}/0/7", 9),
        (f"{REJECTS}/0/1", 6),
        (Position(REJECTS, 0, 0), 5),
        ("k13", 13),
    ],
)
def test_a_record_is_found_by_what_a_person_knows_of_it(
    story: Rig, where: Position | str, offset: int
) -> None:
    found = find_record(story.log, story.flow, where)
    assert found.record == Position(RECORDS, 0, offset)
    assert found.others == 0


def test_of_several_outcomes_with_a_key_the_newest_is_found() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine", partitions=2))
    rig.serve(adder(1.0), "plus")
    for partition in (1, 0, 1):
        rig.log.append(Outgoing(RECORDS, [b'{"x": 1}', b"?"], [b"a", b"b"], partition))
        answer_all(rig)
    found = find_record(rig.log, rig.flow, "a")
    assert (found.record, found.others) == (Position(RECORDS, 1, 2), 2)
    found = find_record(rig.log, rig.flow, "b")
    assert (found.record, found.others) == (Position(RECORDS, 1, 3), 2)


def test_a_key_without_an_outcome_is_that_of_a_record(story: Rig) -> None:
    log = tampered(story, {RESULTS: without(14)}, committed=16)
    assert find_record(log, story.flow, "k16").record == Position(RECORDS, 0, 16)


def test_a_key_may_look_like_a_position(story: Rig) -> None:
    log = tampered(story, {})
    log.append(Outgoing(RECORDS, [b"{}"], [b"a/0/1"]))
    assert find_record(log, story.flow, "a/0/1").record == Position(RECORDS, 0, 17)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("nobody", "no record of flow 'wine' has the key 'nobody'"),
        (f"{RECORDS}/0/17", r"is not there; .* has the offsets 0 to 16"),
        (f"{RESULTS}/0/15", r"is not there; .* has the offsets 0 to 14"),
        ("wine.models/0/0", "is not of flow 'wine'; give a position on wine.records, wine.results"),
        (Position("beer", 0, 0), "is not of flow 'wine'"),
        (f"{RECORDS}/0/x", "has the key"),
    ],
)
def test_what_is_not_there_is_told_with_what_to_do(
    story: Rig, where: Position | str, why: str
) -> None:
    with pytest.raises(UnknownModel, match=why):
        find_record(story.log, story.flow, where)


def test_a_partition_that_is_not_there_is_told(story: Rig) -> None:
    with pytest.raises(UnknownTopic):
        find_record(story.log, story.flow, f"{RECORDS}/7/0")


def test_an_empty_partition_is_told() -> None:
    rig = Rig(MemoryLog(), Flow(name="wine"))
    with pytest.raises(UnknownModel, match=r"wine\.records/0 is empty"):
        find_record(rig.log, rig.flow, f"{RECORDS}/0/0")


def test_a_message_that_is_no_outcome_leads_to_no_record(story: Rig) -> None:
    log = tampered(story, {RESULTS: with_more(b"?")})
    with pytest.raises(InvalidMessage, match="no outcome"):
        find_record(log, story.flow, f"{RESULTS}/0/15")


def test_an_outcome_that_was_deleted_leads_to_no_record(story: Rig) -> None:
    log = tampered(story, {})
    log.delete_before(RESULTS, 0, 5)
    with pytest.raises(UnknownModel, match="no message at"):
        find_record(log, story.flow, f"{RESULTS}/0/4")


@pytest.fixture(scope="module")
def long() -> Rig:
    """2,000 records of two topics, of which every third is rejected."""
    rig = Rig(MemoryLog(), Flow(name="shop", records={"red": "red", "white": "white"}))
    rig.serve(adder(1.0), "r", data_type="red")
    rig.serve(adder(1.0), "w", data_type="white")
    for start in range(0, 1000, 250):
        for topic in ("red", "white"):
            values = [b"?" if i % 3 == 0 else {"x": i} for i in range(start, start + 250)]
            rig.send(*values, topic=topic)
        answer_all(rig)
    return rig


@pytest.mark.parametrize("topic", ["red", "white"])
@pytest.mark.parametrize("offset", [0, 1, 2, 300, 499, 500, 750, 998, 999])
def test_an_outcome_is_found_among_those_of_another_topic(
    long: Rig, topic: str, offset: int
) -> None:
    placed = find_outcome(long.log, long.flow, Position(topic, 0, offset))
    assert placed is not None
    kind = StoredReject if offset % 3 == 0 else StoredResult
    assert isinstance(placed.outcome, kind)
    assert (placed.outcome.topic, placed.outcome.offset) == (topic, offset)
    stands = messages(long.log, placed.at.topic)[placed.at.offset].json()
    assert (stands["topic"], stands["offset"]) == (topic, offset)


def test_an_outcome_out_of_order_is_found_all_the_same() -> None:
    rig = long_story(1000)
    log = tampered(rig, {RESULTS: lambda found: [*found[1:], found[0]]})
    placed = find_outcome(log, rig.flow, Position(RECORDS, 0, 0))
    assert placed is not None
    assert placed.at == Position(RESULTS, 0, 999)


def test_a_record_without_an_outcome_has_none(story: Rig) -> None:
    assert find_outcome(story.log, story.flow, Position(RECORDS, 0, 17)) is None
    log = tampered(story, {RESULTS: without(2)})
    assert find_outcome(log, story.flow, Position(RECORDS, 0, 2)) is None


def test_what_cannot_be_read_is_passed_over(long: Rig) -> None:
    def broken_every_seventh(found):  # type: ignore[no-untyped-def]
        return [each._replace(value=b"?") if at % 7 else each for at, each in enumerate(found)]

    log = tampered(long, {"shop.results": broken_every_seventh})
    readable = [at for at in range(len(messages(log, "shop.results"))) if at % 7 == 0]
    for at in (readable[0], readable[40], readable[-1]):
        said = messages(log, "shop.results")[at].json()
        record = Position(said["topic"], 0, said["offset"])
        placed = find_outcome(log, long.flow, record)
        assert placed is not None
        assert placed.at.offset == at
