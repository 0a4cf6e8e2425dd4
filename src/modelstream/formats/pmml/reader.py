"""Read PMML bytes into typed elements, within limits and without trusting a byte.

A streaming parse: each element is checked and built when it ends, children first, so depth costs
no recursion. DTDs and entities are refused; so is every element and attribute not declared in
`elements`, by name. Only `Extension` and documentation are passed over.
"""

import typing
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

import msgspec

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import CELLS, TEXT, Element
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.elements.vocabulary import (
    IN_ORDER,
    MISSPELT,
    MODELS,
    REFUSED,
    SKIPPED,
    element_types,
    roles,
    tag_of,
)
from modelstream.formats.pmml.header import HeaderNotes

VERSIONS = ("3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.2.1", "4.3", "4.4", "4.4.1")

_ROW = "row"
_CELL = "#cell"
_NOT_OURS = ("xmlns", "xmlns:", "xsi:", "xml:")


def read_document(data: bytes) -> Document:
    """Parse a PMML document of version 3.0 to 4.4.1.

    Raises InvalidModel when it is not well-formed, breaks the schema or is too large, and
    UnsupportedModel when it holds something that this version does not evaluate; both name it.
    """
    builder = _Builder()
    parser = builder.parser()
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise InvalidModel(f"the PMML document is not well-formed XML: {error}") from None
    document = builder.root
    if not isinstance(document, Document):
        raise InvalidModel("the root element of a PMML document must be PMML")
    if document.version not in VERSIONS:
        raise UnsupportedModel(
            f"PMML version {document.version} is not evaluated; supported: {', '.join(VERSIONS)}"
        )
    return msgspec.structs.replace(document, header=builder.notes.header())


@dataclass(slots=True, eq=False)
class _Shape:
    """What one type of element can hold, by encoded name; `many` are those that take many.

    `roles` are the names under which it holds children, of the tags met so far; None: it does not.
    """

    type: type[Element] | None  # None: a cell of a table row
    names: frozenset[str] = frozenset()
    many: frozenset[str] = frozenset()
    roles: dict[str, str | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Frame:
    """An element whose end has not come yet; `role` is the name under which its parent holds it."""

    tag: str
    shape: _Shape
    content: dict[str, Any]
    role: str
    text: list[str] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)


class _Builder:
    """The handlers of one parse, and the elements that are open."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self.notes = HeaderNotes()
        self._types = element_types()
        self._roles = roles()
        self._shapes: dict[str, _Shape] = {}
        self._cell = _Shape(None)
        self._open: list[_Frame] = []
        self._skipping: list[str] = []  # the element passed over, and those open inside it
        self._elements = 0
        self._rows = 0

    def parser(self) -> expat.XMLParserType:
        """Return a parser that calls this builder."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_declarations
        parser.EntityDeclHandler = _refuse_declarations
        parser.ExternalEntityRefHandler = _refuse_declarations
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > limits.PMML_ELEMENTS_MAX:
            raise InvalidModel(f"more than {limits.PMML_ELEMENTS_MAX} elements in one document")
        if len(self._open) + len(self._skipping) >= limits.PMML_DEPTH_MAX:
            raise InvalidModel(f"elements are nested deeper than {limits.PMML_DEPTH_MAX}")
        tag = name.rpartition(":")[2]
        parent = self._open[-1] if self._open else None
        cell = parent is not None and parent.tag == _ROW and tag != "Extension"
        if self._skipping or (tag in SKIPPED and not cell):  # a column may have any name
            self._skipping.append(tag)
            self.notes.start(self._skipping, attributes)
            return
        if cell:
            self._open.append(_Frame(tag, self._cell, {}, CELLS))
            return
        shape = self._shapes.get(tag) or self._shape(tag)
        role = "" if parent is None else self._role(tag, parent)
        if shape is None or role is None:
            self._refuse_element(tag, parent)
        self._open.append(_Frame(tag, shape, _own(attributes, shape), role))

    def _end(self, _: str) -> None:
        if self._skipping:
            self._skipping.pop()
            return
        frame = self._open.pop()
        text = "".join(frame.text)
        if frame.shape.type is None:
            self._open[-1].cells.append((frame.tag, text))
            return
        built = self._build(frame, frame.shape.type, text)
        if not self._open:
            self.root = built
            return
        parent, role = self._open[-1], frame.role
        if role in parent.shape.many:
            parent.content.setdefault(role, []).append(built)
        elif role in parent.content:
            raise InvalidModel(f"element {parent.tag} holds {frame.tag} where one is too many")
        else:
            parent.content[role] = built

    def _characters(self, text: str) -> None:
        if self._skipping:
            self.notes.text(self._skipping, text)
        elif self._open:
            self._open[-1].text.append(text)

    def _build(self, frame: _Frame, element: type[Element], text: str) -> Element:
        if TEXT in frame.shape.names:
            frame.content[TEXT] = text
        elif text and not text.isspace():
            raise InvalidModel(f"element {frame.tag} holds text: {text.strip()[:40]!r}")
        if frame.tag == _ROW:
            self._rows += 1
            if self._rows > limits.PMML_TABLE_ROWS_MAX:
                raise InvalidModel(f"more than {limits.PMML_TABLE_ROWS_MAX} table rows")
            frame.content[CELLS] = frame.cells
        try:
            return msgspec.convert(frame.content, element, strict=False)
        except msgspec.ValidationError as error:
            raise _refusal(frame, element, error) from None

    def _role(self, tag: str, parent: _Frame) -> str | None:
        """Return the name under which an element holds another, or None when it does not."""
        known = parent.shape.roles
        if tag not in known:
            role = IN_ORDER.get((parent.tag, tag)) or self._roles.get(tag, tag)
            known[tag] = role if role in parent.shape.names else None
        return known[tag]

    def _shape(self, tag: str) -> _Shape | None:
        """Return what an element can hold, or None when there is no such element."""
        element = self._types.get(tag)
        if element is None:
            return None
        declared = msgspec.structs.fields(element)
        names = frozenset(f.encode_name for f in declared)
        many = frozenset(f.encode_name for f in declared if typing.get_origin(f.type) is tuple)
        shape = self._shapes[tag] = _Shape(element, names, many)
        return shape

    def _refuse_element(self, tag: str, parent: _Frame | None) -> NoReturn:
        models = ", ".join(sorted(tag_of(model) for model in MODELS))
        if parent is None:
            raise InvalidModel(f"the root element is {tag}, not PMML")
        if tag in REFUSED:
            raise UnsupportedModel(
                f"PMML element {tag} inside {parent.tag} is not evaluated: {REFUSED[tag]}"
            )
        raise UnsupportedModel(
            f"PMML element {tag} inside {parent.tag} is not evaluated by this version; "
            f"models that are: {models}"
        )


def _own(attributes: dict[str, str], shape: _Shape) -> dict[str, Any]:
    """Return the attributes that are PMML's, under its names."""
    own = attributes
    if not attributes.keys() <= shape.names:
        own = {MISSPELT.get(k, k): v for k, v in attributes.items() if not k.startswith(_NOT_OURS)}
    if "dataType" in own:  # PMML 4.0 and before name the types of XML Schema in examples
        own["dataType"] = own["dataType"].removeprefix("xs:")
    return own


def _refuse_declarations(*_: object) -> NoReturn:
    raise InvalidModel("a PMML document must not declare a document type or entities")


def _refusal(frame: _Frame, element: type[Element], error: msgspec.ValidationError) -> InvalidModel:
    """Say what is wrong with one element in the words of the document."""
    known = {f.encode_name: f.type for f in msgspec.structs.fields(element)}
    unknown = [name for name in frame.content if name not in known and name != "element"]
    if unknown:
        return UnsupportedModel(
            f"attribute {unknown[0]} of PMML element {frame.tag} is not evaluated by this version"
        )
    for name, type_ in known.items():
        value = frame.content.get(name)
        choices = _choices(type_)
        if choices and isinstance(value, str) and value not in choices:
            return UnsupportedModel(
                f"{name}={value!r} of PMML element {frame.tag} is not evaluated; "
                f"supported: {', '.join(choices)}"
            )
    return InvalidModel(f"PMML element {frame.tag}: {error}")


def _choices(type_: Any) -> tuple[str, ...]:
    """Return the words that an attribute may be, when its type lists them."""
    options = typing.get_args(type_)
    if typing.get_origin(type_) is typing.Literal:
        return options
    return next((_choices(o) for o in options if typing.get_origin(o) is typing.Literal), ())
