"""The Open Inference Protocol over gRPC."""

from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from modelstream.errors import ModelUnavailable, UnsupportedModel
from modelstream.formats.base import Hints, Model, Remote
from modelstream.formats.remote import RemoteFormat, fetch_artifact
from modelstream.messages import Columns
from tests.support.grpc_server import GrpcServer, grpc_server

TWO: Columns = {"a": np.array([1.0, -0.0]), "b": np.array([10.0, -20.0])}


@pytest.fixture
def server() -> Iterator[GrpcServer]:
    with grpc_server() as made:
        yield made


def model_at(server: GrpcServer, path: str = "line") -> Model:
    remote = Remote((server.host,))
    chosen = RemoteFormat(remote)
    artifact = fetch_artifact(f"grpc://{server.host}/{path}", remote)
    return chosen.load(chosen.lower(artifact, Hints(("a", "b"))))


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "lists"])
def test_numbers_and_texts_are_answered(server: GrpcServer, *, raw: bool) -> None:
    server.raw = raw
    model = model_at(server)
    scores = model.score(TWO)
    assert scores["y"].tolist() == [33.0, -59.0]
    assert scores["word"].tolist() == ["plus", "minus"]
    assert scores.served_version == "7"
    assert 0 < server.left_s < 3  # gRPC rounds up
    model.close()


def test_a_version_in_the_location_is_the_one_asked(server: GrpcServer) -> None:
    model = model_at(server, "line/3")
    assert model.score(TWO).served_version == "3"
    model.close()


def test_a_missing_number_travels_as_it_is(server: GrpcServer) -> None:
    model = model_at(server)
    scores = model.score({"a": np.array([np.nan]), "b": np.array([1.0])})
    assert np.isnan(scores["y"]).all()
    assert scores.errors == {}
    model.close()


def test_a_bad_row_is_found_and_rejected_alone(server: GrpcServer) -> None:
    model = model_at(server)
    scores = model.score({"a": np.array([1.0, -4.0, 2.0]), "b": np.zeros(3)})
    assert scores.errors.keys() == {1}
    assert "INVALID_ARGUMENT: a must not be negative" in scores.errors[1]
    assert scores["word"].tolist() == ["plus", None, "plus"]
    model.close()


@pytest.mark.parametrize("code", ["UNAVAILABLE", "NOT_FOUND", "UNAUTHENTICATED", "UNIMPLEMENTED"])
def test_what_no_record_can_be_blamed_for_is_told_of_the_server(
    server: GrpcServer, code: str
) -> None:
    model = model_at(server)
    server.failure = grpc.StatusCode[code]
    with pytest.raises(ModelUnavailable, match=code):
        model.score(TWO)
    assert server.asked == (2 if code == "UNAVAILABLE" else 1)
    model.close()


def test_a_server_that_was_started_again_answers_again(server: GrpcServer) -> None:
    model = model_at(server)
    model.score(TWO)
    server.stop()
    with pytest.raises(ModelUnavailable, match="UNAVAILABLE"):
        model.score(TWO)
    server.start()
    assert model.score(TWO)["y"].tolist() == [33.0, -59.0]
    model.close()


def test_without_grpcio_the_extra_is_named(
    server: GrpcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "grpc", None)
    with pytest.raises(UnsupportedModel, match=r"pip install 'modelstream\[grpc\]'"):
        model_at(server)
