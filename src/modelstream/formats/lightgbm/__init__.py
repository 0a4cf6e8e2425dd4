"""LightGBM: models saved as text, evaluated without the library."""

from modelstream.formats.lightgbm.format import LightgbmFormat

__all__ = ["LightgbmFormat"]
