"""The format of models that stay where they are: a location is published, and a server asked.

What a location names is fetched before an artifact is there (`servers.fetch_artifact`); nothing here
connects to anything before the first score.
"""

from modelstream.formats.base import Elsewhere, Hints, Remote
from modelstream.formats.location import parse_location
from modelstream.formats.remote.binding import bind_inputs, bind_outputs
from modelstream.formats.remote.document import Plan, decode_document, decode_plan, encode_plan
from modelstream.formats.remote.model import RemoteModel

NAME = "remote"
_FIRST_KEY = b'{"remote":'


class RemoteFormat:
    """A model at one of the servers that `remote` allows."""

    name = NAME

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def recognises(self, data: bytes) -> bool:
        """Tell by the first key of the document."""
        return data.startswith(_FIRST_KEY)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Bind the tensors to columns. Raises InvalidModel."""
        document = decode_document(data)
        parse_location(document.location)
        bind_inputs(document.inputs, hints)
        bind_outputs(document.outputs, hints)
        plan = Plan(document=document, feature_names=hints.feature_names, labels=hints.labels)
        return Elsewhere(encode_plan(plan))

    def load(self, lowered: bytes) -> RemoteModel:
        """Build the model. Raises InvalidModel, also where its host is not allowed."""
        return RemoteModel(decode_plan(lowered), self._remote)
