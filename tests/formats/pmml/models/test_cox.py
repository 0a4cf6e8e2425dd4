"""Cox regressions: the hazard of the time, scaled by the row."""

import math

import pytest

from modelstream.errors import InvalidModel
from tests.support.pmml import X, Y, document, plain, score
from tests.support.pmml_glm import F, cell, model, params

COX = (
    '<ParameterList><Parameter name="p0" referencePoint="2"/></ParameterList>'
    '<CovariateList><Predictor name="x"/></CovariateList>'
    '<PPMatrix><PPCell value="1" predictorName="x" parameterName="p0"/></PPMatrix>'
)
TIMES = '<BaselineCell time="10" cumHazard="0.5"/><BaselineCell time="5" cumHazard="0.1"/>'


def cox(hazards: str, **attributes: str) -> bytes:
    inner = COX + params(cell("p0", 0.5)) + f"<EventValues/>{hazards}"
    body = model(
        inner,
        modelType="CoxRegression",
        endTimeVariable="t",
        statusVariable="status",
        extra='<MiningField name="t"/>',
        **attributes,
    )
    time = '<DataField name="t" optype="continuous" dataType="double"/>'
    return document(body, X + F + Y + time)


def test_a_cox_regression_scales_the_baseline_hazard_of_the_time() -> None:
    artifact = cox(f'<BaseCumHazardTables maxTime="12">{TIMES}</BaseCumHazardTables>')
    answers = score(artifact, x=[3.0] * 6, f=["a"] * 6, t=[1, 5, 9.9, 12, 12.5, None])
    factor = math.exp(0.5 * 3.0 - 0.5 * 2.0)
    wanted = [0.0, 0.1 * factor, 0.1 * factor, 0.5 * factor]
    assert plain(answers["y"]) == [*[pytest.approx(value) for value in wanted], None, None]


def test_a_cox_regression_has_a_baseline_a_stratum() -> None:
    strata = (
        f'<BaseCumHazardTables><BaselineStratum value="a" maxTime="12">{TIMES}</BaselineStratum>'
        '<BaselineStratum value="b" maxTime="7"><BaselineCell time="0" cumHazard="1"/>'
        "</BaselineStratum></BaseCumHazardTables>"
    )
    artifact = cox(strata, baselineStrataVariable="f")
    answers = score(artifact, x=[2.0] * 4, f=["a", "b", "b", "c"], t=[5, 5, 8, 5])
    assert plain(answers["y"]) == [pytest.approx(0.1), pytest.approx(1.0), None, None]


@pytest.mark.parametrize(
    ("hazards", "attributes", "message"),
    [
        ("", {}, "BaseCumHazardTables"),
        (f"<BaseCumHazardTables>{TIMES}</BaseCumHazardTables>", {}, "maxTime"),
        (
            (
                '<BaseCumHazardTables><BaselineStratum value="a" maxTime="1"/>'
                '<BaselineStratum value="a" maxTime="2"/></BaseCumHazardTables>'
            ),
            {"baselineStrataVariable": "f"},
            "given twice",
        ),
    ],
)
def test_a_contradictory_cox_regression_is_refused(
    hazards: str, attributes: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidModel, match=message):
        score(cox(hazards, **attributes), x=[0], f=["a"], t=[1])
