"""House rules that a linter does not know: sizes, and what a stranger would stumble over."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py") if not path.name.endswith("_pb2.py"))
TEXTS = sorted(
    path
    for folder in ("src", "tests", "benchmarks", "examples", "docs")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".proto"} and "/." not in str(path.relative_to(ROOT))
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_holds_one_noun_and_is_short(path: Path) -> None:
    if path.name == "limits.py":
        return  # a list of all limits, each with its reason, is one noun however many there are
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_says_what_lives_there(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "a module opens with a docstring"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_what_arrives_is_never_executed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile", "__import__"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_types_are_read_by_decoders_that_were_made_on_import(path: Path) -> None:
    """Two threads that are first to decode a msgspec.Struct by its type can end the process."""
    by_type = re.compile(r"msgspec\.(json|msgpack)\.decode\(.*\btype=_?[A-Z]")
    assert not by_type.search(path.read_text())


def test_no_download_address_of_a_registry_stands_in_the_tree() -> None:
    pattern = re.compile(r"https?://\S+(/simple/|/packages/[0-9a-f]{2}/|/maven2/|\.tgz)")
    for path in TEXTS:
        assert not pattern.search(path.read_text()), name_of(path)


def test_constraints_are_plain_versions() -> None:
    names = ("constraints.txt", "constraints-flink.txt")
    for line in "".join((ROOT / name).read_text() for name in names).splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line), line


def test_the_changelog_begins_with_this_version() -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "src/modelstream/_version.py").read_text())
    assert version is not None
    newest = re.search(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == version.group(1)
