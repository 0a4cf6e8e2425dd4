"""Gaussian processes: the standard's formulas, solved row by row."""

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
    variance = covariance(new, new) - near @ inner @ near + noise
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


@pytest.mark.parametrize("kernel", ["AbsoluteExponentialKernel", "GeneralizedExponentialKernel"])
def test_other_kernels_are_refused_by_name(kernel: str) -> None:
    with pytest.raises(UnsupportedModel, match=kernel):
        score(process(f"<{kernel}/>"), x=[0], z=[0])
