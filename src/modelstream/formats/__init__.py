"""The formats that a model may come in: found by name, by their first bytes, and loaded.

`base` says what a format and a model are; every other room here is one format.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from modelstream.errors import InvalidModel
from modelstream.formats.base import (
    NO_FUNCTIONS,
    Device,
    Format,
    Functions,
    Hints,
    Model,
    Remote,
)
from modelstream.formats.location import is_location, parse_location
from modelstream.formats.packing import is_model_directory, pack_directory
from modelstream.limits import ARTIFACT_BYTES_MAX

# Name to module and class. Imported when first asked for: each brings a runtime of its own.
_FORMATS = {
    "remote": ("modelstream.formats.remote", "RemoteFormat"),
    # Before the others, because the words of any other format may stand in a pipeline.
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

# Formats whose models are graphs, which ONNX Runtime may run on something else than the CPU.
_GRAPHS = frozenset({"onnx", "tensorflow", "tensorflow-saved"})
# What models may be run by that nothing else needs; each is an extra of that name.
_RUNTIMES = ("tensorflow",)
# Formats whose artifacts may be served in several ways, one of which is chosen by name.
_SIGNED = frozenset({"tensorflow", "tensorflow-saved"})


def formats() -> tuple[str, ...]:
    """Return the names of the formats that can be served."""
    return tuple(_FORMATS)


def format_named(
    name: str,
    remote: Remote | None = None,
    device: Device = "cpu",
    functions: Functions = NO_FUNCTIONS,
) -> Format:
    """Return a format. Raises InvalidModel when the name is not one of `formats()`.

    Remote models are asked only at the servers that `remote` allows. Graphs are loaded onto
    `device`; no other models can be. Pipelines call none but the registered `functions`.
    """
    if name not in _FORMATS:
        raise InvalidModel(f"format {name!r} cannot be served; known are {', '.join(_FORMATS)}")
    module, kind = _FORMATS[name]
    made = getattr(import_module(module), kind)
    options: tuple[object, ...] = ()
    if name == "remote":
        options = (remote or Remote(),)
    elif name == "pipeline":
        options = (functions, remote or Remote())
    elif name in _GRAPHS:
        options = (device,)
    chosen: Format = made(*options)
    return chosen


def runtimes() -> tuple[str, ...]:
    """Return the optional runtimes that are installed, without importing them."""
    return tuple(name for name in _RUNTIMES if find_spec(name) is not None)


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


def read_artifact(source: str | Path | bytes, remote: Remote | None = None) -> bytes:
    """Return an artifact's bytes, of a file where a path is given. Raises InvalidModel.

    A directory that is a model is packed into one archive. Of a model at a server that `remote`
    allows, given by its URL, it is what the server tells of it; then ModelUnavailable, too.
    """
    if isinstance(source, bytes):
        _check_size(len(source))
        return source
    if isinstance(source, str) and is_location(source):
        room = import_module(_FORMATS["remote"][0])
        told: bytes = room.fetch_artifact(source, remote or Remote())
        return told
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
    signature: str = "",
    functions: Functions = NO_FUNCTIONS,
) -> Model:
    """Load a model that you trust, in this process: a path, URL or bytes to something that scores.

    Models from a log are read in a confined child first; this is for scripts and tests. The steps
    of a pipeline may call `functions`: names to `module:function`. Raises InvalidModel,
    UnsupportedModel.
    """
    remote = _asked_at(source)
    data = read_artifact(source, remote)
    chosen = format_named(format or recognise(data).name, remote, functions=functions)
    hints = Hints(tuple(feature_names), tuple(labels), signature=signature, runtimes=runtimes())
    check_hints(chosen.name, hints)
    return chosen.load(chosen.lower(data, hints))


def check_hints(name: str, hints: Hints) -> None:
    """Raise InvalidModel where a format is told what its artifacts have no place for."""
    if hints.signature and name not in _SIGNED:
        raise InvalidModel(
            f"a model of format {name!r} has no signatures; leave {hints.signature!r} out"
        )


def _asked_at(source: str | Path | bytes) -> Remote:
    """Allow the server that the caller names, and no other."""
    if isinstance(source, str) and is_location(source):
        return Remote((parse_location(source).host,))
    return Remote()


def _check_size(size: int) -> None:
    if size > ARTIFACT_BYTES_MAX:
        raise InvalidModel(f"the model has {size} bytes; at most {ARTIFACT_BYTES_MAX} are allowed")
