"""ONNX Runtime as modelstream uses it: how sessions are made, run, and how they fail."""

import os
from types import ModuleType
from typing import Any

from modelstream import limits
from modelstream.errors import InvalidModel, ModelFailed
from modelstream.messages import Column


def onnxruntime() -> ModuleType:
    """Import ONNX Runtime, once it has been told to keep what it sees to itself.

    By default its import starts a thread, opens a database in the user's home and reaches for the
    network, to report on its use.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort  # noqa: PLC0415 - only after the line above

    runtime: ModuleType = ort
    return runtime


def open_session(onnx: bytes) -> Any:
    """Return an onnxruntime.InferenceSession of these bytes. Raises InvalidModel."""
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
    try:
        return ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InvalidModel(f"ONNX Runtime cannot load the model: {reason(error)}") from error


def run_session(session: Any, outputs: list[str], feeds: dict[str, Column]) -> list[Column]:
    """Run the graph once. Raises ModelFailed with ONNX Runtime's reason."""
    try:
        answers: list[Column] = session.run(outputs, feeds)
    except Exception as error:
        raise ModelFailed(f"ONNX Runtime: {reason(error)}") from error
    return answers


def reason(error: Exception) -> str:
    """Return the line of an error that a person can use."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].removeprefix("[ONNXRuntimeError] : ")[: limits.REASON_CHARS_MAX]
