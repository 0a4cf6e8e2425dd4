"""The element types of TimeSeriesModel (DMG 4.4, Time Series Models)."""

from typing import Literal

import msgspec

from modelstream.formats.pmml.elements.base import Element
from modelstream.formats.pmml.elements.model import Model

Trend = Literal["additive", "damped_additive", "multiplicative", "damped_multiplicative"]


class Level(Element, kw_only=True, frozen=True):
    """The smoothed level at the end of the series."""

    alpha: float | None = None
    smoothed_value: float | None = None


class TrendSmooth(Element, tag="Trend_ExpoSmooth", kw_only=True, frozen=True):
    """The smoothed trend at the end of the series: what a step adds, or multiplies by."""

    trend: Trend = "additive"
    gamma: float | None = None
    phi: float = 1.0
    smoothed_value: float | None = None


class ExponentialSmoothing(Element, kw_only=True, frozen=True):
    """A series smoothed: the older a value is, the less it weighs."""

    rmse: float | None = msgspec.field(name="RMSE", default=None)
    transformation: Literal["none"] = "none"
    level: Level = msgspec.field(name="Level")
    trend: TrendSmooth | None = msgspec.field(name="Trend_ExpoSmooth", default=None)


class TimeSeriesModel(Model, kw_only=True, frozen=True):
    """A forecast of a series."""

    function_name: Literal["timeSeries"]
    best_fit: Literal["ExponentialSmoothing"]
    smoothing: ExponentialSmoothing = msgspec.field(name="ExponentialSmoothing")


PARTS: tuple[type[Element], ...] = (Level, TrendSmooth, ExponentialSmoothing)
