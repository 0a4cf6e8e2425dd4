"""What the README says to type, works."""

import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from modelstream.cli.main import main
from modelstream.demo.pmml import tree_pmml
from modelstream.flow import Flow
from modelstream.log import open_log
from modelstream.messages import Outgoing

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
NAMES = ["fixed acidity", "alcohol"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that has what the README takes for granted."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(7)
    features = rng.uniform(5, 15, (300, 2))
    quality = np.where(features[:, 1] + features[:, 0] / 3 > 13, "good", "fair")
    for name, depth in (("quality.pmml", 1), ("better.pmml", 3)):
        tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(features, quality)
        (tmp_path / name).write_bytes(tree_pmml(tree, NAMES, "quality"))
    rows = [",".join(NAMES), *(f"{acid:.2f},{alcohol:.2f}" for acid, alcohol in features)]
    (tmp_path / "records.csv").write_text("\n".join(rows))
    return tmp_path


def test_the_join_in_a_process_of_your_own(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(PYTHON[0], "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert re.search(r"\{'quality': '(good|fair)', .*\}\) 1 [0-9a-f]{64}\n", told), told


def test_the_flow_on_a_log(folder: Path) -> None:
    log = open_log("file:./data")
    log.create_topic("wine.records")
    log.append(Outgoing("wine.records", [b'{"fixed acidity": 7.4, "alcohol": 9.4}'], partition=0))
    process = subprocess.Popen([sys.executable, "-W", "error", "-c", PYTHON[1]], cwd=folder)
    deadline = time.monotonic() + 60
    while "wine.results" not in log.topics() or log.bounds("wine.results", 0)[1] == 0:
        time.sleep(0.05)
        assert process.poll() is None
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    log.close()


def test_the_commands_in_their_order(folder: Path) -> None:
    lines = re.findall(r"^\$ (.*?)(?:  +#.*)?$", TEXT, re.MULTILINE)
    toml = re.search(r"\$ cat flow\.toml\n(.*?)\n\n", TEXT, re.DOTALL)
    assert toml is not None
    (folder / "flow.toml").write_text(toml.group(1))
    assert Flow(name="wine").name in toml.group(1)
    run = [shlex.split(re.sub(r"\s+#.*", "", line)) for line in lines if "modelstream" in line]
    assert len(run) > 6
    for command in run:
        assert command[0] == "modelstream"
        if command[1] == "serve":
            extra = ["--once"]
        else:
            extra = ["--wait", "0"] if command[1] == "publish" else []
        if command[1] == "replay":
            main(["publish", "flow.toml", "better.pmml", "--name", "quality", "--wait", "0"])
            main(["admit", "flow.toml", "--once"])
        assert main([*command[1:], *extra]) in ({0, 1} if command[1] == "replay" else {0}), command
