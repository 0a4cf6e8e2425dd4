from collections.abc import Callable

import pytest

from modelstream.engines.topics import prepare
from modelstream.errors import InvalidModel, LogError, UnknownModel
from modelstream.events import Admitted, RegistryEvent, encode_event
from modelstream.flow import Flow
from modelstream.formats.base import LoweredModel
from modelstream.log.memory import MemoryLog
from modelstream.messages import Outgoing, VersionId
from modelstream.models import references as room
from modelstream.models.references import find_on, referenced
from modelstream.models.refusal import Refused
from tests.support.events import admitted, promoted, retired
from tests.support.pipelines import document

KNOWN = {VersionId(each.name, each.version): each for each in (admitted("a"), admitted("b@c", "2"))}


def bring(event: Admitted) -> bytes:
    return f"lowered {event.name}".encode()


def refused(data: bytes, bring: Callable[[Admitted], bytes] = bring) -> Refused:
    with pytest.raises(Refused) as caught:
        referenced("pipeline", data, KNOWN.get, bring)
    return caught.value


def raising(error: Exception) -> Callable[[Admitted], bytes]:
    def bring(event: Admitted) -> bytes:
        raise error

    return bring


def test_only_pipelines_refer_to_versions() -> None:
    assert referenced("onnx", document({"model": "a@1"}), KNOWN.get, bring) == {}


def test_versions_are_brought_as_they_were_lowered() -> None:
    data = document({"model": "a@1"}, {"model": "b@c@2"}, {"model": "a@1"})
    assert referenced("pipeline", data, KNOWN.get, bring) == {
        "a@1": LoweredModel("fake", b"lowered a"),
        "b@c@2": LoweredModel("fake", b"lowered b@c"),
    }


@pytest.mark.parametrize("name", ["a@2", "c@1", "a", "@1", "a@", ""])
def test_a_version_that_was_never_admitted_is_named(name: str) -> None:
    told = refused(document({"model": name}))
    assert told.code == "unknown_version"
    assert f"refers to {name!r}, and no such version was admitted" in told.reason


def test_what_is_no_document_is_refused() -> None:
    assert refused(b"nothing").code == "invalid_model"


@pytest.mark.parametrize("kind", [UnknownModel, InvalidModel])
def test_a_version_that_cannot_be_had_any_more_is_named(kind: type[Exception]) -> None:
    told = refused(document({"model": "a@1"}), raising(kind("it is gone")))
    assert told.code == "no_artifact"
    assert told.reason == "the pipeline refers to a@1, which cannot be had: it is gone"


def test_a_log_that_fails_is_no_fault_of_the_pipeline() -> None:
    with pytest.raises(LogError):
        referenced("pipeline", document({"model": "a@1"}), KNOWN.get, raising(LogError("full")))


def test_the_bytes_of_all_versions_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PIPELINE_REFERENCED_BYTES_MAX", 12)
    assert referenced("pipeline", document({"model": "a@1"}), KNOWN.get, bring)
    told = refused(document({"model": "a@1"}, {"model": "b@c@2"}))
    assert told.code == "too_large"
    assert "have 20 bytes up to b@c@2; at most 12 are allowed" in told.reason


def test_versions_are_found_on_the_registry_whatever_became_of_them() -> None:
    flow, log = Flow(name="wine"), MemoryLog()
    prepare(flow, log)
    events: list[RegistryEvent] = [admitted("a"), promoted("a"), retired("a"), admitted("a", "2")]
    log.append(Outgoing(flow.registry, [encode_event(each) for each in events], partition=0))
    find = find_on(log, flow)
    assert find(VersionId("a", "1")) == events[0]
    assert find(VersionId("a", "2")) == events[3]
    assert find(VersionId("a", "3")) is None
