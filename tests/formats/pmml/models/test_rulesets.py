"""Rule sets: selection of rules, confidences, the default score (DMG 4.4, Ruleset)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, X, document, load, plain, schema, score

OUTPUTS = (
    '<Output><OutputField name="rule" feature="entityId"/>'
    '<OutputField name="sure" feature="confidence"/>'
    '<OutputField name="sure_a" feature="confidence" value="a"/></Output>'
)
SURE = (
    '<Output><OutputField name="sure" feature="confidence"/>'
    '<OutputField name="sure_a" feature="confidence" value="a"/>'
    '<OutputField name="sure_b" feature="confidence" value="b"/></Output>'
)
# All fire for x = 5; the first and the third for x = 1; none for x = -1.
RULES = (
    '<SimpleRule id="first" score="a" confidence="0.9" weight="0.3">'
    '<SimplePredicate field="x" operator="greaterThan" value="0"/></SimpleRule>'
    '<SimpleRule score="b" confidence="0.6" weight="0.5">'
    '<SimplePredicate field="x" operator="greaterThan" value="2"/></SimpleRule>'
    '<SimpleRule id="third" score="b" confidence="0.45" weight="0.2">'
    '<SimplePredicate field="x" operator="greaterThan" value="0"/></SimpleRule>'
)
DEFAULT = 'defaultScore="b" defaultConfidence="0.1"'


def rule_set(
    criterion: str, rules: str = RULES, default: str = DEFAULT, outputs: str = ""
) -> bytes:
    body = (
        f'<RuleSetModel functionName="classification">{schema("x", target="kind")}{outputs}'
        f'<RuleSet {default}><RuleSelectionMethod criterion="{criterion}"/>{rules}</RuleSet>'
        "</RuleSetModel>"
    )
    return document(body, X + KIND)


def test_first_hit_answers_with_the_first_rule_that_fires() -> None:
    answers = score(rule_set("firstHit", outputs=OUTPUTS), x=[5, 1, -1, None])
    assert plain(answers["kind"]) == ["a", "a", "b", "b"]
    assert plain(answers["rule"]) == ["first", "first", None, None]
    assert plain(answers["sure"]) == [0.9, 0.9, 0.1, 0.1]
    assert plain(answers["sure_a"]) == [0.9, 0.9, None, None]


def test_weighted_max_answers_with_the_heaviest_rule_that_fires() -> None:
    answers = score(rule_set("weightedMax", outputs=OUTPUTS), x=[5, 1, -1])
    assert plain(answers["kind"]) == ["b", "a", "b"]
    assert plain(answers["rule"]) == ["2", "first", None]
    assert plain(answers["sure"]) == [0.6, 0.9, 0.1]


def test_of_rules_with_one_weight_the_first_is_chosen() -> None:
    answers = score(
        rule_set("weightedMax", RULES.replace('"0.5"', '"0.3"'), outputs=OUTPUTS), x=[5]
    )
    assert plain(answers["rule"]) == ["first"]


def test_weighted_sum_answers_with_the_heaviest_category() -> None:
    answers = score(rule_set("weightedSum", outputs=SURE), x=[5, 1, -1])
    assert plain(answers["kind"]) == ["b", "a", "b"]
    assert plain(answers["sure"]) == pytest.approx([(0.6 + 0.45) / 3, 0.9 / 2, 0.1])
    assert plain(answers["sure_a"])[:2] == pytest.approx([0.9 / 3, 0.9 / 2])


def test_of_categories_with_one_weight_the_one_declared_first_is_chosen() -> None:
    rules = RULES.replace('weight="0.3"', 'weight="0.2"')
    assert plain(score(rule_set("weightedSum", rules), x=[1])["kind"]) == ["a"]


def test_without_a_default_score_nothing_is_answered() -> None:
    assert plain(score(rule_set("firstHit", default=""), x=[-1, None])["kind"]) == [None, None]


def test_a_rule_inside_a_compound_rule_fires_where_both_predicates_hold() -> None:
    inner = (
        '<CompoundRule><SimplePredicate field="x" operator="greaterThan" value="0"/>'
        '<SimpleRule id="deep" score="a">'
        '<SimplePredicate field="x" operator="lessThan" value="2"/></SimpleRule>'
        '<CompoundRule><SimplePredicate field="x" operator="lessThan" value="4"/>'
        '<SimpleRule score="b"><True/></SimpleRule></CompoundRule></CompoundRule>'
        '<SimpleRule score="a"><True/></SimpleRule>'
    )
    answers = score(rule_set("firstHit", inner, outputs=OUTPUTS), x=[1, 3, 5, -1])
    assert plain(answers["kind"]) == ["a", "b", "a", "a"]
    assert plain(answers["rule"]) == ["deep", "2", "3", "3"]


def test_the_first_selection_method_is_the_one_to_use() -> None:
    more = '<RuleSelectionMethod criterion="weightedMax"/>' + RULES
    assert plain(score(rule_set("firstHit", more), x=[5])["kind"]) == ["a"]


def test_a_rule_set_without_a_selection_method_is_refused() -> None:
    artifact = rule_set("firstHit").replace(b'<RuleSelectionMethod criterion="firstHit"/>', b"")
    with pytest.raises(InvalidModel, match="RuleSelectionMethod"):
        load(artifact)


@pytest.mark.parametrize(
    ("criterion", "output"),
    [
        ("weightedSum", '<OutputField name="o" feature="entityId"/>'),
        ("firstHit", '<OutputField name="o" feature="entityId" rank="2"/>'),
        ("firstHit", '<OutputField name="o" feature="probability" value="a"/>'),
    ],
)
def test_what_the_standard_does_not_define_is_refused(criterion: str, output: str) -> None:
    with pytest.raises(UnsupportedModel, match="'o'"):
        load(rule_set(criterion, outputs=f"<Output>{output}</Output>"))


def ensemble(method: str) -> bytes:
    inner = rule_set("firstHit").decode()
    model = inner[inner.index("<RuleSetModel") : inner.index("</PMML>")]
    segments = "".join(f'<Segment id="{n}"><True/>{model}</Segment>' for n in (1, 2))
    body = (
        f'<MiningModel functionName="classification">{schema("x", target="kind")}'
        f'<Segmentation multipleModelMethod="{method}">{segments}</Segmentation></MiningModel>'
    )
    return document(body, X + KIND)


def test_rule_sets_vote_inside_an_ensemble() -> None:
    assert plain(score(ensemble("majorityVote"), x=[5, -1])["kind"]) == ["a", "b"]


def test_an_average_of_rule_sets_is_refused_since_they_give_no_probabilities() -> None:
    with pytest.raises(UnsupportedModel, match="probabilities"):
        load(ensemble("average"))


@st.composite
def random_rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    rule = st.fixed_dictionaries(
        {
            "score": st.sampled_from(["a", "b", "c"]),
            "low": st.integers(-3, 3),
            "weight": st.sampled_from([0.25, 0.5, 1.0]),
            "confidence": st.sampled_from([0.25, 0.5, 0.75]),
        }
    )
    return draw(st.lists(rule, min_size=1, max_size=6))


def by_hand(rules: list[dict[str, Any]], criterion: str, x: float) -> tuple[Any, Any]:
    """Return the answer and its confidence for one row, as the standard's text has it."""
    fired = [rule for rule in rules if x > rule["low"]]
    if not fired:
        return None, None
    if criterion == "firstHit":
        return fired[0]["score"], fired[0]["confidence"]
    if criterion == "weightedMax":
        heaviest = max(rule["weight"] for rule in fired)
        winner = next(rule for rule in fired if rule["weight"] == heaviest)
        return winner["score"], winner["confidence"]
    declared = dict.fromkeys(["a", "b", *(rule["score"] for rule in rules)])
    totals = {
        label: sum(rule["weight"] for rule in fired if rule["score"] == label) for label in declared
    }
    best = next(label for label in declared if totals[label] == max(totals.values()))
    total = sum(rule["confidence"] for rule in fired if rule["score"] == best)
    return best, total / len(fired)


@settings(max_examples=100, deadline=None)
@given(
    rules=random_rules(),
    criterion=st.sampled_from(["firstHit", "weightedMax", "weightedSum"]),
    xs=st.lists(st.sampled_from([-3.0, -0.5, 0.0, 1.5, 4.0]), min_size=1, max_size=6),
)
def test_a_rule_set_answers_as_the_standard_reads(
    rules: list[dict[str, Any]], criterion: str, xs: list[float]
) -> None:
    written = "".join(
        f'<SimpleRule score="{r["score"]}" weight="{r["weight"]}" confidence="{r["confidence"]}">'
        f'<SimplePredicate field="x" operator="greaterThan" value="{r["low"]}"/></SimpleRule>'
        for r in rules
    )
    answers = score(rule_set(criterion, written, default="", outputs=SURE), x=xs)
    wanted = [by_hand(rules, criterion, x) for x in xs]
    assert plain(answers["kind"]) == [answer for answer, _ in wanted]
    assert plain(answers["sure"]) == pytest.approx([sure for _, sure in wanted])
