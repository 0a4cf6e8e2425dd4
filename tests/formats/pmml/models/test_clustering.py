"""Clustering models against the standard's measures, computed field by field."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import C, X, Y, document, lower, plain, schema, score

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
SIZE = (
    '<DataField name="size" optype="ordinal" dataType="string">'
    '<Value value="small"/><Value value="middle"/><Value value="large"/></DataField>'
)
CENTRES = {"near": (0.0, 1.0), "far": (4.0, -2.0), "odd": (-3.0, 0.5)}
WEIGHTS = (1.0, 2.5)


def model(
    measure: str = "<squaredEuclidean/>",
    fields: str = '<ClusteringField field="x"/><ClusteringField field="z" fieldWeight="2.5"/>',
    clusters: str | None = None,
    inner: str = "",
    **attributes: str,
) -> str:
    declared = "".join(
        f' {name}="{value}"' for name, value in ({"kind": "distance"} | attributes).items()
    )
    if clusters is None:
        clusters = "".join(
            f'<Cluster id="{name}" name="the {name} one"><KohonenMap coord1="1"/>'
            f'<Array type="real">{x} {z}</Array></Cluster>'
            for name, (x, z) in CENTRES.items()
        )
    return (
        '<ClusteringModel functionName="clustering" modelClass="centerBased" '
        f'numberOfClusters="{clusters.count("<Cluster")}">{schema("x", "z", "c", "size")}'
        f"{OUTPUT}<ComparisonMeasure{declared}>{measure}</ComparisonMeasure>"
        f"{fields}{inner}{clusters}</ClusteringModel>"
    )


OUTPUT = (
    '<Output><OutputField name="cluster" feature="predictedValue"/>'
    '<OutputField name="shown" feature="predictedDisplayValue"/>'
    '<OutputField name="id" feature="entityId"/>'
    '<OutputField name="affinity" feature="affinity"/></Output>'
)


def test_distances_around_a_cycle_are_not_evaluated() -> None:
    cyclic = X.replace("/>", ' isCyclic="1"/>')
    with pytest.raises(UnsupportedModel, match="'x' is cyclic"):
        lower(document(model(), cyclic + Z + C + SIZE))


def ask(body: str, **columns: list[Any]) -> dict[str, list[Any]]:
    answers = score(document(body, X + Z + C + SIZE), **columns)
    return {name: plain(column) for name, column in answers.items()}


def absolute(x: float, y: float) -> float:
    return abs(x - y)


DISTANCES: dict[str, tuple[str, Callable[[list[float], list[float], float], float]]] = {
    "euclidean": (
        "<euclidean/>",
        lambda c, w, m: math.sqrt(sum(a * b**2 for a, b in zip(w, c, strict=True)) * m),
    ),
    "squaredEuclidean": (
        "<squaredEuclidean/>",
        lambda c, w, m: sum(a * b**2 for a, b in zip(w, c, strict=True)) * m,
    ),
    "cityBlock": (
        "<cityBlock/>",
        lambda c, w, m: sum(a * b for a, b in zip(w, c, strict=True)) * m,
    ),
    "chebychev": (
        "<chebychev/>",
        lambda c, w, m: max(a * b for a, b in zip(w, c, strict=True)) * m,
    ),
    "minkowski": (
        '<minkowski p-parameter="3"/>',
        lambda c, w, m: (sum(a * b**3 for a, b in zip(w, c, strict=True)) * m) ** (1 / 3),
    ),
}
COMPARES: dict[str, Callable[[float, float], float]] = {
    "absDiff": absolute,
    "gaussSim": lambda x, y: math.exp(-math.log(2) * (x - y) ** 2 / 1.5**2),
    "delta": lambda x, y: float(x != y),
    "equal": lambda x, y: float(x == y),
}
numbers = st.sampled_from([-3.0, 0.0, 0.5, 1.0, 4.0, 2.25, -2.0])


@settings(max_examples=120, deadline=None)
@given(
    distance=st.sampled_from(sorted(DISTANCES)),
    compare=st.sampled_from(sorted(COMPARES)),
    row=st.tuples(numbers | st.none(), numbers | st.none()),
    kind=st.sampled_from(["distance", "similarity"]),
)
def test_the_closest_centre_by_any_measure_is_the_answer(
    distance: str, compare: str, row: tuple[float | None, float | None], kind: str
) -> None:
    element, aggregate = DISTANCES[distance]
    fields = (
        '<ClusteringField field="x" similarityScale="1.5"/>'
        '<ClusteringField field="z" fieldWeight="2.5" similarityScale="1.5"/>'
    )
    inner = '<MissingValueWeights><Array type="real">0.5 1.5</Array></MissingValueWeights>'
    body = model(element, fields, inner=inner, kind=kind, compareFunction=compare)
    answers = ask(body, x=[row[0]], z=[row[1]], c=["on"], size=["small"])
    known = [number for number in (0, 1) if row[number] is not None]
    if not known:
        assert answers["cluster"] == answers["affinity"] == answers["id"] == [None]
        return
    adjust = 2.0 / sum((0.5, 1.5)[number] for number in known)
    found = {}
    for name, centre in CENTRES.items():
        compared = [COMPARES[compare](float(row[n] or 0.0), centre[n]) for n in known]
        found[name] = aggregate(compared, [WEIGHTS[n] for n in known], adjust)
    best = (min if kind == "distance" else max)(found.values())
    assert answers["affinity"] == pytest.approx([best])
    assert found[answers["cluster"][0]] == pytest.approx(best)
    assert answers["id"] == answers["cluster"]
    assert answers["shown"] == [f"the {answers['cluster'][0]} one"]


BITS = (
    '<Cluster><Array n="4" type="int">1 1 0 0</Array></Cluster>'
    '<Cluster name="second"><Array n="4" type="int">0 0 1 1</Array></Cluster>'
)
BINARY = (
    '<binarySimilarity c00-parameter="0.5" c01-parameter="0" c10-parameter="0.25" '
    'c11-parameter="1" d00-parameter="1" d01-parameter="2" d10-parameter="1" d11-parameter="1"/>'
)


@pytest.mark.parametrize(
    ("measure", "affinity"),
    [
        # The record 1 0 1 1 meets the centre 0 0 1 1: two ones alike, one zero alike, and one
        # that is one in the record alone.
        ("<simpleMatching/>", 3 / 4),
        ("<jaccard/>", 2 / 3),
        ("<tanimoto/>", 3 / (3 + 2)),
        (BINARY, (2 + 0.25 + 0.5) / 4),
    ],
)
def test_records_of_bits_are_compared_by_their_counts(measure: str, affinity: float) -> None:
    names = "abde"
    declared = "".join(
        f'<DataField name="{n}" optype="continuous" dataType="integer"/>' for n in names
    )
    fields = "".join(f'<ClusteringField field="{n}"/>' for n in names)
    body = model(measure, fields, BITS, kind="similarity").replace(
        schema("x", "z", "c", "size"), schema(*names)
    )
    answers = score(document(body, declared), a=[1, None], b=[0, 0], d=[1, 1], e=[1, 1])
    assert plain(answers["affinity"]) == pytest.approx([affinity, None])
    assert plain(answers["cluster"]) == ["2", None]
    assert plain(answers["shown"]) == ["second", None]


def test_a_cluster_without_an_id_has_its_number() -> None:
    clusters = "".join(f'<Cluster><Array type="real">{x} 0</Array></Cluster>' for x in (9, 1, 5))
    answers = ask(
        model(clusters=clusters), x=[0, 5, 20], z=[0] * 3, c=["a"] * 3, size=["small"] * 3
    )
    assert answers["cluster"] == answers["id"] == ["2", "3", "1"]


def test_categories_are_compared_by_equality_and_by_table() -> None:
    fields = (
        '<ClusteringField field="c" compareFunction="delta"/>'
        '<ClusteringField field="size" compareFunction="table"><Comparisons>'
        '<Matrix kind="symmetric" nbRows="3" nbCols="3"><Array type="real">0</Array>'
        '<Array type="real">0.5 0</Array><Array type="real">2 0.75 0</Array></Matrix>'
        "</Comparisons></ClusteringField>"
    )
    clusters = (
        '<Cluster id="a"><Array type="string">"red one" small</Array></Cluster>'
        '<Cluster id="b"><Array type="string">blue large</Array></Cluster>'
    )
    answers = ask(
        model("<cityBlock/>", fields, clusters),
        c=["red one", "blue", "green", None],
        size=["middle", "small", "large", "large"],
        x=[0.0] * 4,
        z=[0.0] * 4,
    )
    assert answers["cluster"] == ["a", "a", "b", "b"]
    assert answers["affinity"] == [0.5, 1.0, 1.0, 0.0]


def test_a_field_that_is_not_of_the_centres_is_left_out() -> None:
    fields = (
        '<ClusteringField field="x"/><ClusteringField field="c" isCenterField="false"/>'
        '<ClusteringField field="z"/>'
    )
    answers = ask(model("<cityBlock/>", fields), x=[4], z=[-2], c=["on"], size=["small"])
    assert (answers["cluster"], answers["affinity"]) == (["far"], [0.0])


def test_the_affinity_of_a_named_cluster_can_be_asked_for() -> None:
    body = model().replace(
        '<OutputField name="affinity" feature="affinity"/>',
        '<OutputField name="affinity" feature="clusterAffinity" value="far"/>',
    )
    answers = ask(body, x=[0, 4], z=[1, -2], c=["a"] * 2, size=["small"] * 2)
    assert answers["affinity"] == [16 + 2.5 * 9, 0.0]
    assert answers["cluster"] == ["near", "far"]


def test_a_cluster_is_an_input_of_the_models_after_it_in_a_chain() -> None:
    tree = (
        f'<TreeModel functionName="regression">{schema("cluster", target="y")}'
        '<Node score="0"><True/><Node score="1">'
        '<SimplePredicate field="cluster" operator="equal" value="far"/></Node></Node></TreeModel>'
    )
    body = (
        f'<MiningModel functionName="regression">{schema("x", "z", "c", "size", target="y")}'
        '<Segmentation multipleModelMethod="modelChain">'
        f"<Segment><True/>{model()}</Segment><Segment><True/>{tree}</Segment>"
        "</Segmentation></MiningModel>"
    )
    rows: dict[str, list[Any]] = {"x": [4.0], "z": [-2.0], "c": ["a"], "size": ["small"]}
    answers = score(document(body, X + Y + Z + C + SIZE), **rows)
    assert plain(answers["y"]) == [1.0]
    assert plain(answers["cluster"]) == ["far"]


@pytest.mark.parametrize(
    ("kind", "measure", "wanted"),
    [
        ("distance", "<cityBlock/>", ["near", "odd", "far"]),
        ("similarity", "<simpleMatching/>", ["both", "first", "none"]),
    ],
)
def test_clusters_are_answered_by_rank_the_closest_first(
    kind: str, measure: str, wanted: list[str]
) -> None:
    bits = {"first": "1 0", "both": "1 1", "none": "0 0"}
    clusters = "".join(
        f'<Cluster id="{name}" name="the {name} one"><Array type="int">{centre}</Array></Cluster>'
        for name, centre in bits.items()
    )
    outputs = "".join(
        f'<OutputField name="{feature}{rank}" feature="{feature}" rank="{rank}"/>'
        for feature in ("entityId", "predictedDisplayValue", "affinity")
        for rank in (1, 2, 3)
    )
    fields = '<ClusteringField field="x"/><ClusteringField field="z"/>'
    body = model(measure, fields, clusters if kind == "similarity" else None, kind=kind)
    found = ask(body.replace(OUTPUT, f"<Output>{outputs}</Output>"), x=[1.0], z=[1.0])
    assert [found[f"entityId{rank}"][0] for rank in (1, 2, 3)] == wanted
    shown = [found[f"predictedDisplayValue{rank}"][0] for rank in (1, 2, 3)]
    assert shown == [f"the {name} one" for name in wanted]
    closeness = [1.0, 6.0, 4.5] if kind == "distance" else [1.0, 0.5, 0.0]
    assert [found[f"affinity{rank}"][0] for rank in (1, 2, 3)] == sorted(
        closeness, reverse=kind == "similarity"
    )


@pytest.mark.parametrize(
    ("old", "new", "error", "reason"),
    [
        ("centerBased", "distributionBased", UnsupportedModel, "'distributionBased'.*centerBased"),
        ('numberOfClusters="3"', 'numberOfClusters="2"', InvalidModel, "2 clusters has 3"),
        ('id="odd"', 'id="far"', InvalidModel, "the same id"),
        (">0.0 1.0<", ">0.0<", InvalidModel, "1 coordinates for 2 fields"),
        ('field="z"', 'field="c"', InvalidModel, "'absDiff' needs a numeric field"),
        ("<squaredEuclidean/>", "<jaccard/>", InvalidModel, "centres of zeros and ones"),
        (
            'kind="distance"',
            'kind="distance" compareFunction="gaussSim"',
            InvalidModel,
            "similaritySc",
        ),
        ('feature="affinity"', 'feature="affinity" rank="4"', UnsupportedModel, "rank=4 of 3"),
        ('feature="affinity"', 'feature="affinity" value="no"', InvalidModel, "not a cluster"),
        ('feature="affinity"', 'feature="probability"', UnsupportedModel, "gives no probabilities"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(
    old: str, new: str, error: type[Exception], reason: str
) -> None:
    body = model()
    assert old in body
    with pytest.raises(error, match=reason):
        lower(document(body.replace(old, new), X + Z + C + SIZE))
