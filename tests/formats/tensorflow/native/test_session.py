"""A session whose process crashes, hangs and babbles; a thread stands in for the process."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest

from modelstream.confinement.confine import Confinement
from modelstream.confinement.forker import Child, Forker
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.errors import InvalidModel, ModelFailed, ModelTimedOut
from modelstream.formats import runtimes
from modelstream.formats.tensorflow.native.form import VERSION, Fed, Fetched, NativeForm
from modelstream.formats.tensorflow.native.messages import (
    Answered,
    Failed,
    Open,
    Opened,
    Reply,
    Request,
    Run,
    Tensor,
    TensorFacts,
    pack_array,
    unpack_array,
)
from modelstream.formats.tensorflow.native.runtime import IMPORTS
from modelstream.formats.tensorflow.native.session import NativeSession, Value

FORM = NativeForm(
    version=VERSION,
    graph=b"graph",
    initial=("fill",),
    inputs=(Fed("x", "in:0", "float32", (None,)),),
    outputs=(Fetched("y", "out:0"), Fetched("word", "w:0")),
    feature_names=(),
    labels=(),
    format="tensorflow",
    made_by="GraphDef 1",
    why="Foo (node 'f')",
)
OPENED = Opened(
    (TensorFacts("float32", (None,)),),
    (TensorFacts("float32", None), TensorFacts("object", (None,))),
    "2.21.0",
)
X = np.array([1.0, 2.0], np.float32)
# What a process says to a request; None: it ends.
Says = Callable[[Request], Reply | bytes | None]


def doubled(asked: Request) -> Reply:
    """Answer twice the number, and two texts."""
    if isinstance(asked, Open):
        assert asked == Open(b"graph", ("fill",), ("in:0",), ("out:0", "w:0"))
        return OPENED
    texts = np.array([b"a", b"\xff"], dtype=object)
    return Answered((pack_array(unpack_array(asked.tensors[0]) * 2), pack_array(texts)))


class FakeChild(Child):
    """Ends without a process to kill."""

    def end(self) -> None:
        self.channel.close()


@dataclass
class FakeRuntime(Forker):
    """Gives a thread for a process; each one says what its turn of `says` has it say."""

    says: list[Says]
    users: int = 0
    forked: list[Child] = field(default_factory=list)

    def enter(self) -> None:
        self.users += 1

    def leave(self) -> None:
        self.users -= 1

    def fork(self, *_: int) -> Child:
        ours, theirs = socket.socketpair()
        says = self.says[min(len(self.forked), len(self.says) - 1)]
        threading.Thread(target=_live, args=(theirs, says), daemon=True).start()
        self.forked.append(FakeChild(ours, -1))
        return self.forked[-1]


def _live(channel: socket.socket, says: Says) -> None:
    with channel:
        try:
            send_frame(channel, msgspec.msgpack.encode(Confinement(7)))
            while True:
                asked = msgspec.msgpack.decode(receive_frame(channel, 10_000), type=Request)
                reply = says(asked)
                if reply is None:
                    return
                said = reply if isinstance(reply, bytes) else msgspec.msgpack.encode(reply)
                send_frame(channel, said)
        except (EOFError, OSError):
            return


def at_run(reply: Reply | bytes | None) -> Says:
    """Return what a process says that opens its graph and then has but this to say."""
    return lambda asked: OPENED if isinstance(asked, Open) else reply


def session(*says: Says, seconds: float = 5.0) -> tuple[NativeSession, FakeRuntime]:
    runtime = FakeRuntime(list(says))
    return NativeSession(FORM, runtime, score_seconds=seconds), runtime


def test_a_session_has_the_face_of_one_of_onnx_runtime() -> None:
    made, runtime = session(doubled)
    assert made.get_inputs() == [Value("x", "tensor(float)", [None])]
    assert made.get_outputs() == [
        Value("y", "tensor(float)", [None]),
        Value("word", "tensor(string)", [None]),
    ]
    words, numbers = made.run(["word", "y"], {"x": X})
    assert numbers.tolist() == [2.0, 4.0]
    assert words.tolist() == ["a", "data:;base64,/w=="]
    made.close()
    made.close()
    assert runtime.users == 0


def test_a_process_that_ends_is_replaced_and_the_batch_scored_again() -> None:
    made, runtime = session(at_run(None), doubled)
    assert made.run(["y"], {"x": X})[0].tolist() == [2.0, 4.0]
    assert len(runtime.forked) == 2
    made.close()


@pytest.mark.parametrize("babble", [None, b"babble", b"\x81"])
def test_a_batch_at_which_two_processes_end_is_to_blame(babble: bytes | None) -> None:
    made, runtime = session(at_run(babble), at_run(babble), doubled)
    with pytest.raises(ModelFailed, match="ended at this batch, twice"):
        made.run(["y"], {"x": X})
    assert made.run(["y"], {"x": X})[0].tolist() == [2.0, 4.0]
    assert len(runtime.forked) == 3
    made.close()


def test_a_process_that_hangs_is_ended_and_not_asked_again() -> None:
    stop = threading.Event()

    def hang(asked: Request) -> Reply | None:
        if isinstance(asked, Run):
            stop.wait()
            return None
        return OPENED

    made, runtime = session(hang, doubled, seconds=0.1)
    with pytest.raises(ModelTimedOut, match=r"did not answer within 0\.1 s"):
        made.run(["y"], {"x": X})
    stop.set()
    assert len(runtime.forked) == 1
    made.close()
    assert runtime.users == 0


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Failed("no such example"), "^TensorFlow: no such example$"),
        (OPENED, "what it was not asked"),
        (Answered(()), "gave 0 answers"),
        (Answered((Tensor("float32", (9,), b""), Tensor("object", (0,)))), "has 0 bytes"),
    ],
)
def test_what_is_no_answer_is_a_failure(reply: Reply, reason: str) -> None:
    made, runtime = session(at_run(reply))
    with pytest.raises(ModelFailed, match=reason):
        made.run(["y"], {"x": X})
    assert len(runtime.forked) == 1
    made.close()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Failed("Op type not registered"), "cannot load the graph: Op type"),
        (Answered(()), "what it was not asked"),
        (None, "did not load the graph"),
    ],
)
def test_a_graph_that_cannot_be_opened_is_no_model(reply: Reply | None, reason: str) -> None:
    runtime = FakeRuntime([lambda _: reply])
    with pytest.raises(InvalidModel, match=reason):
        NativeSession(FORM, runtime)
    assert runtime.users == 0


def test_texts_are_sent_as_bytes_and_data_urls_as_what_they_hold() -> None:
    seen: list[Tensor] = []

    def listen(asked: Request) -> Reply:
        if isinstance(asked, Run):
            seen.extend(asked.tensors)
        return doubled(Run((pack_array(X),))) if isinstance(asked, Run) else OPENED

    made, _ = session(listen)
    made.run(["y"], {"x": np.array(["é", "data:;base64,/w=="], dtype=object)})
    assert seen[0].texts == ["é".encode(), b"\xff"]
    with pytest.raises(ModelFailed, match="is no data URL"):
        made.run(["y"], {"x": np.array(["data:;base64,?"], dtype=object)})
    made.close()


@pytest.mark.skipif(bool(runtimes()), reason="TensorFlow is installed here")
def test_where_tensorflow_cannot_be_imported_that_is_told(
    capfd: pytest.CaptureFixture[str],
) -> None:
    runtime = Forker(IMPORTS)
    runtime.enter()
    with pytest.raises(InvalidModel, match=r"cannot be imported .* exit code 1, .*native\.child"):
        runtime.fork()
    runtime.leave()
    assert "No module named 'tensorflow'" in capfd.readouterr().err
