"""XGBoost: models saved as JSON, evaluated without the library."""

from modelstream.formats.xgboost.format import XgboostFormat

__all__ = ["XgboostFormat"]
