"""Trees that follow several branches at once (DMG 4.4, Trees: missing value strategies)."""

from typing import Any

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, C, X, document, load, plain, schema, score

Y_FIELD = '<DataField name="y" optype="continuous" dataType="double"/>'
FIELDS = X + Y_FIELD + C + KIND
OUTPUTS = (
    '<Output><OutputField name="sure" feature="confidence"/>'
    '<OutputField name="sure_b" feature="confidence" value="b"/>'
    '<OutputField name="node" feature="entityId"/>{}</Output>'
)
PROBABILITY = '<OutputField name="p" feature="probability" value="a"/>'


def counts(a: float, b: float) -> str:
    return (
        f'<ScoreDistribution value="a" recordCount="{a}"/>'
        f'<ScoreDistribution value="b" recordCount="{b}"/>'
    )


def node(name: str, size: float, predicate: str, inner: str) -> str:
    return f'<Node id="{name}" score="a" recordCount="{size}">{predicate}{inner}</Node>'


def compare(field: str, operator: str, value: str) -> str:
    return f'<SimplePredicate field="{field}" operator="{operator}" value="{value}"/>'


LOW, HIGH = compare("x", "lessOrEqual", "5"), compare("x", "greaterThan", "5")
RED, OTHER = compare("c", "equal", "red"), compare("c", "notEqual", "red")
# a splits by x; its first half once more, by c.
TREE = node(
    "root",
    100,
    "<True/>",
    counts(45, 55)
    + node(
        "low",
        60,
        LOW,
        counts(40, 20)
        + node("low red", 45, RED, counts(36, 9))
        + node("low other", 15, OTHER, counts(4, 11)),
    )
    + node("high", 40, HIGH, counts(5, 35)),
)


def tree(strategy: str, nodes: str = TREE, outputs: str = "", more: str = "") -> bytes:
    body = (
        f'<TreeModel functionName="classification" missingValueStrategy="{strategy}"{more}>'
        f"{schema('x', 'y', 'c', target='kind')}{OUTPUTS.format(outputs)}{nodes}</TreeModel>"
    )
    return document(body, FIELDS)


def ask(artifact: bytes, *rows: tuple[float | None, str | None]) -> dict[str, list[Any]]:
    answers = score(artifact, x=[x for x, _ in rows], y=[None] * len(rows), c=[c for _, c in rows])
    assert not answers.errors
    return {name: plain(answers[name]) for name in answers}


@pytest.mark.parametrize("strategy", ["weightedConfidence", "aggregateNodes"])
def test_rows_without_missing_values_take_one_branch(strategy: str) -> None:
    answers = ask(tree(strategy), (1.0, "red"), (1.0, "blue"), (9.0, None))
    assert answers["kind"] == ["a", "a", "a"]  # as the leaves' scores say, whatever their counts
    assert answers["node"] == ["low red", "low other", "high"]
    assert answers["sure"] == pytest.approx([0.8, 4 / 15, 5 / 40])


def test_confidences_are_weighted_by_shares_of_the_records() -> None:
    answers = ask(tree("weightedConfidence"), (1.0, None), (None, "red"), (None, None))
    inner = 0.75 * 0.8 + 0.25 * 4 / 15
    expected_b = [1 - inner, 0.6 * 0.2 + 0.4 * 0.875, 0.6 * (1 - inner) + 0.4 * 0.875]
    assert answers["sure_b"] == pytest.approx(expected_b)
    assert answers["kind"] == ["a", "a", "b"]
    assert answers["sure"] == pytest.approx([inner, 0.6 * 0.8 + 0.4 * 0.125, expected_b[2]])
    assert answers["node"] == [None] * 3


def test_declared_confidences_come_before_counted_ones() -> None:
    leaf = (
        '<ScoreDistribution value="a" recordCount="1" confidence="0.3"/>'
        '<ScoreDistribution value="b" recordCount="9" confidence="0.5"/>'
    )
    nodes = node("r", 10, "<True/>", node("1", 5, LOW, leaf) + node("2", 5, HIGH, counts(5, 0)))
    answers = ask(tree("weightedConfidence", nodes), (None, None))
    assert answers["sure"] == pytest.approx([0.5 * 0.3 + 0.5])
    assert answers["sure_b"] == pytest.approx([0.5 * 0.5])


def test_a_sibling_that_is_false_is_left_out() -> None:
    nodes = node(
        "r",
        10,
        "<True/>",
        node("1", 2, RED, counts(2, 0))
        + node("2", 3, LOW, counts(0, 3))
        + node("3", 5, "<True/>", counts(5, 0)),
    )
    answers = ask(tree("weightedConfidence", nodes), (None, "blue"), (None, None))
    assert answers["sure_b"] == pytest.approx([0.3, 0.3])
    assert answers["sure"] == pytest.approx([0.5, 0.7])


def test_counts_of_all_leaves_that_may_be_reached_are_added() -> None:
    aggregate = tree("aggregateNodes", outputs=PROBABILITY)
    answers = ask(aggregate, (1.0, None), (None, "red"), (None, None), (None, "blue"))
    assert answers["kind"] == ["a", "b", "b", "b"]
    assert answers["p"] == pytest.approx([40 / 60, 41 / 85, 45 / 100, 9 / 55])
    assert answers["sure"] == pytest.approx([40 / 60, 44 / 85, 55 / 100, 46 / 55])
    assert answers["node"] == [None] * 4


def test_nodes_after_the_first_true_one_are_not_followed() -> None:
    nodes = node(
        "r",
        10,
        "<True/>",
        node("1", 2, LOW, counts(2, 0))
        + node("2", 3, "<True/>", counts(0, 3))
        + node("3", 5, "<True/>", counts(50, 0)),
    )
    answers = ask(tree("aggregateNodes", nodes), (None, None))
    assert answers["kind"] == ["b"]
    assert answers["sure"] == [3 / 5]


@pytest.mark.parametrize("strategy", ["weightedConfidence", "aggregateNodes"])
def test_without_a_true_child_the_answer_is_null_or_the_last(strategy: str) -> None:
    nodes = node("r", 4, "<True/>", counts(4, 0) + node("1", 4, RED, counts(0, 4)))
    assert ask(tree(strategy, nodes), (1.0, "blue"))["kind"] == [None]
    last = tree(strategy, nodes, more=' noTrueChildStrategy="returnLastPrediction"')
    answers = ask(last, (1.0, "blue"))
    assert (answers["kind"], answers["node"], answers["sure"]) == (["a"], ["r"], [1.0])


def test_a_root_that_is_false_answers_nothing() -> None:
    nodes = node("r", 4, RED, counts(4, 0))
    answers = ask(tree("aggregateNodes", nodes), (1.0, "blue"), (1.0, None), (1.0, "red"))
    assert answers["kind"] == [None, "a", "a"]


def test_probabilities_with_weighted_confidences_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="probabilities"):
        load(tree("weightedConfidence", outputs=PROBABILITY))


def test_trees_without_the_counts_that_are_needed_are_refused() -> None:
    bare = '<Node score="a"><True/><Node score="b"><True/></Node></Node>'
    with pytest.raises(InvalidModel, match="recordCount"):
        load(tree("weightedConfidence", bare))
    with pytest.raises(InvalidModel, match="recordCount"):
        load(tree("aggregateNodes", bare))


def test_a_regression_that_aggregates_is_refused_by_name() -> None:
    body = (
        '<TreeModel functionName="regression" missingValueStrategy="aggregateNodes">'
        f"{schema('x', target='y')}<Node score='1'><True/></Node></TreeModel>"
    )
    with pytest.raises(UnsupportedModel, match="aggregateNodes"):
        load(document(body, X + Y_FIELD))


@pytest.mark.parametrize("strategy", ["defaultChild", "aggregateNodes"])
def test_a_penalty_on_confidences_is_refused_not_ignored(strategy: str) -> None:
    nodes = TREE.replace('id="root"', 'id="root" defaultChild="low"')
    nodes = nodes.replace('id="low"', 'id="low" defaultChild="low red"')
    with pytest.raises(UnsupportedModel, match="missingValuePenalty"):
        load(tree(strategy, nodes, more=' missingValuePenalty="0.8"'))


def test_such_trees_vote_inside_an_ensemble() -> None:
    inner = tree("aggregateNodes").decode()
    model = inner[inner.index("<TreeModel") : inner.index("</PMML>")]
    segments = "".join(f'<Segment id="{n}"><True/>{model}</Segment>' for n in (1, 2))
    body = (
        f'<MiningModel functionName="classification">{schema("x", "y", "c", target="kind")}'
        '<Output><OutputField name="p" feature="probability" value="a"/></Output>'
        f'<Segmentation multipleModelMethod="average">{segments}</Segmentation></MiningModel>'
    )
    answers = ask(document(body, FIELDS), (1.0, None), (9.0, None))
    assert answers["kind"] == ["a", "b"]
    assert answers["p"] == pytest.approx([40 / 60, 5 / 40])
