"""Nearest neighbors: the standard's scoring methods, one row against all instances."""

import math
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.models.nearestneighbor import nearest
from tests.support.pmml import KIND, C, X, Y, document, lower, plain, schema, score

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
FIELDS = X + Z + C + Y + KIND
Instance = dict[str, Any]


def instances(rows: list[Instance], extra: str = "", **attributes: str) -> str:
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    names = list(rows[0])
    fields = "".join(f'<InstanceField field="{n}" column="v:{n}"/>' for n in names)
    table = "".join(
        "<row>" + "".join(f"<v:{n}>{value}</v:{n}>" for n, value in row.items()) + "</row>"
        for row in rows
    )
    return (
        f'<TrainingInstances xmlns:v="urn:v"{declared}>'
        f"<InstanceFields>{fields}{extra}</InstanceFields>"
        f"<InlineTable>{table}</InlineTable></TrainingInstances>"
    )


def measure(inner: str, kind: str = "distance", function: str = "absDiff") -> str:
    return (
        f'<ComparisonMeasure kind="{kind}" compareFunction="{function}">{inner}</ComparisonMeasure>'
    )


def inputs(*names: str, **attributes: str) -> str:
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    fields = "".join(f'<KNNInput field="{name}"{declared}/>' for name in names)
    return f"<KNNInputs>{fields}</KNNInputs>"


def outputs(k: int) -> str:
    fields = "".join(
        f'<OutputField name="{feature}{rank}" feature="{feature}" rank="{rank}" '
        f'optype="categorical" dataType="{kind}"/>'
        for rank in range(1, k + 1)
        for feature, kind in (("entityId", "string"), ("affinity", "double"))
    )
    return f"<Output>{fields}</Output>"


def neighbors(
    inner: str, k: int = 3, target: str | None = "y", before: str = "", **attributes: str
) -> bytes:
    function = {"y": "regression", "kind": "classification", None: "clustering"}[target]
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return document(
        f'<NearestNeighborModel functionName="{function}" numberOfNeighbors="{k}"{declared}>'
        f"{schema('x', 'z', 'c', target=target)}{outputs(k)}{before}{inner}</NearestNeighborModel>",
        FIELDS,
    )


def test_distances_around_a_cycle_are_not_evaluated() -> None:
    rows: list[Instance] = [{"x": 1, "z": 1, "y": 1}] * 3
    inner = instances(rows, isTransformed="true") + measure("<euclidean/>") + inputs("x", "z")
    artifact = neighbors(inner).replace(b'name="x" optype', b'name="x" isCyclic="1" optype')
    with pytest.raises(UnsupportedModel, match="'x' is cyclic"):
        lower(artifact)


NUMBERS = st.integers(-4, 4).map(float)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"x": NUMBERS, "z": NUMBERS, "y": NUMBERS, "kind": st.sampled_from("ab")}
    ),
    min_size=3,
    max_size=8,
)
MEASURES = {
    "<euclidean/>": lambda d: math.sqrt(sum(v * v for v in d)),
    "<squaredEuclidean/>": lambda d: sum(v * v for v in d),
    "<chebychev/>": max,
    "<cityBlock/>": sum,
    '<minkowski p-parameter="3"/>': lambda d: sum(v**3 for v in d) ** (1 / 3),
}


def ranked(rows: list[Instance], x: float, z: float, by: Any) -> list[tuple[float, int]]:
    distances = [by([abs(row["x"] - x), abs(row["z"] - z)]) for row in rows]
    return sorted((round(d, 9), place) for place, d in enumerate(distances))


@settings(max_examples=30, deadline=None)
@given(
    ROWS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(sorted(MEASURES)),
    st.sampled_from(["average", "median", "weightedAverage"]),
)
def test_a_regression_combines_the_targets_of_the_nearest(
    rows: list[Instance], x: float, z: float, by: str, method: str
) -> None:
    inner = instances(rows, isTransformed="true") + measure(by) + inputs("x", "z")
    artifact = neighbors(inner, continuousScoringMethod=method, threshold="0.5")
    answers = score(artifact, x=[x], z=[z], c=["u"])
    near = ranked(rows, x, z, MEASURES[by])[:3]
    targets = [rows[place]["y"] for _, place in near]
    weights = [1 / (d + 0.5) if method == "weightedAverage" else 1.0 for d, _ in near]
    mean = sum(w * t for w, t in zip(weights, targets, strict=True)) / sum(weights)
    wanted = median(targets) if method == "median" else mean
    assert plain(answers["y"]) == [pytest.approx(wanted)]
    assert [answers[f"entityId{rank}"][0] for rank in (1, 2, 3)] == [str(p + 1) for _, p in near]
    found = [answers[f"affinity{rank}"][0] for rank in (1, 2, 3)]
    assert found == [pytest.approx(d) for d, _ in near]


@settings(max_examples=30, deadline=None)
@given(ROWS, NUMBERS, NUMBERS, st.booleans())
def test_a_classification_counts_votes(
    rows: list[Instance], x: float, z: float, weighted: bool
) -> None:
    method = "weightedMajorityVote" if weighted else "majorityVote"
    inner = instances(rows) + measure("<euclidean/>") + inputs("x", "z")
    artifact = neighbors(inner, target="kind", categoricalScoringMethod=method)
    answers = score(artifact, x=[x], z=[z], c=["u"])
    votes = dict.fromkeys("ab", 0.0)
    for d, place in ranked(rows, x, z, MEASURES["<euclidean/>"])[:3]:
        votes[rows[place]["kind"]] += 1 / (d + 0.001) if weighted else 1.0
    best = max(votes.values())
    winners = [kind for kind in votes if math.isclose(votes[kind], best, rel_tol=1e-6)]
    assert answers["kind"][0] in winners


def test_of_equal_votes_the_larger_category_wins_then_the_first_by_name() -> None:
    rows = [{"x": v, "kind": k} for v, k in [(0, "b"), (1, "a"), (50, "b"), (60, "b")]]
    inner = instances(rows) + measure("<euclidean/>") + inputs("x")
    assert plain(score(neighbors(inner, 2, "kind"), x=[0], z=[0], c=["u"])["kind"]) == ["b"]
    even = instances(rows[:2]) + measure("<euclidean/>") + inputs("x")
    assert plain(score(neighbors(even, 2, "kind"), x=[0], z=[0], c=["u"])["kind"]) == ["a"]


BITS = [{"x": 1, "z": 1, "y": 1}, {"x": 1, "z": 0, "y": 2}, {"x": 0, "z": 0, "y": 3}]


@pytest.mark.parametrize(
    ("similarity", "wanted"),
    [
        ("<simpleMatching/>", [1.0, 0.5, 0.5]),
        ("<jaccard/>", [1.0, 0.5, 0.0]),
        ("<tanimoto/>", [1.0, 1 / 3, 1 / 3]),
    ],
)
def test_the_most_similar_is_the_nearest(similarity: str, wanted: list[float]) -> None:
    inner = instances(BITS) + measure(similarity, "similarity") + inputs("x", "z")
    answers = score(neighbors(inner), x=[1, 2], z=[0, 1], c=["u"] * 2)
    found = [answers[f"affinity{rank}"][0] for rank in (1, 2, 3)]
    assert found == [pytest.approx(value) for value in wanted]
    assert answers["entityId1"].tolist() == ["2", None]  # two is no bit
    assert plain(answers["y"]) == [2.0, None]


def test_categories_are_compared_as_equal_or_not() -> None:
    rows = [{"c": c, "y": y} for c, y in [("u", 1), ("v", 2), ("u", 4)]]
    inner = instances(rows) + measure("<cityBlock/>", function="delta")
    artifact = neighbors(inner + inputs("c", fieldWeight="2.5"), k=2)
    answers = score(artifact, x=[0] * 4, z=[0] * 4, c=["u", "v", "w", None])
    assert plain(answers["y"]) == [2.5, 1.5, 1.5, None]
    assert plain(answers["affinity2"]) == [0.0, 2.5, 2.5, None]


def test_instances_are_transformed_as_the_rows_are() -> None:
    derived = (
        '<LocalTransformations><DerivedField name="d" optype="continuous" dataType="double">'
        '<Apply function="abs"><FieldRef field="x"/></Apply></DerivedField></LocalTransformations>'
    )
    rows = [{"x": -9, "y": 1}, {"x": 2, "y": 2}, {"x": -1, "y": 3}]
    inner = instances(rows) + measure("<euclidean/>") + inputs("d")
    answers = score(neighbors(inner, 1, before=derived), x=[8, -3], z=[0, 0], c=["u", "u"])
    assert plain(answers["y"]) == [1.0, 2.0]
    transformed = instances(rows, isTransformed="true") + measure("<euclidean/>") + inputs("d")
    with pytest.raises(InvalidModel, match="not among the InstanceFields"):
        score(neighbors(transformed, 1, before=derived), x=[0], z=[0], c=["u"])


def test_without_a_target_the_answers_are_the_ids() -> None:
    rows = [{"x": v, "case": name} for v, name in [(0, "p"), (5, "q"), (9, "r")]]
    inner = instances(rows) + measure("<euclidean/>") + inputs("x")
    artifact = neighbors(inner, 2, None, instanceIdVariable="case")
    answers = score(artifact, x=[6, None], z=[0, 0], c=["u", "u"])
    assert set(answers) == {"entityId1", "entityId2", "affinity1", "affinity2"}
    assert plain(answers["entityId1"]) == ["q", None]
    assert plain(answers["entityId2"]) == ["r", None]


def test_a_missing_input_has_no_neighbors() -> None:
    rows = [{"x": 0, "z": 0, "y": 1}, {"x": 1, "z": 1, "y": 2}]
    inner = instances(rows) + measure("<euclidean/>") + inputs("x", "z")
    answers = score(neighbors(inner, 1), x=[None, 0], z=[1, 0], c=["u", "u"])
    assert plain(answers["y"]) == [None, 1.0]
    assert plain(answers["entityId1"]) == [None, "1"]


@given(
    st.lists(st.lists(NUMBERS, min_size=5, max_size=5), min_size=1, max_size=6), st.integers(1, 5)
)
def test_of_equals_the_first_is_nearest(table: list[list[float]], k: int) -> None:
    measured = np.array(table)
    wanted = np.argsort(measured, axis=1, kind="stable")[:, :k]
    assert nearest(measured, k).tolist() == wanted.tolist()


GOOD = [{"x": 0, "c": "u", "y": 1}, {"x": 1, "c": "v", "y": 2}]
EUCLID = measure("<euclidean/>")


@pytest.mark.parametrize(
    ("inner", "k", "message"),
    [
        (instances(GOOD) + EUCLID + inputs("x"), 3, "numberOfNeighbors=3 of 2"),
        (instances(GOOD) + EUCLID + "<KNNInputs/>", 1, "needs KNNInputs"),
        (instances(GOOD) + EUCLID + inputs("x", fieldWeight="0"), 1, "above zero"),
        (instances(GOOD, recordCount="3") + EUCLID + inputs("x"), 1, "declare 3 records"),
        (instances(GOOD).replace(">0<", "><") + EUCLID + inputs("x"), 1, "a value of field 'x'"),
        (instances(GOOD).replace(">2<", ">two<") + EUCLID + inputs("x"), 1, "not numeric"),
        (instances([{"x": 1}]) + EUCLID + inputs("x"), 1, "a value of field 'y'"),
        (instances(GOOD) + EUCLID + inputs("c"), 1, "'c'"),
        (
            instances([{"x": 2, "y": 1}]) + measure("<jaccard/>", "similarity") + inputs("x"),
            1,
            "zeros and ones",
        ),
    ],
)
def test_a_contradictory_model_is_refused(inner: str, k: int, message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        score(neighbors(inner, k), x=[0], z=[0], c=["u"])


def test_a_rank_beyond_the_neighbors_is_refused() -> None:
    artifact = neighbors(instances(GOOD) + EUCLID + inputs("x"), 2)
    with pytest.raises(UnsupportedModel, match="rank=3 of 2"):
        score(artifact.replace(b'rank="2"', b'rank="3"'), x=[0], z=[0], c=["u"])
