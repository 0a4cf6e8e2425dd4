"""General regression: the standard's definitions, read row by row."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, X, Y, document, load, plain, schema, score
from tests.support.pmml_glm import (
    BETAS,
    CELLS,
    LEVELS,
    PARAMETERS,
    PLAIN,
    F,
    cell,
    eta,
    general,
    model,
    params,
)

ROWS = [(0.5, "a"), (-1.5, "b"), (2.0, "c")]
COLUMNS: dict[str, list[Any]] = {"x": [x for x, _ in ROWS], "f": [f for _, f in ROWS]}
ETAS = [eta(x, f, BETAS) for x, f in ROWS]


@pytest.mark.parametrize("kind", ["regression", "generalLinear"])
def test_a_linear_model_is_its_predictor(kind: str) -> None:
    assert plain(score(general(modelType=kind), **COLUMNS)["y"]) == pytest.approx(ETAS)


def test_a_missing_predictor_makes_the_answer_missing() -> None:
    answers = score(general(modelType="regression"), x=[None, 1.0, 1.0], f=["a", None, "a"])
    assert plain(answers["y"]) == [None, None, pytest.approx(1.5)]


LINKS = [
    ("identity", {}, lambda y: y),
    ("log", {}, math.exp),
    ("logc", {}, lambda y: 1 - math.exp(y)),
    ("logit", {}, lambda y: 1 / (1 + math.exp(-y))),
    ("probit", {}, lambda y: (1 + math.erf(y / math.sqrt(2))) / 2),
    ("cloglog", {}, lambda y: 1 - math.exp(-math.exp(y))),
    ("loglog", {}, lambda y: math.exp(-math.exp(-y))),
    ("negbin", {"distParameter": 2.0}, lambda y: 1 / (2 * (math.exp(-y) - 1))),
    ("power", {"linkParameter": 0.5}, lambda y: y**2),
    ("power", {"linkParameter": 0}, math.exp),
    ("oddspower", {"linkParameter": 0.5}, lambda y: 1 / (1 + (1 + 0.5 * y) ** -2)),
    ("oddspower", {"linkParameter": 0}, lambda y: 1 / (1 + math.exp(-y))),
]


@pytest.mark.parametrize(("link", "attributes", "inverse"), LINKS)
def test_a_generalized_linear_model_applies_the_inverse_link(
    link: str, attributes: dict[str, Any], inverse: Any
) -> None:
    artifact = general(modelType="generalizedLinear", linkFunction=link, **attributes)
    expected = [inverse(value) for value in ETAS]
    assert plain(score(artifact, **COLUMNS)["y"]) == pytest.approx(expected)


def test_offset_and_trials_are_numbers_or_fields() -> None:
    logit = {"modelType": "generalizedLinear", "linkFunction": "logit", "distribution": "binomial"}
    constants = general(**logit, offsetValue=0.25, trialsValue=10)
    wanted = [10 / (1 + math.exp(-(value + 0.25))) for value in ETAS]
    assert plain(score(constants, **COLUMNS)["y"]) == pytest.approx(wanted)
    names = ("o", "t")
    data = "".join(f'<DataField name="{n}" optype="continuous" dataType="double"/>' for n in names)
    used = "".join(f'<MiningField name="{name}"/>' for name in names)
    fields = general(fields=data, extra=used, **logit, offsetVariable="o", trialsVariable="t")
    answers = score(fields, **COLUMNS, o=[0.25] * 3, t=[10, 10, None])
    assert plain(answers["y"]) == [*[pytest.approx(value) for value in wanted[:2]], None]


def outputs(*labels: str) -> str:
    fields = "".join(
        f'<OutputField name="p_{label}" feature="probability" value="{label}" '
        'optype="continuous" dataType="double"/>'
        for label in labels
    )
    return f"<Output>{fields}</Output>"


def classify(inner: str, labels: tuple[str, ...], fields: str, **attributes: Any) -> Any:
    body = model(outputs(*labels) + inner, "classification", **attributes)
    answers = score(document(body, X + F + fields), **COLUMNS)
    table = np.stack([answers[f"p_{label}"] for label in labels], axis=1)
    return plain(answers["kind"]), table


def test_a_binomial_model_gives_the_probability_of_the_category_with_cells() -> None:
    inner = PARAMETERS + CELLS + params("".join(cell(n, b, "b") for n, b in BETAS.items()))
    kinds, table = classify(
        inner, ("a", "b"), KIND, modelType="generalizedLinear", linkFunction="logit"
    )
    wanted = [1 / (1 + math.exp(-value)) for value in ETAS]
    assert table[:, 1].tolist() == pytest.approx(wanted)
    assert table.sum(axis=1).tolist() == pytest.approx([1.0] * 3)
    assert kinds == ["b" if p > 0.5 else "a" for p in wanted]


def test_a_binomial_model_without_category_in_cells_is_of_the_one_that_is_no_reference() -> None:
    named = PARAMETERS + CELLS + params("".join(cell(n, b, "b") for n, b in BETAS.items()))
    attributes = {"modelType": "generalizedLinear", "linkFunction": "probit"}
    _, table = classify(named, ("a", "b"), KIND, **attributes)
    inner = PARAMETERS + CELLS + PLAIN
    _, same = classify(inner, ("a", "b"), KIND, **attributes, targetReferenceCategory="a")
    assert same.tolist() == table.tolist()
    with pytest.raises(InvalidModel, match="every category of the target but one"):
        classify(inner, ("a", "b"), KIND, **attributes)


NUMBERS = st.floats(-3, 3, allow_subnormal=False)


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=8, max_size=8), NUMBERS)
def test_a_multinomial_model_is_a_softmax_with_a_reference(betas: list[float], a: float) -> None:
    low, high = (dict(zip(BETAS, part, strict=True)) for part in (betas[:4], betas[4:]))
    cells = [cell(n, b, "low") for n, b in low.items()]
    cells += [cell(n, b, "high") for n, b in high.items()]
    _, table = classify(
        PARAMETERS + CELLS + params("".join(cells)),
        ("low", "mid", "high"),
        LEVELS,
        modelType="multinomialLogistic",
        offsetValue=a,
    )
    for row, (x, f) in zip(table.tolist(), ROWS, strict=True):
        powers = [math.exp(eta(x, f, low) + a), 1.0, math.exp(eta(x, f, high) + a)]
        assert row == pytest.approx([power / sum(powers) for power in powers])


CUMULATIVE = [
    ("logit", lambda y: 1 / (1 + math.exp(-y))),
    ("probit", lambda y: (1 + math.erf(y / math.sqrt(2))) / 2),
    ("cloglog", lambda y: 1 - math.exp(-math.exp(y))),
    ("loglog", lambda y: math.exp(-math.exp(-y))),
    ("cauchit", lambda y: 0.5 + math.atan(y) / math.pi),
]


@pytest.mark.parametrize(("link", "inverse"), CUMULATIVE)
def test_an_ordinal_model_has_differences_of_cumulative_probabilities(
    link: str, inverse: Any
) -> None:
    shared = "".join(cell(n, b) for n, b in BETAS.items() if n != "p0")
    cells = cell("p0", -1.0, "low") + cell("p0", 0.75, "mid") + shared
    kinds, table = classify(
        PARAMETERS + CELLS + params(cells),
        ("low", "mid", "high"),
        LEVELS,
        modelType="ordinalMultinomial",
        cumulativeLink=link,
        offsetValue=0.125,
    )
    for kind, row, value in zip(kinds, table.tolist(), ETAS, strict=True):
        rest = value - BETAS["p0"] + 0.125
        low, mid = inverse(-1.0 + rest), inverse(0.75 + rest)
        assert row == pytest.approx([low, mid - low, 1 - mid])
        assert kind == ["low", "mid", "high"][int(np.argmax(row))]


@pytest.mark.parametrize(
    ("cells", "attributes", "fields", "message"),
    [
        (cell("p0", 1.0, "a"), {"modelType": "generalLinear"}, KIND, "of a classification"),
        (cell("p0", 1.0, "q"), {"modelType": "multinomialLogistic"}, KIND, "'q' is not a category"),
        (
            cell("p0", 1.0, "low") + cell("p0", 1.0, "mid"),
            {"modelType": "generalizedLinear", "linkFunction": "logit"},
            LEVELS,
            "3 categories",
        ),
        (cell("p0", 1.0, "a"), {"modelType": "ordinalMultinomial"}, KIND, "needs a cumulativeLink"),
        (
            cell("p0", 1.0, "b"),
            {"modelType": "ordinalMultinomial", "cumulativeLink": "logit"},
            KIND,
            "whose last category",
        ),
    ],
)
def test_a_contradictory_classification_is_refused(
    cells: str, attributes: dict[str, Any], fields: str, message: str
) -> None:
    with pytest.raises(InvalidModel, match=message):
        classify(PARAMETERS + CELLS + params(cells), (), fields, **attributes)


def test_a_category_is_found_by_its_number() -> None:
    kind = KIND.replace('"a"', '"0"').replace('"b"', '"1"').replace("string", "integer")
    inner = PARAMETERS + CELLS + params(cell("p0", 5.0, "1.0"))
    body = model(inner, "classification", modelType="generalizedLinear", linkFunction="logit")
    assert plain(score(document(body, X + F + kind), **COLUMNS)["kind"]) == [1, 1, 1]


def test_an_offset_is_a_variable_or_a_value() -> None:
    both: dict[str, Any] = {"linkFunction": "log", "offsetVariable": "x", "offsetValue": 1}
    with pytest.raises(InvalidModel, match="both a variable, 'x', and a value"):
        score(general(modelType="generalizedLinear", **both), **COLUMNS)


def test_cells_of_one_category_only_count_for_it() -> None:
    inner = (
        PARAMETERS
        + CELLS.replace(
            'predictorName="x" parameterName="p1"',
            'predictorName="x" parameterName="p1" targetCategory="low"',
        )
        + params(cell("p1", 1.0, "low") + cell("p1", 1.0, "mid"))
    )
    _, table = classify(inner, ("low", "mid", "high"), LEVELS, modelType="multinomialLogistic")
    for row, (x, _) in zip(table.tolist(), ROWS, strict=True):
        powers = [math.exp(x), math.e, 1.0]  # for mid the parameter is without cells: one
        assert row == pytest.approx([power / sum(powers) for power in powers])


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"modelType": "multinomialLogistic"}, "modelType='multinomialLogistic' of a regression"),
        ({"modelType": "generalLinear", "offsetValue": 1}, "an offset"),
        ({"modelType": "regression", "trialsValue": 2}, "trials"),
        ({"modelType": "regression", "x-mathContext": "float"}, "x-mathContext"),
    ],
)
def test_what_is_not_evaluated_is_refused(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModel, match=message):
        score(general(**attributes), **COLUMNS)


@pytest.mark.parametrize(
    ("inner", "attributes", "message"),
    [
        (PARAMETERS + CELLS + PLAIN, {"modelType": "generalizedLinear"}, "needs a linkFunction"),
        (
            PARAMETERS + CELLS + PLAIN,
            {"modelType": "generalizedLinear", "linkFunction": "power"},
            "needs a linkParameter",
        ),
        (PARAMETERS + CELLS + params(cell("q", 1.0)), {"modelType": "regression"}, "'q'"),
        (
            PARAMETERS + CELLS.replace('value="2"', 'value="two"') + PLAIN,
            {"modelType": "regression"},
            "'two' is not a number",
        ),
        (
            PARAMETERS.replace('<Predictor name="x"/>', "") + CELLS + PLAIN,
            {"modelType": "regression"},
            "neither in the FactorList nor a covariate",
        ),
        (PARAMETERS + CELLS + PLAIN, {"modelType": "CoxRegression"}, "endTimeVariable"),
    ],
)
def test_a_contradictory_model_is_refused(
    inner: str, attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidModel, match=message):
        score(general(inner, **attributes), **COLUMNS)


def test_a_general_regression_is_a_segment_as_any_model() -> None:
    inner = model(PARAMETERS + CELLS + PLAIN, modelType="generalLinear")
    ensemble = (
        f'<MiningModel functionName="regression">{schema("x", "f", target="y")}'
        '<Segmentation multipleModelMethod="average">'
        f"<Segment><True/>{inner}</Segment><Segment><True/>{inner}</Segment>"
        "</Segmentation></MiningModel>"
    )
    answers = score(document(ensemble, X + F + Y), **COLUMNS)
    assert plain(answers["y"]) == pytest.approx(ETAS)


@pytest.mark.parametrize(
    ("family", "first"), [("Gaussian", 5.128828620526595), ("Gamma", 5.2760146676116655)]
)
def test_the_wines_are_scored_to_the_last_digit(
    shared_data: Path, family: str, first: float
) -> None:
    name = f"winequalityGeneralizedLinearRegression{family}.pmml"
    wines = load((shared_data / "wine" / name).read_bytes())
    table = np.loadtxt(shared_data / "wine" / "winequality_red.csv", delimiter=";", max_rows=2)
    columns = {field.name: table[:, place] for place, field in enumerate(wines.inputs)}
    assert wines.score(columns)["quality"][0] == first
