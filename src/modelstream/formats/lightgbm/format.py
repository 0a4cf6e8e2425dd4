"""The LightGBM format: from a model saved as text to an ensemble of trees."""

from modelstream.formats.base import Hints
from modelstream.formats.lightgbm.lowering import lower_text
from modelstream.formats.lightgbm.text import MAGIC, read_text
from modelstream.formats.trees.boosted import BoostedModel, decode_ensemble
from modelstream.formats.trees.ensemble import encode_ensemble


class LightgbmFormat:
    """Models of LightGBM 2.1 and later, as `Booster.save_model` writes them."""

    name = "lightgbm"

    def recognises(self, data: bytes) -> bool:
        """Tell by the first line."""
        return data.startswith(MAGIC)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Read a saved model. Raises InvalidModel, UnsupportedModel."""
        return encode_ensemble(lower_text(read_text(data), hints))

    def load(self, lowered: bytes) -> BoostedModel:
        """Build the model. Raises InvalidModel."""
        return BoostedModel(self.name, decode_ensemble(lowered))
