"""The confined side: a process that imports all formats and forks for every version that is isolated.

Started by `scorer` as `python -m modelstream.engines.isolated.child FD`. It never sees a model itself.
"""

import os
import socket
import sys
from collections.abc import Sequence

import msgspec

from modelstream.confinement.confine import confine
from modelstream.confinement.forking import fork_on_demand, orphaned
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.engines.isolated.memory import Memory, encode
from modelstream.engines.isolated.messages import (
    Failed,
    Open,
    Opened,
    Reply,
    Request,
    Score,
    Scored,
)
from modelstream.engines.loaded import Loaded, load, score
from modelstream.limits import (
    ISOLATED_ADDRESS_BYTES_MAX,
    ISOLATED_FRAME_BYTES_MAX,
    REASON_CHARS_MAX,
)
from modelstream.models.jail_child import import_all

_DECODE_REQUEST = msgspec.msgpack.Decoder(Request).decode


def main() -> None:
    """Import all formats, and fork whenever asked, until the parent is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    import_all()
    parent = os.getpid()
    fork_on_demand(control, lambda descriptors: _live(descriptors, parent))


def _live(descriptors: Sequence[int], parent: int) -> None:
    """Map the memory, be confined, say how, and only then load a version and score with it."""
    channel_fd, memory_fd = descriptors
    memory = Memory(memory_fd)
    confinement = confine(channel_fd, ISOLATED_ADDRESS_BYTES_MAX)
    if orphaned(parent):
        return
    with socket.socket(fileno=channel_fd) as channel:
        send_frame(channel, msgspec.msgpack.encode(confinement))
        _serve(channel, memory)


def _serve(channel: socket.socket, memory: Memory) -> None:
    """Answer requests until the channel is closed."""
    loaded: Loaded | None = None
    null_is_answer = False
    while True:
        try:
            frame = receive_frame(channel, ISOLATED_FRAME_BYTES_MAX)
        except (EOFError, OSError):
            return
        asked: Request = _DECODE_REQUEST(frame)
        try:
            if isinstance(asked, Open):
                loaded = load(asked.format, asked.lowered, asked.warm_rows, bind=asked.bind)
                null_is_answer = asked.null_is_answer
                reply: Reply = Opened()
            else:
                assert loaded is not None, "it is opened first"
                reply = _scored(loaded, memory, asked, null_is_answer=null_is_answer)
            said = encode(reply)
        except Exception as error:  # noqa: BLE001 - whatever a model does, it is told
            said = encode(Failed(f"{type(error).__name__}: {error}"[:REASON_CHARS_MAX]))
        send_frame(channel, said)


def _scored(loaded: Loaded, memory: Memory, asked: Score, *, null_is_answer: bool) -> Scored:
    values = memory.take_records(asked.records)
    rows = range(len(values))
    outcome = score(loaded, values, rows, null_is_answer=null_is_answer)
    answered = None if outcome.rows == rows else list(outcome.rows)
    columns = memory.put_columns(outcome.columns)
    return Scored(columns, answered, dict(outcome.failures), outcome.took_us)


if __name__ == "__main__":
    main()
