"""PMML trees, predicates and ensembles as the standard's text has them: a row at a time, slowly.

Written from DMG 4.4 alone and sharing no code with the product, so that both being wrong in the
same way takes the same misreading twice.
"""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

Row = dict[str, Any]
PREDICATES = {"True", "False", "SimplePredicate", "SimpleSetPredicate", "CompoundPredicate"}


def holds(predicate: ET.Element, row: Row) -> bool | None:
    """Return whether a predicate is true; None: unknown."""
    if predicate.tag in {"True", "False"}:
        return predicate.tag == "True"
    if predicate.tag == "CompoundPredicate":
        return _compound(predicate, row)
    value = row[predicate.attrib["field"]]
    if predicate.tag == "SimpleSetPredicate":
        if value is None:
            return None
        array = predicate.find("Array")
        assert array is not None
        inside = any(_equal(value, item) for item in (array.text or "").split())
        return inside == (predicate.attrib["booleanOperator"] == "isIn")
    return _simple(predicate.attrib["operator"], value, predicate.attrib.get("value", ""))


def _equal(value: Any, text: str) -> bool:
    return value == text if isinstance(value, str) else bool(value == float(text))


def _simple(operator: str, value: Any, text: str) -> bool | None:
    if operator in {"isMissing", "isNotMissing"}:
        return (value is None) == (operator == "isMissing")
    if value is None:
        return None
    if operator in {"equal", "notEqual"}:
        return _equal(value, text) == (operator == "equal")
    limit = float(text)
    if operator in {"lessThan", "greaterOrEqual"}:
        return bool(value < limit) == (operator == "lessThan")
    return bool(value <= limit) == (operator == "lessOrEqual")


def _compound(predicate: ET.Element, row: Row) -> bool | None:
    parts = [holds(part, row) for part in predicate]
    operator = predicate.attrib["booleanOperator"]
    if operator == "surrogate":
        return next((part for part in parts if part is not None), None)
    if operator == "xor":
        return None if None in parts else sum(map(bool, parts)) % 2 == 1
    decisive = operator == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


@dataclass(frozen=True)
class Tree:
    """One TreeModel element."""

    element: ET.Element

    def winner(self, row: Row) -> ET.Element | None:
        """Return the node whose score is the answer, or None where there is none."""
        root = self.element.find("Node")
        assert root is not None
        if holds(_predicate(root), row) is not True:
            return None
        node = root
        while True:
            children = node.findall("Node")
            if not children:
                return _scored(node)
            step = self._step(node, children, row)
            if not isinstance(step, ET.Element):
                return _scored(node) if step == "last" else None
            node = step

    def _step(self, node: ET.Element, children: list[ET.Element], row: Row) -> ET.Element | str:
        """Return the child to go on with, or `last` or `null` for the answer."""
        strategy = self.element.attrib.get("missingValueStrategy", "none")
        for child in children:
            outcome = holds(_predicate(child), row)
            if outcome is None and strategy != "none":
                if strategy == "defaultChild":
                    default = node.attrib["defaultChild"]
                    return next(c for c in children if c.attrib["id"] == default)
                return "last" if strategy == "lastPrediction" else "null"
            if outcome:
                return child
        otherwise = self.element.attrib.get("noTrueChildStrategy", "returnNullPrediction")
        return "last" if otherwise == "returnLastPrediction" else "null"


def _predicate(node: ET.Element) -> ET.Element:
    return next(child for child in node if child.tag in PREDICATES)


def _scored(node: ET.Element) -> ET.Element | None:
    return node if "score" in node.attrib else None
