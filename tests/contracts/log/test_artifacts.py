"""What every log must do with artifacts."""

from tests.support.logs import Logs


def test_artifacts_are_kept_by_their_digest(logs: Logs) -> None:
    log = logs.open()
    assert log.blobs.get("0" * 64) is None
    digest = log.blobs.put(b"model")
    assert digest == "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    assert log.blobs.put(b"model") == digest
    assert logs.open().blobs.get(digest) == b"model"
    assert log.blobs.get("0" * 64) is None


def test_an_artifact_of_many_records_comes_back_whole(logs: Logs) -> None:
    data = bytes(range(256)) * 10_000
    digest = logs.open().blobs.put(data)
    assert logs.open().blobs.get(digest) == data


def test_an_empty_artifact_is_one(logs: Logs) -> None:
    digest = logs.open().blobs.put(b"")
    assert logs.open().blobs.get(digest) == b""
