"""The pipeline format: from a document to a model of models."""

from functools import partial

from modelstream.errors import ModelFailed
from modelstream.formats.base import NO_FUNCTIONS, Function, Functions, Hints, Remote
from modelstream.formats.functions import check_registered, find_function
from modelstream.formats.pipeline.build import NAME, Outside, build
from modelstream.formats.pipeline.document import is_pipeline
from modelstream.formats.pipeline.lowering import lower_pipeline
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.formats.pipeline.steps import decode_lowered
from modelstream.messages import Columns

_NO_SERVERS = Remote()


class PipelineFormat:
    """A JSON document of steps that begins with the key `pipeline`.

    Its steps may call the `functions` that are registered and ask the servers that `remote`
    allows, and no other.
    """

    name = NAME

    def __init__(self, functions: Functions = NO_FUNCTIONS, remote: Remote = _NO_SERVERS) -> None:
        self._functions, self._remote = functions, remote

    def recognises(self, data: bytes) -> bool:
        """Tell by the first key of the document."""
        return is_pipeline(data)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Lower every model inside, and check that the steps fit each other; no function is called.

        Versions that the document refers to are in the hints. Raises InvalidModel,
        UnsupportedModel.
        """
        return lower_pipeline(data, hints, Outside(partial(_named, self._functions), self._remote))

    def load(self, lowered: bytes) -> PipelineModel:
        """Load the models inside, and import the functions. Raises InvalidModel."""
        find = partial(find_function, functions=self._functions)
        return build(decode_lowered(lowered), Outside(find, self._remote))


def _named(functions: Functions, name: str) -> Function:
    """Stand in for a function that is registered: the code is the owner's, and not wanted here."""
    check_registered(name, functions)

    def uncalled(_: Columns) -> Columns:
        raise ModelFailed(f"function {name!r} is not called where a pipeline is lowered")

    return uncalled
