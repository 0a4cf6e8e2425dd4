"""Models of several targets: each is answered as by a model of its own."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import KIND, X, Y, document, load, plain, schema, score
from tests.support.pmml_networks import fire

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
SECOND = '<DataField name="second" optype="continuous" dataType="double"/>'
MOOD = (
    '<DataField name="mood" optype="categorical" dataType="string">'
    '<Value value="good"/><Value value="bad"/></DataField>'
)
LAYERS = (
    "<NeuralInputs>"
    '<NeuralInput id="x"><DerivedField optype="continuous" dataType="double">'
    '<FieldRef field="x"/></DerivedField></NeuralInput>'
    '<NeuralInput id="z"><DerivedField optype="continuous" dataType="double">'
    '<FieldRef field="z"/></DerivedField></NeuralInput></NeuralInputs>'
    '<NeuralLayer><Neuron id="h1" bias="0.3"><Con from="x" weight="0.5"/>'
    '<Con from="z" weight="-1.5"/></Neuron><Neuron id="h2" bias="-0.2">'
    '<Con from="x" weight="2"/><Con from="z" weight="0.25"/></Neuron></NeuralLayer>'
    '<NeuralLayer activationFunction="identity"><Neuron id="o1" bias="1">'
    '<Con from="h1" weight="1"/><Con from="h2" weight="-2"/></Neuron>'
    '<Neuron id="o2"><Con from="h2" weight="1"/><Con from="h1" weight="0.5"/></Neuron>'
    "</NeuralLayer>"
)
OUTPUTS = (
    '<OutputField name="out_{0}" targetField="{0}"/>'
    '<OutputField name="neuron" feature="entityId" targetField="{0}"/>'
)
NORM = (
    '<NormContinuous field="second"><LinearNorm orig="0" norm="0"/>'
    '<LinearNorm orig="10" norm="2"/></NormContinuous>'
)


def target_schema(*targets: str, active: tuple[str, ...] = ("x", "z")) -> str:
    extra = "".join(f'<MiningField name="{name}" usageType="target"/>' for name in targets)
    return schema(*active, extra=extra)


def neuron_output(neuron: str, expression: str) -> str:
    return (
        f'<NeuralOutput outputNeuron="{neuron}"><DerivedField optype="continuous" dataType="double">'
        f"{expression}</DerivedField></NeuralOutput>"
    )


def network(function: str, outputs: str, *targets: str) -> str:
    return (
        f'<NeuralNetwork functionName="{function}" activationFunction="tanh">'
        f"{target_schema(*targets)}<Output>{OUTPUTS.format(targets[-1])}</Output>{LAYERS}"
        f"<NeuralOutputs>{outputs}</NeuralOutputs></NeuralNetwork>"
    )


REGRESSION = network(
    "regression",
    neuron_output("o1", '<FieldRef field="y"/>') + neuron_output("o2", NORM),
    "y",
    "second",
)
ROWS = [(0.5, 2.0), (-1.0, 0.25), (3.0, -2.0)]


def sent(x: float, z: float) -> dict[str, float]:
    return fire(ET.fromstring(REGRESSION), {"x": x, "z": z})


def ask(body: str, fields: str) -> dict[str, list[Any]]:
    x, z = ([*column, None] for column in zip(*ROWS, strict=True))
    answers = score(document(body, fields), x=x, z=z)
    return {name: plain(answers[name]) for name in answers}


def test_a_network_of_several_targets_answers_each() -> None:
    answers = ask(REGRESSION, X + Y + Z + SECOND)
    assert list(answers) == ["y", "second", "out_second", "neuron"]
    assert answers["y"] == [*(pytest.approx(sent(*row)["o1"]) for row in ROWS), None]
    assert answers["second"] == [*(pytest.approx(5 * sent(*row)["o2"]) for row in ROWS), None]
    assert answers["out_second"] == answers["second"]
    assert answers["neuron"] == ["o2"] * 4


def test_a_classification_of_several_targets_has_categories_of_each() -> None:
    outputs = "".join(
        neuron_output(neuron, f'<NormDiscrete field="{field}" value="{value}"/>')
        for neuron, field, value in (
            ("o1", "kind", "a"),
            ("h1", "mood", "bad"),
            ("o2", "kind", "b"),
            ("h2", "mood", "good"),
        )
    )
    answers = ask(network("classification", outputs, "kind", "mood"), X + KIND + Z + MOOD)
    fired = [sent(*row) for row in ROWS]
    kinds = ["a" if f["o1"] >= f["o2"] else "b" for f in fired]
    moods = ["bad" if f["h1"] >= f["h2"] else "good" for f in fired]
    assert len(set(kinds)) == len(set(moods)) == 2
    assert answers["kind"] == [*kinds, None]
    assert answers["mood"] == answers["out_mood"] == [*moods, None]


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (' targetField="second"', "", UnsupportedModel, "targetField"),
        ('targetField="second"', 'targetField="x"', UnsupportedModel, "targetField"),
        ('<FieldRef field="y"/>', '<FieldRef field="x"/>', InvalidModel, "'x', which is not a"),
        (NORM, '<FieldRef field="y"/>', InvalidModel, "no NeuralOutput about target 'second'"),
        ('"second" usageType', '"third" usageType', InvalidModel, "third is no DataField"),
    ],
)
def test_outputs_and_neurons_say_which_target_they_are_about(
    old: str, new: str, error: type[Exception], message: str
) -> None:
    assert old in REGRESSION
    with pytest.raises(error, match=message):
        load(document(REGRESSION.replace(old, new), X + Y + Z + SECOND))


def test_a_mixed_model_of_neighbors_answers_each_target_by_the_method_of_its_kind() -> None:
    rows = [(0, 0, 1.0, "a"), (1, 0, 3.0, "b"), (2, 1, 8.0, "b"), (9, 9, 50.0, "a")]
    names = ("x", "z", "y", "kind")
    fields = "".join(f'<InstanceField field="{name}"/>' for name in names)
    table = "".join(
        "<row>"
        + "".join(f"<{n}>{value}</{n}>" for n, value in zip(names, row, strict=True))
        + "</row>"
        for row in rows
    )
    body = (
        '<NearestNeighborModel functionName="mixed" numberOfNeighbors="3">'
        f'{target_schema("y", "kind")}<Output><OutputField name="shown" targetField="kind"/>'
        '<OutputField name="nearest" feature="entityId"/></Output>'
        f"<TrainingInstances><InstanceFields>{fields}</InstanceFields>"
        f"<InlineTable>{table}</InlineTable></TrainingInstances>"
        '<ComparisonMeasure kind="distance"><cityBlock/></ComparisonMeasure>'
        '<KNNInputs><KNNInput field="x"/><KNNInput field="z"/></KNNInputs></NearestNeighborModel>'
    )
    answers = score(document(body, X + Y + Z + KIND), x=[0.1, None], z=[0, 0])
    assert {name: plain(answers[name]) for name in answers} == {
        "y": [4.0, None],
        "kind": ["b", None],
        "shown": ["b", None],
        "nearest": ["1", None],
    }


def test_several_targets_of_any_other_model_are_refused() -> None:
    body = (
        f'<RegressionModel functionName="regression">{target_schema("y", "second")}'
        '<RegressionTable intercept="1"/></RegressionModel>'
    )
    with pytest.raises(UnsupportedModel, match="several targets"):
        load(document(body, X + Y + Z + SECOND))
