from typing import Any

import pytest

from modelstream.core.registry import Registry
from modelstream.events import RegistryEvent
from modelstream.flow import Flow
from modelstream.messages import VersionId
from modelstream.models.lifecycle import (
    Message,
    data_type_of,
    promote,
    promotion,
    published,
    rejected,
    retire,
    roll_back,
)
from modelstream.models.refusal import Refused
from modelstream.wire.descriptor import Action, ModelDescriptor
from tests.support.events import admitted, promoted, retired, rolled_back

WINE = Flow(name="wine")
TWO = Flow(name="shop", records={"red": "wine", "lager": "beer"})
BY_FIELD = Flow(name="any", records="all", data_type_field="kind")
DIGEST = admitted("a", "1").digest


def registry(*events: RegistryEvent) -> Registry:
    folded = Registry()
    for position, event in enumerate(events):
        folded.apply(event, position)
    return folded


def message(action: Action = Action.PUBLISH, **fields: Any) -> Message:
    if action in {Action.PUBLISH, Action.STAGE}:
        fields = {"data": b"x", "format": "fake", **fields}
    return Message(ModelDescriptor(action=action, **fields), source=7, at_ms=9000)


# -- data types -----------------------------------------------------------------------------------


def test_the_only_data_type_of_a_flow_may_be_left_out() -> None:
    assert data_type_of(message(name="a"), WINE) == "wine"
    assert data_type_of(message(name="a", data_type="wine"), WINE) == "wine"


def test_one_of_several_data_types_must_be_named() -> None:
    assert data_type_of(message(name="a", data_type="beer"), TWO) == "beer"
    for flow in (TWO, BY_FIELD):
        with pytest.raises(Refused, match="several data types"):
            data_type_of(message(name="a"), flow)


def test_a_data_type_without_records_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refused, match="'beer', 'wine'") as refused:
        data_type_of(message(name="a", data_type="milk"), TWO)
    assert refused.value.code == "unknown_data_type"


def test_where_a_field_tells_the_data_type_any_may_come() -> None:
    assert data_type_of(message(name="a", data_type="milk"), BY_FIELD) == "milk"


# -- publish --------------------------------------------------------------------------------------


def is_published(folded: Registry, digest: str = DIGEST, **fields: Any) -> VersionId | None:
    return published(message(name="a", **fields), "wine", digest, folded)


def refusal(folded: Registry, digest: str = DIGEST, **fields: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        is_published(folded, digest, **fields)
    return caught.value


def test_an_artifact_that_was_never_there_is_a_new_version() -> None:
    assert is_published(registry()) is None
    assert is_published(registry(admitted("b", "1", digest=DIGEST))) is None
    assert is_published(registry(admitted("a", "1")), digest="f" * 64) is None


def test_an_artifact_that_is_there_is_the_version_it_was() -> None:
    assert is_published(registry(admitted("a", "1"), admitted("a", "2"))) == ("a", "1")


def test_of_several_versions_of_one_artifact_the_newest_that_may_serve_is_meant() -> None:
    events = [admitted("a", version, digest=DIGEST) for version in ("1", "2", "3")]
    assert is_published(registry(*events)) == ("a", "3")
    assert is_published(registry(*events, retired("a", "3"))) == ("a", "2")


def test_a_version_that_is_named_must_be_the_artifact_it_was() -> None:
    folded = registry(admitted("a", "1"), admitted("a", "2"))
    assert is_published(folded, version="1") == ("a", "1")
    named = refusal(folded, digest="f" * 64, version="1")
    assert named.code == "version_exists"
    assert "a@1" in named.reason


def test_a_known_artifact_under_a_new_version_is_a_new_version() -> None:
    assert is_published(registry(admitted("a", "1")), version="2") is None


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"feature_names": ("p",)}, "feature names"),
        ({"labels": ("no", "yes")}, "labels"),
        ({"signature_name": "predict"}, "signature"),
        ({"format": "other"}, "format"),
    ],
)
def test_a_known_artifact_told_differently_needs_a_version_of_its_own(
    fields: dict[str, Any], what: str
) -> None:
    folded = registry(admitted("a", "1"))
    for version in ("", "1"):
        told = refusal(folded, **fields, version=version)
        assert told.code == "artifact_exists"
        assert what in told.reason
        assert "give a version" in told.reason
    assert is_published(folded, **fields, version="2") is None


def test_a_known_artifact_for_another_data_type_needs_a_version_of_its_own() -> None:
    assert refusal(registry(admitted("a", "1", data_type="beer"))).code == "artifact_exists"


@pytest.mark.parametrize("version", ["", "1"])
def test_a_retired_artifact_does_not_return_under_its_version(version: str) -> None:
    told = refusal(registry(admitted("a", "1"), retired("a", "1")), version=version)
    assert told.code == "retired"
    assert "a@1" in told.reason


# -- promote --------------------------------------------------------------------------------------


def test_a_version_is_promoted_for_the_data_type_it_was_admitted_for() -> None:
    folded = registry(admitted("a", "1", data_type="beer"))
    (event,) = promote(message(Action.PROMOTE, name="a", version="1"), folded)
    assert (event.source, event.at_ms) == (7, 9000)
    folded.apply(event, 1)
    assert folded.current("beer") == ("a", "1")


def test_without_a_version_the_newest_that_is_not_retired_is_promoted() -> None:
    events = (admitted("a", "1"), admitted("a", "2"), admitted("a", "3"), retired("a", "3"))
    folded = registry(*events)
    (event,) = promote(message(Action.PROMOTE, name="a"), folded)
    folded.apply(event, len(events))
    assert folded.current("wine") == ("a", "2")


def test_promoting_what_is_current_does_nothing() -> None:
    folded = registry(admitted("a", "1"), promoted("a", "1"))
    assert promote(message(Action.PROMOTE, name="a"), folded) == []
    assert promotion(message(name="a"), VersionId("a", "1"), folded) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "b"}, "unknown_version"),
        ({"name": "a", "version": "9"}, "unknown_version"),
        ({"name": "old"}, "unknown_version"),
        ({"name": "old", "version": "1"}, "retired"),
        ({"name": "a", "data_type": "beer"}, "unknown_data_type"),
    ],
)
def test_what_cannot_be_promoted_is_refused(fields: dict[str, str], code: str) -> None:
    folded = registry(admitted("a", "1"), admitted("old", "1"), retired("old", "1"))
    with pytest.raises(Refused) as caught:
        promote(message(Action.PROMOTE, **fields), folded)
    assert caught.value.code == code


# -- roll back ------------------------------------------------------------------------------------

TWICE = (admitted("a", "1"), promoted("a", "1"), admitted("b", "1"), promoted("b", "1"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"data_type": "wine"},
        {"name": "b"},
        {"name": "b", "version": "1"},
        {"name": "b", "data_type": "wine"},
    ],
)
def test_a_rollback_leaves_the_current_version_for_the_one_before(fields: dict[str, str]) -> None:
    folded = registry(*TWICE)
    (event,) = roll_back(message(Action.ROLLBACK, **fields), WINE, folded)
    assert folded.apply(event, len(TWICE)) == ("wine",)
    assert folded.current("wine") == ("a", "1")


@pytest.mark.parametrize(
    ("events", "fields", "code"),
    [
        ((), {}, "nothing_before"),
        (TWICE[:2], {}, "nothing_before"),
        ((*TWICE, rolled_back("b", "1")), {}, "nothing_before"),
        (TWICE, {"name": "a"}, "not_current"),
        (TWICE, {"name": "a", "data_type": "wine"}, "not_current"),
        (TWICE, {"name": "b", "version": "2"}, "not_current"),
        (TWICE, {"data_type": "milk"}, "unknown_data_type"),
    ],
)
def test_a_rollback_that_leads_nowhere_is_refused(
    events: tuple[RegistryEvent, ...], fields: dict[str, str], code: str
) -> None:
    with pytest.raises(Refused) as caught:
        roll_back(message(Action.ROLLBACK, **fields), WINE, registry(*events))
    assert caught.value.code == code


def test_a_name_that_is_current_for_two_data_types_is_not_enough_to_roll_back() -> None:
    events = [admitted("a", "1"), admitted("a", "2", data_type="beer")]
    events_promoted = [promoted("a", "1"), promoted("a", "2", data_type="beer")]
    folded = registry(*events, *events_promoted)
    with pytest.raises(Refused, match="'beer', 'wine'"):
        roll_back(message(Action.ROLLBACK, name="a"), TWO, folded)
    with pytest.raises(Refused, match="several data types"):
        roll_back(message(Action.ROLLBACK), TWO, folded)


# -- retire ---------------------------------------------------------------------------------------


def test_a_retired_version_gives_way_to_the_one_before() -> None:
    folded = registry(*TWICE)
    (event,) = retire(message(Action.RETIRE, name="b", version="1"), folded)
    assert folded.apply(event, len(TWICE)) == ("wine",)
    assert folded.current("wine") == ("a", "1")
    assert retire(message(Action.RETIRE, name="b", version="1"), folded) == []


@pytest.mark.parametrize("version", ["", "9"])
def test_what_cannot_be_retired_is_refused_with_the_versions_there_are(version: str) -> None:
    with pytest.raises(Refused, match=r"has '1'") as caught:
        retire(message(Action.RETIRE, name="b", version=version), registry(*TWICE))
    assert caught.value.code == "unknown_version"


# -- refusals -------------------------------------------------------------------------------------


def test_a_refusal_is_an_event_with_all_that_was_told() -> None:
    event = rejected(
        message(name="a", version="3", data_type="wine"), Refused("timeout", "slow"), "d" * 64
    )
    assert (event.name, event.version, event.data_type) == ("a", "3", "wine")
    assert (event.code, event.reason, event.digest) == ("timeout", "slow", "d" * 64)
    assert (event.source, event.at_ms) == (7, 9000)
    assert rejected(message(name="a"), Refused("timeout", "slow"), None).version is None
