"""Sessions: threads, providers, and how errors read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelstream import limits
from modelstream.errors import InvalidModel, ModelFailed
from modelstream.formats.runtime import open_session, reason, run_session
from tests.support import graphs


def test_a_session_runs_on_the_cpu_and_adds_no_thread() -> None:
    open_session(graphs.linear())
    tasks = Path("/proc/self/task")
    before = len(list(tasks.iterdir()))
    sessions = [open_session(graphs.linear()) for _ in range(8)]
    assert len(list(tasks.iterdir())) == before
    assert sessions[0].get_providers() == ["CPUExecutionProvider"]


def test_bytes_that_are_no_model_say_why() -> None:
    with pytest.raises(InvalidModel, match=r"ONNX Runtime cannot load the model: .+"):
        open_session(b"no model")


def test_a_failed_run_is_raised_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session(graphs.linear())
    with pytest.raises(ModelFailed, match=r"ONNX Runtime: .*dimensions"):
        run_session(session, ["y"], {"x": np.zeros((1, 3), np.float32)})
    assert capfd.readouterr() == ("", "")


def test_a_reason_is_one_line_of_bounded_length() -> None:
    assert reason(RuntimeError("[ONNXRuntimeError] : 1 : FAIL : why\nwhere")) == "1 : FAIL : why"
    assert reason(RuntimeError("")) == "RuntimeError"
    assert len(reason(RuntimeError("x" * 10_000))) == limits.REASON_CHARS_MAX


def test_no_session_writes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_session(open_session(graphs.linear()), ["y"], {"x": np.zeros((1, 2), np.float32)})
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    # ONNX Runtime by itself keeps a database in the home directory and opens sockets.
    model = tmp_path / "model.onnx"
    model.write_bytes(graphs.linear())
    home = tmp_path / "home"
    home.mkdir()
    program = (
        "import sys, os, time, numpy as np, modelstream as ms;"
        "model = ms.load_model(sys.argv[1], feature_names=['a', 'b']);"
        "model.score({'a': np.zeros(3), 'b': np.zeros(3)});"
        "time.sleep(0.5);"
        "links = [os.readlink(e) for e in os.scandir('/proc/self/fd') if os.path.exists(e)];"
        "assert not [link for link in links if link.startswith('socket:')], links"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(model)],
        env={"HOME": str(home), "PATH": ""},
        check=True,
    )
    assert list(home.rglob("*")) == []
