"""Describe a document for people: what it reads and answers, and what it is made of."""

from modelstream.formats.base import Description, InputFacts, OutputFacts, Part
from modelstream.formats.description import make_header
from modelstream.formats.limits import DESCRIBED_PARTS_MAX
from modelstream.formats.pfa.document import Engine
from modelstream.formats.pfa.inputs import Input
from modelstream.formats.pfa.outputs import Output
from modelstream.formats.pfa.scope import Cell
from modelstream.formats.pfa.types import Enum

# PFA documents do not say which version of the language they are in.
_VERSION = "0.8.1"


def describe_engine(
    engine: Engine, inputs: tuple[Input, ...], outputs: tuple[Output, ...]
) -> Description:
    """Return the description of a compiled document."""
    about = engine.about
    return Description(
        format="pfa",
        version=_VERSION,
        header=make_header(
            application=about.name, model_version=about.version, description=about.doc
        ),
        inputs=tuple(map(_input, inputs)),
        outputs=tuple(
            OutputFacts(each.field.name, each.field.type, each.field.shape) for each in outputs
        ),
        structure=_structure(engine),
    )


def _input(given: Input) -> InputFacts:
    field = given.field
    return InputFacts(
        name=field.name,
        type=field.type,
        shape=field.shape,
        optional=field.optional,
        declared=str(given.type),
        values=given.item.symbols if isinstance(given.item, Enum) else (),
        missing="null" if field.optional else "",
    )


def _structure(engine: Engine) -> Part:
    about = engine.about
    cells = [*about.cells.items()]
    return Part(
        kind="engine",
        facts={
            "method": about.method,
            "calls": ", ".join(about.calls[:DESCRIBED_PARTS_MAX]) or "nothing",
            "functions of its own": about.functions,
        },
        parts=tuple(_part(name, cell) for name, cell in cells[:DESCRIBED_PARTS_MAX]),
        more=max(len(cells) - DESCRIBED_PARTS_MAX, 0),
    )


def _part(name: str, cell: Cell) -> Part:
    facts: dict[str, str | int | float] = {"name": name, "type": str(cell.type)}
    if isinstance(cell.value, list):
        facts["items"] = len(cell.value)
    return Part(kind="cell", facts=facts)
