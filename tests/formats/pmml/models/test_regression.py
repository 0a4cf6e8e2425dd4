"""Linear equations, missing values in them, and the probabilities made of them."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, C, X, Y, document, load, plain, regression, schema, score

Z = '<DataField name="z" optype="continuous" dataType="double"/>'


def logistic(y: float) -> float:
    return 1 / (1 + math.exp(-y))


LINKS: dict[str, Callable[[float], float]] = {
    "none": lambda y: y,
    "logit": logistic,
    "softmax": logistic,
    "exp": math.exp,
    "probit": lambda y: 0.5 * (1 + math.erf(y / math.sqrt(2))),
    "cloglog": lambda y: 1 - math.exp(-math.exp(y)),
    "loglog": lambda y: math.exp(-math.exp(-y)),
    "cauchit": lambda y: 0.5 + math.atan(y) / math.pi,
}


@pytest.mark.parametrize("method", LINKS)
def test_a_regression_is_normalized_as_declared(method: str) -> None:
    body = regression('<NumericPredictor name="x" coefficient="1"/>').replace(
        'functionName="regression"', f'functionName="regression" normalizationMethod="{method}"'
    )
    answers = score(document(body), x=[-1.5, 0, 0.75])
    np.testing.assert_allclose(
        answers["_target"], [LINKS[method](y) for y in (-1.5, 0, 0.75)], rtol=1e-14
    )


def test_powers_and_products_are_added() -> None:
    terms = (
        '<NumericPredictor name="x" coefficient="2" exponent="3"/>'
        '<NumericPredictor name="z" coefficient="-1"/>'
        '<PredictorTerm coefficient="0.5"><FieldRef field="x"/><FieldRef field="z"/>'
        '<FieldRef field="z"/></PredictorTerm>'
    )
    answers = score(document(regression(terms, names=("x", "z")), X + Z), x=[2, 3], z=[5, -1])
    assert plain(answers["_target"]) == [16 - 5 + 25, 54 + 1 + 1.5]


def test_categories_add_their_coefficient_and_others_nothing() -> None:
    terms = (
        '<CategoricalPredictor name="c" value="p" coefficient="1"/>'
        '<CategoricalPredictor name="c" value="q" coefficient="10"/>'
    )
    answers = score(document(regression(terms, names=("c",)), C), c=["p", "q", "other", None])
    assert plain(answers["_target"]) == [1.0, 10.0, 0.0, 0.0]


def test_a_missing_number_leaves_no_answer_even_with_a_zero_coefficient() -> None:
    terms = '<NumericPredictor name="x" coefficient="0"/>'
    assert plain(score(document(regression(terms)), x=[1, None])["_target"]) == [0.0, None]


def test_a_string_is_no_numeric_predictor() -> None:
    terms = '<NumericPredictor name="c" coefficient="1"/>'
    with pytest.raises(InvalidModel, match=r"'c'.*not numeric"):
        load(document(regression(terms, names=("c",)), C))


def classification(
    method: str, tables: str, labels: tuple[str, ...] = ("a", "b"), optype: str = "categorical"
) -> bytes:
    values = "".join(f'<Value value="{label}"/>' for label in labels)
    kind = f'<DataField name="kind" optype="{optype}" dataType="string">{values}</DataField>'
    outputs = "".join(
        f'<OutputField name="p{label}" feature="probability" value="{label}"/>' for label in labels
    )
    body = (
        f'<RegressionModel functionName="classification" normalizationMethod="{method}">'
        f"{schema('x', 'z', target='kind')}<Output>{outputs}</Output>{tables}</RegressionModel>"
    )
    return document(body, X + Z + kind)


def equation(label: str, term: str = "", intercept: float = 0.0) -> str:
    predictor = f'<NumericPredictor name="{term}" coefficient="1"/>' if term else ""
    return f'<RegressionTable intercept="{intercept}" targetCategory="{label}">{predictor}</RegressionTable>'


@pytest.mark.parametrize("method", ["none", "logit", "probit", "cloglog", "loglog", "cauchit"])
def test_of_two_categories_the_second_has_what_the_first_leaves(method: str) -> None:
    artifact = classification(method, equation("a", "x") + equation("b"))
    answers = score(artifact, x=[0.2, 0.9], z=[0, 0])
    wanted = [LINKS[method](x) for x in (0.2, 0.9)]
    np.testing.assert_allclose(answers["pa"], wanted, rtol=1e-14)
    np.testing.assert_allclose(answers["pb"], [1 - p for p in wanted], rtol=1e-12)
    assert plain(answers["kind"]) == ["a" if p >= 0.5 else "b" for p in wanted]


def test_softmax_and_simplemax_divide_by_the_sum() -> None:
    tables = equation("a", "x") + equation("b", "z") + equation("c", intercept=1)
    labels = ("a", "b", "c")
    answers = score(classification("simplemax", tables, labels), x=[2.0], z=[1.0])
    assert [plain(answers[f"p{label}"])[0] for label in labels] == [0.5, 0.25, 0.25]
    answers = score(classification("softmax", tables, labels), x=[1000.0], z=[-1000.0])
    assert [plain(answers[f"p{label}"])[0] for label in labels] == [1.0, 0.0, 0.0]


def test_ordered_categories_are_differences_of_what_is_reached() -> None:
    tables = equation("a", "x") + equation("b", "z") + equation("c")
    artifact = classification("logit", tables, ("a", "b", "c"), "ordinal")
    answers = score(artifact, x=[-1.0], z=[2.0])
    wanted = [logistic(-1), logistic(2) - logistic(-1), 1 - logistic(2)]
    found = [plain(answers[f"p{label}"])[0] for label in "abc"]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    assert plain(answers["kind"]) == ["b"]


def test_the_last_of_many_categories_has_what_the_others_leave() -> None:
    tables = equation("a", "x") + equation("b", "z") + equation("c")
    answers = score(classification("none", tables, ("a", "b", "c")), x=[0.25], z=[0.5])
    assert [plain(answers[f"p{label}"])[0] for label in "abc"] == [0.25, 0.5, 0.25]


def test_a_missing_number_leaves_no_category() -> None:
    artifact = classification("softmax", equation("a", "x") + equation("b"))
    answers = score(artifact, x=[None], z=[0.0])
    assert plain(answers["kind"]) == [None]
    assert plain(answers["pa"]) == [None]


def test_an_equation_without_a_missing_field_is_not_touched_by_it() -> None:
    body = regression('<NumericPredictor name="x" coefficient="1"/>', names=("x", "z"))
    assert plain(score(document(body, X + Z), x=[4], z=[None])["_target"]) == [4.0]


def test_a_link_for_many_unordered_categories_is_refused_by_name() -> None:
    tables = equation("a", "x") + equation("b", "z") + equation("c")
    with pytest.raises(UnsupportedModel, match=r"logit.*3 categories"):
        load(classification("logit", tables, ("a", "b", "c")))


@pytest.mark.parametrize(
    "tables",
    ["", equation("a"), equation("a") * 2, equation("a") + '<RegressionTable intercept="0"/>'],
)
def test_a_classification_needs_a_table_for_each_category(tables: str) -> None:
    with pytest.raises(InvalidModel, match="targetCategory"):
        load(classification("softmax", tables))


def test_a_regression_needs_one_table() -> None:
    table = '<RegressionTable intercept="0"/>'
    with pytest.raises(InvalidModel, match="it has 2"):
        load(
            document(
                regression().replace(table, table)[: -len("</RegressionModel>")]
                + table
                + "</RegressionModel>"
            )
        )


def test_single_precision_is_kept_to() -> None:
    body = regression('<NumericPredictor name="x" coefficient="0.1"/>').replace(
        "<RegressionModel ", '<RegressionModel x-mathContext="float" '
    )
    answers = score(document(body), x=[0.7])
    assert answers["_target"][0] == float(np.float32(0.1) * np.float32(0.7))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=6),
    st.lists(st.lists(st.floats(-9, 9), min_size=6, max_size=6), min_size=1, max_size=9),
)
def test_sums_run_in_the_order_of_the_document(
    coefficients: list[float], rows: list[list[float]]
) -> None:
    names = [f"f{number}" for number in range(len(coefficients))]
    fields = "".join(
        f'<DataField name="{name}" optype="continuous" dataType="double"/>' for name in names
    )
    terms = "".join(
        f'<NumericPredictor name="{name}" coefficient="{coefficient!r}"/>'
        for name, coefficient in zip(names, coefficients, strict=True)
    )
    columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
    answers = score(document(regression(terms, names=names), fields), **columns)
    for row, found in zip(rows, answers["_target"], strict=True):
        total = coefficients[0] * row[0]
        for number in range(1, len(coefficients)):
            total += coefficients[number] * row[number]
        assert found == 0.0 + total


def test_a_target_of_another_type_is_answered_in_it() -> None:
    number = KIND.replace('name="kind"', 'name="y"').replace('"string"', '"double"')
    number = number.replace('value="a"', 'value="5"').replace('value="b"', 'value="6.5"')
    body = (
        '<RegressionModel functionName="classification" normalizationMethod="softmax">'
        f"{schema('x', target='y')}{equation('5', 'x')}{equation('6.5')}</RegressionModel>"
    )
    answers = score(document(body, X + number), x=[1, -1])
    assert answers["y"].dtype == np.float64
    assert plain(answers["y"]) == [5.0, 6.5]
    assert Y not in number
