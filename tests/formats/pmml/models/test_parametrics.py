"""Distributions of a network's numbers: what their densities say, and their moments."""

import math

import numpy as np
import pytest

from tests.support.pmml import plain, score
from tests.support.pmml_bayes import (
    ROOT,
    VALUES,
    continuous,
    network,
    normal,
    shares_of,
    triangular,
    uniform,
)


def test_numbers_weigh_by_the_densities_of_their_distributions() -> None:
    table = {("u",): uniform(0.0, 4.0), ("v",): triangular(2.0, 0.0, 5.0), ("w",): normal(1.0, 4.0)}
    nodes = ROOT.xml() + continuous("x0", ["d0"], table)
    xs = [0.5, 1.0, 3.0, 4.5, 6.0]
    found = shares_of(network(nodes, "d0", ["x0"]), x0=xs)
    for x, shares in zip(xs, found, strict=True):
        # The triangle's most probable value is 3 * 2 - 0 - 5 = 1; its height there is 2 / 5.
        triangle = max(0.0, 0.4 * x if x <= 1.0 else 0.4 * (5.0 - x) / 4.0)
        bell = math.exp(-((x - 1.0) ** 2) / 8.0) / math.sqrt(8.0 * math.pi)
        weights = [0.5 * 0.25 * (x <= 4.0), 0.3 * triangle, 0.2 * bell]
        assert shares == pytest.approx([weight / sum(weights) for weight in weights])


def test_the_moments_of_each_distribution_are_those_of_its_density() -> None:
    for distribution, low, high in (
        (uniform(1.0, 4.0), 1.0, 4.0),
        (triangular(2.5, 1.0, 4.5), 1.0, 4.5),
    ):
        grid = np.linspace(low, high, 200_001)
        if "Uniform" in distribution:
            density = np.full_like(grid, 1.0)
        else:  # the most probable value is 2
            density = np.where(grid < 2.0, grid - 1.0, (4.5 - grid) / 2.5)
        mean = np.average(grid, weights=density)
        spread = math.sqrt(np.average((grid - mean) ** 2, weights=density))
        answers = score(network(continuous("x0", (), {(): distribution}), "x0", []), x0=[None])
        assert answers["x0"][0] == pytest.approx(mean, rel=1e-4)
        assert answers["deviation"][0] == pytest.approx(spread, rel=1e-4)


@pytest.mark.parametrize(
    "distribution", [normal(0.0, -1.0), uniform(2.0, 1.0), triangular(0.1, 0.0, 1.0)]
)
def test_parameters_that_make_no_distribution_give_no_answer(distribution: str) -> None:
    answers = score(network(continuous("x0", (), {(): distribution}), "x0", []), x0=[None])
    assert plain(answers["deviation"]) == [None]
    nodes = ROOT.xml() + continuous("x0", ["d0"], dict.fromkeys(zip(VALUES), distribution))
    assert shares_of(network(nodes, "d0", ["x0"]), x0=[0.5]) == [[None] * 3]
