"""Every format's whole way: published, admitted, scored, swapped, explained, rolled back, refused."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from modelstream.audit import explain, replay, verify
from modelstream.engines.loaded import ready, score
from modelstream.events import Admitted, Promoted, Rejected, RolledBack, decode_events
from modelstream.flow import Flow
from modelstream.formats import formats, load_model
from modelstream.log import open_log
from modelstream.messages import Result, VersionId
from modelstream.models.jail import Jail
from modelstream.publishing import rollback
from tests.support.audits import send_keyed
from tests.support.flows import Rig
from tests.support.serving import Serving
from tests.support.two_versions import FORMATS, Versions, versions

# The version that should answer each of the four times that the records are sent.
ANSWERED_BY = ("1", "2", "2", "1")


class Story(NamedTuple):
    """A flow that served two versions of one format, and what they are."""

    format: str
    made: Versions
    rig: Rig

    def results(self, turn: int) -> list[Result]:
        """Return the results of one time that the records were sent."""
        count = len(self.made.records)
        return self.rig.results()[turn * count : (turn + 1) * count]


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail() as jail:
        yield jail


@pytest.fixture(scope="module", params=FORMATS)
def story(
    request: pytest.FixtureRequest, jail: Jail, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """Serve a version, swap, publish a broken one, roll back; send the records after each."""
    made = versions(request.param)
    log = open_log(f"file:{tmp_path_factory.mktemp('log')}")
    rig = Rig(log, Flow(name="wine", batch_records=5))
    serving = Serving(rig, jail)
    first, second = made.artifacts
    for data in (first, second, first[: len(first) * 2 // 3]):
        serving.publish(data, "model", format=request.param, feature_names=made.feature_names)
        send_keyed(rig, *made.records)
        serving.answer()
    rollback(log, rig.flow)
    serving.settle()
    send_keyed(rig, *made.records)
    serving.answer()
    serving.close()
    yield Story(request.param, made, rig)
    log.close()


def test_no_format_is_left_out() -> None:
    # A remote model is where its server is: it is served from there in the tests of its own.
    assert set(FORMATS) == set(formats()) - {"remote"}


def test_each_version_answers_until_the_next_one_is_current(story: Story) -> None:
    results = story.rig.results()
    count = len(story.made.records)
    assert [each.offset for each in results] == list(range(4 * count))
    assert story.rig.rejects() == []
    assert [each.model.version for each in results] == [
        version for version in ANSWERED_BY for _ in range(count)
    ]


@pytest.mark.parametrize("turn", range(4))
def test_the_answers_are_those_of_the_model_alone(story: Story, turn: int) -> None:
    artifact = story.made.artifacts[int(ANSWERED_BY[turn]) - 1]
    model = load_model(artifact, story.format, feature_names=story.made.feature_names)
    records = story.made.records
    alone = score(ready(model, (1,)), records, range(len(records)), null_is_answer=False)
    columns = {name: column.tolist() for name, column in alone.columns.items()}
    assert [dict(each.outputs) for each in story.results(turn)] == [
        {name: values[row] for name, values in columns.items()} for row in range(len(records))
    ]


def test_the_versions_answer_differently(story: Story) -> None:
    first, second, _, again = ([dict(each.outputs) for each in story.results(n)] for n in range(4))
    assert first != second
    assert first == again


def test_a_broken_version_is_refused_with_a_reason(story: Story) -> None:
    log, flow = story.rig.log, story.rig.flow
    events = decode_events(log.read(flow.registry, 0, 0, 100, 1 << 24).values)
    kinds = [type(each) for each in events]
    assert kinds == [Admitted, Promoted, Admitted, Promoted, Rejected, RolledBack]
    refused = events[4]
    assert isinstance(refused, Rejected)
    assert refused.code in {"invalid_model", "unsupported_model"}
    assert refused.reason
    assert {event.format for event in events if isinstance(event, Admitted)} == {story.format}


@pytest.mark.parametrize("turn", range(4))
def test_an_answer_is_explained_and_scored_again(story: Story, turn: int) -> None:
    result = story.results(turn)[-1]
    artifact = story.made.artifacts[int(ANSWERED_BY[turn]) - 1]
    told = explain(story.rig.log, story.rig.flow, f"{result.topic}/0/{result.offset}")
    assert told.model is not None
    assert told.model.version == VersionId("model", ANSWERED_BY[turn])
    assert told.model.format == story.format
    assert told.model.digest == result.model.digest == hashlib.sha256(artifact).hexdigest()
    assert told.as_of == result.model.as_of == (1, 3, 4, 5)[turn]
    assert told.current_then == told.model.version
    assert told.current_now == VersionId("model", "1")
    assert told.outputs == told.rescored == dict(result.outputs)
    assert (told.verdict, told.findings) == ("same", ())


def test_the_log_verifies_and_replays_to_the_last_bit(story: Story) -> None:
    report = verify(story.rig.log, story.rig.flow)
    count = 4 * len(story.made.records)
    assert report.findings == ()
    assert (report.figures.results, report.figures.versions) == (count, 2)
    assert (report.figures.rescored, report.figures.not_rescored) == (count, 0)
    told = replay(story.rig.log, story.rig.flow)
    assert told.records == told.changes["equal"] == count
