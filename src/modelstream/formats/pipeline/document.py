"""A pipeline as its publisher writes it: a JSON document, read but not yet lowered.

Which steps are known is the business of `steps`; here a step is a word and its options.
"""

import base64
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats import limits as format_limits
from modelstream.formats.base import Field, FieldType

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.FIELD_NAME_CHARS_MAX)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=limits.TENSOR_VALUES_MAX)] | None

_FIRST_KEY = re.compile(rb'\s*\{\s*"pipeline"\s*:')
# No format that is text is written in these alone, so nothing has to say which of both it is.
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


class Declaration(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a column is, where no step tells it: a field of the records, or what a function makes."""

    type: FieldType
    shape: Annotated[tuple[_Size, ...], msgspec.Meta(max_length=8)] = ()
    optional: bool = False


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """A pipeline: its steps in order; `outputs` are those of the last step where none are named."""

    pipeline: Literal[1]
    steps: Annotated[
        list[dict[str, msgspec.Raw]],
        msgspec.Meta(min_length=1, max_length=format_limits.PIPELINE_STEPS_MAX),
    ]
    inputs: dict[Name, FieldType | Declaration] = {}
    outputs: list[Name] = []


class Inline(msgspec.Struct, forbid_unknown_fields=True):
    """A model inside the document: text, base64 of bytes, or JSON as it is."""

    data: msgspec.Raw
    format: str = ""


class ModelOptions(msgspec.Struct, forbid_unknown_fields=True):
    """A step that is a model: inside the document, or `name@version`."""

    model: str | Inline
    features: list[Name] = []
    labels: list[str] = []
    inputs: dict[Name, Name] = {}
    outputs: dict[Name, Name] = {}


class Written(msgspec.Struct):
    """A step as it is written: its word, its options, and what its publisher calls it."""

    number: int
    word: str
    name: str
    options: dict[str, msgspec.Raw]

    def label(self) -> str:
        """Return what messages call the step."""
        return step_label(self.number, self.word, self.name)


def step_label(number: int, word: str, name: str) -> str:
    """Return what messages call a step; numbers begin with 1."""
    return f"step {number} {name!r} ({word})" if name else f"step {number} ({word})"


def is_pipeline(data: bytes) -> bool:
    """Tell by the first key, so that a pipeline of any models is told from those."""
    return _FIRST_KEY.match(data) is not None


def read_document(data: bytes) -> Document:
    """Read a document. Raises InvalidModel."""
    if len(data) > format_limits.PIPELINE_BYTES_MAX:
        raise InvalidModel(
            f"the pipeline has {len(data)} bytes, {format_limits.PIPELINE_BYTES_MAX} are allowed; publish "
            "its models by themselves and name them"
        )
    document: Document = decoded(data, Document, "this is no pipeline")
    return document


def read_steps(document: Document, words: Sequence[str]) -> list[Written]:
    """Return the steps, each with the one of `words` that it is. Raises InvalidModel."""
    return [_written(number, step, words) for number, step in enumerate(document.steps, 1)]


def read_model(step: Written) -> ModelOptions:
    """Read the options of a model. Raises InvalidModel."""
    options: ModelOptions = decoded(
        msgspec.json.encode(step.options), ModelOptions, "its options do not fit"
    )
    return options


def declared_fields(document: Document) -> dict[str, Field]:
    """Return the fields of records that the document declares."""
    return {name: declared(name, told) for name, told in document.inputs.items()}


def declared(name: str, told: FieldType | Declaration) -> Field:
    """Return the column that is declared under a name."""
    each = Declaration(told) if isinstance(told, str) else told
    return Field(name, each.type, each.shape, each.optional)


def inline_data(inline: Inline) -> bytes:
    """Return the artifact inside a document. Raises InvalidModel."""
    raw = bytes(inline.data)
    if raw.startswith(b"{"):
        return raw
    text: str = decoded(raw, str, "the data of a model is text, base64 or a JSON object")
    if not _BASE64.fullmatch(text):
        return text.encode()
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise InvalidModel(f"the data of a model is no base64: {error}") from error


def references(data: bytes) -> tuple[str, ...]:
    """Return the versions that a document names, each once, for whom brings them.

    Nothing else of the document is checked. Raises InvalidModel.
    """
    found: dict[str, None] = {}
    _find_references(data, found, depth=1)
    if len(found) > format_limits.PIPELINE_REFERENCES_MAX:
        raise InvalidModel(
            f"the pipeline refers to {len(found)} versions, "
            f"{format_limits.PIPELINE_REFERENCES_MAX} are allowed"
        )
    return tuple(found)


def decoded(data: bytes, kind: Any, otherwise: str) -> Any:
    """Read JSON as a type. Raises InvalidModel, which begins with `otherwise`."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidModel(f"{otherwise}: {error}") from error


def _find_references(data: bytes, found: dict[str, None], depth: int) -> None:
    for number, step in enumerate(read_document(data).steps, 1):
        if "model" not in step:
            continue
        told = decoded(bytes(step["model"]), str | Inline, f"step {number}: this is no model")
        if isinstance(told, str):
            found[told] = None
        elif depth < format_limits.PIPELINE_DEPTH_MAX:
            inside = inline_data(told)
            if told.format == "pipeline" or (not told.format and is_pipeline(inside)):
                _find_references(inside, found, depth + 1)


def _written(number: int, step: dict[str, msgspec.Raw], words: Sequence[str]) -> Written:
    found = [word for word in step if word in words]
    if len(found) != 1:
        raise InvalidModel(
            f"step {number} has the keys {', '.join(step) or '(none)'}; it needs one of "
            f"{', '.join(words)}"
        )
    options = {key: value for key, value in step.items() if key != "name"}
    name = decoded(bytes(step.get("name", b'""')), str, f"step {number}: its name is no text")
    if len(name) > limits.NAME_CHARS_MAX or not name.isprintable():
        raise InvalidModel(
            f"step {number}: a name is of up to {limits.NAME_CHARS_MAX} printable characters"
        )
    return Written(number, found[0], name, options)
