"""Functions of the owner's own module, which lies where the command is given."""

import subprocess
import sys
from pathlib import Path

import pytest

from modelstream.cli.importing import find_modules_here
from modelstream.log import open_log
from modelstream.wire.results import decode_result
from tests.support.pipelines import document

STEP = {"python": {"function": "twice", "columns": ["x"], "as": {"y": "float64"}}}
MODULE = 'def twice(columns):\n    return {"y": 2 * columns["x"]}\n'
COMMAND = [
    sys.executable,
    "-P",
    "-m",
    "modelstream",
]  # as the installed command: without this place


def test_the_working_directory_is_added_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    find_modules_here()
    find_modules_here()
    assert sys.path.count(str(tmp_path)) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_functions_of_the_working_directory_are_served(
    flow: Path, tmp_path: Path, workers: int
) -> None:
    module = f"owners_of_{workers}"
    flow.write_text(f'name = "wine"\n[functions]\ntwice = "{module}:twice"\n')
    (tmp_path / f"{module}.py").write_text(MODULE)
    (tmp_path / "p.json").write_bytes(document(STEP))
    (tmp_path / "r.jsonl").write_text('{"x": 1}\n{"x": 3}\n')
    for verb, *rest in (
        ("lint",),
        ("send", "r.jsonl"),
        ("publish", "p.json", "--name", "p", "--wait", "0"),
        ("serve", "--once", "--workers", str(workers)),
        ("verify",),
    ):
        ran = subprocess.run(
            [*COMMAND, verb, str(flow), *rest],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, (verb, ran.stdout, ran.stderr)
    log = open_log(f"file:{tmp_path / 'data'}")
    values = log.read("wine.results", 0, 0, 10, 1 << 20).values
    log.close()
    assert [decode_result(each).outputs["y"] for each in values] == [2.0, 6.0]
