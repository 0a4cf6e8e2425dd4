"""Pieces of PMML documents (DMG 4.4), as elements: fields, outputs, trees, chains.

What the models are is the business of `pmml_models`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

TARGET = "adjusted"
LABELS = ("0", "1")
PROBABILITIES = tuple(f"probability({label})" for label in LABELS)
# Writes the predicate of a node: of which feature, compared with what, and is it the left child.
Test = Callable[[ET.Element, int, float, bool], None]


def add(parent: ET.Element, tag: str, **attributes: Any) -> ET.Element:
    """Add an element; a `_` at the end of an attribute's name is left out."""
    texts = {name.rstrip("_"): _text(value) for name, value in attributes.items()}
    return ET.SubElement(parent, tag, texts)


def _text(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def document(categories: Mapping[str, Sequence[str]], number_type: str = "double") -> ET.Element:
    """Return the root with a dictionary of some fields: those with categories are strings."""
    root = ET.Element("PMML", xmlns="http://www.dmg.org/PMML-4_4", version="4.4")
    add(add(root, "Header"), "Application", name="modelstream benchmarks")
    dictionary = add(root, "DataDictionary")
    for name, values in {**categories, TARGET: LABELS}.items():
        optype, data_type = ("categorical", "string") if values else ("continuous", number_type)
        field = add(dictionary, "DataField", name=name, optype=optype, dataType=data_type)
        for value in values:
            add(field, "Value", value=value)
    return root


def written(root: ET.Element) -> bytes:
    """Return a document as bytes."""
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def schema(
    model: ET.Element,
    names: Iterable[str],
    replacements: Mapping[str, Any] | None = None,
    *,
    refusing: bool = False,
) -> None:
    """Add a MiningSchema; `replacements` are what missing values become, if not refused."""
    fields = add(model, "MiningSchema")
    for name in names:
        mining = add(fields, "MiningField", name=name)
        if refusing:
            mining.set("missingValueTreatment", "returnInvalid")
        if replacements is not None:
            mining.set("missingValueReplacement", _text(replacements[name]))
    add(fields, "MiningField", name=TARGET, usageType="target")


def probabilities(model: ET.Element) -> None:
    """Add the outputs that all models have: a probability a label."""
    output = add(model, "Output")
    for name, label in zip(PROBABILITIES, LABELS, strict=True):
        add(
            output,
            "OutputField",
            name=name,
            optype="continuous",
            dataType="double",
            feature="probability",
            value=label,
        )


def add_tree(
    parent: ET.Element, tree: Any, fields: Sequence[str], test: Test, scores: Sequence[Any],
    **attributes: Any,
) -> None:  # fmt: skip
    """Add a TreeModel of a fitted tree of scikit-learn, which numbers its nodes parents first.

    `fields` has one a feature, `scores` one a node. Where missing values have a default child, it
    is the one that more rows of the training went to.
    """
    model = add(parent, "TreeModel", splitCharacteristic="binarySplit", **attributes)
    used = add(model, "MiningSchema")
    for name in dict.fromkeys(fields[feature] for feature in tree.feature if feature >= 0):
        add(used, "MiningField", name=name)
    defaults = "missingValueStrategy" in attributes
    nodes = {0: add(model, "Node", **({"id": 0} if defaults else {}))}
    add(nodes[0], "True")
    for number in range(tree.node_count):
        node, left, right = nodes[number], tree.children_left[number], tree.children_right[number]
        if left == right:
            node.set("score", _text(scores[number]))
            continue
        if defaults:
            node.set("defaultChild", str(max(left, right, key=tree.n_node_samples.__getitem__)))
        for child in (left, right):
            nodes[child] = add(node, "Node", **({"id": child} if defaults else {}))
            test(nodes[child], tree.feature[number], tree.threshold[number], child == left)


def segment(segmentation: ET.Element, number: int) -> ET.Element:
    """Add a Segment that runs for every row."""
    each = add(segmentation, "Segment", id=number)
    add(each, "True")
    return each


def as_single(threshold: float) -> float:
    """Return the largest 32-bit number that is not above a threshold.

    scikit-learn compares 32-bit numbers with 64-bit thresholds, PMML's float fields with 32-bit
    ones.
    """
    near = np.float32(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))


def add_layer(
    model: ET.Element, name: str, weights: npt.NDArray[Any], biases: npt.NDArray[Any], before: str
) -> ET.Element:
    """Add a layer; `weights` have a row a neuron before it and a column a neuron of it."""
    layer = add(model, "NeuralLayer")
    for number, (column, bias) in enumerate(zip(weights.T, biases, strict=True)):
        neuron = add(layer, "Neuron", id=f"{name}{number}", bias=bias)
        for source, weight in enumerate(column):
            add(neuron, "Con", from_=f"{before}{source}", weight=weight)
    return layer


def add_tables(
    model: ET.Element, intercept: float, names: Sequence[str], weights: Sequence[float]
) -> None:
    """Add a RegressionTable for label 1, and an empty one for label 0."""
    yes = add(model, "RegressionTable", intercept=intercept, targetCategory=LABELS[1])
    for name, weight in zip(names, weights, strict=True):
        add(yes, "NumericPredictor", name=name, coefficient=weight)
    add(model, "RegressionTable", intercept=0.0, targetCategory=LABELS[0])
