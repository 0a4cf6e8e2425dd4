"""A session of TensorFlow in a confined process, with the face of one of ONNX Runtime."""

import base64
import binascii
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from modelstream.confinement.confine import Confinement
from modelstream.confinement.forker import Child, Forker
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.errors import InvalidModel, ModelFailed, ModelTimedOut
from modelstream.formats.tensorflow.native.form import NativeForm
from modelstream.formats.tensorflow.native.messages import (
    TEXTS,
    Answered,
    Failed,
    Open,
    Opened,
    Reply,
    Request,
    Run,
    TensorFacts,
    pack_array,
    unpack_array,
)
from modelstream.limits import (
    NATIVE_FRAME_BYTES_MAX,
    NATIVE_OPEN_SECONDS_MAX,
    NATIVE_SCORE_SECONDS_MAX,
    RECORD_BYTES_MAX,
)
from modelstream.messages import Column

_DECODE_CONFINEMENT = msgspec.msgpack.Decoder(Confinement).decode

_DECODE_REPLY = msgspec.msgpack.Decoder(Reply).decode

_log = logging.getLogger("modelstream")
# How bytes that are no text stand in a JSON string (RFC 2397).
_DATA_URL = "data:;base64,"
_ORT_NAMES = {"float32": "float", "float64": "double", TEXTS: "string"}


class ChildEnded(Exception):
    """A process ended, or speaks nonsense, before it had answered."""


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output as ONNX Runtime tells it."""

    name: str
    type: str
    shape: list[int | None]


class NativeSession:
    """One graph in a process of its own, which is replaced where it ends.

    Raises InvalidModel where TensorFlow cannot make a session of the graph.
    """

    def __init__(
        self,
        form: NativeForm,
        runtime: Forker,
        *,
        score_seconds: float = NATIVE_SCORE_SECONDS_MAX,
    ) -> None:
        self._form = form
        self._runtime = runtime
        self._score_seconds = score_seconds
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False
        runtime.enter()
        try:
            self._child, opened = self._open()
        except BaseException:
            runtime.leave()
            raise
        self.version = opened.version
        self._inputs = _values([each.name for each in form.inputs], opened.feeds)
        self._outputs = _values([each.name for each in form.outputs], opened.fetches)

    def get_inputs(self) -> list[Value]:
        """Return the inputs."""
        return self._inputs

    def get_outputs(self) -> list[Value]:
        """Return the outputs."""
        return self._outputs

    def run(self, outputs: list[str], feeds: dict[str, Column]) -> list[Column]:
        """Score, in a second process where the first one ends.

        Raises ModelFailed with TensorFlow's reason or where both end, ModelTimedOut.
        """
        tensors = tuple(pack_array(_as_sent(feeds[each.name])) for each in self._inputs)
        answers = self._run(Run(tensors)).tensors
        if len(answers) != len(self._outputs):
            raise ModelFailed(f"TensorFlow's process gave {len(answers)} answers")
        found = {
            value.name: _as_told(unpack_array(each))
            for value, each in zip(self._outputs, answers, strict=True)
        }
        return [found[name] for name in outputs]

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._drop()
            if not self._closed:
                self._runtime.leave()
            self._closed = True

    def _run(self, asked: Run) -> Answered:
        with self._lock:
            reply = self._reply(asked)
        if isinstance(reply, Failed):
            raise ModelFailed(f"TensorFlow: {reply.reason}")
        if not isinstance(reply, Answered):
            raise ModelFailed("TensorFlow's process answered what it was not asked")
        return reply

    def _reply(self, asked: Run) -> Reply:
        """Ask, and once more in a new process where the one that is asked ends."""
        why = ""
        for _ in range(2):
            if self._child is None:
                self._child, _ = self._open()
            try:
                return _ask(self._child, asked, self._score_seconds)
            except ChildEnded as error:
                self._drop()
                why = str(error)
            except TimeoutError:
                self._drop()
                raise ModelTimedOut(
                    f"TensorFlow did not answer within {self._score_seconds:g} s, and its process "
                    "was ended; the next batch gets a new one"
                ) from None
        raise ModelFailed(f"TensorFlow's process ended at this batch, twice: {why}")

    def _drop(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _open(self) -> tuple[Child, Opened]:
        """Have a child forked and give it the graph. Raises InvalidModel."""
        child = self._runtime.fork()
        try:
            return child, _opened(child, self._form)
        except (ChildEnded, TimeoutError) as error:
            child.end()
            raise InvalidModel(f"TensorFlow's process did not load the graph: {error}") from error
        except BaseException:
            child.end()
            raise


def _opened(child: Child, form: NativeForm) -> Opened:
    """Give a child the graph. Raises InvalidModel, ChildEnded, TimeoutError."""
    _tell(_confinement(child))
    feeds, fetches = ([each.tensor for each in side] for side in (form.inputs, form.outputs))
    asked = Open(form.graph, form.initial, tuple(feeds), tuple(fetches))
    reply = _ask(child, asked, NATIVE_OPEN_SECONDS_MAX)
    if isinstance(reply, Failed):
        raise InvalidModel(f"TensorFlow cannot load the graph: {reply.reason}")
    if not isinstance(reply, Opened) or len(reply.fetches) != len(fetches):
        raise InvalidModel("TensorFlow's process answered what it was not asked")
    return reply


def _ask(child: Child, asked: Request, seconds: float) -> Reply:
    """Send a request and wait for the reply. Raises ChildEnded, TimeoutError."""
    try:
        child.channel.settimeout(seconds)
        send_frame(child.channel, msgspec.msgpack.encode(asked))
        said = receive_frame(child.channel, NATIVE_FRAME_BYTES_MAX, seconds)
        reply: Reply = _DECODE_REPLY(said)
    except TimeoutError:
        raise
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise ChildEnded(str(error)) from error
    return reply


def _confinement(child: Child) -> Confinement:
    try:
        said = receive_frame(child.channel, RECORD_BYTES_MAX, NATIVE_OPEN_SECONDS_MAX)
        return _DECODE_CONFINEMENT(said)
    except TimeoutError:
        raise
    except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        raise ChildEnded(str(error)) from error


def _tell(confinement: Confinement) -> None:
    if confinement.missing:
        _log.warning(
            "TensorFlow runs in a process that is confined less than it could be; missing here: %s",
            "; ".join(confinement.missing),
        )


def _values(names: Sequence[str], facts: Sequence[TensorFacts]) -> list[Value]:
    return [
        Value(
            name,
            f"tensor({_ORT_NAMES.get(each.dtype, each.dtype)})",
            [None] if each.shape is None else list(each.shape),
        )
        for name, each in zip(names, facts, strict=True)
    ]


def _as_sent(column: Column) -> Column:
    """Return texts as bytes: UTF-8, or what a data URL holds. Raises ModelFailed."""
    if column.dtype.kind not in "OU":
        return column
    sent = np.empty(column.size, dtype=object)
    sent[:] = [_bytes(text) for text in column.reshape(-1).tolist()]
    return sent.reshape(column.shape)


def _bytes(text: str) -> bytes:
    if not text.startswith(_DATA_URL):
        return text.encode("utf-8", errors="surrogatepass")
    try:
        return base64.b64decode(text.removeprefix(_DATA_URL), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ModelFailed(f"{text[:80]!r} is no data URL: {error}") from None


def _as_told(column: Column) -> Column:
    """Return bytes as texts; those that are no UTF-8 become a data URL."""
    if column.dtype.kind != "O":
        return column
    told: Any = np.empty(column.size, dtype=object)
    told[:] = [_text(data) for data in column.reshape(-1).tolist()]
    texts: Column = told.reshape(column.shape)
    return texts


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _DATA_URL + base64.b64encode(data).decode()
