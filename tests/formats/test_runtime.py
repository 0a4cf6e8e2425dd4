"""Sessions: threads, providers, and how errors read."""

import logging
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from modelstream import limits
from modelstream.errors import InvalidFlow, InvalidModel, ModelFailed
from modelstream.formats import runtime
from modelstream.formats.base import Device
from modelstream.formats.runtime import (
    check_device,
    open_session,
    reason,
    run_session,
    runs_on,
)
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


CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"


def pretend(monkeypatch: pytest.MonkeyPatch, available: list[str], used: list[str]) -> list[str]:
    """Put an ONNX Runtime in the place of the real one that has, and then uses, these providers.

    No graph runs: there is no GPU where these tests run. Returns the providers it is asked for.
    """
    asked: list[str] = []

    def session(_onnx: bytes, _options: object, providers: list[str]) -> SimpleNamespace:
        asked.extend(providers)
        return SimpleNamespace(get_providers=lambda: used)

    real = runtime.onnxruntime()
    fake = SimpleNamespace(
        get_available_providers=lambda: available,
        InferenceSession=session,
        SessionOptions=real.SessionOptions,
        ExecutionMode=real.ExecutionMode,
    )
    monkeypatch.setattr(runtime, "onnxruntime", lambda: fake)
    return asked


@pytest.mark.parametrize(("device", "provider"), [("cuda", CUDA), ("tensorrt", TENSORRT)])
def test_a_device_that_onnx_runtime_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, device: Device, provider: str
) -> None:
    pretend(monkeypatch, ["AzureExecutionProvider", CPU], [])
    told = rf"device is '{device}', .* no {provider} here \(it has AzureExecutionProvider, CPU.*gpu"
    with pytest.raises(InvalidFlow, match=told):
        check_device(device)
    check_device("cpu")


def test_a_device_that_is_there_is_asked_for_with_the_cpu_behind_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = pretend(monkeypatch, [TENSORRT, CUDA, CPU], [TENSORRT, CUDA, CPU])
    check_device("tensorrt")
    assert runs_on(open_session(b"", device="tensorrt")) == "tensorrt"
    assert asked == [TENSORRT, CUDA, CPU]
    assert not caplog.records


@pytest.mark.parametrize(("used", "told"), [([CPU], "cpu"), ([CUDA, CPU], "cuda")])
def test_a_device_that_cannot_be_used_after_all_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, used: list[str], told: str
) -> None:
    pretend(monkeypatch, [TENSORRT, CUDA, CPU], used)
    with caplog.at_level(logging.WARNING, "modelstream"):
        assert runs_on(open_session(b"", device="tensorrt")) == told
    assert f"device is 'tensorrt', and a graph was loaded onto '{told}'" in caplog.text


def test_errors_of_a_session_that_is_not_onnx_runtimes_stay_what_they_are() -> None:
    def run(_outputs: object, _feeds: object) -> None:
        raise ModelFailed("TensorFlow: why")

    with pytest.raises(ModelFailed, match=r"^TensorFlow: why$"):
        run_session(SimpleNamespace(run=run), [], {})
