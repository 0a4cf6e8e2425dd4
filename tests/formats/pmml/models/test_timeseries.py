"""Time series: forecasts from smoothed values, a step at a time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelstreamError, UnsupportedModel
from tests.support.pmml import Y, document, load, plain, schema, score

H = '<DataField name="h" optype="continuous" dataType="double"/>'
SERIES = (
    '<TimeSeries usage="original" startTime="1" endTime="2">'
    '<TimeValue index="1" value="3.5"/><TimeValue index="2" value="4.5"/></TimeSeries>'
)
LEVEL = '<Level alpha="0.2" smoothedValue="10"/>'


def series(
    smoothing: str, attributes: str = "", best: str = "ExponentialSmoothing", fields: str = ""
) -> bytes:
    body = (
        f'<TimeSeriesModel functionName="timeSeries" bestFit="{best}">'
        f"{fields or schema('h', target='y')}{SERIES}"
        f"<ExponentialSmoothing {attributes}>{smoothing}</ExponentialSmoothing></TimeSeriesModel>"
    )
    return document(body, H + Y)


def trend(kind: str, value: float, phi: float | None = None) -> str:
    damping = "" if phi is None else f'phi="{phi!r}" '
    return (
        f'{LEVEL}<Trend_ExpoSmooth trend="{kind}" gamma="0.1" {damping}smoothedValue="{value!r}"/>'
    )


STEPS = list(range(1, 13))


def test_without_a_trend_each_forecast_is_the_level() -> None:
    assert plain(score(series(LEVEL), h=[1.0, 2.0, 24.0])["y"]) == [10.0, 10.0, 10.0]


@settings(max_examples=40, deadline=None)
@given(st.floats(0.25, 2), st.floats(0.05, 1))
def test_a_trend_goes_on_step_by_step_and_fades_where_it_is_damped(
    value: float, phi: float
) -> None:
    for kind in ("additive", "damped_additive", "multiplicative", "damped_multiplicative"):
        damping = phi if kind.startswith("damped") else None
        found = plain(score(series(trend(kind, value, damping)), h=STEPS)["y"])
        forecast, weight = 10.0, 1.0
        for answer in found:
            weight *= 1.0 if damping is None else damping
            forecast = (
                forecast + value * weight if kind.endswith("additive") else forecast * value**weight
            )
            assert answer == pytest.approx(forecast)


def test_the_trend_is_additive_unless_it_says_otherwise() -> None:
    smoothing = f'{LEVEL}<Trend_ExpoSmooth smoothedValue="-1.5"/>'
    assert plain(score(series(smoothing), h=[1.0, 4.0])["y"]) == [8.5, 4.0]


def test_there_is_no_forecast_for_what_is_no_later_step() -> None:
    found = score(series(trend("additive", 2.0)), h=[0.0, -1.0, 1.5, None, 2.0])
    assert plain(found["y"]) == [None, None, None, None, 14.0]
    assert plain(score(series(LEVEL), h=[0.5, None])["y"]) == [None, None]


SEASON = '<Seasonality_ExpoSmooth type="additive" period="2"><Array type="real">1 -1</Array></Seasonality_ExpoSmooth>'
ORDERED = schema("h", target="y").replace('name="h"', 'name="h" usageType="order"')


@pytest.mark.parametrize(
    ("artifact", "error", "message"),
    [
        (series(LEVEL + SEASON), UnsupportedModel, "Seasonality_ExpoSmooth"),
        (series(trend("polynomial_exponential", 1.0)), UnsupportedModel, "polynomial_exponential"),
        (series(LEVEL, 'transformation="logarithmic"'), UnsupportedModel, "logarithmic"),
        (series(LEVEL, best="ARIMA"), UnsupportedModel, "bestFit='ARIMA'"),
        (series(LEVEL, best="SpectralAnalysis"), UnsupportedModel, "SpectralAnalysis"),
        (series(LEVEL, best="StateSpaceModel"), UnsupportedModel, "StateSpaceModel"),
        (series(LEVEL, fields=schema("h", "y")), UnsupportedModel, "this one reads h, y"),
        (series(LEVEL, fields=schema(target="y")), UnsupportedModel, "this one reads nothing"),
        (series(LEVEL, fields=ORDERED), UnsupportedModel, "this one reads h"),
        (series('<Level alpha="0.2"/>'), InvalidModel, "Level .* no smoothedValue"),
        (series(f"{LEVEL}<Trend_ExpoSmooth/>"), InvalidModel, "Trend_.* no smoothedValue"),
        (series(trend("additive", 1.0, 0.9)), InvalidModel, "for a damped trend"),
        (series(trend("damped_additive", 1.0, 1.5)), InvalidModel, "not above 0"),
        (series(trend("multiplicative", -1.0)), InvalidModel, "above zero"),
    ],
)
def test_what_is_not_evaluated_or_contradictory_is_refused(
    artifact: bytes, error: type[ModelstreamError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(artifact)
