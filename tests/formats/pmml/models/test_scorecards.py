"""Scorecards: partial scores and reason codes (DMG 4.4, Scorecard)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import C, X, Y, document, load, plain, schema, score

REASONS = "<Output>{}</Output>".format(
    "".join(f'<OutputField name="r{n}" feature="reasonCode" rank="{n}"/>' for n in (1, 2, 3, 4))
)


def equal(field: str, value: str) -> str:
    return f'<SimplePredicate field="{field}" operator="equal" value="{value}"/>'


def attribute(points: float | str, predicate: str, more: str = "") -> str:
    return f'<Attribute partialScore="{points}"{more}>{predicate}</Attribute>'


def characteristic(code: str, baseline: float, *attributes: str) -> str:
    inner = "".join(attributes)
    return (
        f'<Characteristic reasonCode="{code}" baselineScore="{baseline}">{inner}</Characteristic>'
    )


BY_COLOUR = characteristic(
    "colour",
    10,
    attribute(-5, '<SimplePredicate field="c" operator="isMissing"/>'),
    attribute(2, equal("c", "red"), ' reasonCode="too red"'),
    attribute(10, equal("c", "blue")),
)
BY_SIZE = characteristic(
    "size",
    4,
    attribute(1, '<SimplePredicate field="x" operator="lessThan" value="0"/>'),
    attribute(6, '<SimplePredicate field="x" operator="greaterOrEqual" value="0"/>'),
)


def scorecard(parts: str = BY_COLOUR + BY_SIZE, outputs: str = REASONS, more: str = "") -> bytes:
    body = (
        f'<Scorecard functionName="regression" initialScore="100"{more}>'
        f"{schema('x', 'c', target='y')}{outputs}<Characteristics>{parts}</Characteristics>"
        "</Scorecard>"
    )
    return document(body, X + C + Y)


def test_partial_scores_are_added_to_the_initial_score() -> None:
    answers = score(scorecard(), x=[-1, 1, 1], c=["red", "blue", None])
    assert plain(answers["y"]) == [103.0, 116.0, 101.0]


def test_reasons_are_ranked_by_the_points_lost_below_the_baseline() -> None:
    answers = score(scorecard(), x=[-1, 1, 1, -1], c=["red", "blue", None, None])
    assert plain(answers["r1"]) == ["too red", None, "colour", "colour"]
    assert plain(answers["r2"]) == ["size", None, None, "size"]
    assert plain(answers["r3"]) == plain(answers["r4"]) == [None] * 4


def test_reasons_may_be_the_points_above_the_baseline() -> None:
    above = scorecard(more=' reasonCodeAlgorithm="pointsAbove"')
    answers = score(above, x=[-1, 1], c=["red", "blue"])
    assert plain(answers["r1"]) == [None, "size"]


def test_a_reason_of_several_characteristics_counts_their_points_together() -> None:
    parts = (
        characteristic("one", 5, attribute(1, "<True/>"))
        + characteristic("two", 5, attribute(2, "<True/>"))
        + characteristic("two", 5, attribute(3, "<True/>"))
    )
    answers = score(scorecard(parts), x=[0], c=["red"])
    assert [plain(answers[name]) for name in ("r1", "r2", "r3")] == [["two"], ["one"], [None]]


def test_of_reasons_with_as_many_points_the_first_in_the_document_comes_first() -> None:
    parts = characteristic("z", 5, attribute(1, "<True/>")) + characteristic(
        "a", 5, attribute(1, "<True/>")
    )
    answers = score(scorecard(parts), x=[0], c=["red"])
    assert [plain(answers["r1"]), plain(answers["r2"])] == [["z"], ["a"]]


@pytest.mark.parametrize("method", ["max", "min", "mean", "neutral", "other"])
def test_the_baseline_method_changes_nothing(method: str) -> None:
    answers = score(scorecard(more=f' baselineMethod="{method}"'), x=[-1], c=["red"])
    assert plain(answers["r1"]) == ["too red"]


def test_the_baseline_of_the_scorecard_is_for_characteristics_without_their_own() -> None:
    part = f'<Characteristic reasonCode="r">{attribute(1, "<True/>")}</Characteristic>'
    assert plain(score(scorecard(part, more=' baselineScore="2"'), x=[0], c=["red"])["r1"]) == ["r"]
    with pytest.raises(InvalidModel, match="baselineScore"):
        load(scorecard(part))


def test_a_partial_score_that_is_computed_comes_before_a_declared_one() -> None:
    computed = (
        '<Attribute partialScore="1"><SimplePredicate field="x" operator="greaterThan" value="0"/>'
        '<ComplexPartialScore><Apply function="*"><FieldRef field="x"/><Constant>3</Constant>'
        "</Apply></ComplexPartialScore></Attribute>"
    )
    parts = characteristic("r", 5, computed, attribute(7, "<True/>"))
    answers = score(scorecard(parts), x=[2, -2, None], c=["red"] * 3)
    assert plain(answers["y"]) == [106.0, 107.0, 107.0]
    assert plain(answers["r1"]) == [None, None, None]


def test_without_a_true_attribute_there_is_neither_score_nor_reason() -> None:
    answers = score(scorecard(), x=[1], c=["green"])
    assert plain(answers["y"]) == plain(answers["r1"]) == [None]


def test_a_scorecard_without_reasons_need_not_declare_them() -> None:
    part = f"<Characteristic>{attribute(1, '<True/>')}</Characteristic>"
    artifact = scorecard(part, outputs="", more=' useReasonCodes="false"')
    assert plain(score(artifact, x=[0], c=["red"])["y"]) == [101.0]
    with pytest.raises(UnsupportedModel, match="useReasonCodes"):
        load(scorecard(more=' useReasonCodes="false"'))


def test_an_attribute_without_points_or_a_code_is_refused() -> None:
    bare = "<Characteristic><Attribute><True/></Attribute></Characteristic>"
    with pytest.raises(InvalidModel, match="partialScore"):
        load(scorecard(bare))
    codeless = f'<Characteristic baselineScore="1">{attribute(1, "<True/>")}</Characteristic>'
    with pytest.raises(InvalidModel, match="reasonCode"):
        load(scorecard(codeless))
    with pytest.raises(InvalidModel, match="Characteristic"):
        load(scorecard(""))


def test_a_scorecard_inside_a_chain_passes_its_reasons_on() -> None:
    inner = scorecard().decode()
    model = inner[inner.index("<Scorecard") : inner.index("</PMML>")]
    body = (
        f'<MiningModel functionName="regression">{schema("x", "c", target="y")}'
        '<Output><OutputField name="why" feature="transformedValue" dataType="string" '
        'optype="categorical"><FieldRef field="r1"/></OutputField></Output>'
        '<Segmentation multipleModelMethod="modelChain"><Segment><True/>'
        f"{model}</Segment></Segmentation></MiningModel>"
    )
    answers = score(document(body, X + C + Y), x=[-1], c=["red"])
    assert plain(answers["why"]) == ["too red"]
    assert plain(answers["y"]) == [103.0]


def by_hand(parts: list[dict[str, Any]], x: float) -> list[str | None]:
    """Return the ranked reasons of one row, as the standard's text has them."""
    lost: dict[str, float] = {}
    for part in parts:
        points = part["low"] if x < 0 else part["high"]
        lost[part["code"]] = lost.get(part["code"], 0.0) + part["baseline"] - points
    ranked = sorted((code for code in lost if lost[code] > 0), key=lambda c: -lost[c])
    return [*ranked, None, None, None][:3]


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(
        st.fixed_dictionaries(
            {
                "code": st.sampled_from(["p", "q", "s"]),
                "baseline": st.integers(-2, 3),
                "low": st.integers(-3, 3),
                "high": st.integers(-3, 3),
            }
        ),
        min_size=1,
        max_size=5,
    )
)
def test_reasons_are_ranked_as_the_standard_reads(parts: list[dict[str, Any]]) -> None:
    written = "".join(
        characteristic(
            part["code"],
            part["baseline"],
            attribute(part["low"], '<SimplePredicate field="x" operator="lessThan" value="0"/>'),
            attribute(part["high"], "<True/>"),
        )
        for part in parts
    )
    answers = score(scorecard(written), x=[-1.0, 1.0], c=["red", "red"])
    for row, x in enumerate((-1.0, 1.0)):
        assert [plain(answers[name])[row] for name in ("r1", "r2", "r3")] == by_hand(parts, x)
