"""The confined side: a process that imports TensorFlow and forks for every model that is loaded.

Started by `runtime` as `python -m ...native.child FD`. It never sees a graph itself. A child has
one graph, is confined before it reads it, and ends with its model: what TensorFlow does not give
back when a session is closed goes with it.
"""

import os
import socket
import sys
from importlib import import_module
from typing import Any

import msgspec

from modelstream.confinement.confine import confine
from modelstream.confinement.forking import fork_on_demand, orphaned
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.formats.tensorflow.native.messages import (
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
    NATIVE_MEMORY_BYTES_MAX,
    REASON_CHARS_MAX,
)

_DECODE_REQUEST = msgspec.msgpack.Decoder(Request).decode

# A session draws its name from the first and looks up its program's in the second; where it
# cannot, TensorFlow ends the process.
_READABLE = ("/dev/urandom", "/proc/self/cmdline")
_WHERE = ("Graph execution error", "Detected at node", "<stack traces", "Node:")


def main() -> None:
    """Import TensorFlow, say so, and fork whenever asked, until the parent is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    tensorflow = import_module("tensorflow")
    v1 = tensorflow.compat.v1
    # Looked up now, since TensorFlow imports on first use, and a confined child cannot.
    _ = (v1.Session, v1.ConfigProto, v1.GraphDef, v1.import_graph_def, tensorflow.Graph)
    zygote = os.getpid()
    fork_on_demand(control, lambda descriptors: _live(descriptors[0], tensorflow, zygote))


def _live(fd: int, tensorflow: Any, parent: int) -> None:
    """Be confined, say how, and only then read a graph and serve it."""
    confinement = confine(fd, NATIVE_MEMORY_BYTES_MAX, threads=True, readable=_READABLE)
    if not orphaned(parent):
        with socket.socket(fileno=fd) as channel:
            send_frame(channel, msgspec.msgpack.encode(confinement))
            _serve(channel, tensorflow)


def _serve(channel: socket.socket, tensorflow: Any) -> None:
    """Answer requests until the channel is closed."""
    score: Any = None
    while True:
        try:
            frame = receive_frame(channel, NATIVE_FRAME_BYTES_MAX)
        except (EOFError, OSError):
            return
        asked = _DECODE_REQUEST(frame)
        reply: Reply
        try:
            if isinstance(asked, Open):
                score, reply = _opened(asked, tensorflow)
            else:
                reply = _answered(asked, score)
        except Exception as error:  # noqa: BLE001 - whatever a graph does, it is told
            reply = Failed(_reason(error))
        send_frame(channel, msgspec.msgpack.encode(reply))


def _reason(error: Exception) -> str:
    """Return the line of an error that a person can use; TensorFlow's begin with where it was."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(_WHERE)]
    return (told[0] if told else type(error).__name__)[:REASON_CHARS_MAX]


def _opened(asked: Open, tensorflow: Any) -> tuple[Any, Opened]:
    """Make the session; return what scores with it, and what it is."""
    v1 = tensorflow.compat.v1
    graph = tensorflow.Graph()
    with graph.as_default():
        v1.import_graph_def(v1.GraphDef.FromString(asked.graph), name="")
    # The stream is already spread over processes: more threads would only fight for cores.
    config = v1.ConfigProto(
        intra_op_parallelism_threads=1,
        inter_op_parallelism_threads=1,
        use_per_session_threads=True,
        allow_soft_placement=True,
    )
    session = v1.Session(graph=graph, config=config)
    for name in asked.initial:
        session.run(graph.get_operation_by_name(name))
    feeds, fetches = (
        [graph.get_tensor_by_name(name) for name in names] for names in (asked.feeds, asked.fetches)
    )
    score = session.make_callable(fetches, feeds)
    facts = [tuple(map(_facts, tensors)) for tensors in (feeds, fetches)]
    return score, Opened(facts[0], facts[1], tensorflow.__version__)


def _facts(tensor: Any) -> TensorFacts:
    name = "object" if tensor.dtype.name == "string" else tensor.dtype.name.removesuffix("_ref")
    rank = tensor.shape.rank
    return TensorFacts(name, None if rank is None else tuple(tensor.shape.as_list()))


def _answered(asked: Run, score: Any) -> Answered:
    return Answered(tuple(map(pack_array, score(*map(unpack_array, asked.tensors)))))


if __name__ == "__main__":
    main()
