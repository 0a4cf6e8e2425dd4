"""The CatBoost format: from a model saved as JSON to an ensemble of trees."""

import re

from modelstream.errors import UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.catboost.document import read_document
from modelstream.formats.catboost.lowering import lower_document
from modelstream.formats.trees.boosted import BoostedModel, decode_ensemble
from modelstream.formats.trees.ensemble import encode_ensemble

_BINARY = b"CBM1"
_FIRST_KEY = re.compile(
    rb'\s*\{\s*"(ctr_data|features_info|model_info|oblivious_trees|scale_and_bias|trees)"\s*:'
)


class CatboostFormat:
    """Models of CatBoost 0.24 and later, as `save_model(..., format="json")` writes them."""

    name = "catboost"

    def recognises(self, data: bytes) -> bool:
        """Tell by the first key; the binary form is known, too, to say what to do."""
        return data.startswith(_BINARY) or _FIRST_KEY.match(data) is not None

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Read a saved model. Raises InvalidModel, UnsupportedModel."""
        if data.startswith(_BINARY):
            raise UnsupportedModel(
                "CatBoost's binary form is not read; save the model as JSON: "
                "model.save_model('model.json', format='json')"
            )
        return encode_ensemble(lower_document(read_document(data), hints))

    def load(self, lowered: bytes) -> BoostedModel:
        """Build the model. Raises InvalidModel."""
        return BoostedModel(self.name, decode_ensemble(lowered))
