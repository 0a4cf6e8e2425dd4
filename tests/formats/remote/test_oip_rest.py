"""The Open Inference Protocol over HTTP with raw tensors."""

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from modelstream.errors import ModelUnavailable
from modelstream.formats.base import Hints, Model, Remote
from modelstream.formats.remote import RemoteFormat, fetch_artifact
from modelstream.messages import Columns
from tests.support.model_server import JSON_BYTES, ModelServer, model_server

TWO: Columns = {"a": np.array([1.0, 2.0]), "b": np.array([10.0, 20.0])}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        made.does.binary = True
        yield made


def model_at(server: ModelServer) -> Model:
    remote = Remote((server.host,), 2000)
    chosen = RemoteFormat(remote)
    return chosen.load(chosen.lower(fetch_artifact(server.oip, remote), Hints(("a", "b"))))


def test_tensors_travel_raw_where_the_server_takes_them(server: ModelServer) -> None:
    model = model_at(server)
    scores = model.score(TWO)
    assert (scores["y"].tolist(), scores.served_version) == ([33.0, 65.0], "7")
    (headers,) = server.does.headers
    assert headers["Content-Type"] == "application/octet-stream"
    assert int(headers["Content-Length"]) == int(headers[JSON_BYTES]) + 4 * 8
    model.close()


def test_the_artifact_says_how_they_travel(server: ModelServer) -> None:
    remote = Remote((server.host,), 2000)
    raw = fetch_artifact(server.oip, remote)
    server.does.binary = False
    told = [
        msgspec.json.decode(each)["binary"] for each in (raw, fetch_artifact(server.oip, remote))
    ]
    assert told == [True, False]


def test_a_missing_number_travels_as_it_is(server: ModelServer) -> None:
    model = model_at(server)
    scores = model.score({"a": np.array([1.0, np.nan]), "b": np.array([0.0, 0.0])})
    assert scores.errors == {}
    assert scores["y"][0] == 3.0
    assert np.isnan(scores["y"][1])
    model.close()


def test_a_bad_row_is_found_and_rejected_alone(server: ModelServer) -> None:
    model = model_at(server)
    scores = model.score({"a": np.array([1.0, -1.0, 3.0]), "b": np.zeros(3)})
    assert scores["y"][[0, 2]].tolist() == [3.0, 7.0]
    assert list(scores.errors) == [1]
    model.close()


def test_a_server_that_takes_them_no_longer_is_another_one(server: ModelServer) -> None:
    model = model_at(server)
    server.does.binary = False
    with pytest.raises(ModelUnavailable, match="it no longer takes raw tensors"):
        model.score(TWO)
    model.close()


def test_an_answer_in_json_is_read_too(server: ModelServer) -> None:
    model = model_at(server)
    server.does.body = (
        b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [2], "data": [1, 2]}]}'
    )
    assert model.score(TWO)["y"].tolist() == [1.0, 2.0]
    model.close()


@pytest.mark.parametrize(
    ("json_bytes", "why"),
    [
        ("1000", "has [0-9]+ bytes, 1000 of them JSON"),
        ("-1", "bytes, -1 of them JSON"),
        ("many", "invalid literal for int"),
        ("10", "cannot be read"),
    ],
)
def test_an_answer_whose_parts_cannot_be_told_apart_is_not_the_records_fault(
    server: ModelServer, json_bytes: str, why: str
) -> None:
    model = model_at(server)
    server.does.json_bytes = json_bytes
    with pytest.raises(ModelUnavailable, match=why):
        model.score(TWO)
    model.close()


def test_sizes_that_do_not_add_up_are_told(server: ModelServer) -> None:
    model = model_at(server)
    server.does.body = (
        b'{"outputs": [{"name": "y", "datatype": "FP64", "shape": [0],'
        b' "parameters": {"binary_data_size": 16}}]}'
    )
    with pytest.raises(ModelUnavailable, match="its outputs take 16 bytes, and 0 follow the JSON"):
        model.score(TWO)
    model.close()
