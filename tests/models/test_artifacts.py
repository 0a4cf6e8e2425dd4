import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, LogError, UnknownModel
from modelstream.events import Admitted
from modelstream.flow import Flow
from modelstream.formats.packing import pack_directory
from modelstream.log.memory import MemoryBlobs, MemoryLog
from modelstream.messages import Outgoing
from modelstream.models import artifacts as artifacts_module
from modelstream.models.artifacts import artifact_bytes, lowered_bytes
from modelstream.models.check import CheckRequest, CheckVerdict, Failed, Passed
from modelstream.models.jail import Jail
from modelstream.models.refusal import Refused
from modelstream.wire.descriptor import ModelDescriptor, encode_descriptor
from tests.support.artifacts import adder
from tests.support.events import admitted

DATA = b"an artifact"
DIGEST = hashlib.sha256(DATA).hexdigest()


def refused(descriptor: ModelDescriptor, *locations: str) -> Refused:
    with pytest.raises(Refused) as caught:
        artifact_bytes(descriptor, MemoryBlobs(), locations)
    return caught.value


def at(location: str, digest: str = DIGEST) -> ModelDescriptor:
    return ModelDescriptor(name="m", format="onnx", location=location, digest=digest)


class BrokenBlobs(MemoryBlobs):
    """Blobs on a disk that went bad."""

    def get(self, digest: str) -> bytes | None:
        raise LogError(f"blob {digest} is damaged")


# -- inline and blobs -----------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["", DIGEST])
def test_an_artifact_in_the_message_is_taken_as_it_is(digest: str) -> None:
    descriptor = ModelDescriptor(name="m", format="onnx", data=DATA, digest=digest)
    assert artifact_bytes(descriptor, MemoryBlobs(), ()) == DATA


@given(st.binary(min_size=1, max_size=100), st.binary(min_size=1, max_size=100))
def test_an_artifact_of_another_digest_is_refused(data: bytes, told: bytes) -> None:
    digest = hashlib.sha256(told).hexdigest()
    descriptor = ModelDescriptor(name="m", format="onnx", data=data, digest=digest)
    if data == told:
        assert artifact_bytes(descriptor, MemoryBlobs(), ()) == data
    else:
        refusal = refused(descriptor)
        assert refusal.code == "digest_mismatch"
        assert digest in refusal.reason


def test_an_artifact_is_found_among_the_blobs() -> None:
    blobs = MemoryBlobs()
    blobs.put(DATA)
    for digest in ("", DIGEST):
        assert artifact_bytes(at(f"sha256:{DIGEST}", digest), blobs, ()) == DATA


def test_a_blob_of_another_digest_than_the_descriptors_is_refused() -> None:
    blobs = MemoryBlobs()
    other = blobs.put(b"another artifact")
    with pytest.raises(Refused, match="digest_mismatch"):
        artifact_bytes(at(f"sha256:{other}"), blobs, ())


def test_a_blob_that_is_not_there_is_refused() -> None:
    refusal = refused(at(f"sha256:{DIGEST}"))
    assert refusal.code == "no_artifact"
    assert DIGEST in refusal.reason


def test_a_damaged_blob_is_refused() -> None:
    with pytest.raises(Refused, match="damaged"):
        artifact_bytes(at(f"sha256:{DIGEST}"), BrokenBlobs(), ())


def test_an_artifact_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts_module, "ARTIFACT_BYTES_MAX", 10)
    assert refused(ModelDescriptor(name="m", format="onnx", data=DATA)).code == "too_large"


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A directory that the flow allows, beside one that it does not."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "model.onnx").write_bytes(DATA)
    (tmp_path / "store-of-secrets").mkdir()
    (tmp_path / "store-of-secrets" / "secret").write_bytes(DATA)
    return tmp_path / "store"


@pytest.mark.parametrize("slashes", ["", "//"])
def test_a_file_below_an_allowed_directory_is_read(store: Path, slashes: str) -> None:
    descriptor = at(f"file:{slashes}{store}/model.onnx")
    assert artifact_bytes(descriptor, MemoryBlobs(), ("http://x", f"file:{store}")) == DATA
    assert artifact_bytes(descriptor, MemoryBlobs(), (f"file:{slashes}{store}/",)) == DATA


def test_a_file_without_a_digest_is_refused(store: Path) -> None:
    refusal = refused(at(f"file:{store}/model.onnx", ""), f"file:{store}")
    assert refusal.code == "location_refused"
    assert "digest" in refusal.reason


def test_a_file_that_changed_is_refused(store: Path) -> None:
    (store / "model.onnx").write_bytes(b"changed")
    assert refused(at(f"file:{store}/model.onnx"), f"file:{store}").code == "digest_mismatch"


def test_without_locations_no_file_is_read(store: Path) -> None:
    refusal = refused(at(f"file:{store}/model.onnx"))
    assert refusal.code == "location_refused"
    assert "it has none" in refusal.reason


@pytest.mark.parametrize(
    "path",
    [
        "{store}/../store-of-secrets/secret",
        "{store}-of-secrets/secret",
        "{store}/link",
        "{store}/linked/secret",
        "{store}/missing",
        "{store}/\0",
        "/etc/passwd",
        "/proc/self/environ",
        "model.onnx",
        "",
    ],
)
def test_what_leads_out_of_the_allowed_directory_is_refused_like_what_is_not_there(
    store: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(store)
    (store / "link").symlink_to(store.parent / "store-of-secrets" / "secret")
    (store / "linked").symlink_to(store.parent / "store-of-secrets")
    refusal = refused(at("file:" + path.format(store=store)), f"file:{store}")
    assert refusal.code == "location_refused"
    assert "there is no file" in refusal.reason


def test_a_link_that_stays_inside_is_followed(store: Path) -> None:
    (store / "latest").symlink_to(store / "model.onnx")
    descriptor = at(f"file:{store}/latest")
    assert artifact_bytes(descriptor, MemoryBlobs(), (f"file:{store}",)) == DATA


def test_a_pipe_is_no_artifact_and_nobody_waits_for_it(store: Path) -> None:
    os.mkfifo(store / "pipe")
    assert refused(at(f"file:{store}/pipe"), f"file:{store}").code == "location_refused"


def test_a_directory_is_no_artifact(store: Path) -> None:
    assert refused(at(f"file:{store}"), f"file:{store}").code == "no_artifact"


def test_a_directory_that_is_a_model_is_read_as_its_archive(store: Path) -> None:
    model = store / "saved"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    packed = pack_directory(model)
    descriptor = at(f"file:{model}", hashlib.sha256(packed).hexdigest())
    assert artifact_bytes(descriptor, MemoryBlobs(), (f"file:{store}",)) == packed
    os.mkfifo(model / "pipe")
    assert refused(descriptor, f"file:{store}").code == "location_refused"


def test_a_file_over_the_limit_is_refused_before_it_is_read(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts_module, "ARTIFACT_BYTES_MAX", 10)
    assert refused(at(f"file:{store}/model.onnx"), f"file:{store}").code == "too_large"


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/m",
        "https://127.0.0.1/m",
        "s3://b/k",
        "/etc/passwd",
        "sha256:abc",
        "FILE:/",
    ],
)
def test_nothing_is_fetched_from_anywhere_else(location: str) -> None:
    refusal = refused(at(location), "http://example.org/", "/etc/", "https://", "s3://b")
    assert refusal.code == "location_refused"
    assert location in refusal.reason


# -- the lowered form -----------------------------------------------------------------------------

FLOW = Flow(name="wine")


class FakeJail(Jail):
    """Lowers an artifact by saying so."""

    def __init__(self, verdict: CheckVerdict | None = None) -> None:
        super().__init__()
        self.requests: list[CheckRequest] = []
        self._said = verdict

    def check(self, request: CheckRequest) -> CheckVerdict:
        self.requests.append(request)
        return self._said or Passed(b"lowered " + request.data, (), ())


@pytest.fixture
def log() -> Iterator[MemoryLog]:
    log = MemoryLog()
    log.create_topic(FLOW.models)
    yield log
    log.close()


def publish(log: MemoryLog, data: bytes = DATA) -> Admitted:
    """Publish an artifact and return its admission."""
    value = encode_descriptor(ModelDescriptor(name="m", format="onnx", data=data))
    (offset,) = log.append(Outgoing(FLOW.models, [value]))[0]
    digest = hashlib.sha256(data).hexdigest()
    lowered = hashlib.sha256(b"lowered " + data).hexdigest()
    return event_at(admitted("m", digest=digest), offset, lowered)


def event_at(event: Admitted, source: int, lowered: str) -> Admitted:
    return msgspec.structs.replace(
        event, source=source, lowered=lowered, format="onnx", feature_names=("x",)
    )


def test_the_lowered_form_comes_from_the_blobs_without_a_check(log: MemoryLog) -> None:
    event, jail = publish(log), FakeJail()
    log.blobs.put(b"lowered " + DATA)
    assert lowered_bytes(event, log, FLOW, jail) == b"lowered " + DATA
    assert jail.requests == []


def test_a_lost_lowered_form_is_made_again_and_kept(log: MemoryLog) -> None:
    publish(log, b"another")
    event, jail = msgspec.structs.replace(publish(log), signature_name="s"), FakeJail()
    assert lowered_bytes(event, log, FLOW, jail) == b"lowered " + DATA
    assert [request.data for request in jail.requests] == [DATA]
    assert (jail.requests[0].feature_names, jail.requests[0].signature) == (("x",), "s")
    assert lowered_bytes(event, log, FLOW, jail) == b"lowered " + DATA
    assert len(jail.requests) == 1


def test_a_damaged_lowered_form_is_made_again(log: MemoryLog) -> None:
    event = publish(log)
    log.blobs = BrokenBlobs()
    assert lowered_bytes(event, log, FLOW, FakeJail()) == b"lowered " + DATA


def test_a_real_lowered_form_is_made_again_byte_by_byte(log: MemoryLog, jail: Jail) -> None:
    event = publish(log, adder())
    first = lowered_bytes(event, log, FLOW, jail)
    again = MemoryLog()
    again.create_topic(FLOW.models)
    publish(again, adder())
    assert lowered_bytes(event, again, FLOW, jail) == first


def test_a_version_whose_message_is_gone_is_unknown(log: MemoryLog) -> None:
    event = publish(log)
    publish(log)
    log.delete_before(FLOW.models, 0, 1)
    with pytest.raises(UnknownModel, match="no longer has offset 0"):
        lowered_bytes(event, log, FLOW, FakeJail())


def test_a_version_whose_message_is_another_one_is_unknown(log: MemoryLog) -> None:
    event = publish(log)
    publish(log, b"another")
    with pytest.raises(UnknownModel, match="another artifact"):
        lowered_bytes(event_at(event, 1, event.lowered), log, FLOW, FakeJail())


def test_a_version_whose_message_is_no_descriptor_is_unknown(log: MemoryLog) -> None:
    event = publish(log)
    log.append(Outgoing(FLOW.models, [b"\xff"]))
    with pytest.raises(UnknownModel, match="no descriptor"):
        lowered_bytes(event_at(event, 1, event.lowered), log, FLOW, FakeJail())


def test_a_version_whose_artifact_is_gone_is_unknown(log: MemoryLog) -> None:
    value = encode_descriptor(at(f"sha256:{DIGEST}"))
    log.append(Outgoing(FLOW.models, [value]))
    with pytest.raises(UnknownModel, match="cannot be fetched"):
        lowered_bytes(event_at(admitted("m"), 0, "1" * 64), log, FLOW, FakeJail())


def test_a_version_that_no_longer_passes_is_invalid(log: MemoryLog) -> None:
    jail = FakeJail(Failed("unsupported_model", "no operator Foo"))
    with pytest.raises(InvalidModel, match="no operator Foo"):
        lowered_bytes(publish(log), log, FLOW, jail)
