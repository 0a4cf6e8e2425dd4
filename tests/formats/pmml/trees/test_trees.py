"""Trees: every strategy against the standard's text, read row by row."""

from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.forests import Forest
from modelstream.formats.pmml.elements.models import TreeModel
from modelstream.formats.pmml.format import Lowered
from modelstream.formats.pmml.reader import read_document
from modelstream.formats.trees.arrays import array_of
from modelstream.formats.trees.onnx_graph import LESS_OR_EQUAL
from tests.support.pmml import KIND, C, X, Y, document, load, lower, plain, schema, score
from tests.support.pmml_reference import Row, Tree
from tests.support.pmml_trees import FIELDS, WORDS, rows, trees

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def columns(given_rows: list[Row]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in given_rows] for name in given_rows[0]}


@SLOW
@given(model=trees(), given_rows=rows())
def test_a_tree_answers_as_the_standard_reads(model: str, given_rows: list[Row]) -> None:
    wanted = [winner(model, row) for row in given_rows]
    answers = score(document(model, FIELDS), **columns(given_rows))
    assert plain(answers["kind"]) == wanted


@SLOW
@given(model=trees(), given_rows=rows())
def test_a_tree_on_declared_values_answers_as_the_standard_reads(
    model: str, given_rows: list[Row]
) -> None:
    values = "".join(f'<Value value="{word}"/>' for word in (*WORDS, "unheard of"))
    field = '<DataField name="w" optype="categorical" dataType="string"'
    fields = FIELDS.replace(f"{field}/>", f"{field}>{values}</DataField>")
    assert fields != FIELDS
    answers = score(document(model, fields), **columns(given_rows))
    assert plain(answers["kind"]) == [winner(model, row) for row in given_rows]


@SLOW
@given(model=trees(), given_rows=rows())
def test_a_tree_on_replaced_values_answers_as_the_standard_reads(
    model: str, given_rows: list[Row]
) -> None:
    others: Row = {"u": 0.25, "w": "red"}
    replacing = model
    for name, value in others.items():
        field = f'<MiningField name="{name}"'
        replacing = replacing.replace(field, f'{field} missingValueReplacement="{value}"')
    filled = [
        {name: others.get(name) if value is None else value for name, value in row.items()}
        for row in given_rows
    ]
    answers = score(document(replacing, FIELDS), **columns(given_rows))
    assert plain(answers["kind"]) == [winner(model, row) for row in filled]


def winner(model: str, row: Row) -> str | None:
    node = Tree(ET.fromstring(model)).winner(row)
    return None if node is None else node.attrib["score"]


def test_a_split_of_declared_values_is_one_comparison_a_node() -> None:
    values = "".join(f'<Value value="{value}"/>' for value in "abcd")
    fields = f'<DataField name="c" optype="categorical" dataType="string">{values}</DataField>{Y}'
    body = (
        '<TreeModel functionName="regression"><MiningSchema>'
        '<MiningField name="c" missingValueTreatment="returnInvalid"/>'
        '<MiningField name="y" usageType="target"/></MiningSchema><Node><True/>'
        f"{_in('d b', '1')}<Node>{_set('a c')}{_in('c', '2')}{_in('a b d', '3')}</Node></Node></TreeModel>"
    )
    forest = load_forest(document(body, fields))
    assert array_of(forest.trees.mode, "<u1").tolist() == [LESS_OR_EQUAL, LESS_OR_EQUAL]
    answers = score(document(body, fields), c=["a", "b", "c", "d", None, "e"])
    assert plain(answers["y"]) == [3.0, 1.0, 2.0, 1.0, None, None]
    assert sorted(answers.errors) == [4, 5]


def _set(words: str) -> str:
    array = f'<Array type="string">{words}</Array>'
    return f'<SimpleSetPredicate field="c" booleanOperator="isIn">{array}</SimpleSetPredicate>'


def _in(words: str, answer: str) -> str:
    return f'<Node score="{answer}">{_set(words)}</Node>'


def load_forest(artifact: bytes) -> Forest:
    model = msgspec.msgpack.decode(lower(artifact), type=Lowered).document.models[0]
    assert isinstance(model, TreeModel)
    assert model.forest is not None
    return model.forest


def test_an_exclusive_or_can_be_true_by_what_is_missing() -> None:
    nodes = (
        '<Node score="0"><True/><Node score="1"><CompoundPredicate booleanOperator="xor">'
        '<SimplePredicate field="x" operator="isNotMissing"/><True/></CompoundPredicate>'
        '<Node score="2"><SimplePredicate field="x" operator="isMissing"/></Node></Node></Node>'
    )
    assert plain(score(tree(nodes), x=[None, 1])["y"]) == [2.0, None]


def tree(nodes: str, **attributes: str) -> bytes:
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    body = f'<TreeModel functionName="regression"{declared}>{schema("x", target="y")}{nodes}</TreeModel>'
    return document(body)


SPLIT = (
    '<Node id="0" score="0" defaultChild="2"><True/>'
    '<Node id="1" score="1"><SimplePredicate field="x" operator="lessOrEqual" value="5"/></Node>'
    '<Node id="2" score="2"><SimplePredicate field="x" operator="greaterThan" value="5"/></Node>'
    "</Node>"
)


@pytest.mark.parametrize(
    ("strategy", "answer"),
    [("none", None), ("nullPrediction", None), ("lastPrediction", 0.0), ("defaultChild", 2.0)],
)
def test_a_missing_value_is_treated_as_declared(strategy: str, answer: float | None) -> None:
    answers = score(tree(SPLIT, missingValueStrategy=strategy), x=[5.0, 5.1, None])
    assert plain(answers["y"]) == [1.0, 2.0, answer]
    assert not answers.errors


def test_without_a_true_child_the_answer_is_null_or_the_last() -> None:
    nodes = (
        '<Node score="7"><True/><Node score="1">'
        '<SimplePredicate field="x" operator="lessThan" value="0"/></Node></Node>'
    )
    assert plain(score(tree(nodes), x=[-1, 1])["y"]) == [1.0, None]
    last = tree(nodes, noTrueChildStrategy="returnLastPrediction")
    assert plain(score(last, x=[-1, 1])["y"]) == [1.0, 7.0]


def test_a_node_without_a_score_answers_nothing() -> None:
    assert plain(score(tree("<Node><True/></Node>"), x=[1])["y"]) == [None]


@pytest.mark.parametrize("data_type", ["double", "float"])
def test_thresholds_are_compared_in_the_precision_of_the_field(data_type: str) -> None:
    field = f'<DataField name="x" optype="continuous" dataType="{data_type}"/>'
    nodes = SPLIT.replace('value="5"', 'value="0.1"')
    body = f'<TreeModel functionName="regression">{schema("x", target="y")}{nodes}</TreeModel>'
    # 0.1 in single precision is greater than in double precision.
    single = float.fromhex("0x1.99999ap-4")
    answers = score(document(body, field + Y), x=[0.1, single])
    assert plain(answers["y"]) == ([1.0, 2.0] if data_type == "double" else [1.0, 1.0])


CLASSES = (
    '<Node id="r" score="b"><True/>'
    '<Node id="l"><SimplePredicate field="x" operator="lessThan" value="0"/>'
    '<ScoreDistribution value="a" recordCount="3"/><ScoreDistribution value="b" recordCount="1"/>'
    "</Node>"
    '<Node id="m" score="b"><SimplePredicate field="x" operator="lessThan" value="1"/>'
    '<ScoreDistribution value="a" recordCount="9" probability="0.25" confidence="0.2"/>'
    '<ScoreDistribution value="b" recordCount="1" probability="0.75" confidence="0.7"/></Node>'
    '<Node id="h" score="b"><True/></Node></Node>'
)


def classes(outputs: str) -> bytes:
    body = (
        f'<TreeModel functionName="classification">{schema("x", target="kind")}'
        f"<Output>{outputs}</Output>{CLASSES}</TreeModel>"
    )
    return document(body, X + KIND)


def test_probabilities_are_declared_or_counted_or_certain() -> None:
    artifact = classes(
        '<OutputField name="p" feature="probability" value="a"/>'
        '<OutputField name="top" feature="probability"/>'
        '<OutputField name="sure" feature="confidence" value="b"/>'
        '<OutputField name="node" feature="entityId"/>'
    )
    answers = score(artifact, x=[-1, 0.5, 2])
    assert plain(answers["kind"]) == ["a", "b", "b"]
    assert plain(answers["p"]) == [0.75, 0.25, 0.0]
    assert plain(answers["top"]) == [0.75, 0.75, 1.0]
    assert plain(answers["sure"]) == [None, 0.7, None]
    assert plain(answers["node"]) == ["l", "m", "h"]


def test_a_default_child_must_be_one_of_the_children() -> None:
    nodes = SPLIT.replace('defaultChild="2"', 'defaultChild="9"')
    with pytest.raises(InvalidModel, match="defaultChild"):
        load(tree(nodes, missingValueStrategy="defaultChild"))


def test_a_score_of_a_regression_must_be_a_number() -> None:
    with pytest.raises(InvalidModel, match="'high'"):
        load(tree('<Node score="high"><True/></Node>'))


def test_order_of_strings_is_refused_by_name() -> None:
    body = (
        f'<TreeModel functionName="regression">{schema("c", target="y")}'
        '<Node score="1"><SimplePredicate field="c" operator="lessThan" value="m"/></Node>'
        "</TreeModel>"
    )
    with pytest.raises(UnsupportedModel, match="lessThan"):
        load(document(body, C + Y))


def chain_of_nodes(length: int) -> str:
    opened = "".join(
        f'<Node score="{n}"><SimplePredicate field="x" operator="lessThan" value="{1000 - n}"/>'
        for n in range(length)
    )
    return opened + "</Node>" * length


def test_a_deep_tree_costs_no_recursion() -> None:
    deep = tree(chain_of_nodes(900), noTrueChildStrategy="returnLastPrediction")
    assert plain(score(deep, x=[500.5, 50.0])["y"]) == [499.0, 899.0]


def test_a_tree_of_a_hundred_thousand_nested_nodes_is_refused() -> None:
    with pytest.raises(InvalidModel, match=str(limits.PMML_DEPTH_MAX)):
        read_document(tree(chain_of_nodes(100_000)))


def test_many_children_are_decided_outside_the_forest() -> None:
    children = "".join(
        f'<Node score="{n}"><SimplePredicate field="x" operator="lessThan" value="{n}"/></Node>'
        for n in range(500)
    )
    wide = tree(f"<Node><True/>{children}</Node>")
    assert plain(score(wide, x=[-5.0, 0.0, 77.5, 498.0, 499.0, None])["y"]) == [
        0.0,
        1.0,
        78.0,
        499.0,
        None,
        None,
    ]


def test_predicates_nested_beyond_reason_are_refused() -> None:
    depth = limits.PMML_EXPRESSION_DEPTH_MAX + 1
    leaf = '<SimplePredicate field="x" operator="lessThan" value="0"/>'
    opened = '<CompoundPredicate booleanOperator="and"><True/>' * depth
    predicate = opened + leaf + "</CompoundPredicate>" * depth
    nodes = f'<Node><True/><Node score="1">{predicate}</Node></Node>'
    with pytest.raises(InvalidModel, match="nested"):
        load(tree(nodes))


def test_sets_and_missing_values_lead_to_one_leaf_in_several_ways() -> None:
    def among(values: str, operator: str) -> str:
        array = f'<Array type="string">{values}</Array>'
        return f'<SimpleSetPredicate field="c" booleanOperator="{operator}">{array}</SimpleSetPredicate>'

    nodes = (
        '<Node id="1" defaultChild="4"><True/>'
        '<Node id="3" score="3"><SimplePredicate field="c" operator="equal" value="red"/></Node>'
        '<Node id="4" defaultChild="6"><True/>'
        '<Node id="5" score="5"><CompoundPredicate booleanOperator="and">'
        f"{among('grey blue', 'isNotIn')}{among('green', 'isNotIn')}"
        '<SimplePredicate field="x" operator="equal" value="0.25"/></CompoundPredicate></Node>'
        '<Node id="6" score="6"><SimplePredicate field="c" operator="equal" value="green"/></Node>'
        "</Node></Node>"
    )
    body = (
        '<TreeModel functionName="regression" missingValueStrategy="defaultChild">'
        f"{schema('x', 'c', target='y')}{nodes}</TreeModel>"
    )
    answers = score(
        document(body, X + C + Y),
        x=[0.5, 0.25, 0.25, 0.25, 0.25, 0.5],
        c=[None, None, "red", "green", "pink", "pink"],
    )
    assert plain(answers["y"]) == [6.0, 6.0, 3.0, 6.0, 5.0, None]
