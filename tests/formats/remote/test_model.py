"""A remote model at a server that behaves, and at one that does not."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from modelstream.errors import InvalidModel, InvalidRecord, ModelUnavailable, UnsupportedModel
from modelstream.formats.base import Elsewhere, Hints, Model, Remote
from modelstream.formats.remote import RemoteFormat, fetch_artifact
from modelstream.limits import REMOTE_FAILURES_MAX
from modelstream.messages import Columns
from tests.support.model_server import CERTIFICATE, ModelServer, model_server

HINTS = Hints(("a", "b"))
TWO: Columns = {"a": np.array([1.0, 2.0]), "b": np.array([10.0, 20.0])}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        yield made


def allowed(server: ModelServer, timeout_ms: int = 2000) -> Remote:
    return Remote((server.host,), timeout_ms)


def model_at(server: ModelServer, url: str = "", timeout_ms: int = 2000) -> Model:
    remote = allowed(server, timeout_ms)
    chosen = RemoteFormat(remote)
    return chosen.load(chosen.lower(fetch_artifact(url or server.oip, remote), HINTS))


def rows(*values: float) -> Columns:
    return {"a": np.array(values), "b": np.zeros(len(values))}


def test_one_request_answers_a_batch_and_the_connection_is_kept(server: ModelServer) -> None:
    model = model_at(server)
    before = server.does.connections
    for _ in range(5):
        scores = model.score(TWO)
        assert scores["y"].tolist() == [33.0, 65.0]
        assert scores.served_version == "7"
    assert server.does.inferences() == 5
    assert server.does.connections == before + 1
    model.close()


def test_tensorflow_serving_answers_in_its_own_protocol(server: ModelServer) -> None:
    loose, pinned = (model_at(server, server.tf_serving + end) for end in ("", "/versions/4"))
    assert loose.score(TWO)["y"].tolist() == [33.0, 65.0]
    assert loose.score(TWO).served_version == "", "its answers do not say"
    assert pinned.score(TWO).served_version == "4"
    assert ("POST", "/v1/models/line/versions/4:predict") in server.does.requests
    loose.close()
    pinned.close()


def test_a_version_in_the_location_is_the_one_asked(server: ModelServer) -> None:
    model = model_at(server, f"{server.oip}/versions/3")
    model.score(TWO)
    assert server.does.requests[-1] == ("POST", "/v2/models/line/versions/3/infer")
    model.close()


def test_a_large_batch_is_asked_for_in_parts(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelstream.formats.remote.asking.REMOTE_REQUEST_VALUES_MAX", 8)
    model = model_at(server)
    scores = model.score(rows(*map(float, range(10))))
    assert scores["y"].tolist() == [2.0 * a + 1 for a in range(10)]
    assert server.does.inferences() == 3
    model.close()


def test_the_time_that_is_left_goes_with_the_request(server: ModelServer) -> None:
    model = model_at(server, timeout_ms=1500)
    model.score(TWO)
    assert 1 <= int(server.does.headers[-1]["X-Envoy-Upstream-Rq-Timeout-Ms"]) <= 1500
    model.close()


def test_a_bad_row_is_found_and_rejected_alone(server: ModelServer) -> None:
    model = model_at(server)
    scores = model.score(rows(1, 2, 3, -4, 5, 6, -7, 8))
    assert sorted(scores.errors) == [3, 6]
    assert "a must not be negative" in scores.errors[3]
    assert scores["y"][[0, 1, 2, 4, 5, 7]].tolist() == [3, 5, 7, 11, 13, 17]
    assert np.isnan(scores["y"][[3, 6]]).all()
    model.close()


def test_a_missing_number_is_not_sent(server: ModelServer) -> None:
    model = model_at(server)
    scores = model.score(rows(1.0, float("nan"), float("inf")))
    assert scores["y"][0] == 3
    assert scores.errors.keys() == {1, 2}
    assert model.score(rows(float("nan"))).errors.keys() == {0}
    assert server.does.inferences() == 1
    model.close()


def test_a_server_that_refuses_what_it_answered_before_is_to_blame(server: ModelServer) -> None:
    model = model_at(server)
    model.score(TWO)
    server.does.refuse_all = True
    with pytest.raises(ModelUnavailable, match="refuses even a record that it answered before"):
        model.score(TWO)
    model.close()


def test_a_kept_connection_that_broke_is_replaced_once(server: ModelServer) -> None:
    model = model_at(server)
    model.score(TWO)
    server.does.drop = 1
    assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
    server.does.drop = 2
    with pytest.raises(ModelUnavailable, match="cannot be asked"):
        model.score(TWO)
    assert server.does.drop == 0
    model.close()


def test_a_server_that_was_started_again_answers_again(server: ModelServer) -> None:
    model = model_at(server)
    model.score(TWO)
    server.stop()
    with pytest.raises(ModelUnavailable, match=r"start it again, or promote another version"):
        model.score(TWO)
    server.start()
    assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
    model.close()


@pytest.mark.parametrize("slow", [{"stall_s": 0.5}, {"drip_s": 0.01}], ids=["stalls", "drips"])
def test_an_answer_must_come_in_time(server: ModelServer, slow: dict[str, float]) -> None:
    model = model_at(server, timeout_ms=200)
    for what, seconds in slow.items():
        setattr(server.does, what, seconds)
    with pytest.raises(ModelUnavailable, match="cannot be asked"):
        model.score(TWO)
    assert server.does.inferences() == 1, "there is no time to ask again"
    model.close()


def test_after_repeated_failures_the_server_is_let_alone_until_a_probe_succeeds(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_at(server)
    server.does.status = 503
    for _ in range(REMOTE_FAILURES_MAX):
        with pytest.raises(ModelUnavailable, match="it answered 503"):
            model.score(TWO)
    asked = len(server.does.requests)
    with pytest.raises(ModelUnavailable, match="it answered 503"):
        model.score(TWO)
    assert len(server.does.requests) == asked
    server.does.status = 0
    monkeypatch.setattr("modelstream.formats.remote.breaker.REMOTE_OPEN_SECONDS", 0)
    assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
    assert server.does.requests[asked:] == [
        ("GET", "/v2/models/line"),
        ("GET", "/v2"),
        ("POST", "/v2/models/line/infer"),
    ]
    model.close()


@pytest.mark.parametrize("status", [301, 401, 404, 429, 502, 503])
def test_what_no_record_can_be_blamed_for_is_told_of_the_server(
    server: ModelServer, status: int
) -> None:
    model = model_at(server)
    server.does.status = status
    with pytest.raises(ModelUnavailable, match=f"it answered {status}"):
        model.score(TWO)
    model.close()


def test_redirects_are_not_followed(server: ModelServer) -> None:
    with model_server() as other:
        model = model_at(server)
        server.does.status, server.does.location = 302, other.oip
        with pytest.raises(ModelUnavailable, match="redirects are not followed"):
            model.score(TWO)
        assert other.does.requests == []
        model.close()


def test_proxies_of_the_environment_are_not_asked(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    model = model_at(server)
    assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
    model.close()


def test_an_answer_that_is_too_large_is_not_read(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelstream.formats.remote.oip_rest.REMOTE_RESPONSE_BYTES_MAX", 1000)
    model = model_at(server)
    server.does.body = b" " * 2000
    assert model.score(TWO).errors.keys() == {0, 1}
    assert "more than 1000 bytes" in model.score(rows(1.0)).errors[0]
    model.close()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"outputs": []}', "output 'y' is missing"),
        (
            b'{"outputs": [{"name": "y", "datatype": "INT64", "shape": [2], "data": [1, 2]}]}',
            "is of int64, not float64",
        ),
        (
            b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [3], "data": [1, 2, 3]}]}',
            r"is of shape \[3\], not \[2\]",
        ),
        (
            b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [2], "data": [1]}]}',
            "has 1 values",
        ),
        (
            b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [-1], "data": ["a"]}]}',
            "holds no float64",
        ),
    ],
)
def test_an_answer_that_does_not_fit_is_not_the_records_fault(
    server: ModelServer, body: bytes, why: str
) -> None:
    model = model_at(server)
    server.does.body = body
    with pytest.raises(ModelUnavailable, match=why):
        model.score(TWO)
    model.close()


def test_a_column_may_come_as_a_matrix_of_one(server: ModelServer) -> None:
    model = model_at(server)
    server.does.reshape = True
    assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
    model.close()


def test_a_server_that_has_another_model_by_now_is_told(server: ModelServer) -> None:
    model = model_at(server)
    server.does.outputs = [{"name": "y", "datatype": "FP32", "shape": [-1]}]
    with pytest.raises(ModelUnavailable, match=r"was to|not the model that was admitted.*publish"):
        model.score(TWO)
    model.close()


def test_a_server_that_tells_another_signature_makes_another_artifact(server: ModelServer) -> None:
    remote = allowed(server)
    first = fetch_artifact(server.oip, remote)
    assert fetch_artifact(server.oip, remote) == first
    server.does.version = "8"
    assert fetch_artifact(server.oip, remote) == first, "the server's own version is no signature"
    server.does.inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    assert fetch_artifact(server.oip, remote) != first


def test_only_hosts_that_are_allowed_are_asked(server: ModelServer) -> None:
    with pytest.raises(InvalidModel, match=r"is not one that models may be asked at \(none\)"):
        fetch_artifact(server.oip, Remote())
    artifact = fetch_artifact(server.oip, allowed(server))
    lowered = RemoteFormat(Remote()).lower(artifact, HINTS)
    assert isinstance(lowered, Elsewhere), "it is tried where the server can be asked"
    asked = len(server.does.requests)
    with pytest.raises(InvalidModel, match=r"is not one that models may be asked at \(other:1\)"):
        RemoteFormat(Remote(("other:1",))).load(lowered)
    assert len(server.does.requests) == asked


@pytest.mark.parametrize(
    ("inputs", "error", "why"),
    [
        ([], InvalidModel, "tells of 0 inputs.*declare them"),
        ([{"name": "x", "datatype": "FP64", "shape": [4, 2]}], UnsupportedModel, "must be -1"),
        ([{"name": "x", "datatype": "COMPLEX", "shape": [-1]}], UnsupportedModel, "'COMPLEX'"),
        ([{"name": "x", "datatype": "FP64", "shape": [-1, 3]}], InvalidModel, "2 feature names do"),
        ([{"name": "x", "datatype": "FP64", "shape": [-1, 10**9]}], InvalidModel, "feature names"),
    ],
)
def test_metadata_that_cannot_be_served_is_refused(
    server: ModelServer, inputs: list[dict[str, object]], error: type[Exception], why: str
) -> None:
    server.does.inputs = inputs
    with pytest.raises(error, match=why):
        model_at(server)


def test_labels_name_the_columns_of_an_output(server: ModelServer) -> None:
    server.does.outputs = [{"name": "p", "datatype": "FP64", "shape": [-1, 2]}]
    chosen = RemoteFormat(allowed(server))
    artifact = fetch_artifact(server.oip, allowed(server))
    model = chosen.load(chosen.lower(artifact, Hints(("a", "b"), ("no", "yes"))))
    assert [field.name for field in model.outputs] == ["probability(no)", "probability(yes)"]
    with pytest.raises(InvalidModel, match="3 labels are given"):
        chosen.lower(artifact, Hints((), ("a", "b", "c")))
    model.close()


def test_a_column_that_is_missing_is_named(server: ModelServer) -> None:
    model = model_at(server)
    with pytest.raises(InvalidRecord, match="'a' is missing"):
        model.score({"b": np.zeros(1)})
    model.close()


def test_the_artifact_is_a_document_that_people_can_read(server: ModelServer) -> None:
    assert msgspec.json.decode(fetch_artifact(server.tf_serving, allowed(server))) == {
        "remote": 1,
        "location": server.tf_serving,
        "signature": "serving_default",
        "platform": "tensorflow",
        "binary": False,
        "inputs": [{"name": "x", "element": "float64", "shape": [2]}],
        "outputs": [{"name": "y", "element": "float64", "shape": []}],
    }


def test_a_server_is_asked_over_tls_where_its_certificate_is_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with model_server(tls=True) as server:
        url = server.oip.replace("http:", "https:")
        with pytest.raises(ModelUnavailable, match="self-signed certificate"):
            fetch_artifact(url, allowed(server))
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        model = model_at(server, url)
        assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
        assert model.score(TWO)["y"].tolist() == [33.0, 65.0]
        assert server.does.inferences() == 2
        model.close()


def test_a_server_without_tls_is_not_asked_over_it(server: ModelServer) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be asked"):
        fetch_artifact(server.oip.replace("http:", "https:"), allowed(server))
