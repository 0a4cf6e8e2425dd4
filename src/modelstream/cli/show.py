"""What the verbs print: tables and lines for people, JSON for programs.

Everything that is shown may come from outside, so it is shown as plain text, never as markup.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
)
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from modelstream.cli.text import plain

# A table that goes into a file or a pipe is not cut to a terminal's width.
_FILE_COLUMNS = 240
_STYLES = {
    "current": "bold green",
    "rejected": "red",
    "retired": "dim",
}


def print_line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(plain(text) + "\n")


def print_json(value: Any) -> None:
    """Print one JSON document on one line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def print_lines(lines: Sequence[bytes]) -> None:
    """Print JSON documents, one a line; a line break in JSON is nothing but white space."""
    for line in lines:
        text = line.decode("utf-8", "replace").replace("\r", " ").replace("\n", " ")
        sys.stdout.write(text + "\n")


def print_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; a heading that begins with `>` is that of a column of numbers."""
    _print(make_table(title, headings, rows))


def make_table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table, for `print_table` or a live display."""
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        title=Text(plain(title)),
        title_justify="left",
        pad_edge=False,
    )
    for heading in headings:
        side: JustifyMethod = "right" if heading.startswith(">") else "left"
        table.add_column(heading.removeprefix(">"), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell), style=_STYLES.get(cell, "")) for cell in row))
    return table


def print_facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    """Print what is known of one thing, a fact a line."""
    table = Table(box=None, show_header=False, title=Text(plain(title)), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), Text(plain(value)))
    _print(table)


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a tree, with those that hang on it."""

    heading: str
    text: str
    branches: tuple["Branch", ...] = ()


def print_tree(root: Branch) -> None:
    """Print a tree, a line a branch."""
    _print(_grown(root))


def _grown(branch: Branch) -> Tree:
    label = Text(plain(branch.heading), style="bold")
    if branch.text:
        label.append(f"  {plain(branch.text)}", style="not bold")
    tree = Tree(label)
    for each in branch.branches:
        tree.add(_grown(each))
    return tree


def _print(table: Table | Tree) -> None:
    """Print a drawing: on a terminal to its width, anywhere else uncut."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    console = Console(highlight=False, width=_FILE_COLUMNS)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show how far long work is, on standard error if that is a terminal.

    Yields the function that is told of each step's count.
    """
    with _drawn(what, total) as (shown, task):
        yield lambda count: shown.advance(task, count)


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far long work is; yields the function that is told what is done, and of how much."""
    with _drawn(what, None) as (shown, task):
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def _drawn(what: str, total: int | None) -> Iterator[tuple[Progress, TaskID]]:
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    error = Console(stderr=True)
    with Progress(*columns, console=error, transient=True, disable=not error.is_terminal) as shown:
        yield shown, shown.add_task(escape(plain(what)), total=total)
