"""The verb `show`: what a model's file is, drawn from its inputs over its parts to its outputs."""

from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from modelstream.cli.show import Branch, print_json, print_line, print_table, print_tree
from modelstream.cli.text import size
from modelstream.formats import load_model, read_artifact
from modelstream.formats.base import Description, Header, InputFacts, OutputFacts, Part
from modelstream.limits import (
    DRAWN_FIELDS_MAX,
    DRAWN_PARTS_MAX,
    DRAWN_VALUES_MAX,
    LINE_CHARS_MAX,
    SHOWN_CHARS_MAX,
)


def show(arguments: Namespace) -> int:
    """Show what a model reads, what it is made of and what it answers."""
    model = load_model(
        arguments.model,
        arguments.format or None,
        feature_names=arguments.features,
        labels=arguments.labels,
        signature=arguments.signature,
    )
    description = model.describe()
    model.close()
    if arguments.json:
        print_json(description)
        return 0
    print_line(
        f"{_named(arguments.model)}: {description.format} {description.version}"
        f"{_size(arguments.model)}{_origin(description.header)}"
    )
    for text in filter(None, (description.header.description, description.header.copyright)):
        print_line(_cut(text, LINE_CHARS_MAX))
    _draw(description)
    return 0


def _named(source: Path | str) -> str:
    return source if isinstance(source, str) else source.name


def _size(source: Path | str) -> str:
    """Return how large a file is; a model at a server has no size."""
    return "" if isinstance(source, str) else f", {size(len(read_artifact(source)))}"


def _draw(description: Description) -> None:
    inputs, outputs = description.inputs, description.outputs
    print_line("")
    rows = list(map(_input_row, inputs[:DRAWN_FIELDS_MAX]))
    _table(
        f"{len(inputs):,} in", ["input", "type", "values", "missing", "outliers", "invalid"], rows
    )
    _tell_more(len(inputs))
    print_line("")
    print_tree(_branch(description.structure))
    print_line("")
    rows = list(map(_output_row, outputs[:DRAWN_FIELDS_MAX]))
    _table(f"{len(outputs):,} out", ["output", "type", "tells", "of"], rows)
    _tell_more(len(outputs))


def _table(title: str, headings: Sequence[str], rows: list[list[str]]) -> None:
    """Print a table without the columns that say nothing."""
    told = [at for at in range(len(headings)) if any(row[at] for row in rows)]
    print_table(title, [headings[at] for at in told], [[row[at] for at in told] for row in rows])


def _tell_more(count: int) -> None:
    if count > DRAWN_FIELDS_MAX:
        print_line(f"... and {count - DRAWN_FIELDS_MAX:,} more; --json has all of them")


def _input_row(fact: InputFacts) -> list[str]:
    values = _some(fact.values) if fact.values else ", ".join(fact.intervals[:DRAWN_VALUES_MAX])
    missing = fact.missing
    if fact.replacement is not None:
        missing = f"{missing}: {_cut(fact.replacement)}"
    return [fact.name, _type(fact), values, missing, fact.outliers, fact.invalid]


def _output_row(fact: OutputFacts) -> list[str]:
    return [fact.name, _type(fact), fact.feature, _some(fact.labels)]


def _type(fact: InputFacts | OutputFacts) -> str:
    """Return the type as users see it, and as the format calls it where that is another word."""
    shape = "".join(f"[{'any' if length is None else length}]" for length in fact.shape)
    declared = f" ({fact.declared})" if fact.declared not in {"", fact.type} else ""
    return f"{fact.type}{shape}{declared}"


def _some(values: Sequence[str]) -> str:
    told = [_cut(value) for value in values[:DRAWN_VALUES_MAX]]
    more = len(values) - len(told)
    return ", ".join([*told, f"and {more:,} more"] if more else told)


def _branch(part: Part) -> Branch:
    """Return a part to be drawn; of many that are inside it, the first ones."""
    shown = part.parts[:DRAWN_PARTS_MAX]
    hidden = len(part.parts) - len(shown) + part.more
    branches = [_branch(each) for each in shown]
    if hidden:
        branches.append(Branch(f"... and {hidden:,} more", ""))
    return Branch(part.kind, _facts(part.facts.items()), tuple(branches))


def _facts(facts: Iterable[tuple[str, str | int | float]]) -> str:
    return " · ".join(f"{name} {_fact(value)}" for name, value in facts)


def _fact(value: str | float) -> str:
    if isinstance(value, str):
        return _cut(value, LINE_CHARS_MAX)
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _origin(header: Header) -> str:
    made = " ".join(filter(None, (_cut(header.application), _cut(header.version))))
    parts = (
        f"made by {made}" if made else "",
        _cut(header.created),
        f"version {_cut(header.model_version)}" if header.model_version else "",
    )
    return "".join(f", {part}" for part in parts if part)


def _cut(text: str, most: int = SHOWN_CHARS_MAX) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
