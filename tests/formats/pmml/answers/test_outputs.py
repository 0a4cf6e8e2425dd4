"""Output fields: what they can be about, and what is refused."""

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, X, document, load, plain, schema, score


def classes(outputs: str, targets: str = "", kind: str = KIND) -> bytes:
    body = (
        f'<TreeModel functionName="classification">{schema("x", target="kind")}'
        f"<Output>{outputs}</Output>{targets}"
        '<Node><True/><Node id="n1" score="a"><SimplePredicate field="x" operator="lessThan" value="0"/>'
        '<ScoreDistribution value="a" recordCount="3"/><ScoreDistribution value="b" recordCount="1"/></Node>'
        '<Node id="n2" score="b"><True/></Node></Node></TreeModel>'
    )
    return document(body, X + kind)


def test_a_field_without_a_feature_is_the_predicted_value() -> None:
    assert plain(score(classes('<OutputField name="o"/>'), x=[-1, 1])["o"]) == ["a", "b"]


def test_a_predicted_value_is_written_as_the_document_writes_it() -> None:
    kind = KIND.replace('"string"', '"double"').replace('"a"', '"1"').replace('"b"', '"2"')
    artifact = classes('<OutputField name="o" dataType="string"/>', kind=kind)
    artifact = artifact.replace(b'"a"', b'"1"').replace(b'"b"', b'"2"')
    answers = score(artifact, x=[-1, 1])
    assert plain(answers["kind"]) == [1.0, 2.0]
    assert plain(answers["o"]) == ["1", "2"]


def test_a_display_value_is_the_targets_or_the_fields() -> None:
    kind = KIND.replace('value="b"', 'value="b" displayValue="Beta"')
    targets = '<Targets><Target field="kind"><TargetValue value="a" displayValue="Alpha"/></Target></Targets>'
    artifact = classes('<OutputField name="o" feature="predictedDisplayValue"/>', targets, kind)
    assert plain(score(artifact, x=[-1, 1])["o"]) == ["Alpha", "Beta"]


def test_a_transformed_value_reads_outputs_in_any_order() -> None:
    outputs = (
        '<OutputField name="odds" feature="transformedValue" dataType="double"><Apply function="/">'
        '<FieldRef field="p"/><FieldRef field="q"/></Apply></OutputField>'
        '<OutputField name="p" feature="probability" value="a" isFinalResult="false"/>'
        '<OutputField name="q" feature="probability" value="b" isFinalResult="false"/>'
    )
    answers = score(classes(outputs), x=[-1])
    assert plain(answers["odds"]) == [3.0]
    assert list(answers) == ["kind", "odds"]


def test_a_decision_is_what_its_expression_gives() -> None:
    outputs = (
        '<OutputField name="act" feature="decision" dataType="string">'
        '<Decisions businessProblem="b"><Decision value="go"/><Decision value="stay"/></Decisions>'
        '<Apply function="if"><Apply function="equal"><FieldRef field="kind"/><Constant>a</Constant>'
        "</Apply><Constant>go</Constant><Constant>stay</Constant></Apply></OutputField>"
    )
    assert plain(score(classes(outputs), x=[-1, 1])["act"]) == ["go", "stay"]


def test_a_rank_is_a_place_among_the_categories_by_probability() -> None:
    fields = "".join(
        f'<OutputField name="v{rank}" rank="{rank}"/>'
        f'<OutputField name="p{rank}" feature="probability" rank="{rank}"/>'
        for rank in (1, 2, 3)
    )
    fields += '<OutputField name="shown" feature="predictedDisplayValue" rank="2"/>'
    kind = KIND.replace('value="b"', 'value="b" displayValue="Beta"')
    answers = score(classes(fields, kind=kind), x=[-1])
    assert [plain(answers[f"v{rank}"]) for rank in (1, 2, 3)] == [["a"], ["b"], [None]]
    assert [plain(answers[f"p{rank}"]) for rank in (1, 2, 3)] == [[0.75], [0.25], [None]]
    assert plain(answers["shown"]) == ["Beta"]


def test_of_equal_probabilities_the_prediction_comes_first() -> None:
    body = (
        f'<RegressionModel functionName="classification">{schema("x", target="kind")}<Output>'
        '<OutputField name="one" rank="1"/><OutputField name="two" rank="2"/></Output>'
        '<RegressionTable intercept="0.5" targetCategory="a"/>'
        '<RegressionTable intercept="0.5" targetCategory="b"/></RegressionModel>'
    )
    answers = score(document(body, X + KIND), x=[0])
    assert sorted([*answers["one"], *answers["two"]]) == ["a", "b"]


def test_an_output_can_be_about_a_segment_that_runs_for_some_rows() -> None:
    def tree(low: str, high: str) -> str:
        return (
            '<TreeModel functionName="classification" noTrueChildStrategy="returnLastPrediction">'
            f'{schema("x", target="kind")}<Node score="{low}"><True/><Node id="deep" score="{high}"><SimplePredicate field="x" '
            'operator="greaterThan" value="5"/></Node></Node></TreeModel>'
        )

    positive = '<SimplePredicate field="x" operator="greaterThan" value="0"/>'
    outputs = (
        '<OutputField name="one" segmentId="1"/><OutputField name="two" segmentId="2"/>'
        '<OutputField name="id" feature="entityId" segmentId="1"/>'
    )
    body = (
        f'<MiningModel functionName="classification">{schema("x", target="kind")}'
        f'<Output>{outputs}</Output><Segmentation multipleModelMethod="selectFirst">'
        f'<Segment id="1">{positive}{tree("a", "b")}</Segment>'
        f'<Segment id="2"><True/>{tree("b", "a")}</Segment></Segmentation></MiningModel>'
    )
    answers = score(document(body, X + KIND), x=[-1, 1, 9])
    assert plain(answers["kind"]) == ["b", "a", "b"]
    assert plain(answers["one"]) == [None, "a", "b"]
    assert plain(answers["two"]) == ["b", None, None]
    assert plain(answers["id"])[::2] == [None, "deep"]


@pytest.mark.parametrize(
    ("output", "named"),
    [
        ('feature="affinity"', "affinity"),
        ('feature="residual"', "residual.*not an input"),
        ('feature="standardError"', "standardError"),
        ('feature="warning"', "warning"),
        ('feature="clusterId"', "clusterId"),
        ('feature="reasonCode" rank="1"', "reasonCode"),
        ('feature="probability" value="a" rank="2"', "rank=2"),
        ('feature="entityId" rank="2"', "rank=2"),
        ('rank="0"', "rank=0"),
        ('isMultiValued="true"', "isMultiValued"),
        ('segmentId="1"', "segmentId"),
        ('feature="decision" segmentId="1"', "segmentId"),
        ('targetField="other"', "targetField"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(output: str, named: str) -> None:
    with pytest.raises(UnsupportedModel, match=named):
        load(classes(f'<OutputField name="o" {output}/>'))


def test_a_probability_of_no_category_is_refused() -> None:
    with pytest.raises(InvalidModel, match="'z' is not a category"):
        load(classes('<OutputField name="o" feature="probability" value="z"/>'))


def test_a_transformed_value_needs_an_expression() -> None:
    with pytest.raises(InvalidModel, match="expression"):
        load(classes('<OutputField name="o" feature="transformedValue"/>'))


def test_probabilities_are_for_classifications() -> None:
    body = (
        f'<RegressionModel functionName="regression">{schema("x")}<Output>'
        '<OutputField name="o" feature="probability" value="1"/></Output>'
        '<RegressionTable intercept="0"/></RegressionModel>'
    )
    with pytest.raises(InvalidModel, match="classifications"):
        load(document(body))


def test_a_rejected_row_has_no_answer_in_any_column() -> None:
    artifact = classes('<OutputField name="p" feature="probability" value="a"/>')
    answers = score(artifact, x=[-1, "?"])
    assert answers.errors == {1: "field 'x': '?' is not of type double"}
    assert plain(answers["kind"]) == ["a", None]
    assert plain(answers["p"]) == [0.75, None]
