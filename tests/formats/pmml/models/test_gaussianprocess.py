"""Gaussian processes: the standard's formulas, solved row by row."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import X, Y, document, plain, schema, score

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
ROWS = [(1.0, 3.0, 1.0), (2.0, 6.0, 2.0), (0.0, -1.0, -0.5)]
OUTPUT = (
    '<Output><OutputField name="mean" feature="predictedValue" dataType="double"/>'
    '<OutputField name="deviation" feature="standardDeviation" dataType="double"/></Output>'
)


def instances(rows: Sequence[tuple[float, ...]], names: str = "xzy") -> str:
    fields = "".join(f'<InstanceField field="{name}" column="{name}"/>' for name in names)
    table = "".join(
        "<row>"
        + "".join(f"<{name}>{value!r}</{name}>" for name, value in zip(names, row, strict=True))
        + "</row>"
        for row in rows
    )
    return (
        f'<TrainingInstances isTransformed="true" recordCount="{len(rows)}">'
        f"<InstanceFields>{fields}</InstanceFields><InlineTable>{table}</InlineTable>"
        "</TrainingInstances>"
    )


def squared(gamma: float, noise: float, lengths: tuple[float, ...]) -> str:
    values = " ".join(map(repr, lengths))
    return (
        f'<ARDSquaredExponentialKernel gamma="{gamma!r}" noiseVariance="{noise!r}"><Lambda>'
        f'<Array type="real" n="{len(lengths)}">{values}</Array></Lambda>'
        "</ARDSquaredExponentialKernel>"
    )


def process(kernel: str, rows: str = instances(ROWS), target: str | None = "y") -> bytes:
    return document(
        f'<GaussianProcessModel functionName="regression">{schema("x", "z", target=target)}'
        f"{OUTPUT}{kernel}{rows}</GaussianProcessModel>",
        X + Z + Y,
    )


POSITIVE = st.floats(0.25, 3)
NUMBERS = st.floats(-3, 6)


@settings(max_examples=40, deadline=None)
@given(POSITIVE, POSITIVE, st.tuples(POSITIVE, POSITIVE), NUMBERS, NUMBERS)
def test_a_row_has_the_posterior_mean_and_deviation(
    gamma: float, noise: float, lengths: tuple[float, float], x: float, z: float
) -> None:
    answers = score(process(squared(gamma, noise, lengths)), x=[x], z=[z])

    def covariance(one: np.ndarray, two: np.ndarray) -> float:
        return float(gamma * np.exp(-0.5 * np.sum(((one - two) / np.array(lengths)) ** 2)))

    points = [np.array(row[:2]) for row in ROWS]
    new = np.array([x, z])
    table = np.array([[covariance(one, two) for one in points] for two in points])
    near = np.array([covariance(point, new) for point in points])
    inner = np.linalg.inv(table + noise * np.eye(3))
    mean = near @ inner @ np.array([row[2] for row in ROWS])
    variance = covariance(new, new) - near @ inner @ near
    assert answers["y"][0] == pytest.approx(mean)
    assert answers["mean"][0] == answers["y"][0]
    assert answers["deviation"][0] == pytest.approx(np.sqrt(variance))


def test_a_radial_kernel_has_one_length_for_all_fields() -> None:
    radial = '<RadialBasisKernel gamma="2.0" noiseVariance="0.5" lambda="1.5"/>'
    columns = {"x": [0.5, 1.0], "z": [2.0, 3.0]}
    one = score(process(radial), **columns)
    two = score(process(squared(2.0, 0.5, (1.5, 1.5))), **columns)
    assert plain(one["y"]) == pytest.approx(plain(two["y"]))
    assert plain(one["deviation"]) == pytest.approx(plain(two["deviation"]))


def test_without_noise_the_instances_are_met() -> None:
    artifact = process(squared(1.0, 0.0, (1.0, 1.0)))
    answers = score(artifact, x=[row[0] for row in ROWS], z=[row[1] for row in ROWS])
    assert plain(answers["y"]) == pytest.approx([row[2] for row in ROWS])
    assert plain(answers["deviation"]) == pytest.approx([0.0] * 3, abs=1e-6)


def test_a_missing_coordinate_makes_the_answer_missing() -> None:
    answers = score(process(squared(1.0, 0.5, (1.0, 1.0))), x=[None, 1.0], z=[1.0, None])
    assert plain(answers["y"]) == plain(answers["deviation"]) == [None, None]


@pytest.mark.parametrize(
    ("kernel", "rows", "message"),
    [
        ("", instances(ROWS), "no kernel"),
        (squared(1.0, 0.5, (1.0,)), instances(ROWS), "2 lambdas"),
        (squared(1.0, 0.5, (1.0, 0.0)), instances(ROWS), "above zero"),
        (squared(1.0, 0.0, (1.0, 1.0)), instances([ROWS[0], ROWS[0]]), "no inverse"),
        (squared(1.0, 0.5, (1.0, 1.0)), instances([row[:2] for row in ROWS], "xz"), "'y'"),
        (squared(1.0, 0.5, (1.0,)), instances([row[2:] for row in ROWS], "y"), "no InstanceField"),
    ],
)
def test_a_contradictory_model_is_refused(kernel: str, rows: str, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        score(process(kernel, rows), x=[0], z=[0])


def test_the_variance_was_that_of_a_measurement_until_pmml_4_3() -> None:
    now = process(squared(2.0, 0.5, (1.0, 3.0)))
    before = now.replace(b'version="4.4"', b'version="4.3"').replace(b"PMML-4_4", b"PMML-4_3")
    one, two = (score(artifact, x=[0.5], z=[2.0]) for artifact in (now, before))
    assert plain(one["y"]) == plain(two["y"])
    assert two["deviation"][0] ** 2 == pytest.approx(one["deviation"][0] ** 2 + 0.5)


def exponential(name: str, lengths: tuple[float, ...], more: str = "") -> str:
    written = squared(2.0, 0.5, lengths).replace("ARDSquaredExponentialKernel", name)
    return written.replace(" gamma", f" {more} gamma")


def test_the_absolute_exponential_falls_with_the_sum_of_distances() -> None:
    kernel = exponential("AbsoluteExponentialKernel", (1.5, 2.0))
    answers = score(process(kernel), x=[0.5], z=[2.0])

    def covariance(one: tuple[float, ...], two: tuple[float, ...]) -> float:
        return 2.0 * math.exp(-abs(one[0] - two[0]) / 1.5 - abs(one[1] - two[1]) / 2.0)

    table = np.array([[covariance(one, two) for one in ROWS] for two in ROWS])
    near = np.array([covariance(row, (0.5, 2.0)) for row in ROWS])
    weights = np.linalg.solve(table + 0.5 * np.eye(3), [row[2] for row in ROWS])
    assert answers["y"][0] == pytest.approx(near @ weights)


@pytest.mark.parametrize("degree", [0.5, 1.0, 2.0])
def test_the_generalized_exponential_of_a_field_falls_with_a_power(degree: float) -> None:
    kernel = exponential("GeneralizedExponentialKernel", (1.5,), f'degree="{degree}"')
    rows = [(row[0], row[2]) for row in ROWS]
    answers = score(process(kernel, instances(rows, "xy")), x=[0.5], z=[0.0])

    def covariance(one: float, two: float) -> float:
        return 2.0 * math.exp(-((abs(one - two) / 1.5) ** degree))

    table = np.array([[covariance(one, two) for one, _ in rows] for two, _ in rows])
    near = np.array([covariance(x, 0.5) for x, _ in rows])
    weights = np.linalg.solve(table + 0.5 * np.eye(3), [y for _, y in rows])
    assert answers["y"][0] == pytest.approx(near @ weights)


def test_a_generalized_exponential_that_can_be_read_in_two_ways_is_refused() -> None:
    plain_sum = process(exponential("GeneralizedExponentialKernel", (1.5, 2.0)))
    absolute = process(exponential("AbsoluteExponentialKernel", (1.5, 2.0)))
    one, two = (score(artifact, x=[0.5], z=[2.0]) for artifact in (plain_sum, absolute))
    assert plain(one["y"]) == plain(two["y"])
    squares = exponential("GeneralizedExponentialKernel", (1.5, 2.0), 'degree="2"')
    with pytest.raises(UnsupportedModel, match=r"degree 2\.0 .* one field"):
        score(process(squares), x=[0], z=[0])
    flat = exponential("GeneralizedExponentialKernel", (1.5, 2.0), 'degree="0"')
    with pytest.raises(InvalidModel, match="degree above zero"):
        score(process(flat), x=[0], z=[0])
    with pytest.raises(InvalidModel, match="one kernel and has 2"):
        score(process(squares + squared(1.0, 0.5, (1.0, 1.0))), x=[0], z=[0])
