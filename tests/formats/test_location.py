import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.location import is_location, parse_location


@pytest.mark.parametrize(
    ("url", "protocol", "host", "model", "version"),
    [
        ("http://Models:8080/v2/models/wine", "oip-rest", "models:8080", "wine", ""),
        ("http://models/v2/models/wine/versions/3", "oip-rest", "models:80", "wine", "3"),
        ("https://models/v1/models/a%20b", "tf-serving", "models:443", "a b", ""),
        ("grpc://[::1]:9000/wine/3", "oip-grpc", "[::1]:9000", "wine", "3"),
        ("grpcs://m:1/wine", "oip-grpc", "m:1", "wine", ""),
    ],
)
def test_a_location_says_its_protocol_host_model_and_version(
    url: str, protocol: str, host: str, model: str, version: str
) -> None:
    location = parse_location(url)
    told = (location.protocol, location.host, location.model, location.version)
    assert told == (protocol, host, model, version)
    assert location.secure == url.partition(":")[0].endswith("s")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://m:1/v2/models/a",
        "http://user@m:1/v2/models/a",
        "http://m:1/v2/models/a?x=1",
        "http://m:1/v2/models/a#x",
        "http://m:1/v2/models/",
        "http://m:1/v2/models/a/b",
        "http://m:1/v2/models/a\r\nHost: x",
        "http://m:99999/v2/models/a",
        "http://:1/v2/models/a",
        "grpc://m/a",
        "grpc://m:1/v2/models/a",
        "http://m:1/" + "a" * 3000,
    ],
)
def test_anything_else_is_refused_with_the_forms_that_there_are(url: str) -> None:
    with pytest.raises(InvalidModel, match=r"use http://HOST:PORT/v2/models/NAME"):
        parse_location(url)


def test_a_path_is_no_location() -> None:
    assert is_location("http://a:1/v2/models/a")
    assert not is_location("models/a.onnx")
    assert not is_location("http:a")
