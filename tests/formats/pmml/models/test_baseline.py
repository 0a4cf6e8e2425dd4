"""Baselines: a record's distance from the mean in deviations; nothing that needs other records."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import X, Y, document, load, plain, schema, score

NORMAL = '<GaussianDistribution mean="550.2" variance="48.2"/>'


def baseline(distribution: str = NORMAL, attributes: str = "", more: str = "") -> bytes:
    statistic = "" if "testStatistic" in attributes else 'testStatistic="zValue" '
    body = (
        f'<BaselineModel functionName="regression">{schema("x", target="y")}'
        f'<TestDistributions field="x" {statistic}{attributes}>'
        f"<Baseline>{distribution}</Baseline>{more}</TestDistributions></BaselineModel>"
    )
    return document(body, X + Y)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_z_value_is_the_distance_from_the_mean_in_deviations(values: list[float]) -> None:
    found = plain(score(baseline(), x=values)["y"])
    assert found == pytest.approx([(value - 550.2) / math.sqrt(48.2) for value in values])


@pytest.mark.parametrize(
    ("distribution", "mean", "variance"),
    [
        ('<AnyDistribution mean="3" variance="4"/>', 3.0, 4.0),
        ('<PoissonDistribution mean="9"/>', 9.0, 9.0),
        ('<UniformDistribution lower="-2" upper="4"/>', 1.0, 3.0),
    ],
)
def test_each_distribution_has_its_mean_and_variance(
    distribution: str, mean: float, variance: float
) -> None:
    found = plain(score(baseline(distribution), x=[mean, 12.5, None])["y"])
    assert found[0] == 0.0
    assert found[1:] == [pytest.approx((12.5 - mean) / math.sqrt(variance)), None]


def test_a_window_of_one_record_is_that_record() -> None:
    one = score(baseline(attributes='windowSize="1" resetValue="0.0"'), x=[560.0])
    assert plain(one["y"]) == plain(score(baseline(), x=[560.0])["y"])


@pytest.mark.parametrize(
    "statistic", ["CUSUM", "chiSquareIndependence", "chiSquareDistribution", "scalarProduct"]
)
def test_a_statistic_of_many_records_is_refused_by_name_with_the_reason(statistic: str) -> None:
    alternate = '<Alternate><GaussianDistribution mean="460.4" variance="39.2"/></Alternate>'
    artifact = baseline(attributes=f'testStatistic="{statistic}"', more=alternate)
    with pytest.raises(UnsupportedModel, match=f"{statistic}.*a sequence of records"):
        load(artifact)


@pytest.mark.parametrize(
    ("attributes", "more", "message"),
    [
        ('windowSize="20"', "", "windowSize=20.*several records"),
        ('weightField="x"', "", "weightField"),
        ('normalizationScheme="unit"', "", "normalizationScheme"),
        ('resetValue="1.5"', "", "resetValue"),
        ("", f"<Alternate>{NORMAL}</Alternate>", "Alternate"),
    ],
)
def test_what_a_z_value_has_no_rule_for_is_refused_by_name(
    attributes: str, more: str, message: str
) -> None:
    with pytest.raises(UnsupportedModel, match=message):
        load(baseline(attributes=attributes, more=more))


def test_a_baseline_of_counts_is_refused_by_name() -> None:
    counts = '<CountTable><FieldValueCount field="x" value="1" count="2"/></CountTable>'
    with pytest.raises(UnsupportedModel, match=r"FieldValueCount|CountTable"):
        load(baseline(counts))


@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        ("", "one distribution"),
        (NORMAL + '<PoissonDistribution mean="9"/>', "one distribution"),
        (NORMAL + '<AnyDistribution mean="3" variance="4"/>', "one distribution"),
        ('<GaussianDistribution mean="1" variance="0"/>', "variance above zero"),
        ('<PoissonDistribution mean="-1"/>', "variance above zero"),
        ('<UniformDistribution lower="4" upper="4"/>', "variance above zero"),
    ],
)
def test_a_contradictory_baseline_is_refused(distribution: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        load(baseline(distribution))
