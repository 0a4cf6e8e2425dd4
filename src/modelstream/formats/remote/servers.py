"""From a location to a peer, and to the artifact that its server's metadata makes."""

from collections.abc import Callable
from contextlib import closing

from modelstream.errors import InvalidModel, ModelUnavailable
from modelstream.formats.base import Remote
from modelstream.formats.location import Location, Protocol, parse_location
from modelstream.formats.remote.deadline import Deadline
from modelstream.formats.remote.document import Document, encode_document
from modelstream.formats.remote.oip_grpc import OipGrpc
from modelstream.formats.remote.oip_rest import OipRest
from modelstream.formats.remote.peer import Peer, ServerRefused
from modelstream.formats.remote.tf_serving import TfServing

_PEERS: dict[Protocol, Callable[[Location], Peer]] = {
    "oip-rest": OipRest,
    "oip-grpc": OipGrpc,
    "tf-serving": TfServing,
}


def check_allowed(url: str, remote: Remote) -> Location:
    """Return the location that a URL is.

    Raises InvalidModel where it is none, or its host is not one that the flow allows.
    """
    location = parse_location(url)
    if location.host not in {each.lower() for each in remote.hosts}:
        known = ", ".join(remote.hosts) or "none"
        raise InvalidModel(
            f"the host {location.host!r} is not one that models may be asked at ({known}); add it "
            f"to hosts in the flow's table [remote]"
        )
    return location


def open_peer(location: Location) -> Peer:
    """Return what asks a model; nothing is connected to yet. Raises UnsupportedModel."""
    return _PEERS[location.protocol](location)


def told_by(peer: Peer, url: str, deadline: Deadline) -> Document:
    """Ask a server for the metadata of a model.

    Raises ModelUnavailable; InvalidModel, UnsupportedModel where it cannot be served.
    """
    try:
        return peer.metadata(deadline)
    except ServerRefused as refused:
        raise ModelUnavailable(f"the server of {url} tells nothing of it: {refused}") from refused


def fetch_artifact(url: str, remote: Remote) -> bytes:
    """Return the artifact of a model at a server: its metadata, as one document.

    Raises InvalidModel, UnsupportedModel, ModelUnavailable.
    """
    with closing(open_peer(check_allowed(url, remote))) as peer:
        return encode_document(told_by(peer, url, Deadline.after_ms(remote.timeout_ms)))
