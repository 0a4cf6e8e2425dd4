"""The lowered form of trees: what each column of their input is, and what their leaves answer.

These types are not PMML's own; they take the place of `Node` elements in a lowered document.
Arrays are little-endian bytes, so that a large forest decodes without a Python object a node.
"""

import msgspec

from modelstream.formats.pmml.elements.base import PREDICATE, Element
from modelstream.formats.pmml.elements.predicates import Predicate
from modelstream.formats.trees.arrays import Trees


class NumberInput(Element, tag="#number", kw_only=True, frozen=True):
    """A numeric field as it is; NaN where it is missing."""

    field: str


class CodeInput(Element, tag="#code", kw_only=True, frozen=True):
    """The position of a field's value among `values`; -1 for any other, -2 where missing."""

    field: str
    values: tuple[str, ...]


class ChoiceInput(Element, tag="#choice", kw_only=True, frozen=True):
    """The position of the first true predicate, or their count where none is true.

    `unknown` is the answer where a predicate is unknown before any is true; without it the next
    predicate is tried.
    """

    predicates: tuple[Predicate, ...] = msgspec.field(name=PREDICATE)
    unknown: int | None = None


ForestInput = NumberInput | CodeInput | ChoiceInput


class Forest(Element, tag="#forest", kw_only=True, frozen=True):
    """Binary decision trees, what each column of their input is, and what their leaves answer."""

    inputs: tuple[ForestInput, ...]
    trees: Trees
    labels: tuple[str, ...] = ()  # the categories, for a classification
    score: bytes  # float64 a leaf: the number, or the position of the label; NaN: no prediction
    distribution: bytes = b""  # float64 a leaf and label: probabilities
    confidence: bytes = b""  # float64 a leaf and label
    ids: tuple[str | None, ...] = ()  # the node of each leaf
