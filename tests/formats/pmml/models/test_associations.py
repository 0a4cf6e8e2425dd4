"""Association rules: which apply to a row, and their ranks (DMG 4.4, Association rules, Output)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import X, Y, document, load, plain, regression, schema, score

BASKET = '<DataField name="basket" optype="categorical" dataType="string"/>'
ITEMS = "".join(
    f'<Item id="{n}" value="{value}"/>' for n, value in enumerate(("tea", "milk", "cake", "jam"))
)


MEASURES = ("support", "confidence", "lift", "leverage", "affinity")


def itemset(name: str, *items: int) -> str:
    inner = "".join(f'<ItemRef itemRef="{item}"/>' for item in items)
    return f'<Itemset id="{name}" numberOfItems="{len(items)}">{inner}</Itemset>'


SETS = itemset("t", 0) + itemset("m", 1) + itemset("c", 2) + itemset("tm", 0, 1) + itemset("none")
RULES = (
    '<AssociationRule id="tea, so milk" antecedent="t" consequent="m" support="0.4" '
    'confidence="0.8" lift="1.1"/>'
    '<AssociationRule antecedent="t" consequent="c" support="0.2" confidence="0.4" lift="1.6"/>'
    '<AssociationRule antecedent="tm" consequent="c" support="0.1" confidence="0.5" lift="2.0"/>'
    '<AssociationRule antecedent="none" consequent="t" support="0.5" confidence="0.5" lift="1.0"/>'
)


def output(name: str, feature: str, more: str = "") -> str:
    return f'<OutputField name="{name}" feature="{feature}" {more}/>'


def association(
    outputs: str, items: str = ITEMS, rules: str = RULES, names: tuple[str, ...] = ("basket",)
) -> bytes:
    body = (
        '<AssociationModel functionName="associationRules" numberOfTransactions="10" '
        'minimumSupport="0.1" minimumConfidence="0.1" numberOfItems="4" numberOfItemsets="5" '
        f'numberOfRules="4">{schema(*names)}<Output>{outputs}</Output>'
        f"{items}{SETS}{rules}</AssociationModel>"
    )
    fields = BASKET + X + Y + '<DataField name="f" optype="categorical" dataType="boolean"/>'
    return document(body, fields)


def ask(outputs: str, *baskets: Any) -> dict[str, list[Any]]:
    answers = score(association(outputs), basket=baskets)
    assert not answers.errors
    return {name: plain(answers[name]) for name in answers}


def test_the_best_rule_that_says_something_new_is_recommended() -> None:
    outputs = "".join(
        output(feature, feature)
        for feature in ("antecedent", "consequent", "rule", "ruleId", "entityId", "confidence")
    )
    answers = ask(outputs, ["tea"], ["tea", "milk"], "tea", None, ["jam", "unknown"])
    nothing_bought = "{}->{tea}"
    assert answers == {
        "antecedent": ["{tea}", "{tea, milk}", "{tea}", "{}", "{}"],
        "consequent": ["{milk}", "{cake}", "{milk}", "{tea}", "{tea}"],
        "rule": ["{tea}->{milk}", "{tea, milk}->{cake}", "{tea}->{milk}", *[nothing_bought] * 2],
        "ruleId": ["tea, so milk", "3", "tea, so milk", "4", "4"],
        "entityId": ["tea, so milk", "3", "tea, so milk", "4", "4"],
        "confidence": [0.8, 0.5, 0.8, 0.5, 0.5],
    }


@pytest.mark.parametrize(
    ("algorithm", "ids"),
    [
        ("recommendation", ["tea, so milk", "3", "4", "2"]),
        ("exclusiveRecommendation", ["3", "2", None, None]),
        ("ruleAssociation", ["tea, so milk", "4", None, None]),
    ],
)
def test_each_algorithm_chooses_among_its_rules(algorithm: str, ids: list[str | None]) -> None:
    outputs = "".join(
        output(f"r{rank}", "ruleId", f'algorithm="{algorithm}" rank="{rank}"')
        for rank in (1, 2, 3, 4)
    )
    answers = ask(outputs, ["milk", "tea"])
    assert [answers[f"r{rank}"][0] for rank in (1, 2, 3, 4)] == ids


def test_rules_are_ranked_by_any_measure_in_either_order() -> None:
    outputs = (
        output("high", "lift", 'algorithm="recommendation" rankBasis="lift"')
        + output("low", "lift", 'algorithm="recommendation" rankBasis="lift" rankOrder="ascending"')
        + output("second", "support", 'algorithm="recommendation" rank="2" rankBasis="support"')
    )
    assert ask(outputs, ["milk", "tea"]) == {"high": [2.0], "low": [1.0], "second": [0.4]}


def test_an_output_of_several_values_is_a_list_of_so_many_or_of_all() -> None:
    outputs = (
        output("two", "ruleValue", 'ruleFeature="ruleId" isMultiValued="1" rank="2"')
        + output("all", "ruleValue", 'ruleFeature="consequent" isMultiValued="1" rank="0"')
        + output("one", "confidence", 'isMultiValued="1" dataType="double"')
    )
    answers = ask(outputs, ["milk"], ["milk", "tea"], ["tea", "milk", "cake"])
    assert {name: [json.loads(text) for text in found] for name, found in answers.items()} == {
        "two": [["4"], ["3", "2"], []],
        "all": [["{tea}"], ["{cake}", "{cake}"], []],
        "one": [[0.5], [0.5], []],
    }


@pytest.mark.parametrize("feature", ["antecedent", "consequent", "rule", "ruleId", *MEASURES])
def test_a_rule_value_is_any_feature_of_a_rule_of_any_rank(feature: str) -> None:
    outputs = "".join(
        output(f"{feature}{rank}", "ruleValue", f'ruleFeature="{feature}" rank="{rank}"')
        + output(f"own{rank}", feature, f'rank="{rank}"')
        for rank in (1, 2, 3)
    )
    answers = ask(outputs, ["milk", "tea"])
    says: dict[str, list[Any]] = {
        "antecedent": ["{tea, milk}", "{tea}"],
        "consequent": ["{cake}", "{cake}"],
        "rule": ["{tea, milk}->{cake}", "{tea}->{cake}"],
        "ruleId": ["3", "2"],
        "support": [0.1, 0.2],
        "confidence": [0.5, 0.4],
        "lift": [2.0, 1.6],
        "leverage": [None, None],
        "affinity": [None, None],
    }
    assert [answers[f"{feature}{rank}"][0] for rank in (1, 2, 3)] == [*says[feature], None]
    assert [answers[f"own{rank}"][0] for rank in (1, 2, 3)] == [*says[feature], None]


def test_several_values_of_what_has_one_are_refused() -> None:
    inner = '<Output><OutputField name="o" isMultiValued="1"/></Output>'
    with pytest.raises(UnsupportedModel, match="isMultiValued of predictedValue"):
        load(document(regression(inner=inner)))


def test_the_older_rule_value_asks_for_a_rule_feature() -> None:
    outputs = output("a", "ruleValue") + output("b", "ruleValue", 'ruleFeature="antecedent"')
    assert ask(outputs, ["tea"]) == {"a": ["{milk}"], "b": ["{tea}"]}


def test_items_may_be_categories_of_fields() -> None:
    items = (
        '<Item id="0" value="f" field="f"/><Item id="1" value="x=1" field="x" category="1"/>'
        '<Item id="2" value="2" field="x"/><Item id="3" value="f=false" field="f" category="false"/>'
    )
    artifact = association(output("id", "ruleId"), items, names=("f", "x"))
    answers = score(artifact, f=[True, True, False, None], x=[None, 1, 2, 1])
    assert plain(answers["id"]) == ["tea, so milk", "3", "4", "4"]


def test_items_that_are_no_texts_are_known_as_json_writes_them() -> None:
    items = "".join(
        f'<Item id="{n}" value="{value}"/>' for n, value in enumerate(("7", "2.5", "true", "null"))
    )
    artifact = association(output("id", "ruleId"), items)
    answers = score(artifact, basket=[[7], [7, 2.5], [True], "[7, [8]]", "[7"])
    assert plain(answers["id"]) == ["tea, so milk", "3", "4", "4", "4"]


@pytest.mark.parametrize(
    "more",
    [
        'rank="0"',
        'algorithm="guess"',
        'rankBasis="leverage"',
        'rankOrder="up"',
        'isMultiValued="1" rank="-1"',
    ],
)
def test_rankings_that_are_not_evaluated_are_refused(more: str) -> None:
    with pytest.raises((UnsupportedModel, InvalidModel), match="'o'"):
        load(association(output("o", "ruleId", more)))


def test_a_predicted_value_of_rules_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="predictedValue"):
        load(association(output("o", "predictedValue")))


def test_dangling_references_are_refused() -> None:
    wrong = RULES.replace('antecedent="tm"', 'antecedent="?"')
    with pytest.raises(InvalidModel, match=r"'\?'"):
        load(association(output("o", "ruleId"), rules=wrong))
    with pytest.raises(InvalidModel, match="Item"):
        load(association(output("o", "ruleId"), items=ITEMS.replace('id="0"', 'id="9"')))
    with pytest.raises(InvalidModel, match="AssociationRule"):
        load(association(output("o", "ruleId"), rules=""))


def test_items_of_no_one_field_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="one active field"):
        load(association(output("o", "ruleId"), names=("basket", "x")))
    with pytest.raises(UnsupportedModel, match="string"):
        load(association(output("o", "ruleId"), names=("x",)))
    mixed = ITEMS.replace('value="jam"', 'value="jam" field="basket"')
    with pytest.raises(UnsupportedModel, match="mixed"):
        load(association(output("o", "ruleId"), items=mixed))
    with pytest.raises(InvalidModel, match="two Items"):
        load(association(output("o", "ruleId"), items=ITEMS.replace("jam", "tea")))


def inside(method: str) -> bytes:
    inner = association(output("id", "ruleId")).decode()
    rules = inner[inner.index("<AssociationModel") : inner.index("</PMML>")]
    line = (
        f'<RegressionModel functionName="regression">{schema("x", target="y")}'
        '<RegressionTable intercept="1"/></RegressionModel>'
    )
    body = (
        f'<MiningModel functionName="regression">{schema("basket", "x", target="y")}'
        f'<Segmentation multipleModelMethod="{method}"><Segment><True/>{rules}</Segment>'
        f"<Segment><True/>{line}</Segment></Segmentation></MiningModel>"
    )
    return document(body, BASKET + X + Y)


def test_rules_pass_on_their_outputs_in_a_chain_and_stand_in_no_ensemble() -> None:
    answers = score(inside("modelChain"), basket=[["tea"]], x=[0.0])
    assert (plain(answers["id"]), plain(answers["y"])) == (["tea, so milk"], [1.0])
    with pytest.raises(UnsupportedModel, match="chain"):
        load(inside("sum"))


@settings(max_examples=80, deadline=None)
@given(
    rules=st.lists(
        st.tuples(
            st.sampled_from(["t", "m", "c", "tm", "none"]),
            st.sampled_from(["t", "m", "c", "tm"]),
            st.sampled_from([0.25, 0.5, 0.75]),
        ),
        min_size=1,
        max_size=6,
    ),
    algorithm=st.sampled_from(["recommendation", "exclusiveRecommendation", "ruleAssociation"]),
    baskets=st.lists(st.sets(st.sampled_from(["tea", "milk", "cake", "ink"])), min_size=1),
    rank=st.integers(1, 3),
)
def test_rules_are_chosen_as_the_standard_reads(
    rules: list[tuple[str, str, float]], algorithm: str, baskets: list[set[str]], rank: int
) -> None:
    written = "".join(
        f'<AssociationRule antecedent="{a}" consequent="{c}" support="0.1" confidence="{p}"/>'
        for a, c, p in rules
    )
    artifact = association(
        output("id", "ruleId", f'algorithm="{algorithm}" rank="{rank}"'), rules=written
    )
    members = {
        "t": {"tea"}, "m": {"milk"}, "c": {"cake"}, "tm": {"tea", "milk"}, "none": set(),
    }  # fmt: skip
    wanted = []
    for basket in baskets:
        applying = []
        for number, (before, after, confidence) in enumerate(rules, start=1):
            bought = members[after] <= basket
            fits = {
                "recommendation": True,
                "exclusiveRecommendation": not bought,
                "ruleAssociation": bought,
            }
            if members[before] <= basket and fits[algorithm]:
                applying.append((-confidence, number))
        ranked = [str(number) for _, number in sorted(applying)]
        wanted.append(ranked[rank - 1] if rank <= len(ranked) else None)
    answers = score(artifact, basket=[sorted(basket) for basket in baskets])
    assert plain(answers["id"]) == wanted
