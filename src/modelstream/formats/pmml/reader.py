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

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.base import CELLS, TEXT, Element
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.elements.vocabulary import (
    IN_ORDER,
    MISSPELT,
    MODELS,
    SKIPPED,
    element_types,
    roles,
    tag_of,
)

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
    return document


@dataclass(slots=True)
class _Frame:
    """An element whose end has not come yet."""

    tag: str
    type: type[Element] | None  # None: a cell of a table row
    content: dict[str, Any]
    many: frozenset[str]
    text: list[str] = field(default_factory=list)
    cells: list[tuple[str, str]] = field(default_factory=list)


class _Builder:
    """The handlers of one parse, and the elements that are open."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._types = element_types()
        self._roles = roles()
        self._shapes: dict[type[Element], tuple[frozenset[str], frozenset[str]]] = {}
        self._open: list[_Frame] = []
        self._skipping = 0
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
        if len(self._open) + self._skipping >= limits.PMML_DEPTH_MAX:
            raise InvalidModel(f"elements are nested deeper than {limits.PMML_DEPTH_MAX}")
        tag = name.rpartition(":")[2]
        if self._skipping or tag in SKIPPED:
            self._skipping += 1
            return
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.tag == _ROW:
            self._open.append(_Frame(tag, None, {}, frozenset()))
            return
        element = self._types.get(tag)
        if element is None or (parent is not None and not self._belongs(tag, parent)):
            self._refuse_element(tag, parent)
        own = {MISSPELT.get(k, k): v for k, v in attributes.items() if not k.startswith(_NOT_OURS)}
        self._open.append(_Frame(tag, element, own, self._shape(element)[1]))

    def _end(self, _: str) -> None:
        if self._skipping:
            self._skipping -= 1
            return
        frame = self._open.pop()
        text = "".join(frame.text)
        if frame.type is None:
            self._open[-1].cells.append((frame.tag, text))
            return
        built = self._build(frame, frame.type, text)
        if not self._open:
            self.root = built
            return
        parent = self._open[-1]
        role = self._role(frame.tag, parent)
        if role in parent.many:
            parent.content.setdefault(role, []).append(built)
        elif role in parent.content:
            raise InvalidModel(f"element {parent.tag} holds {frame.tag} where one is too many")
        else:
            parent.content[role] = built

    def _characters(self, text: str) -> None:
        if self._skipping or not self._open:
            return
        frame = self._open[-1]
        frame.text.append(text)

    def _build(self, frame: _Frame, element: type[Element], text: str) -> Element:
        if TEXT in self._shape(element)[0]:
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

    def _belongs(self, tag: str, parent: _Frame) -> bool:
        known = self._shape(parent.type)[0] if parent.type is not None else frozenset()
        return self._role(tag, parent) in known

    def _role(self, tag: str, parent: _Frame) -> str:
        return IN_ORDER.get((parent.tag, tag)) or self._roles.get(tag, tag)

    def _shape(self, element: type[Element]) -> tuple[frozenset[str], frozenset[str]]:
        """Return all fields of an element by encoded name, and those that take many children."""
        shape = self._shapes.get(element)
        if shape is None:
            declared = msgspec.structs.fields(element)
            names = frozenset(f.encode_name for f in declared)
            many = frozenset(f.encode_name for f in declared if typing.get_origin(f.type) is tuple)
            shape = self._shapes[element] = (names, many)
        return shape

    def _refuse_element(self, tag: str, parent: _Frame | None) -> NoReturn:
        models = ", ".join(sorted(tag_of(model) for model in MODELS))
        if parent is None:
            raise InvalidModel(f"the root element is {tag}, not PMML")
        raise UnsupportedModel(
            f"PMML element {tag} inside {parent.tag} is not evaluated by this version; "
            f"models that are: {models}"
        )


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
