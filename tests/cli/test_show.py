"""What is printed: tables of plain text, JSON lines that are lines."""

import io
import json

import pytest
from rich.console import Console

from modelstream.cli import show


def test_a_table_has_its_cells_as_they_are_and_no_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.print_table("a title", ["name", ">count"], [["[red]x[/red]", "1"], ["y\x1b[2J", "20"]])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "y\\x1b[2J" in out
    assert "\x1b" not in out
    assert "    1" in out


def test_a_table_is_not_cut_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    show.print_table("", ["reason"], [["x" * 200]])
    assert "x" * 200 in capsys.readouterr().out


def test_a_terminal_sees_a_state_in_its_colour() -> None:
    screen = io.StringIO()
    table = show.make_table("", ["state"], [["current"]])
    Console(file=screen, force_terminal=True, color_system="standard").print(table)
    assert "\x1b[1;32mcurrent" in screen.getvalue()


def test_a_document_over_several_lines_is_printed_on_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.print_lines([b'{"record":{\n "x":\r\n 1}}', b"2"])
    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {"record": {"x": 1}}
    assert second == "2"


def test_progress_is_silent_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    with show.progress("reading", 10) as on_read:
        on_read(10)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_s_table_fits_its_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    show.print_table("", ["reason"], [["x" * 100]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[2:])) <= 40
    assert sum(line.count("x") for line in lines) == 100
