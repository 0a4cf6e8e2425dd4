"""Writes a decision tree of scikit-learn as PMML 4.4 (DMG, TreeModel).

scikit-learn casts a record to 32 bits and compares it with a threshold of 64. PMML's float fields
cast alike; the threshold is written as the largest 32-bit number that is not above it, which
separates the same numbers.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import numpy as np
from sklearn.tree import DecisionTreeClassifier

_NAMESPACE = "http://www.dmg.org/PMML-4_4"


def tree_pmml(tree: DecisionTreeClassifier, names: Sequence[str], target: str) -> bytes:
    """Return a fitted classifier of one target as a PMML document.

    `names` are the features in the order of its training columns. The answer is `target`, then
    `probability(...)` for each class.
    """
    classes = [str(label) for label in tree.classes_]
    root = ET.Element("PMML", xmlns=_NAMESPACE, version="4.4")
    ET.SubElement(ET.SubElement(root, "Header"), "Application", name="modelstream demo")
    dictionary = ET.SubElement(root, "DataDictionary")
    for name in names:
        ET.SubElement(dictionary, "DataField", name=name, optype="continuous", dataType="float")
    answer = ET.SubElement(
        dictionary, "DataField", name=target, optype="categorical", dataType="string"
    )
    for label in classes:
        ET.SubElement(answer, "Value", value=label)
    model = ET.SubElement(
        root, "TreeModel", functionName="classification", splitCharacteristic="binarySplit"
    )
    schema = ET.SubElement(model, "MiningSchema")
    for name in names:
        ET.SubElement(schema, "MiningField", name=name, missingValueTreatment="returnInvalid")
    ET.SubElement(schema, "MiningField", name=target, usageType="target")
    _add_output(model, target, classes)
    _add_nodes(model, tree, names)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_output(model: ET.Element, target: str, classes: Sequence[str]) -> None:
    output = ET.SubElement(model, "Output")
    ET.SubElement(
        output,
        "OutputField",
        name=target,
        optype="categorical",
        dataType="string",
        feature="predictedValue",
    )
    for label in classes:
        ET.SubElement(
            output,
            "OutputField",
            name=f"probability({label})",
            optype="continuous",
            dataType="double",
            feature="probability",
            value=label,
        )


def _add_nodes(model: ET.Element, tree: DecisionTreeClassifier, names: Sequence[str]) -> None:
    """Add every node; scikit-learn numbers them parents first."""
    nodes = tree.tree_
    elements = {0: _add_node(model, tree, 0, None)}
    for parent in range(nodes.node_count):
        children = (int(nodes.children_left[parent]), int(nodes.children_right[parent]))
        if children[0] == children[1]:
            continue  # a leaf: both are -1
        name = names[nodes.feature[parent]]
        threshold = repr(float(_as_float32(nodes.threshold[parent])))
        for child, operator in zip(children, ("lessOrEqual", "greaterThan"), strict=True):
            test = {"field": name, "operator": operator, "value": threshold}
            elements[child] = _add_node(elements[parent], tree, child, test)


def _add_node(
    parent: ET.Element, tree: DecisionTreeClassifier, number: int, test: dict[str, str] | None
) -> ET.Element:
    """Add one node with its share of each class; `test` None is always true."""
    total = int(tree.tree_.n_node_samples[number])
    shares = tree.tree_.value[number][0]
    counts = shares / shares.sum() * total
    node = ET.SubElement(
        parent,
        "Node",
        id=str(number),
        score=str(tree.classes_[np.argmax(counts)]),
        recordCount=str(total),
    )
    if test is None:
        ET.SubElement(node, "True")
    else:
        ET.SubElement(node, "SimplePredicate", test)
    for label, count in zip(tree.classes_, counts, strict=True):
        ET.SubElement(node, "ScoreDistribution", value=str(label), recordCount=repr(float(count)))
    return node


def _as_float32(threshold: float) -> np.float32:
    """Return the largest 32-bit number that is not above a threshold."""
    near = np.float32(threshold)
    return near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf))
