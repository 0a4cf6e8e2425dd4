"""Neural networks against the standard's formulas, evaluated a neuron at a time."""

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import KIND, C, X, Y, document, load, lower, plain, schema, score
from tests.support.pmml_networks import ACTIVATIONS, fire

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
INPUTS = (
    "<NeuralInputs>"
    '<NeuralInput id="x"><DerivedField optype="continuous" dataType="double">'
    '<FieldRef field="x"/></DerivedField></NeuralInput>'
    '<NeuralInput id="z"><DerivedField optype="continuous" dataType="double">'
    '<FieldRef field="z"/></DerivedField></NeuralInput></NeuralInputs>'
)
HIDDEN = (
    "<NeuralLayer>"
    '<Neuron id="h1" bias="0.3"><Con from="x" weight="0.5"/><Con from="z" weight="-1.5"/></Neuron>'
    '<Neuron id="h2" bias="-0.2"><Con from="x" weight="2"/><Con from="z" weight="0.25"/></Neuron>'
    '<Neuron id="h3"><Con from="z" weight="0.75"/></Neuron></NeuralLayer>'
)
LAST = (
    '<NeuralLayer activationFunction="identity">'
    '<Neuron id="o1" bias="1"><Con from="h1" weight="1"/><Con from="h2" weight="-2"/>'
    '<Con from="x" weight="0.1"/></Neuron>'
    '<Neuron id="o2"><Con from="h3" weight="1"/><Con from="h1" weight="0.5"/></Neuron>'
    "</NeuralLayer>"
)


def output(neuron: str, expression: str, name: str = "y") -> str:
    return (
        f'<NeuralOutput outputNeuron="{neuron}"><DerivedField optype="continuous" dataType="double">'
        f"{expression.replace('FIELD', name)}</DerivedField></NeuralOutput>"
    )


def regression(layers: str = HIDDEN + LAST, expression: str = '<FieldRef field="FIELD"/>') -> str:
    return network("regression", layers, output("o1", expression), "y")


def classification(layers: str = HIDDEN + LAST, inner: str = "") -> str:
    outputs = output("o1", '<NormDiscrete field="FIELD" value="a"/>', "kind")
    outputs += output("o2", '<NormDiscrete field="FIELD" value="b"/>', "kind")
    return network("classification", layers, outputs, "kind", inner)


def network(function: str, layers: str, outputs: str, target: str, inner: str = "") -> str:
    return (
        f'<NeuralNetwork functionName="{function}" activationFunction="tanh" threshold="0.25">'
        f"{schema('x', 'z', target=target)}{inner}{INPUTS}{layers}"
        f"<NeuralOutputs>{outputs}</NeuralOutputs></NeuralNetwork>"
    )


numbers = st.floats(-3, 3).map(lambda v: round(v, 3))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(set(ACTIVATIONS) - {"reciprocal"})),
    method=st.sampled_from(["none", "softmax"]),
    given_rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5),
)
def test_a_network_answers_as_the_standard_reads(
    kind: str, method: str, given_rows: list[tuple[float, float]]
) -> None:
    changed = f'<NeuralLayer activationFunction="{kind}" normalizationMethod="{method}">'
    body = regression(HIDDEN.replace("<NeuralLayer>", changed) + LAST)
    wanted = [fire(ET.fromstring(body), {"x": x, "z": z})["o1"] for x, z in given_rows]
    x, z = zip(*given_rows, strict=True)
    assert plain(score(document(body, X + Y + Z), x=x, z=z)["y"]) == pytest.approx(wanted)


def test_the_reciprocal_activation_divides_one_by_the_sum() -> None:
    layers = HIDDEN.replace("<NeuralLayer>", '<NeuralLayer activationFunction="reciprocal">') + LAST
    body = regression(layers)
    wanted = fire(ET.fromstring(body), {"x": 1.0, "z": 2.0})["o1"]
    assert plain(score(document(body, X + Y + Z), x=[1], z=[2])["y"]) == pytest.approx([wanted])


def test_radial_basis_units_measure_distances_and_are_normalized_by_simplemax() -> None:
    layers = (
        '<NeuralLayer activationFunction="radialBasis" normalizationMethod="simplemax" width="2">'
        '<Neuron id="h1" altitude="1.5"><Con from="x" weight="1"/><Con from="z" weight="3"/></Neuron>'
        '<Neuron id="h2" width="0.5"><Con from="x" weight="-1"/></Neuron>'
        '<Neuron id="h3"><Con from="z" weight="0.5"/></Neuron></NeuralLayer>'
    ) + LAST
    body = regression(layers)
    wanted = [fire(ET.fromstring(body), {"x": x, "z": z})["o1"] for x, z in [(0, 1), (2, -1)]]
    answers = score(document(body, X + Y + Z), x=[0, 2], z=[1, -1])
    assert plain(answers["y"]) == pytest.approx(wanted)


def test_a_radial_basis_unit_without_a_width_is_invalid() -> None:
    layers = HIDDEN.replace("<NeuralLayer>", '<NeuralLayer activationFunction="radialBasis">')
    with pytest.raises(InvalidModel, match="it needs a width"):
        lower(document(regression(layers + LAST), X + Y + Z))


def test_a_classification_answers_the_category_of_the_strongest_neuron() -> None:
    inner = (
        '<Output><OutputField name="a" feature="probability" value="a"/>'
        '<OutputField name="b" feature="probability" value="b"/>'
        '<OutputField name="id" feature="entityId"/></Output>'
    )
    layers = HIDDEN + LAST.replace(
        'Function="identity"', 'Function="identity" normalizationMethod="softmax"'
    )
    body = classification(layers, inner)
    rows = [(0.0, 0.0), (1.0, 1.5), (3.0, -3.0)]
    sent = [fire(ET.fromstring(body), {"x": x, "z": z}) for x, z in rows]
    answers = score(document(body, X + Z + KIND), x=[0, 1, 3], z=[0, 1.5, -3])
    assert plain(answers["a"]) == pytest.approx([s["o1"] for s in sent])
    assert plain(answers["b"]) == pytest.approx([s["o2"] for s in sent])
    best = ["o1" if s["o1"] >= s["o2"] else "o2" for s in sent]
    assert len(set(best)) == 2
    assert plain(answers["id"]) == best
    assert plain(answers["kind"]) == [{"o1": "a", "o2": "b"}[name] for name in best]


@pytest.mark.parametrize("kind", [*ACTIVATIONS, "radialBasis"])
def test_a_missing_input_gives_a_missing_answer(kind: str) -> None:
    body = regression().replace(
        'activationFunction="tanh"', f'activationFunction="{kind}" width="1"'
    )
    assert plain(score(document(body, X + Y + Z), x=[None], z=[1.0])["y"]) == [None]


def test_a_missing_input_that_is_not_connected_does_no_harm() -> None:
    layers = (
        '<NeuralLayer activationFunction="identity">'
        '<Neuron id="o1"><Con from="x" weight="2"/></Neuron>'
        '<Neuron id="o2"><Con from="z" weight="1"/></Neuron></NeuralLayer>'
    )
    assert plain(score(document(regression(layers), X + Y + Z), x=[3], z=[None])["y"]) == [6.0]


def test_a_continuous_answer_is_read_backwards_off_its_normalization() -> None:
    points = (
        '<NormContinuous field="FIELD"><LinearNorm orig="0" norm="0.1"/>'
        '<LinearNorm orig="100" norm="0.5"/><LinearNorm orig="500" norm="0.9"/></NormContinuous>'
    )
    layers = '<NeuralLayer activationFunction="identity"><Neuron id="o1"><Con from="x" weight="1"/></Neuron></NeuralLayer>'
    body = regression(layers, points)
    answers = score(document(body, X + Y + Z), x=[0.1, 0.3, 0.7, 1.0, 0.0], z=[0] * 5)
    assert plain(answers["y"]) == pytest.approx([0.0, 50.0, 300.0, 600.0, -25.0])


def test_a_falling_normalization_is_read_backwards_too() -> None:
    points = (
        '<NormContinuous field="FIELD"><LinearNorm orig="0" norm="1"/>'
        '<LinearNorm orig="10" norm="0"/></NormContinuous>'
    )
    layers = '<NeuralLayer activationFunction="identity"><Neuron id="o1"><Con from="x" weight="1"/></Neuron></NeuralLayer>'
    answers = score(document(regression(layers, points), X + Y + Z), x=[1, 0.5, 0], z=[0] * 3)
    assert plain(answers["y"]) == pytest.approx([0.0, 5.0, 10.0])


def test_one_record_is_answered_as_it_is_among_others() -> None:
    model = load(document(regression(), X + Y + Z))
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=50), rng.normal(size=50)
    many = model.score({"x": x, "z": z})["y"]
    one = [model.score({"x": x[i : i + 1], "z": z[i : i + 1]})["y"][0] for i in range(50)]
    assert many.tolist() == pytest.approx(one, rel=1e-13)


def test_a_large_batch_is_scored_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = document(regression(), X + Y + Z)
    rows: dict[str, list[Any]] = {"x": [*range(10)], "z": [1.0] * 10}
    whole = plain(score(artifact, **rows)["y"])
    monkeypatch.setattr(limits, "PMML_ENSEMBLE_CELLS_MAX", 21)
    assert plain(score(artifact, **rows)["y"]) == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize("name", ["SpectralModel"])
def test_a_model_of_another_kind_is_refused_by_name(name: str) -> None:
    body = f'<{name} functionName="timeSeries">{schema("x", target="y")}</{name}>'
    with pytest.raises(UnsupportedModel, match=f"PMML element {name} inside PMML"):
        lower(document(body))


def test_an_attribute_in_another_case_is_understood() -> None:
    body = regression().replace("dataType=", "datatype=")
    assert len(plain(score(document(body, X + Y + Z), x=[1], z=[1])["y"])) == 1


@pytest.mark.parametrize(
    ("old", "new", "error", "reason"),
    [
        ('from="h3"', 'from="o1"', InvalidModel, "not a neuron of an earlier layer"),
        ('id="h2"', 'id="h1"', InvalidModel, "two neurons 'h1'"),
        ('outputNeuron="o1"', 'outputNeuron="o9"', InvalidModel, "unknown neuron 'o9'"),
        (
            '<FieldRef field="y"/>',
            '<FieldRef field="x"/>',
            UnsupportedModel,
            "not the model's target",
        ),
        (
            '<FieldRef field="y"/>',
            "<Constant>1</Constant>",
            UnsupportedModel,
            "Constant in a Neural",
        ),
        ('threshold="0.25"', 'x-mathContext="float"', UnsupportedModel, "x-mathContext='float'"),
        ('"identity"', '"swish"', UnsupportedModel, "activationFunction='swish'"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(
    old: str, new: str, error: type[Exception], reason: str
) -> None:
    body = regression()
    assert old in body
    with pytest.raises(error, match=reason):
        lower(document(body.replace(old, new), X + Y + Z))


def test_a_classification_needs_an_output_for_each_category() -> None:
    body = classification().replace('value="b"', 'value="a"')
    with pytest.raises(InvalidModel, match="a NeuralOutput for each"):
        lower(document(body, X + Z + KIND))


def test_a_network_is_a_segment_like_any_other() -> None:
    body = (
        f'<MiningModel functionName="regression">{schema("x", "z", "c", target="y")}'
        '<Segmentation multipleModelMethod="average">'
        f"<Segment><True/>{regression()}</Segment><Segment>"
        f'<SimplePredicate field="c" operator="equal" value="on"/>{regression()}</Segment>'
        "</Segmentation></MiningModel>"
    )
    alone = score(document(regression(), X + Y + Z), x=[1], z=[2])["y"]
    given_rows: dict[str, list[Any]] = {"x": [1, 1], "z": [2, 2], "c": ["on", "off"]}
    answers = score(document(body, X + Y + Z + C), **given_rows)
    assert answers["y"].tolist() == pytest.approx([alone[0], alone[0]])
