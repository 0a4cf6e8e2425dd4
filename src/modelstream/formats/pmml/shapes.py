"""What each element may hold, worked out from its type when a document first has it.

The reader asks this for every element that it meets, so an answer is one look-up.
"""

import typing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import CELLS, TEXT, Element
from modelstream.formats.pmml.elements.vocabulary import (
    IN_ORDER,
    counted,
    counted_inside,
    element_types,
    roles,
)
from modelstream.formats.pmml.spellings import words

ROOT = "PMML"
ROW = "row"


@dataclass(slots=True, eq=False)
class Shape:
    """What one type of element may hold, how many a document may have, and how many were met.

    `held` are the types of what it holds by the names under which it does. A leaf holds no
    elements; `places` are those of the elements met inside it, by their names. A cell of a table
    is no element of its own.
    """

    tag: str
    element: type[Element] = Element
    attributes: frozenset[str] = frozenset()
    words: dict[str, bool] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    takes_text: bool = False
    is_leaf: bool = False
    is_cell: bool = False
    most: int | None = None
    met: int = 0
    places: dict[str, "Place"] = field(default_factory=dict)


class Place(NamedTuple):
    """Where an element stands in the one that holds it.

    Where `many` others may stand, too, these are `most` of them; `type` is of all together.
    """

    shape: Shape
    role: str
    type: Any = None
    many: bool = False
    most: int = 0


class Shapes:
    """The shapes of one document."""

    def __init__(self) -> None:
        self._types = element_types()
        self._groups = roles()
        self._counted = counted()
        self._counted_inside = counted_inside()
        self._shapes: dict[str, Shape] = {}
        self.top = Place(Shape("", held={ROOT: Element}), "")

    def place(self, name: str, parent: Shape) -> Place | None:
        """Return where an element stands in another; None: it must not be there."""
        tag = name.rpartition(":")[2]
        place = parent.places.get(tag)
        if place is None:
            place = _cell(tag) if parent.tag == ROW else self._place(tag, parent)
        if place is not None and len(parent.places) < limits.PMML_COLUMNS_MAX:
            parent.places[name] = place
        return place

    def _place(self, tag: str, parent: Shape) -> Place | None:
        role = IN_ORDER.get((parent.tag, tag)) or self._groups.get(tag, tag)
        if tag not in self._types or role not in parent.held:
            return None
        type_ = parent.held[role]
        many = typing.get_origin(type_) is tuple
        most = self._counted_inside.get((parent.tag, role), limits.PMML_ELEMENTS_MAX)
        return Place(self.of(tag), role, type_, many, most)

    def of(self, tag: str) -> Shape:
        """Return the shape of a known element."""
        shape = self._shapes.get(tag)
        if shape is None:
            shape = self._shapes[tag] = self._make(tag)
        return shape

    def _make(self, tag: str) -> Shape:
        element = self._types[tag]
        types = {f.encode_name: f.type for f in msgspec.structs.fields(element)}
        held = {name: type_ for name, type_ in types.items() if _holds_elements(type_)}
        attributes = frozenset(n for n in types if n not in held and not n.startswith("#"))
        return Shape(
            tag,
            element,
            attributes,
            words({name: types[name] for name in attributes}),
            held,
            takes_text=TEXT in types,
            is_leaf=not held and tag != ROW,
            most=self._counted.get(tag),
        )


def _holds_elements(type_: Any) -> bool:
    if isinstance(type_, type) and issubclass(type_, Element):
        return True
    return any(map(_holds_elements, typing.get_args(type_)))


def _cell(tag: str) -> Place:
    shape = Shape(tag, takes_text=True, is_cell=True)
    return Place(shape, CELLS, many=True, most=limits.PMML_COLUMNS_MAX)
