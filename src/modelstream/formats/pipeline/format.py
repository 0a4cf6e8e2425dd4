"""The pipeline format: from a document to a model of models."""

from modelstream.formats.base import Hints
from modelstream.formats.pipeline.build import NAME, build
from modelstream.formats.pipeline.document import is_pipeline
from modelstream.formats.pipeline.lowering import lower_pipeline
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.formats.pipeline.steps import decode_lowered


class PipelineFormat:
    """A JSON document of steps that begins with the key `pipeline`."""

    name = NAME

    def recognises(self, data: bytes) -> bool:
        """Tell by the first key of the document."""
        return is_pipeline(data)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Lower every model inside, and check that the steps fit each other.

        Versions that the document refers to are in the hints. Raises InvalidModel,
        UnsupportedModel.
        """
        return lower_pipeline(data, hints)

    def load(self, lowered: bytes) -> PipelineModel:
        """Load the models inside. Raises InvalidModel."""
        return build(decode_lowered(lowered))
