"""Naive Bayes: the standard's formulas, a product a row."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelstreamError, UnsupportedModel
from tests.support.pmml import KIND, C, X, document, plain, schema, score

OUTPUT = "<Output>{}</Output>".format(
    "".join(
        f'<OutputField name="p_{label}" feature="probability" value="{label}" '
        'optype="continuous" dataType="double"/>'
        for label in "ab"
    )
)


def counts(**given_counts: float) -> str:
    cells = "".join(
        f'<TargetValueCount value="{label}" count="{count!r}"/>'
        for label, count in given_counts.items()
    )
    return f"<TargetValueCounts>{cells}</TargetValueCounts>"


def pairs(values: dict[str, dict[str, float]], inner: str = "", field: str = "c") -> str:
    cells = "".join(
        f'<PairCounts value="{value}">{counts(**pair)}</PairCounts>'
        for value, pair in values.items()
    )
    return f'<BayesInput fieldName="{field}">{inner}{cells}</BayesInput>'


def stats(a: str, b: str) -> str:
    return (
        '<BayesInput fieldName="x"><TargetValueStats>'
        f'<TargetValueStat value="a">{a}</TargetValueStat>'
        f'<TargetValueStat value="b">{b}</TargetValueStat></TargetValueStats></BayesInput>'
    )


def gaussian(mean: float, variance: float) -> str:
    return f'<GaussianDistribution mean="{mean!r}" variance="{variance!r}"/>'


def poisson(mean: float) -> str:
    return f'<PoissonDistribution mean="{mean!r}"/>'


def bayes(inputs: str, threshold: float = 0.001, target: str | None = None) -> bytes:
    body = (
        f'<NaiveBayesModel functionName="classification" threshold="{threshold!r}">'
        f"{schema('x', 'c', target='kind')}{OUTPUT}<BayesInputs>{inputs}</BayesInputs>"
        f'<BayesOutput fieldName="kind">{target or counts(a=30, b=10)}</BayesOutput>'
        "</NaiveBayesModel>"
    )
    return document(body, X + C + KIND)


def probabilities(artifact: bytes, **columns: list[Any]) -> list[list[float | None]]:
    answers = score(artifact, **columns)
    return [list(row) for row in zip(plain(answers["p_a"]), plain(answers["p_b"]), strict=True)]


PAIRS = {"u": {"a": 20.0, "b": 1.0}, "v": {"a": 5.0, "b": 4.0}, "w": {"b": 5.0}}


def test_distributions_inside_an_extension_count_as_exporters_of_r_meant_them() -> None:
    inputs = stats(gaussian(1.0, 4.0), gaussian(3.0, 1.0))
    older = bayes(pairs(PAIRS) + f"<Extension>{inputs}</Extension>")
    columns: dict[str, list[Any]] = {"x": [0.5, 2.5, None], "c": ["u", None, "w"]}
    assert probabilities(older, **columns) == probabilities(bayes(pairs(PAIRS) + inputs), **columns)
    assert probabilities(older, **columns) != probabilities(bayes(pairs(PAIRS)), **columns)


def test_an_extension_that_says_nothing_of_the_standard_is_passed_over() -> None:
    noted = bayes('<Extension name="note" value="1"/>' + pairs(PAIRS))
    assert probabilities(noted, x=[0], c=["u"]) == probabilities(
        bayes(pairs(PAIRS)), x=[0], c=["u"]
    )
    other = bayes(f"<Extension><X-Other/></Extension>{pairs(PAIRS)}")
    with pytest.raises(UnsupportedModel, match="X-Other"):
        probabilities(other, x=[0], c=["u"])


def share(a: float, b: float) -> list[Any]:
    return [pytest.approx(a / (a + b)), pytest.approx(b / (a + b))]


def test_a_discrete_input_has_the_shares_of_its_counts() -> None:
    found = probabilities(bayes(pairs(PAIRS)), x=[0, 0, 0], c=["u", "v", "w"])
    wanted = [
        share(30 * 20 / 25, 10 * 1 / 10),
        share(30 * 5 / 25, 10 * 4 / 10),
        share(30 * 0.001, 10 * 5 / 10),  # never seen: the threshold
    ]
    assert found == wanted


def test_a_missing_or_never_seen_value_counts_for_nothing() -> None:
    artifact = bayes(pairs(PAIRS) + stats(gaussian(0, 1), gaussian(5, 1)))
    found = probabilities(artifact, x=[None, None], c=[None, "z"])
    assert found == [share(30, 10)] * 2


NUMBERS = st.floats(-5, 5, allow_subnormal=False)
VARIANCES = st.floats(0.1, 5)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(NUMBERS, VARIANCES),
    st.tuples(NUMBERS, VARIANCES),
    st.lists(st.tuples(NUMBERS, st.sampled_from("uvw")), min_size=1, max_size=5),
)
def test_a_row_is_a_product_of_densities_and_shares(
    a: tuple[float, float], b: tuple[float, float], rows: list[tuple[float, str]]
) -> None:
    artifact = bayes(pairs(PAIRS) + stats(gaussian(*a), gaussian(*b)))
    found = probabilities(artifact, x=[x for x, _ in rows], c=[c for _, c in rows])
    for (x, c), row in zip(rows, found, strict=True):
        likelihoods = []
        for label, prior, (mean, variance), total in (("a", 30, a, 25), ("b", 10, b, 10)):
            density = math.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(
                2 * math.pi * variance
            )
            count = PAIRS[c].get(label, 0.0)
            pair = count / total if count else 0.001
            likelihoods.append(prior * max(density, 0.001) * pair)
        assert row == share(*likelihoods)


def test_a_count_that_nobody_counted_has_no_probability() -> None:
    artifact = bayes(stats(poisson(2.0), gaussian(0.0, 1.0)), threshold=0.25)
    answers = score(artifact, x=[1e308, 1e300, float("inf")], c=["u"] * 3)
    assert not answers.errors
    assert plain(answers["p_a"]) == [pytest.approx(0.75)] * 3


def test_a_poisson_input_has_the_probability_of_its_count() -> None:
    artifact = bayes(stats(poisson(2.0), poisson(4.0)))
    found = probabilities(artifact, x=[0, 3, 2.5], c=["u"] * 3)
    one, two = (
        [math.exp(-mean) * mean**k / math.factorial(k) for k in (0, 3)] for mean in (2.0, 4.0)
    )
    assert found[:2] == [share(30 * p, 10 * q) for p, q in zip(one, two, strict=True)]
    assert found[2] == share(30, 10)  # half an event has no probability: the threshold for both


def test_a_uniform_input_is_as_dense_between_its_bounds_and_else_at_the_threshold() -> None:
    uniform = '<UniformDistribution lower="{}" upper="{}"/>'
    artifact = bayes(stats(uniform.format(0, 2), uniform.format(1, 5)))
    found = probabilities(artifact, x=[0.5, 1, 2, 4, 9], c=["u"] * 5)
    inside, outside = (0.5, 0.25), 0.001
    assert found == [
        share(30 * inside[0], 10 * outside),
        share(30 * inside[0], 10 * inside[1]),
        share(30 * inside[0], 10 * inside[1]),
        share(30 * outside, 10 * inside[1]),
        share(30, 10),
    ]


def test_the_most_probable_category_is_the_answer() -> None:
    answers = score(bayes(pairs(PAIRS)), x=[0, 0], c=["u", "w"])
    assert plain(answers["kind"]) == ["a", "b"]


def test_without_a_threshold_an_impossible_row_has_no_answer() -> None:
    never = {"u": {"a": 1.0}, "v": {"b": 1.0}}
    artifact = bayes(pairs(never) + pairs(never, field="c"), threshold=0.0)
    assert probabilities(artifact, x=[0], c=["u"]) == [[1.0, 0.0]]
    impossible = bayes(pairs(never), threshold=0.0, target=counts(b=3.0))
    assert probabilities(impossible, x=[0], c=["u"]) == [[None, None]]


def test_many_inputs_do_not_underflow() -> None:
    rare = {"u": {"a": 1.0, "b": 2.0}, "v": {"a": 1e9, "b": 1e9}}
    found = probabilities(bayes(pairs(rare) * 60), x=[0], c=["u"])
    assert found[0][1] == pytest.approx(1.0)
    assert np.isfinite(found[0][0] or 0.0)


def test_an_input_may_be_discretized_where_it_is_used() -> None:
    derived = (
        '<DerivedField name="bin" optype="categorical" dataType="string"><Discretize field="x">'
        '<DiscretizeBin binValue="u"><Interval closure="openOpen" rightMargin="0"/></DiscretizeBin>'
        '<DiscretizeBin binValue="v"><Interval closure="closedOpen" leftMargin="0"/></DiscretizeBin>'
        "</Discretize></DerivedField>"
    )
    found = probabilities(bayes(pairs(PAIRS, derived, "x")), x=[-1, 1], c=["w", "w"])
    assert found == [share(30 * 20 / 25, 1), share(30 * 5 / 25, 4)]


HALF = stats(gaussian(0, 1), gaussian(0, 1)).replace('value="b"', 'value="a"')
TWICE = pairs({"u": {"a": 1.0}, "v": {"a": 1.0}}).replace('value="v"', 'value="u"')


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ('<BayesInput fieldName="x"/>', InvalidModel, "either PairCounts or TargetValueStats"),
        (stats(gaussian(0, 0), gaussian(0, 1)), InvalidModel, "variance"),
        (stats(poisson(0), poisson(1)), InvalidModel, "mean"),
        (
            stats('<UniformDistribution lower="1" upper="1"/>', gaussian(0, 1)),
            InvalidModel,
            "upper above its lower",
        ),
        (stats("", gaussian(0, 1)), InvalidModel, "no distribution"),
        (stats("<AnyDistribution/>", gaussian(0, 1)), UnsupportedModel, "AnyDistribution"),
        (HALF, InvalidModel, "each category"),
        (pairs({"u": {"q": 1.0}}), InvalidModel, "'q' is not a category"),
        (pairs({"u": {"a": -1.0}}), InvalidModel, "below zero"),
        (TWICE, InvalidModel, "two PairCounts"),
    ],
)
def test_a_contradictory_input_is_refused(
    inputs: str, error: type[ModelstreamError], message: str
) -> None:
    with pytest.raises(error, match=message):
        score(bayes(inputs), x=[0], c=["u"])
