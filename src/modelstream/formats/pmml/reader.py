"""Read PMML bytes into typed elements, within limits and without trusting a byte.

A streaming parse: each element is checked and built when it ends, children first, so depth costs
no recursion; leaves are checked with the element that holds them, in one call. DTDs and entities
are refused; so is every element and attribute not declared in `elements`, by name. Only
`Extension` and documentation are passed over.
"""

import typing
from collections.abc import Iterator
from typing import Any, NoReturn
from xml.parsers import expat

import msgspec

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from modelstream.formats.pmml.elements.base import TEXT, Element
from modelstream.formats.pmml.elements.models import Document
from modelstream.formats.pmml.elements.vocabulary import (
    MISSPELT,
    MODELS,
    REFUSED,
    SEEN_THROUGH,
    SKIPPED,
    tag_of,
)
from modelstream.formats.pmml.header import HeaderNotes
from modelstream.formats.pmml.shapes import ROOT, ROW, Place, Shape, Shapes
from modelstream.formats.pmml.spellings import respell

VERSIONS = ("3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "4.2.1", "4.3", "4.4", "4.4.1")

# Leaves that an element holds unchecked until its end: as many as are worth one call to check.
_LEAVES_MAX = 64
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


class _Builder:
    """The handlers of one parse, and the elements that are open, each with what it holds so far."""

    def __init__(self) -> None:
        self.notes = HeaderNotes()
        self._shapes = Shapes()
        self._open: list[tuple[Place, dict[str, Any]]] = [(self._shapes.top, {})]
        self._skipping: list[str] = []  # the element passed over, and those open inside it
        self._elements = 0
        self._skipped = 0
        self._seen_through = 0  # how many elements are open that are as if they were not there

    @property
    def root(self) -> Element | None:
        """The root element, once all is parsed."""
        root: Element | None = self._open[0][1].get(ROOT)
        return root

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

    def _start(self, name: str, attributes: dict[str, Any]) -> None:
        self._elements += 1
        if self._elements > limits.PMML_ELEMENTS_MAX:
            raise InvalidModel(f"more than {limits.PMML_ELEMENTS_MAX} elements in one document")
        if len(self._open) + len(self._skipping) > limits.PMML_DEPTH_MAX:
            raise InvalidModel(f"elements are nested deeper than {limits.PMML_DEPTH_MAX}")
        if self._skipping:
            self._skip(name.rpartition(":")[2], attributes)
            return
        parent = self._open[-1][0].shape
        place = parent.places.get(name)
        if place is None:
            tag = name.rpartition(":")[2]
            # A column of a table may have any name but that of an extension.
            if tag in SKIPPED and (parent.tag != ROW or tag == "Extension"):
                self._skip(tag, attributes)
                return
            place = self._shapes.place(name, parent) or _refuse_element(tag, parent)
        shape = place.shape
        if shape.most is not None:
            _count(shape, shape.most)
        if not shape.attributes.issuperset(attributes):
            attributes = _own(attributes, shape)
        if "dataType" in attributes:  # PMML 4.0 and before name types of XML Schema in examples
            attributes["dataType"] = attributes["dataType"].removeprefix("xs:")
        if shape.takes_text:
            attributes[TEXT] = []
        self._open.append((place, attributes))

    def _skip(self, tag: str, attributes: dict[str, str]) -> None:
        """Pass over an element, or an extension alone and not over what it holds."""
        if tag == "Extension" and not self._skipping and self._inside_seen_through():
            self._seen_through += 1
            return
        self._skipped += 1
        if self._skipped > limits.PMML_SKIPPED_MAX:
            raise InvalidModel(
                f"more than {limits.PMML_SKIPPED_MAX} elements of documentation in one document"
            )
        self._skipping.append(tag)
        self.notes.start(self._skipping, attributes)

    def _inside_seen_through(self) -> bool:
        return self._open[-1][0].shape.tag in SEEN_THROUGH

    def _end(self, _: str) -> None:
        if self._skipping:
            self._skipping.pop()
            return
        if self._seen_through and self._inside_seen_through():
            self._seen_through -= 1
            return
        place, content = self._open.pop()
        shape = place.shape
        if shape.takes_text:
            content[TEXT] = _joined(content[TEXT], shape)
        built: Any
        if shape.is_leaf:
            content["element"] = shape.tag
            built = content
        elif shape.is_cell:
            built = (shape.tag, content[TEXT])
        else:
            built = self._checked(content, shape.element, shape)
        above, parent = self._open[-1]
        if place.many:
            self._add(built, place, parent.setdefault(place.role, []))
        elif place.role in parent:
            raise InvalidModel(f"element {above.shape.tag} holds {shape.tag} where one is too many")
        else:
            parent[place.role] = built

    def _add(self, built: Any, place: Place, held: list[Any]) -> None:
        """Add an element to others of its kind; leaves are checked by and by."""
        held.append(built)
        if len(held) > place.most:
            raise InvalidModel(
                f"more than {place.most} {place.shape.tag} elements in one "
                f"{self._open[-1][0].shape.tag}"
            )
        if place.shape.is_leaf and not len(held) % _LEAVES_MAX:
            last = held[-_LEAVES_MAX:]
            held[-_LEAVES_MAX:] = self._checked(last, place.type, self._open[-1][0].shape)

    def _characters(self, text: str) -> None:
        if self._skipping:
            self.notes.text(self._skipping, text)
            return
        place, content = self._open[-1]
        if place.shape.takes_text:
            content[TEXT].append(text)
        elif not text.isspace():
            raise InvalidModel(f"element {place.shape.tag} holds text: {text.strip()[:40]!r}")

    def _checked(self, content: Any, type_: Any, shape: Shape) -> Any:
        """Return an element and the leaves in it, or leaves alone, checked against their types."""
        try:
            return msgspec.convert(content, type_, strict=False)
        except msgspec.ValidationError:
            for leaf, attributes in self._leaves(content):
                respell(attributes, leaf.words)
            if isinstance(content, dict):
                respell(content, shape.words)
        try:
            return msgspec.convert(content, type_, strict=False)
        except msgspec.ValidationError as error:
            raise self._refusal(content, shape, error) from None

    def _leaves(self, content: Any) -> Iterator[tuple[Shape, dict[str, Any]]]:
        """Return the leaves of an element that have not been checked."""
        for held in content.values() if isinstance(content, dict) else [content]:
            for each in held if isinstance(held, list) else [held]:
                if isinstance(each, dict):
                    yield self._shapes.of(each["element"]), each

    def _refusal(self, content: Any, shape: Shape, error: msgspec.ValidationError) -> InvalidModel:
        """Name what is wrong: one of the leaves, if it is wrong by itself, or the element."""
        for leaf, each in self._leaves(content):
            try:
                msgspec.convert(each, leaf.element, strict=False)
            except msgspec.ValidationError as wrong:
                return _refusal(leaf, each, wrong)
        return _refusal(shape, content if isinstance(content, dict) else {}, error)


def _count(shape: Shape, most: int) -> None:
    shape.met += 1
    if shape.met > most:
        raise InvalidModel(f"more than {most} {shape.tag} elements in one document")


def _joined(texts: list[str], shape: Shape) -> str:
    """Return an element's text. Raises InvalidModel when it is too long."""
    text = "".join(texts)
    if len(text) > limits.PMML_TEXT_CHARS_MAX:
        raise InvalidModel(
            f"element {shape.tag} holds a text of {len(text)} characters; "
            f"{limits.PMML_TEXT_CHARS_MAX} are read"
        )
    return text


def _refuse_element(tag: str, parent: Shape) -> NoReturn:
    models = ", ".join(sorted(tag_of(model) for model in MODELS))
    if not parent.tag:
        raise InvalidModel(f"the root element is {tag}, not {ROOT}")
    if tag in REFUSED:
        raise UnsupportedModel(
            f"PMML element {tag} inside {parent.tag} is not evaluated: {REFUSED[tag]}"
        )
    raise UnsupportedModel(
        f"PMML element {tag} inside {parent.tag} is not evaluated by this version; "
        f"models that are: {models}"
    )


def _own(attributes: dict[str, str], shape: Shape) -> dict[str, Any]:
    """Return the attributes that are PMML's, under its names. Raises UnsupportedModel."""
    own = {MISSPELT.get(k, k): v for k, v in attributes.items() if not k.startswith(_NOT_OURS)}
    for name in own.keys() - shape.attributes:
        raise UnsupportedModel(
            f"attribute {name} of PMML element {shape.tag} is not evaluated by this version"
        )
    return own


def _refuse_declarations(*_: object) -> NoReturn:
    raise InvalidModel("a PMML document must not declare a document type or entities")


def _refusal(shape: Shape, content: dict[str, Any], error: msgspec.ValidationError) -> InvalidModel:
    """Say what is wrong with one element in the words of the document."""
    known = {f.encode_name: f.type for f in msgspec.structs.fields(shape.element)}
    for name, type_ in known.items():
        value = content.get(name)
        choices = _choices(type_)
        if choices and isinstance(value, str) and value not in choices:
            return UnsupportedModel(
                f"{name}={value!r} of PMML element {shape.tag} is not evaluated; "
                f"supported: {', '.join(choices)}"
            )
    return InvalidModel(f"PMML element {shape.tag}: {error}")


def _choices(type_: Any) -> tuple[str, ...]:
    """Return the words that an attribute may be, when its type lists them."""
    options = typing.get_args(type_)
    if typing.get_origin(type_) is typing.Literal:
        return options
    return next((_choices(o) for o in options if typing.get_origin(o) is typing.Literal), ())
