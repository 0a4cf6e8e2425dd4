"""Where a model is asked: a URL, and what each part of it says."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from modelstream.errors import InvalidModel
from modelstream.limits import LOCATION_CHARS_MAX

Protocol = Literal["oip-rest", "oip-grpc", "tf-serving"]

_SCHEMES = ("http", "https", "grpc", "grpcs")
_PORTS = {"http": 80, "https": 443}
_SEGMENT = r"[A-Za-z0-9._~%:@!$&'()*+,;=-]+"
_NAMED = rf"(?P<model>{_SEGMENT})(?:/versions/(?P<version>{_SEGMENT}))?"
_PATHS: dict[Protocol, re.Pattern[str]] = {
    "oip-rest": re.compile(rf"/v2/models/{_NAMED}"),
    "tf-serving": re.compile(rf"/v1/models/{_NAMED}"),
    "oip-grpc": re.compile(rf"/(?P<model>{_SEGMENT})(?:/(?P<version>{_SEGMENT}))?"),
}
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Location:
    """A model at a server. `host` is as a flow allows it, `name:port`; `path` as it is asked for.

    Without a `version` the server chooses one.
    """

    url: str
    protocol: Protocol
    host: str
    secure: bool
    path: str
    model: str
    version: str


def is_location(text: str) -> bool:
    """Tell a URL of a model server from the path of a file."""
    return text.partition("://")[0] in _SCHEMES and "://" in text


def parse_location(url: str) -> Location:
    """Read the URL of a model. Raises InvalidModel with the forms that there are."""
    try:
        parts = urlsplit(url)
        name, port = _host_of(parts.netloc), parts.port or _PORTS.get(parts.scheme)
    except ValueError as error:
        raise _unusable(url, str(error)) from None
    if len(url) > LOCATION_CHARS_MAX or not url.isprintable():
        raise _unusable(url[:LOCATION_CHARS_MAX], "it is too long or not printable")
    if parts.scheme not in _SCHEMES or parts.query or parts.fragment:
        raise _unusable(url, "it is of another scheme, or has a query")
    if port is None:
        raise _unusable(url, "it has no port")
    for protocol, path in _PATHS.items():
        match = path.fullmatch(parts.path)
        if match and (protocol == "oip-grpc") == parts.scheme.startswith("grpc"):
            return Location(
                url=url,
                protocol=protocol,
                host=f"{name}:{port}",
                secure=parts.scheme in {"https", "grpcs"},
                path=parts.path,
                model=unquote(match["model"]),
                version=unquote(match["version"] or ""),
            )
    raise _unusable(url, "its path names no model")


def _host_of(netloc: str) -> str:
    """Return the host in lower case. Raises ValueError where there is anything beside it."""
    name, colon, _ = netloc.rpartition(":")
    if not colon or netloc.endswith("]"):
        name = netloc
    if not _HOST.fullmatch(name):
        raise ValueError("its host is not a plain name or address")
    return name.lower()


def _unusable(url: str, why: str) -> InvalidModel:
    return InvalidModel(
        f"{url!r} is no model at a server: {why}; use http://HOST:PORT/v2/models/NAME, "
        f"grpc://HOST:PORT/NAME or, for TensorFlow Serving, http://HOST:PORT/v1/models/NAME, "
        f"with /versions/V (gRPC: /V) for one version"
    )
