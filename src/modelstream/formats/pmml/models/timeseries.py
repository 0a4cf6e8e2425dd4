"""Compile TimeSeriesModel: a forecast for a number of steps after the end of a series.

DMG 4.4, Time Series Models. The one input is the horizon, a whole number of steps from one on;
another horizon has no answer. The forecasts from smoothed values are those of E. S. Gardner,
Exponential smoothing: the state of the art (1985), whose names of parameters the standard uses.
"""

from collections.abc import Callable

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.fields import DataField
from modelstream.formats.pmml.elements.timeseries import TimeSeriesModel, TrendSmooth
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.scope import Scope
from modelstream.formats.pmml.models.design import numeric_field
from modelstream.messages import Column

_Forecast = Callable[[Column], Column]
_NOT_READ = frozenset({"target", "predicted", "supplementary"})


def compile_time_series(model: TimeSeriesModel, scope: Scope, _: DataField | None) -> Body:
    """Return a TimeSeriesModel's rule. Raises InvalidModel or UnsupportedModel."""
    if model.math_context != "double":
        raise UnsupportedModel("x-mathContext='float' of TimeSeriesModel is not evaluated")
    cell = numeric_field(_horizon(model), scope).cell
    level = model.smoothing.level.smoothed_value
    if level is None:
        raise InvalidModel("the Level of an ExponentialSmoothing has no smoothedValue")
    forecast = _forecast(level, model.smoothing.trend)

    def answer(batch: Batch) -> Prediction:
        steps = batch.read(cell)
        possible = (steps >= 1.0) & (np.trunc(steps) == steps)
        return Prediction(forecast(np.where(possible, steps, np.nan)))

    return Body((), scope.context.cells.make(answer))


def _horizon(model: TimeSeriesModel) -> str:
    """Return the field that says how many steps ahead the forecast is for."""
    uses = {f.name: f.usage_type for f in model.mining_schema.fields}
    names = [name for name, use in uses.items() if use not in _NOT_READ]
    if len(names) != 1 or uses[names[0]] != "active":
        raise UnsupportedModel(
            "a TimeSeriesModel is evaluated with one active field, the number of steps after the "
            f"end of the series; this one reads {', '.join(names) or 'nothing'}"
        )
    return names[0]


def _forecast(level: float, trend: TrendSmooth | None) -> _Forecast:
    """Return the forecast for a number of steps ahead."""
    if trend is None:
        return lambda steps: np.where(np.isnan(steps), np.nan, level)
    slope = trend.smoothed_value
    if slope is None:
        raise InvalidModel("the Trend_ExpoSmooth of an ExponentialSmoothing has no smoothedValue")
    damped = trend.trend.startswith("damped_")
    if trend.phi != 1.0 and not damped:
        raise InvalidModel(f"phi={trend.phi} of Trend_ExpoSmooth is for a damped trend")
    weigh = _damped(trend.phi) if damped else _plain
    if trend.trend.endswith("additive"):
        return lambda steps: level + slope * weigh(steps)
    if slope <= 0.0:
        raise InvalidModel("a multiplicative trend needs a smoothedValue above zero")
    return lambda steps: level * np.power(slope, weigh(steps))


def _plain(steps: Column) -> Column:
    return steps


def _damped(phi: float) -> _Forecast:
    """Return how many undamped steps a number of damped ones makes: phi + phi ** 2 + ..."""
    if not 0.0 < phi <= 1.0:
        raise InvalidModel(f"phi={phi} of Trend_ExpoSmooth is not above 0 and up to 1")
    if phi == 1.0:
        return _plain
    return lambda steps: phi * (1.0 - np.power(phi, steps)) / (1.0 - phi)
