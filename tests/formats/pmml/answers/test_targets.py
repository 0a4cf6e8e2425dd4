"""What is done to predictions, and the types that answers come in."""

import numpy as np
import pytest

from modelstream.errors import InvalidModel
from tests.support.pmml import X, document, load, plain, schema, score


def rescaled(attributes: str, data_type: str = "double", inner: str = "") -> bytes:
    y = f'<DataField name="y" optype="continuous" dataType="{data_type}"/>'
    body = (
        f'<RegressionModel functionName="regression">{schema("x", target="y")}'
        f'<Targets><Target field="y" {attributes}>{inner}</Target></Targets>'
        '<RegressionTable intercept="0"><NumericPredictor name="x" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    return document(body, X + y)


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ('min="0" max="2"', [0.0, 1.25, 2.0]),
        ('min="0"', [0.0, 1.25, 9.5]),
        ('rescaleFactor="2" rescaleConstant="1"', [-4.0, 3.5, 20.0]),
        ('max="2" rescaleFactor="10" rescaleConstant="0.5"', [-24.5, 13.0, 20.5]),
        ('castInteger="round"', [-2.0, 1.0, 10.0]),
        ('castInteger="ceiling"', [-2.0, 2.0, 10.0]),
        ('rescaleFactor="0" rescaleConstant="0.49999999999999994" castInteger="round"', [0.0] * 3),
        ('castInteger="floor"', [-3.0, 1.0, 9.0]),
        ('rescaleFactor="2" castInteger="floor"', [-5.0, 2.0, 19.0]),
    ],
)
def test_a_prediction_is_bounded_then_rescaled_then_made_whole(
    attributes: str, answers: list[float]
) -> None:
    assert plain(score(rescaled(attributes), x=[-2.5, 1.25, 9.5])["y"]) == answers


def test_a_default_stands_in_for_a_missing_prediction() -> None:
    artifact = rescaled("", inner='<TargetValue defaultValue="7"/>')
    assert plain(score(artifact, x=[None, 1])["y"]) == [7.0, 1.0]


def test_whole_answers_are_int64_and_float64_once_one_is_missing() -> None:
    artifact = rescaled('castInteger="round"', "integer")
    assert [field.type for field in load(artifact).outputs] == ["int64"]
    assert score(artifact, x=[1.4])["y"].dtype == np.int64
    answers = score(artifact, x=[1.4, None])["y"]
    assert answers.dtype == np.float64
    assert plain(answers) == [1.0, None]


def test_a_real_prediction_is_not_cut_off_to_fit_a_whole_target() -> None:
    artifact = rescaled("", "integer")
    assert [field.type for field in load(artifact).outputs] == ["float64"]
    assert plain(score(artifact, x=[1.4])["y"]) == [1.4]


def test_answers_of_single_precision_are_float32() -> None:
    artifact = rescaled("", "float")
    answers = score(artifact, x=[0.1])["y"]
    assert answers.dtype == np.float32
    assert answers[0] == np.float32(0.1)


def labelled(data_type: str, labels: tuple[str, str], inner: str = "") -> bytes:
    values = "".join(f'<Value value="{label}"/>' for label in labels)
    y = f'<DataField name="y" optype="categorical" dataType="{data_type}">{values}</DataField>'
    body = (
        f'<TreeModel functionName="classification">{schema("x", target="y")}{inner}'
        f'<Node><True/><Node score="{labels[0]}">'
        '<SimplePredicate field="x" operator="lessThan" value="0"/></Node>'
        f'<Node score="{labels[1]}"><SimplePredicate field="x" operator="greaterThan" value="0"/>'
        "</Node></Node></TreeModel>"
    )
    return document(body, X + y)


@pytest.mark.parametrize(
    ("data_type", "labels", "answers", "dtype"),
    [
        ("string", ("5", "6"), ["5", "6"], "O"),
        ("integer", ("5", "6"), [5, 6], "i"),
        ("double", ("5", "6.5"), [5.0, 6.5], "f"),
        ("boolean", ("true", "false"), [True, False], "b"),
        ("date", ("2020-01-31", "1969-12-31"), ["2020-01-31", "1969-12-31"], "O"),
    ],
)
def test_a_label_is_of_the_targets_own_type(
    data_type: str, labels: tuple[str, str], answers: list[object], dtype: str
) -> None:
    found = score(labelled(data_type, labels), x=[-1, 1])["y"]
    assert found.tolist() == answers
    assert found.dtype.kind == dtype


def test_a_missing_truth_is_none() -> None:
    assert score(labelled("boolean", ("true", "false")), x=[-1, 0])["y"].tolist() == [True, None]


def test_priors_stand_in_for_a_missing_category() -> None:
    inner = (
        '<Output><OutputField name="p" feature="probability" value="a"/></Output>'
        '<Targets><Target field="y"><TargetValue value="a" priorProbability="0.3"/>'
        '<TargetValue value="b" priorProbability="0.7"/></Target></Targets>'
    )
    answers = score(labelled("string", ("a", "b"), inner), x=[-1, 0])
    assert plain(answers["y"]) == ["a", "b"]
    assert plain(answers["p"]) == [1.0, 0.3]


def test_priors_stand_in_for_a_missing_category_of_a_model_without_probabilities() -> None:
    y = (
        '<DataField name="y" optype="categorical" dataType="string"><Value value="a"/>'
        '<Value value="b"/></DataField>'
    )
    body = (
        f'<RuleSetModel functionName="classification">{schema("x", target="y")}'
        '<Targets><Target field="y"><TargetValue value="a" priorProbability="0.3"/>'
        '<TargetValue value="b" priorProbability="0.7"/></Target></Targets>'
        '<RuleSet><RuleSelectionMethod criterion="firstHit"/><SimpleRule score="a">'
        '<SimplePredicate field="x" operator="lessThan" value="0"/></SimpleRule></RuleSet>'
        "</RuleSetModel>"
    )
    artifact = document(body, X + y)
    assert plain(score(artifact, x=[-1, 0, None])["y"]) == ["a", "b", "b"]
    assert plain(score(artifact, x=[-1] * 50 + [0])["y"]) == ["a"] * 50 + ["b"]


def test_bounds_are_no_matter_for_categories() -> None:
    inner = '<Targets><Target field="y" min="0"/></Targets>'
    with pytest.raises(InvalidModel, match="regressions"):
        load(labelled("string", ("a", "b"), inner))


def test_a_label_that_is_not_of_the_targets_type_is_refused() -> None:
    with pytest.raises(InvalidModel, match="'high'"):
        load(labelled("integer", ("1", "high")))
