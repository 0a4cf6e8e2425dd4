"""ARCHITECTURE.md tells the truth: every file and every name it mentions is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py):([A-Za-z_.]+)`", TEXT)))
FILES = sorted(set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|toml))`", TEXT)))


def defined(tree: ast.AST, dotted: str) -> bool:
    """Tell whether a module defines a name, or a class a method."""
    head, _, rest = dotted.partition(".")
    for node in ast.iter_child_nodes(tree):
        if getattr(node, "name", None) == head:
            return not rest or defined(node, rest)
    return False


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_name_on_the_page_is_in_its_file(path: str, name: str) -> None:
    source = ROOT / "src/modelstream" / path
    assert source.is_file()
    assert defined(ast.parse(source.read_text()), name)


@pytest.mark.parametrize("path", FILES)
def test_a_file_on_the_page_is_there(path: str) -> None:
    assert any((ROOT / folder / path).is_file() for folder in ("", "src/modelstream"))


def test_every_room_is_on_the_page() -> None:
    rooms = [path.name for path in (ROOT / "src/modelstream").iterdir() if path.is_dir()]
    for room in rooms:
        if room != "__pycache__":
            assert f"`{room}`" in TEXT, f"ARCHITECTURE.md does not name {room}/"


def test_the_page_follows_the_record_and_the_model() -> None:
    assert len(NAMED) > 30
