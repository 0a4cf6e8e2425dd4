"""Bayesian networks: the sum of the joint distribution over all that is not known, term by term."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, ModelstreamError, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import document, load, plain, schema, score
from tests.support.pmml_bayes import (
    ROOT,
    VALUES,
    Node,
    continuous,
    discrete,
    evidence,
    field,
    network,
    networks,
    normal,
    posterior,
    shares_of,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_discrete_target_has_the_share_of_the_joint_distribution(data: st.DataObject) -> None:
    nodes = data.draw(networks())
    target = data.draw(st.sampled_from([n.name for n in nodes if n.name.startswith("d")]))
    others = [n.name for n in nodes if n.name != target]
    inputs = data.draw(st.lists(st.sampled_from(others), unique=True))
    rows = data.draw(evidence(inputs)) if inputs else [{}]
    shuffled = data.draw(st.permutations(nodes))
    artifact = network("".join(n.xml() for n in shuffled), target, inputs, [n.name for n in nodes])
    columns = {name: [row[name] for row in rows] for name in inputs} or {target: [None]}
    answers = shares_of(artifact, **columns)
    for row, found in zip(rows, answers, strict=True):
        assert found == pytest.approx(posterior(nodes, target, row), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_continuous_target_is_a_mixture_of_its_conditionals(data: st.DataObject) -> None:
    nodes = data.draw(networks(continuous_nodes=1))
    target = nodes[-1]
    inputs = data.draw(st.lists(st.sampled_from([n.name for n in nodes[:-1]]), unique=True))
    rows = data.draw(evidence(inputs)) if inputs else [{}]
    artifact = network("".join(n.xml() for n in nodes), "x0", inputs, [n.name for n in nodes])
    columns = {name: [row[name] for row in rows] for name in inputs} or {"x0": [None]}
    answers = score(artifact, **columns)
    for number, row in enumerate(rows):
        hidden = [n.name for n in nodes[:-1] if row.get(n.name) is None]
        total = first = second = 0.0
        for values in itertools.product(VALUES, repeat=len(hidden)):
            full = row | dict(zip(hidden, values, strict=True))
            weight = math.prod(node.term(full) for node in nodes[:-1])
            (mean,) = target.table[tuple(full[parent] for parent in target.parents)]
            total, first = total + weight, first + weight * mean
            second += weight * (2.0 + mean**2)
        mean = first / total
        assert answers["x0"][number] == pytest.approx(mean, abs=1e-9)
        assert answers["deviation"][number] == pytest.approx(math.sqrt(second / total - mean**2))


SQUARE = (
    '<Apply function="*"><Constant>0.5</Constant><Apply function="pow"><FieldRef field="x0"/>'
    "<Constant>2</Constant></Apply></Apply>"
)


def test_a_parameter_is_an_expression_of_other_nodes() -> None:
    nodes = continuous("x0", (), {(): normal(0.0, 1.0)}) + continuous(
        "x1", (), {(): normal(SQUARE, 4.0)}
    )
    answers = score(network(nodes, "x1", ["x0"]), x0=[3.0, -1.0])
    assert plain(answers["x1"]) == [4.5, 0.5]
    assert plain(answers["deviation"]) == [2.0, 2.0]


def bins(name: str, source: str) -> str:
    return (
        f'<DerivedField name="{name}" optype="categorical" dataType="string">'
        f'<Discretize field="{source}">'
        '<DiscretizeBin binValue="low"><Interval closure="openOpen" rightMargin="0"/>'
        '</DiscretizeBin><DiscretizeBin binValue="high"><Interval closure="closedOpen" '
        'leftMargin="0" rightMargin="10"/></DiscretizeBin></Discretize></DerivedField>'
    )


BINNED = discrete("d0", ["bin"], {("low",): (0.5, 0.3, 0.2), ("high",): (0.1, 0.2, 0.7)}).replace(
    "<DiscreteConditional", bins("bin", "x0") + "<DiscreteConditional", 1
)


def test_a_continuous_parent_is_made_discrete_by_the_node_itself() -> None:
    nodes = BINNED + continuous("x0", (), {(): normal(0.0, 1.0)})
    found = shares_of(network(nodes, "d0", ["x0"]), x0=[-1.0, 1.0])
    assert found == [pytest.approx([0.5, 0.3, 0.2]), pytest.approx([0.1, 0.2, 0.7])]


def test_a_value_that_no_condition_is_about_has_no_answer() -> None:
    nodes = BINNED + continuous("x0", (), {(): normal(0.0, 1.0)})
    assert shares_of(network(nodes, "d0", ["x0"]), x0=[11.0]) == [[None] * 3]
    child = discrete("d1", ["d0"], {(value,): (1.0, 0.0, 0.0) for value in VALUES})
    impossible = network(ROOT.xml() + child, "d0", ["d1"])
    assert shares_of(impossible, d1=["v", "u"]) == [[None] * 3, pytest.approx([0.5, 0.3, 0.2])]


def test_a_record_whose_missing_number_matters_is_rejected() -> None:
    nodes = BINNED + continuous("x0", (), {(): normal(0.0, 1.0)})
    answers = score(network(nodes, "d0", ["x0"]), x0=[None, 1.0])
    assert list(answers.errors) == [0]
    assert "continuous node 'x0' is not known" in answers.errors[0]
    assert answers["d0"].tolist() == [None, "w"]


def test_a_hidden_number_that_does_not_matter_is_left_out() -> None:
    # x1 is above x0, and x0 is known; x2 is below all that is asked.
    nodes = (
        BINNED
        + continuous("x0", (), {(): normal('<FieldRef field="x1"/>', 1.0)})
        + continuous("x1", (), {(): normal(0.0, 1.0)})
        + continuous("x2", ["d0"], {(value,): normal(1.0, 1.0) for value in VALUES})
    )
    found = shares_of(network(nodes, "d0", ["x0"], ["x1", "x2"]), x0=[1.0])
    assert found == [pytest.approx([0.1, 0.2, 0.7])]


def test_many_nodes_do_not_underflow_and_need_no_table_of_all_combinations() -> None:
    table = {(value,): (0.001 + 0.001 * (value == "v"), 0.0, 1.0) for value in VALUES}
    names = [f"d{n}" for n in range(1, 180)]
    children = "".join(discrete(name, ["d0"], table) for name in names)
    assert 0.002 ** len(names) == 0.0
    found = shares_of(network(ROOT.xml() + children, "d0", names), **{n: ["u"] for n in names})
    assert found == [pytest.approx([0.0, 1.0, 0.0])]


def test_a_network_with_more_nodes_than_are_evaluated_is_refused() -> None:
    many = limits.PMML_NETWORK_NODES_MAX + 1
    nodes = "".join(discrete(f"d{number}", [], {(): (0.2, 0.3, 0.5)}) for number in range(many))
    with pytest.raises(UnsupportedModel, match=f"a network of {many} nodes"):
        load(network(nodes, "d0", []))


def test_rows_are_answered_alike_alone_and_together() -> None:
    chain = [
        ROOT,
        Node(
            "d1",
            ("d0",),
            {
                (v,): s
                for v, s in zip(
                    VALUES, [(0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.3, 0.3, 0.4)], strict=True
                )
            },
        ),
    ]
    artifact = network("".join(n.xml() for n in chain), "d1", ["d0"])
    rows = ["u", None, "w", "u", None]
    together = shares_of(artifact, d0=rows)
    assert together == [shares_of(artifact, d0=[row])[0] for row in rows]
    assert shares_of(artifact, d0=[]) == []


X0 = continuous("x0", (), {(): normal(0.0, 1.0)})
BELOW_TARGET = ROOT.xml() + X0 + continuous("x1", (), {(): normal('<FieldRef field="x0"/>', 1.0)})


@pytest.mark.parametrize(
    ("nodes", "target", "inputs", "error", "message"),
    [
        (ROOT.xml() * 2, "d0", [], InvalidModel, "one name"),
        (ROOT.xml(), "d1", ["d0"], InvalidModel, "not a node"),
        ('<DiscreteNode name="d0"/>', "d0", [], InvalidModel, "either a distribution"),
        (BINNED + X0, "d0", [], UnsupportedModel, "continuous node 'x0' is not known"),
        (BELOW_TARGET, "x0", ["x1"], UnsupportedModel, "nodes that depend on it"),
        (ROOT.xml().replace("0.5", "0.9"), "d0", [], InvalidModel, "add up to 1.4"),
        (ROOT.xml().replace("0.5", "-0.5"), "d0", [], InvalidModel, "none from 0 to 1"),
        (ROOT.xml() + ROOT.xml().replace('"v"', '"u"'), "d0", [], InvalidModel, "one name"),
        (ROOT.xml().replace('"v"', '"u"'), "d0", [], InvalidModel, "two probabilities"),
        (ROOT.xml() + discrete("d1", ["d0"], {("u",): (1.0,)}), "d0", ["d1"], InvalidModel, "1 conditionals for 3"),
        (ROOT.xml() + discrete("d1", ["d0"], {("u",): (0.5, 0.5), ("v",): (0.5, 0.5), ("q",): (0.5, 0.5)}), "d1", ["d0"], InvalidModel, "'q' is not one of u, v, w"),
        (discrete("d0", ["d0"], {(v,): (0.2, 0.3, 0.5) for v in VALUES}), "d0", [], InvalidModel, "parents of themselves"),
        (X0 + discrete("d0", ["x0"], {("1",): (0.2, 0.3, 0.5)}), "d0", ["x0"], InvalidModel, "make it discrete"),
        (ROOT.xml() + continuous("x0", (), {(): normal('<FieldRef field="d0"/>', 1.0)}), "x0", ["d0"], UnsupportedModel, "value of a discrete node"),
        (X0.replace("Normal", "Lognormal"), "x0", [], UnsupportedModel, "LognormalDistributionForBN"),
        ('<ContinuousNode name="x0"><ContinuousDistribution/></ContinuousNode>', "x0", [], InvalidModel, "holds 0 distributions"),
    ],
)  # fmt: skip
def test_a_network_that_is_contradictory_or_not_exact_is_refused(
    nodes: str, target: str, inputs: list[str], error: type[ModelstreamError], message: str
) -> None:
    with pytest.raises(error, match=message):
        load(network(nodes, target, inputs, ["d0", "x0"]))


def test_a_conditional_must_be_of_the_same_parents_as_the_others_and_stated_once() -> None:
    cells = {(v,): (0.2, 0.3, 0.5) for v in VALUES}
    twice = ROOT.xml() + discrete("d1", ["d0"], cells).replace(
        'parent="d0" value="w"', 'parent="d0" value="v"'
    )
    with pytest.raises(InvalidModel, match="two conditionals"):
        load(network(twice, "d1", ["d0"]))
    other = ROOT.xml() + discrete("d1", ["d0"], cells).replace(
        'parent="d0" value="w"', 'parent="d2" value="w"'
    )
    with pytest.raises(InvalidModel, match="not of the same parents"):
        load(network(other, "d1", ["d0"]))


def test_without_a_target_a_network_is_refused() -> None:
    body = (
        f'<BayesianNetworkModel functionName="mixed">{schema("d0")}'
        f"<BayesianNetworkNodes>{ROOT.xml()}</BayesianNetworkNodes></BayesianNetworkModel>"
    )
    with pytest.raises(UnsupportedModel, match="declared target"):
        load(document(body, field("d0")))
