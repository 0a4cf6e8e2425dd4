"""CatBoost: models saved as JSON, evaluated without the library."""

from modelstream.formats.catboost.format import CatboostFormat

__all__ = ["CatboostFormat"]
