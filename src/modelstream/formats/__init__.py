"""The formats that a model may come in: found by name, by their first bytes, and loaded.

`base` says what a format and a model are; every other room here is one format.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from modelstream.errors import InvalidModel
from modelstream.formats.base import Format, Hints, Model
from modelstream.formats.packing import is_model_directory, pack_directory
from modelstream.limits import ARTIFACT_BYTES_MAX

# Name to module and class. Imported when first asked for: each brings a runtime of its own.
_FORMATS = {
    # First, because the words of any other format may stand in a pipeline.
    "pipeline": ("modelstream.formats.pipeline", "PipelineFormat"),
    "onnx": ("modelstream.formats.onnx", "OnnxFormat"),
    "pmml": ("modelstream.formats.pmml", "PmmlFormat"),
    "pfa": ("modelstream.formats.pfa", "PfaFormat"),
    "tensorflow": ("modelstream.formats.tensorflow", "GraphDefFormat"),
    "tensorflow-saved": ("modelstream.formats.tensorflow", "SavedModelFormat"),
    "catboost": ("modelstream.formats.catboost", "CatboostFormat"),
    "lightgbm": ("modelstream.formats.lightgbm", "LightgbmFormat"),
    "xgboost": ("modelstream.formats.xgboost", "XgboostFormat"),
}


def formats() -> tuple[str, ...]:
    """Return the names of the formats that can be served."""
    return tuple(_FORMATS)


def format_named(name: str) -> Format:
    """Return a format. Raises InvalidModel when the name is not one of `formats()`."""
    if name not in _FORMATS:
        raise InvalidModel(f"format {name!r} cannot be served; known are {', '.join(_FORMATS)}")
    module, kind = _FORMATS[name]
    chosen: Format = getattr(import_module(module), kind)()
    return chosen


def import_formats() -> None:
    """Import the runtime of every format now, for whom an import later would stop a stream."""
    for name in _FORMATS:
        format_named(name)


def recognise(data: bytes) -> Format:
    """Tell the format of an artifact by its first bytes. Raises InvalidModel."""
    for name in _FORMATS:
        candidate = format_named(name)
        if candidate.recognises(data):
            return candidate
    raise InvalidModel(
        f"the format of these {len(data)} bytes cannot be told; name it: {', '.join(_FORMATS)}"
    )


def read_artifact(source: str | Path | bytes) -> bytes:
    """Return an artifact's bytes, of a file where a path is given. Raises InvalidModel.

    A directory that is a model is packed into one archive.
    """
    if isinstance(source, bytes):
        _check_size(len(source))
        return source
    path = Path(source)
    try:
        if is_model_directory(path):
            return pack_directory(path)
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise InvalidModel(f"cannot read the model {str(path)!r}: {error}") from error


def load_model(
    source: str | Path | bytes,
    format: str | None = None,  # noqa: A002 - the word of the descriptor and of the command line
    *,
    feature_names: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Model:
    """Load a model that you trust, in this process: a path or bytes to something that scores.

    Models from a log are read in a confined child first; this is for scripts and tests. Raises
    InvalidModel, UnsupportedModel.
    """
    data = read_artifact(source)
    chosen = recognise(data) if format is None else format_named(format)
    return chosen.load(chosen.lower(data, Hints(tuple(feature_names), tuple(labels))))


def _check_size(size: int) -> None:
    if size > ARTIFACT_BYTES_MAX:
        raise InvalidModel(f"the model has {size} bytes; at most {ARTIFACT_BYTES_MAX} are allowed")
