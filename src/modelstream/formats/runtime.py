"""ONNX Runtime as modelstream uses it: how sessions are made, run, and how they fail."""

import logging
import os
from types import ModuleType
from typing import Any

from modelstream import limits
from modelstream.errors import InvalidFlow, InvalidModel, ModelFailed, ModelstreamError
from modelstream.formats.base import DEVICES, Device
from modelstream.messages import Column

_log = logging.getLogger("modelstream")
# Each takes the parts of a graph that those before it cannot run. Named one by one, because the
# default list has one that sends tensors to a server.
_PROVIDERS: dict[Device, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}


def onnxruntime() -> ModuleType:
    """Import ONNX Runtime, once it has been told to keep what it sees to itself.

    By default its import starts a thread, opens a database in the user's home and reaches for the
    network, to report on its use.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort  # noqa: PLC0415 - only after the line above

    runtime: ModuleType = ort
    return runtime


def check_device(device: Device) -> None:
    """Raise InvalidFlow unless the ONNX Runtime that is installed can run graphs on a device."""
    if device == "cpu":
        return
    wanted = _PROVIDERS[device][0]
    available = onnxruntime().get_available_providers()
    if wanted not in available:
        raise InvalidFlow(
            f"device is {device!r}, and ONNX Runtime has no {wanted} here (it has "
            f"{', '.join(available)}): pip uninstall onnxruntime, pip install onnxruntime-gpu, and "
            "install the CUDA and TensorRT libraries that it names; or use device = 'cpu'"
        )


def open_session(onnx: bytes, *, optimized: bool = True, device: Device = "cpu") -> Any:
    """Return an onnxruntime.InferenceSession of these bytes. Raises InvalidModel.

    A graph that is not optimized is run as it is written. Where a device cannot be used after all
    the graph runs on the CPU, and that is said aloud.
    """
    ort = onnxruntime()
    options = ort.SessionOptions()
    # The stream is already spread over processes: more threads a model would only fight for cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Both keep memory for each batch size seen; a thousand models would hold it for nothing.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # What goes wrong is raised; a line on stderr a failed batch would say it twice.
    options.log_severity_level = 4
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(onnx, options, providers=list(_PROVIDERS[device]))
    except Exception as error:
        raise InvalidModel(f"ONNX Runtime cannot load the model: {reason(error)}") from error
    _tell_fallback(session, device)
    return session


def runs_on(session: Any) -> str:
    """Return the device that a session runs on, as far as its graph can be run there."""
    providers = session.get_providers()
    devices = (device for device in reversed(DEVICES) if _PROVIDERS[device][0] in providers)
    return next(devices, "cpu")


def _tell_fallback(session: Any, device: Device) -> None:
    used = runs_on(session)
    if used != device:
        _log.warning(
            "device is %r, and a graph was loaded onto %r: ONNX Runtime could not start %s; it says "
            "why on standard error where its libraries are missing",
            device,
            used,
            _PROVIDERS[device][0],
        )


def run_session(session: Any, outputs: list[str], feeds: dict[str, Column]) -> list[Column]:
    """Run the graph once. Raises ModelFailed with ONNX Runtime's reason.

    A session that is not ONNX Runtime's raises errors of this project itself.
    """
    try:
        answers: list[Column] = session.run(outputs, feeds)
    except ModelstreamError:
        raise
    except Exception as error:
        raise ModelFailed(f"ONNX Runtime: {reason(error)}") from error
    return answers


def reason(error: Exception) -> str:
    """Return the line of an error that a person can use."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removeprefix("[ONNXRuntimeError] : ")[: limits.REASON_CHARS_MAX]
