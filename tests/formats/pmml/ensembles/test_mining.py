"""MiningModels: every way to make one answer of many, against plain Python row by row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import KIND, X, Y, document, load, lower, plain, schema, score
from tests.support.pmml_ensembles import Answer, combine_labels, combine_numbers, counted

QUICK = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
TREATMENTS = ["continue", "skipSegment", "returnMissing"]
NUMBERS = ["sum", "average", "median", "max", "weightedSum", "weightedAverage", "weightedMedian"]
LABELS = ["majorityVote", "weightedMajorityVote", "average", "weightedAverage", "max", "median"]


def predicate(limit: float | None) -> str:
    if limit is None:
        return "<True/>"
    return f'<SimplePredicate field="x" operator="lessThan" value="{limit}"/>'


def stump(limit: float, below: str, function: str) -> str:
    """Return a tree that answers `below` under a limit of x, and nothing above it."""
    return (
        f'<TreeModel functionName="{function}">{schema("x")}'
        f"<Node><True/><Node{below}{predicate(limit)}</Node></Node></TreeModel>"
    )


def line(value: float) -> str:
    """Return a RegressionModel that answers the value, and nothing where x is missing."""
    return (
        f'<RegressionModel functionName="regression">{schema("x")}<RegressionTable '
        f'intercept="{value}"><NumericPredictor name="x" coefficient="0"/></RegressionTable>'
        "</RegressionModel>"
    )


def mining(method: str, segments: str, function: str = "regression", extra: str = "") -> bytes:
    target = "y" if function == "regression" else "kind"
    body = (
        f'<MiningModel functionName="{function}">{schema("x", target=target)}'
        f'<Segmentation multipleModelMethod="{method}"{extra}>{segments}</Segmentation>'
        "</MiningModel>"
    )
    return document(body, X + Y + KIND)


@st.composite
def numeric_segments(draw: st.DrawFn) -> list[tuple[float, float | None, float, float]]:
    """Return weight, limit of the predicate, limit of the tree, and value of some segments."""
    grid = st.sampled_from([0.0, 1.0, 2.0, 3.0])
    segment = st.tuples(
        st.sampled_from([0.5, 1.0, 2.0]),
        st.one_of(st.none(), grid),
        st.sampled_from([1.0, 2.0, 99.0]),
        st.sampled_from([-1.5, 0.0, 0.1, 2.0, 7.0]),
    )
    return draw(st.lists(segment, min_size=1, max_size=5))


def asked(limit: float | None, x: float) -> bool:
    return limit is None or x < limit


@QUICK
@given(
    numeric_segments(), st.sampled_from(NUMBERS), st.sampled_from(TREATMENTS), st.booleans(),
    st.sampled_from([0.0, 0.3, 1.0]),
)  # fmt: skip
def test_numbers_are_combined_as_the_standard_reads(
    segments: list[tuple[float, float | None, float, float]],
    method: str,
    treatment: str,
    forest: bool,
    threshold: float,
) -> None:
    rows = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.5, 50.0]
    text, wanted = "", []
    for number, (weight, limit, end, value) in enumerate(segments):
        inner = stump(end, f' score="{value}">', "regression")
        if not forest:
            inner = chain_of_one(inner)
        text += f'<Segment id="{number}" weight="{weight}">{predicate(limit)}{inner}</Segment>'
    for x in rows:
        answers = [
            Answer(weight if method.startswith("weighted") else 1.0, value if x < end else None)
            for weight, limit, end, value in segments
            if asked(limit, x)
        ]
        known = counted(answers, treatment, threshold)
        wanted.append(np.nan if known is None else combine_numbers(method, known))
    extra = f' missingPredictionTreatment="{treatment}" missingThreshold="{threshold}"'
    answers_found = score(mining(method, text, extra=extra), x=rows)["y"]
    np.testing.assert_allclose(answers_found, wanted, rtol=1e-12)


def chain_of_one(inner: str) -> str:
    """Return a chain of one model, which is no tree and so cannot join a forest."""
    return (
        f'<MiningModel functionName="regression">{schema("x")}'
        f'<Segmentation multipleModelMethod="modelChain"><Segment><True/>{inner}</Segment>'
        "</Segmentation></MiningModel>"
    )


@st.composite
def label_segments(draw: st.DrawFn) -> list[tuple[float, float, float]]:
    """Return weight, limit of the tree, and the probability of `a` of some segments."""
    segment = st.tuples(
        st.sampled_from([0.5, 1.0, 2.0]),
        st.sampled_from([1.0, 2.0, 99.0]),
        st.sampled_from([0.0, 0.2, 0.375, 0.75, 1.0]),
    )
    return draw(st.lists(segment, min_size=1, max_size=5))


@QUICK
@given(label_segments(), st.sampled_from(LABELS), st.sampled_from(TREATMENTS), st.booleans())
def test_labels_are_combined_as_the_standard_reads(
    segments: list[tuple[float, float, float]], method: str, treatment: str, forest: bool
) -> None:
    rows, text = [0.5, 1.5, 50.0], ""
    for number, (weight, end, share) in enumerate(segments):
        winner = "a" if share >= 0.5 else "b"
        node = (
            f' score="{winner}"><ScoreDistribution value="a" probability="{share}"/>'
            f'<ScoreDistribution value="b" probability="{1 - share}"/>'
        )
        inner = stump(end, node, "classification")
        if not forest:
            inner = inner.replace("</MiningSchema>", "</MiningSchema><LocalTransformations/>")
        text += f'<Segment id="{number}" weight="{weight}"><True/>{inner}</Segment>'
    extra = f' missingPredictionTreatment="{treatment}"'
    artifact = mining(method, text, "classification", extra)
    artifact = artifact.replace(
        b"<Segmentation ",
        b'<Output><OutputField name="p" feature="probability" value="a"/></Output><Segmentation ',
        1,
    )
    answers = score(artifact, x=rows)
    for row, x in enumerate(rows):
        given_answers = [
            Answer(
                weight if method.startswith("weighted") else 1.0,
                None if x >= end else ("a" if share >= 0.5 else "b"),
                {"a": share, "b": 1 - share},
            )
            for weight, end, share in segments
        ]
        known = counted(given_answers, treatment, 1.0)
        if known is None:
            assert plain(answers["kind"])[row] is None
            continue
        wanted = combine_labels(method, known, ["a", "b"])
        assert answers["p"][row] == pytest.approx(wanted["a"], rel=1e-12, abs=1e-12)
        if abs(wanted["a"] - wanted["b"]) > 1e-9:
            assert plain(answers["kind"])[row] == max(wanted, key=lambda label: wanted[label])


def segment(inner: str, test: str = "<True/>", name: str = "s") -> str:
    return f'<Segment id="{name}">{test}{inner}</Segment>'


def test_the_first_segment_that_is_true_is_selected() -> None:
    segments = segment(line(1), predicate(1.0)) + segment(line(2), predicate(2.0))
    answers = score(mining("selectFirst", segments), x=[0.5, 1.5, 2.5])
    assert plain(answers["y"]) == [1.0, 2.0, None]


def test_a_selection_keeps_probabilities_and_labels() -> None:
    def certain(label: str) -> str:
        return (
            f'<TreeModel functionName="classification">{schema("x")}'
            f'<Node score="{label}"><True/></Node></TreeModel>'
        )

    segments = segment(certain("b"), predicate(1.0)) + segment(certain("a"))
    artifact = mining("selectFirst", segments, "classification")
    assert plain(score(artifact, x=[0.5, 1.5])["kind"]) == ["b", "a"]


CHAINED = (
    '<RegressionModel functionName="regression">'
    f"{schema('x')}"
    '<Output><OutputField name="first" optype="continuous" dataType="double"/></Output>'
    '<RegressionTable intercept="1"><NumericPredictor name="x" coefficient="2"/></RegressionTable>'
    "</RegressionModel>"
)
SECOND = (
    f'<RegressionModel functionName="regression">{schema("first")}'
    '<RegressionTable intercept="0"><NumericPredictor name="first" coefficient="10"/>'
    "</RegressionTable></RegressionModel>"
)


def test_a_model_of_a_chain_reads_the_outputs_of_those_before_it() -> None:
    answers = score(mining("modelChain", segment(CHAINED) + segment(SECOND)), x=[0, 1, None])
    assert plain(answers["y"]) == [10.0, 30.0, None]
    assert plain(answers["first"]) == [1.0, 3.0, None]


def test_an_output_that_is_not_final_stays_inside_the_chain() -> None:
    hidden = CHAINED.replace('name="first"', 'name="first" isFinalResult="false"')
    answers = score(mining("modelChain", segment(hidden) + segment(SECOND)), x=[1])
    assert list(answers) == ["y"]


def test_of_two_outputs_with_one_name_the_later_is_meant() -> None:
    second = SECOND.replace(
        "<RegressionTable", '<Output><OutputField name="first"/></Output><RegressionTable', 1
    )
    answers = score(mining("modelChain", segment(CHAINED) + segment(second)), x=[1])
    assert plain(answers["first"]) == [30.0]


def test_a_chain_answers_as_the_last_segment_that_ran() -> None:
    segments = segment(CHAINED) + segment(SECOND, predicate(1.0))
    answers = score(mining("modelChain", segments), x=[0.5, 1.5])
    assert plain(answers["y"]) == [20.0, 4.0]


def test_a_segment_reads_nothing_of_rows_that_it_does_not_run_for() -> None:
    derived = (
        '<LocalTransformations><DerivedField name="root" optype="continuous" dataType="double">'
        '<Apply function="sqrt"><FieldRef field="x"/></Apply></DerivedField></LocalTransformations>'
    )
    inner = (
        f'<RegressionModel functionName="regression">{schema("x")}{derived}'
        '<RegressionTable intercept="0"><NumericPredictor name="root" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    positive = '<SimplePredicate field="x" operator="greaterOrEqual" value="0"/>'
    answers = score(mining("selectFirst", segment(inner, positive) + segment(line(7))), x=[-4, 4])
    assert plain(answers["y"]) == [7.0, 2.0]
    assert not answers.errors  # the root of -4 was never asked for


def test_a_chain_of_several_targets_answers_them_all() -> None:
    def model(target: str, coefficient: int) -> str:
        return (
            f'<RegressionModel functionName="regression">{schema("x", target=target)}'
            f'<RegressionTable intercept="0"><NumericPredictor name="x" '
            f'coefficient="{coefficient}"/></RegressionTable></RegressionModel>'
        )

    z = '<DataField name="z" optype="continuous" dataType="double"/>'
    body = (
        '<MiningModel functionName="regression">'
        + schema("x", target="y", extra='<MiningField name="z" usageType="target"/>')
        + '<Segmentation multipleModelMethod="x-multiModelChain">'
        + segment(model("y", 2)) + segment(model("z", 3))
        + "</Segmentation></MiningModel>"
    )  # fmt: skip
    answers = score(document(body, X + Y + z), x=[1, 2])
    assert plain(answers["y"]) == [2.0, 4.0]
    assert plain(answers["z"]) == [3.0, 6.0]


def test_a_segments_own_answer_can_be_asked_for() -> None:
    artifact = mining("sum", segment(line(1), name="one") + segment(line(2), name="two")).replace(
        b"<Segmentation ",
        b'<Output><OutputField name="two" segmentId="two"/></Output><Segmentation ',
        1,
    )
    answers = score(artifact, x=[0])
    assert (plain(answers["y"]), plain(answers["two"])) == ([3.0], [2.0])


def test_single_precision_adds_in_the_order_of_the_document() -> None:
    leaves = [0.1, 1e-8, 3.3, -3.4, 2**-24, 0.7]
    segments = "".join(
        segment(
            f'<TreeModel functionName="regression" x-mathContext="float">{schema("x")}'
            f'<Node score="{leaf}"><True/></Node></TreeModel>'
        )
        for leaf in leaves
    )
    artifact = mining("sum", segments).replace(
        b"<MiningModel ", b'<MiningModel x-mathContext="float" '
    )
    base = np.float32(0.3)
    targets = b'<Targets><Target field="y" rescaleConstant="0.3"/></Targets><Segmentation '
    total = base
    for leaf in leaves:
        total = total + np.float32(leaf)
    answers = score(artifact.replace(b"<Segmentation ", targets, 1), x=[0.0] * 3)
    assert answers["y"].tolist() == [float(total)] * 3


def test_a_forest_is_lowered_to_arrays_without_a_node() -> None:
    artifact = mining("average", segment(stump(1.0, ' score="1">', "regression")) * 3)
    lowered = lower(artifact)
    assert b"Node" not in lowered
    assert plain(load(artifact).score({"x": np.array([0.0, 2.0])})["y"]) == [1.0, None]


def test_a_large_batch_is_combined_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = mining("average", segment(stump(50.0, ' score="1">', "regression")) * 3)
    whole = score(artifact, x=list(range(100)))["y"]
    monkeypatch.setattr(limits, "PMML_ENSEMBLE_CELLS_MAX", 20)
    np.testing.assert_array_equal(score(artifact, x=list(range(100)))["y"], whole)


@pytest.mark.parametrize("method", ["selectAll", "x-stacking"])
def test_methods_that_are_not_evaluated_are_refused_by_name(method: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"{method}.*majorityVote"):
        load(mining(method, segment(line(1))))


@pytest.mark.parametrize(
    ("method", "function"), [("majorityVote", "regression"), ("sum", "classification")]
)
def test_a_method_must_fit_the_function(method: str, function: str) -> None:
    with pytest.raises(UnsupportedModel, match=method):
        load(mining(method, segment(line(1)), function))


def test_an_ensemble_of_more_trees_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TREES_MAX", 2)
    tree = segment(stump(1.0, ' score="1">', "regression"))
    with pytest.raises(InvalidModel, match="more than 2 Segment elements"):
        load(mining("sum", tree * 3))


def test_an_empty_segmentation_is_refused() -> None:
    with pytest.raises(InvalidModel, match="no Segment"):
        load(mining("sum", ""))


def nested(depth: int) -> str:
    inner: Any = line(1)
    for _ in range(depth):
        inner = chain_of_one(inner)
    return str(inner)


def test_models_nested_beyond_reason_are_refused() -> None:
    assert plain(score(document(nested(8)), x=[0])["_target"]) == [1.0]
    with pytest.raises(InvalidModel, match="nested"):
        load(document(nested(60)))
