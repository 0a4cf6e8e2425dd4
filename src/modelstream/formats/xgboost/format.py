"""The XGBoost format: from a model saved as JSON to an ensemble of trees."""

from modelstream.errors import UnsupportedModel
from modelstream.formats.base import Hints
from modelstream.formats.trees.boosted import BoostedModel, decode_ensemble
from modelstream.formats.trees.ensemble import encode_ensemble
from modelstream.formats.xgboost.document import read_document
from modelstream.formats.xgboost.lowering import lower_document

_BEGINNING = 4096  # bytes in which a model names its learner
_UBJSON = b"{L"


class XgboostFormat:
    """Tree boosters (`gbtree`, `dart`) of XGBoost 1.0 and later, saved as JSON."""

    name = "xgboost"

    def recognises(self, data: bytes) -> bool:
        """Tell by the first keys, which XGBoost writes in order."""
        start = data[:_BEGINNING].lstrip()
        return start.startswith(b"{") and b'"learner"' in start

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Read a saved model. Raises InvalidModel, UnsupportedModel."""
        if data.startswith(_UBJSON):
            raise UnsupportedModel(
                "XGBoost's binary form is not read; save the model as JSON: "
                "booster.save_model('model.json')"
            )
        return encode_ensemble(lower_document(read_document(data), hints))

    def load(self, lowered: bytes) -> BoostedModel:
        """Build the model. Raises InvalidModel."""
        return BoostedModel(self.name, decode_ensemble(lowered))
