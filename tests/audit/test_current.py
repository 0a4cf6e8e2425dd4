"""Current: what an outcome says of its version is held against the registry."""

import pytest

from modelstream.audit import verify
from modelstream.audit.current import reader_of
from modelstream.audit.history import read_history
from modelstream.events import Promoted, Retired, encode_event
from modelstream.flow import Flow
from modelstream.messages import VersionId
from modelstream.stored import StoredReject, StoredResult, decode_stored
from tests.support.audits import (
    RECORDS,
    REGISTRY,
    REJECTS,
    RESULTS,
    broken,
    messages,
    saying,
    tampered,
    verified,
    with_more,
)
from tests.support.flows import Rig


def digest(story: Rig, index: int) -> str:
    return str(messages(story.log, RESULTS)[index].json()["model"]["digest"])


def test_an_answer_by_a_version_that_is_not_current_yet_is_found(story: Rig) -> None:
    edit = saying(
        -6,
        model_version="2",
        model_digest=digest(story, -1),
        model_as_of=2,
        outputs={"score": 16.0},
    )
    report = verified(story, {RESULTS: edit})
    assert broken(report) == [("current", f"{RECORDS}/0/11")]
    assert report.findings[0].detail == "plus@1 was current for 'wine' at 2, not plus@2"


def test_an_answer_by_a_version_that_is_current_no_more_is_found(story: Rig) -> None:
    edit = saying(-1, model_version="1", model_digest=digest(story, 0), outputs={"score": 17.0})
    report = verified(story, {RESULTS: edit})
    assert broken(report) == [("current", f"{RECORDS}/0/16")]
    assert report.findings[0].detail == "plus@2 was current for 'wine' at 3, not plus@1"


def test_an_answer_by_another_version_than_it_says_breaks_two_invariants(story: Rig) -> None:
    edit = saying(-1, model_version="1", model_digest=digest(story, 0))
    assert broken(verified(story, {RESULTS: edit})) == [
        ("current", f"{RECORDS}/0/16"),
        ("reproducible", f"{RECORDS}/0/16"),
    ]


def test_a_digest_that_is_not_the_admitted_one_is_found(story: Rig) -> None:
    report = verified(story, {RESULTS: saying(4, model_digest="0" * 64)})
    assert broken(report) == [("current", f"{RECORDS}/0/4")]
    assert f"plus@1 has digest {digest(story, 0)}, not 000" in report.findings[0].detail


def test_a_version_that_was_never_admitted_is_found(story: Rig) -> None:
    report = verified(story, {RESULTS: saying(4, model_name="minus")})
    assert broken(report) == [("current", f"{RECORDS}/0/4")]
    assert report.findings[0].detail == "minus@1 was not admitted at 1"


def test_a_version_before_its_admission_is_found(story: Rig) -> None:
    report = verified(story, {RESULTS: saying(0, model_as_of=-1)})
    assert broken(report) == [("current", f"{RECORDS}/0/0")]
    assert report.findings[0].detail == "plus@1 was not admitted at -1"


def test_a_version_that_was_retired_before_is_found(story: Rig) -> None:
    retired = with_more(encode_event(Retired(name="plus", version="2", source=0, at_ms=0)))
    assert verified(story, {REGISTRY: retired}).ok
    report = verified(story, {REGISTRY: retired, RESULTS: saying(-1, model_as_of=4)})
    assert broken(report) == [("current", f"{RECORDS}/0/16")]
    assert report.findings[0].detail == "plus@2 had been retired at 4"


def test_an_as_of_beyond_the_registry_is_found(story: Rig) -> None:
    report = verified(story, {RESULTS: saying(-1, model_as_of=4), REJECTS: saying(0, as_of=99)})
    assert broken(report) == [("current", f"{RECORDS}/0/5"), ("current", f"{RECORDS}/0/16")]
    assert report.findings[0].detail == "as_of is 99, but the registry ends at 3"


def test_an_as_of_that_goes_back_is_found(story: Rig) -> None:
    report = verified(
        story,
        {
            RESULTS: lambda found: [
                *(each.saying(model_as_of=2) for each in found[:3]),
                found[3],
                *(each.saying(model_as_of=2) for each in found[4:10]),
                *found[10:],
            ],
            REJECTS: lambda found: [each.saying(as_of=2) for each in found],
        },
    )
    assert broken(report) == [("current", f"{RECORDS}/0/3")]
    assert report.findings[0].detail == "as_of goes back to 1, after 2"


def test_the_as_of_of_rejects_and_results_is_one_sequence(story: Rig) -> None:
    report = verified(story, {REJECTS: saying(1, as_of=2)})
    assert broken(report) == [("current", f"{RECORDS}/0/{offset}") for offset in range(7, 12)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"garbage", "this is no registry event"),
        (
            encode_event(Promoted(name="minus", version="1", data_type="wine", source=0, at_ms=0)),
            "promoted: minus@1 was never admitted",
        ),
    ],
)
def test_a_damaged_registry_is_found_and_not_believed(story: Rig, value: bytes, why: str) -> None:
    report = verified(story, {REGISTRY: with_more(value)})
    assert broken(report) == [("current", f"{REGISTRY}/0/4")]
    assert report.findings[0].detail.startswith(why)


def test_a_promotion_that_came_later_than_the_answers_is_found(story: Rig) -> None:
    def later(found: list) -> list:  # type: ignore[type-arg]
        return [found[0], found[2], found[1], found[3]]

    report = verified(story, {REGISTRY: later})
    assert report.counts["current"] == 10  # the answers at 1, where nothing is current now
    assert report.counts["reproducible"] == 2  # the rejects at 1, that no version has read


def test_a_registry_without_its_beginning_is_found(story: Rig) -> None:
    log = tampered(story, {})
    log.delete_before(REGISTRY, 0, 1)
    report = verify(log, story.flow, rescore=False)
    assert broken(report)[:2] == [("current", f"{REGISTRY}/0/1")] * 2
    assert "first 1 events were deleted" in report.findings[0].detail
    assert report.counts["current"] == 2 + 10


def test_who_read_a_record_is_told_by_its_outcome(story: Rig) -> None:
    history = read_history(story.log, Flow(name="wine"))
    result = decode_stored(StoredResult, messages(story.log, RESULTS)[-1].value)
    assert reader_of(history, result) == VersionId("plus", "2")
    reject = messages(story.log, REJECTS)[0]
    for fields, reader in (
        ({}, VersionId("plus", "1")),
        ({"as_of": 0}, None),
        ({"reason": "no_model"}, None),
        ({"data_type": None}, None),
    ):
        outcome = decode_stored(StoredReject, reject.saying(**fields).value)
        assert reader_of(history, outcome) == reader
