"""Calls of built-in functions in every way they can be made, and what they give.

A table of cases has rows of a function, its arguments, what it gives, and why.
"""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from modelstream.formats.pmml.model import PmmlModel
from tests.support.pmml import column, document, load, plain, regression


class Rejected:
    """The answer of a row that is rejected."""

    def __repr__(self) -> str:
        return "rejected"


REJECTED = Rejected()


@dataclass(frozen=True)
class Given:
    """An argument: its PMML type, and its value as a record writes it, None when it is missing.

    A fixed one stands in the document in any case, as some arguments have to.
    """

    data_type: str
    value: Any
    fixed: bool = False


Case = tuple[str, tuple[Any, ...], Any, str]


def fixed(value: Any) -> Given:
    """Return an argument that stands in the document."""
    return Given(given(value).data_type, value, fixed=True)


def nothing(data_type: str = "double") -> Given:
    """Return a missing argument."""
    return Given(data_type, None)


def given(value: Any) -> Given:
    """Return an argument of the type that a value of Python has."""
    types = {bool: "boolean", int: "integer", float: "double", str: "string"}
    return value if isinstance(value, Given) else Given(types[type(value)], value)


def answers(function: str, arguments: tuple[Any, ...], attributes: str = "") -> list[Any]:
    """Return what a call gives: for one row, for three equal rows, and with all of it declared."""
    listed = [given(argument) for argument in arguments]
    found = []
    for declared in (False, True):
        model = load(_document(function, listed, attributes, declared=declared))
        for rows in (1, 3):
            found += _score(model, listed, rows)
    return found


def answer(function: str, *arguments: Any, attributes: str = "") -> Any:
    """Return the one thing that a call gives, in whatever way it is made."""
    found = answers(function, arguments, attributes)
    assert all(_same(one, found[0]) for one in found), found
    return found[0]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _score(model: PmmlModel, arguments: list[Given], rows: int) -> list[Any]:
    columns = {f"a{n}": column([a.value] * rows) for n, a in enumerate(arguments) if not a.fixed}
    scores = model.score({**columns, "x": column([1.0] * rows)})
    found = plain(scores["out"])
    return [REJECTED if row in scores.errors else value for row, value in enumerate(found)]


def _document(function: str, arguments: list[Given], attributes: str, *, declared: bool) -> bytes:
    fields = '<DataField name="x" optype="continuous" dataType="double"/>'
    written, names = "", ["x"]
    for number, argument in enumerate(arguments):
        if declared or argument.fixed:
            written += _constant(argument)
            continue
        name = f"a{number}"
        names.append(name)
        fields += f'<DataField name="{name}" optype="categorical" dataType="{argument.data_type}"/>'
        written += f'<FieldRef field="{name}"/>'
    output = (
        '<Output><OutputField name="out" feature="transformedValue">'
        f'<Apply function="{escape(function)}" {attributes}>{written}</Apply>'
        "</OutputField></Output>"
    )
    return document(regression(inner=output, names=names), fields)


def _constant(argument: Given) -> str:
    if argument.value is None:
        return f'<Constant dataType="{argument.data_type}" missing="true"/>'
    value = argument.value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'<Constant dataType="{argument.data_type}">{escape(text)}</Constant>'
