"""The pipeline format: from a document to a model of models."""

from functools import partial

from modelstream.formats.base import NO_FUNCTIONS, Functions, Hints
from modelstream.formats.functions import find_function
from modelstream.formats.pipeline.build import NAME, Outside, build
from modelstream.formats.pipeline.document import is_pipeline
from modelstream.formats.pipeline.lowering import lower_pipeline
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.formats.pipeline.steps import decode_lowered


class PipelineFormat:
    """A JSON document of steps that begins with the key `pipeline`.

    Its steps may call the `functions` that are registered, and no other.
    """

    name = NAME

    def __init__(self, functions: Functions = NO_FUNCTIONS) -> None:
        self._functions = functions

    def recognises(self, data: bytes) -> bool:
        """Tell by the first key of the document."""
        return is_pipeline(data)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Lower every model inside, and check that the steps fit each other; no function is called.

        Versions that the document refers to are in the hints. Raises InvalidModel,
        UnsupportedModel.
        """
        return lower_pipeline(data, hints, self._functions)

    def load(self, lowered: bytes) -> PipelineModel:
        """Load the models inside, and import the functions. Raises InvalidModel."""
        outside = Outside(partial(find_function, functions=self._functions))
        return build(decode_lowered(lowered), outside)
