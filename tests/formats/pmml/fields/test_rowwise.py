"""Whole models scored row by row: as by columns, as the standard says, and when they are not."""

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidRecord, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.model import PmmlModel
from tests.support import pmml_glm, pmml_networks
from tests.support.pmml import X, Y, column, document, load, output_of, plain, schema
from tests.support.pmml_expressions import (
    FIELDS_OF_ALL,
    ROW,
    VALUE,
    call,
    columns_of,
    ref,
)
from tests.support.pmml_reference import Row
from tests.support.pmml_rows import (
    TOLERANCE,
    by_columns,
    declined,
    differences,
    objects,
    row_of,
)


@pytest.mark.parametrize("method", ["none", "softmax", "simplemax", "logit", "exp", "probit"])
@pytest.mark.parametrize("context", ["double", "float"])
@given(records=st.lists(ROW, min_size=2, max_size=6))
@settings(max_examples=10, deadline=None)
def test_regressions_are_the_same_by_rows_and_by_columns(
    method: str, context: str, records: list[Row]
) -> None:
    terms = (
        '<NumericPredictor name="x" coefficient="0.3"/><NumericPredictor name="f" coefficient="-1"/>'
        '<NumericPredictor name="x" exponent="3" coefficient="0.01"/>'
        '<CategoricalPredictor name="w" value="a" coefficient="0.7"/>'
        '<PredictorTerm coefficient="0.2"><FieldRef field="x"/><FieldRef field="f"/></PredictorTerm>'
    )
    kind = (
        '<DataField name="kind" optype="categorical" dataType="string"><Value value="u"/>'
        '<Value value="v"/></DataField>'
    )
    model = load(
        document(
            f'<RegressionModel functionName="classification" normalizationMethod="{method}" '
            f'x-mathContext="{context}">{schema("x", "f", "w", target="kind")}'
            '<Output><OutputField name="p" feature="probability" value="v"/></Output>'
            f'<RegressionTable intercept="0.1" targetCategory="u">{terms}</RegressionTable>'
            '<RegressionTable intercept="0.2" targetCategory="v"/></RegressionModel>',
            FIELDS_OF_ALL + kind,
        )
    )
    assert differences(model, columns_of(records)) == []


@given(st.lists(st.tuples(VALUE, st.sampled_from(["a", "b", "c", None])), min_size=2, max_size=6))
@settings(max_examples=50, deadline=None)
def test_generalized_models_answer_one_row_as_the_standard_says(
    records: list[tuple[float | None, str | None]],
) -> None:
    model = load(
        pmml_glm.general(modelType="generalizedLinear", linkFunction="log", offsetValue="0.5")
    )
    columns = {"x": column([x for x, _ in records]), "f": objects([f for _, f in records])}
    assert differences(model, columns) == []
    for place, (x, f) in enumerate(records):
        if x is None or f is None or abs(x) > 10:
            continue
        found = model.score(row_of(columns, place))["y"].item()
        assert math.isclose(found, math.exp(pmml_glm.eta(x, f, pmml_glm.BETAS) + 0.5), rel_tol=1e-9)


@pytest.mark.parametrize("activation", sorted(pmml_networks.ACTIVATIONS))
@pytest.mark.parametrize("normalization", ["none", "softmax"])
@pytest.mark.parametrize("hidden", [3, 40])
def test_networks_answer_one_row_as_the_standard_says(
    activation: str, normalization: str, hidden: int
) -> None:
    network = _network(activation, normalization, hidden)
    model = load(document(ET.tostring(network, "unicode"), X + Y))
    columns = {"x": column([0.25, -1.5, None, 3.0])}
    # NumPy adds what more than a few neurons give in another order where there is but one row.
    assert differences(model, columns, TOLERANCE) == []
    assert declined(model, columns) == []
    sent = pmml_networks.fire(network, {"i": 0.25})
    assert math.isclose(model.score(row_of(columns, 0))["y"].item(), sent["o"], rel_tol=1e-9)


def _network(activation: str, normalization: str, hidden: int) -> ET.Element:
    neurons = "".join(
        f'<Neuron id="h{n}" bias="{0.1 + 0.01 * n}"><Con from="i" weight="{0.3 + 0.02 * n}"/></Neuron>'
        for n in range(hidden)
    )
    sources = "".join(f'<Con from="h{n}" weight="{0.5 - 0.03 * n}"/>' for n in range(hidden))
    return ET.fromstring(  # written here
        f'<NeuralNetwork functionName="regression" activationFunction="{activation}" '
        f'threshold="0.25">{schema("x", target="y")}'
        '<NeuralInputs><NeuralInput id="i"><DerivedField optype="continuous" dataType="double">'
        f'<FieldRef field="x"/></DerivedField></NeuralInput></NeuralInputs>'
        f'<NeuralLayer normalizationMethod="{normalization}">{neurons}</NeuralLayer>'
        f'<NeuralLayer activationFunction="identity"><Neuron id="o">{sources}</Neuron></NeuralLayer>'
        '<NeuralOutputs><NeuralOutput outputNeuron="o"><DerivedField optype="continuous" '
        'dataType="double"><FieldRef field="y"/></DerivedField></NeuralOutput></NeuralOutputs>'
        "</NeuralNetwork>"
    )


ENSEMBLES = ["sum", "average", "weightedAverage", "modelChain", "selectFirst", "weightedSum"]


@pytest.mark.parametrize("method", ENSEMBLES)
@pytest.mark.parametrize("context", ["double", "float"])
@given(xs=st.lists(VALUE, min_size=2, max_size=6))
@settings(max_examples=15, deadline=None)
def test_ensembles_are_the_same_by_rows_and_by_columns(
    method: str, context: str, xs: list[float | None]
) -> None:
    segments = "".join(_segment(method, number) for number in range(3))
    model = load(
        document(
            f'<MiningModel functionName="regression" x-mathContext="{context}">'
            f"{schema('x', target='y')}"
            f'<Segmentation multipleModelMethod="{method}">{segments}</Segmentation></MiningModel>',
            X + Y,
        )
    )
    assert differences(model, {"x": column(xs)}, TOLERANCE) == []


def _segment(method: str, number: int) -> str:
    conditional = method in {"modelChain", "selectFirst"}
    predicate = (
        f'<SimplePredicate field="x" operator="greaterThan" value="{number - 1}"/>'
        if conditional
        else "<True/>"
    )
    inner = (
        f'<RegressionModel functionName="regression">{schema("x", target="y")}'
        '<LocalTransformations><DerivedField name="d" optype="continuous" dataType="double">'
        f"{call('sqrt', ref('x'))}</DerivedField></LocalTransformations>"
        f'<RegressionTable intercept="{number}"><NumericPredictor name="d" coefficient="0.1"/>'
        "</RegressionTable></RegressionModel>"
    )
    return f'<Segment id="{number}" weight="{number + 1}">{predicate}{inner}</Segment>'


@pytest.mark.parametrize("method", ["majorityVote", "weightedMajorityVote", "average", "max"])
@pytest.mark.parametrize("count", [3, 60])
def test_forests_are_the_same_by_rows_and_by_columns(method: str, count: int) -> None:
    segments = "".join(
        f'<Segment weight="{1 + number % 3}"><True/><TreeModel functionName="classification">'
        f"{schema('x', target='kind')}<Node><True/>{_leaves(number)}</Node></TreeModel></Segment>"
        for number in range(count)
    )
    kind = '<DataField name="kind" optype="categorical" dataType="string"/>'
    model = load(
        document(
            f'<MiningModel functionName="classification">{schema("x", target="kind")}'
            '<Output><OutputField name="p" feature="probability" value="u"/></Output>'
            f'<Segmentation multipleModelMethod="{method}">{segments}</Segmentation></MiningModel>',
            X + kind,
        )
    )
    columns = {"x": column([0.0, 3.5, None, 17.0, 99.0])}
    if method == "max":
        assert model.rowwise is None
    else:
        assert differences(model, columns, TOLERANCE) == []
        missing = [2] if "Vote" in method else []  # no vote to count: the columns say so
        assert declined(model, columns) == missing


def _leaves(number: int) -> str:
    shares = '<ScoreDistribution value="u" recordCount="{}"/><ScoreDistribution value="v" recordCount="{}"/>'
    return (
        f'<Node><SimplePredicate field="x" operator="lessThan" value="{number}"/>'
        f'{shares.format(number + 1, 2)}</Node><Node><SimplePredicate field="x" '
        f'operator="greaterOrEqual" value="{number}"/>{shares.format(1, number + 2)}</Node>'
    )


def test_a_batch_larger_than_the_limit_is_left_to_the_columns() -> None:
    model = load(output_of(ref("x"), X + Y))
    assert model.rowwise is not None
    for count, small in ((limits.PMML_ROWS_MAX, True), (limits.PMML_ROWS_MAX + 1, False)):
        columns = {"x": column([1.5] * count)}
        assert (model.rowwise.score(columns) is not None) == small
        assert plain(model.score(columns)["out"]) == plain(by_columns(model, columns)["out"])


@pytest.mark.parametrize(
    "columns",
    [
        {"x": np.array([[1.0]]), "y": np.array([1.0])},
        {"x": np.array([1.0, 2.0]), "y": np.array([1.0])},
        {"x": np.array(1.0), "y": np.array([1.0])},
    ],
)
def test_columns_that_do_not_fit_are_refused_whatever_their_size(columns: dict[str, Any]) -> None:
    model = load(output_of(call("+", ref("x"), ref("y")), X + Y, names=("x", "y")))
    with pytest.raises(InvalidRecord):
        model.score(columns)


def test_a_column_that_is_absent_is_missing_whatever_the_size() -> None:
    model = load(output_of(call("isMissing", ref("y")), X + Y, names=("x", "y")))
    assert plain(model.score({"x": np.array([1.0])})["out"]) == [True]


def test_a_model_with_an_expression_for_columns_alone_is_scored_by_them() -> None:
    term = '<Constant dataType="string">a</Constant>'
    model = load(
        output_of(f'<TextIndex textField="w">{term}</TextIndex>', FIELDS_OF_ALL, names=("w",))
    )
    assert model.rowwise is None
    assert plain(model.score({"w": column(["a b a"])})["out"]) == [2]


def _corpus(root: Path) -> list[tuple[str, PmmlModel, dict[str, Any]]]:
    found = []
    for case in json.loads((root / "pmml/manifest.json").read_text()):
        path = root / "pmml" / case["pmml"]
        if path.stat().st_size > 400_000:
            continue
        try:
            model = load(path.read_bytes())
        except UnsupportedModel:
            continue
        lines = (root / "pmml" / case["input"]).read_text().splitlines()[:5]
        head, *records = [line.split(",") for line in lines]
        table = [dict(zip(head, record, strict=False)) for record in records]
        columns = {
            field.name: column([_cell(record.get(field.name)) for record in table])
            for field in model.inputs
        }
        found.append((case["id"], model, columns))
    return found


def _cell(text: str | None) -> Any:
    if text in {None, "N/A", "NA"}:
        return None
    try:
        return float(text or "")
    except ValueError:
        return (text or "").strip('"')


def test_models_of_many_producers_answer_the_same_by_rows_and_by_columns(
    shared_data: Path,
) -> None:
    wrong: list[str] = []
    by_rows = 0
    for name, model, columns in _corpus(shared_data):
        if model.rowwise is not None:
            wrong += [f"{name}: {each}" for each in differences(model, columns, TOLERANCE)]
            by_rows += not declined(model, columns)
    assert wrong == []
    assert by_rows >= 180
