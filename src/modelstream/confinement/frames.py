"""Frames: a length and that many bytes, over a stream socket, of bounded length and in bounded time.

The process at the other end may have been taken over by what it read.
"""

import socket
import struct
import time

_LENGTH = struct.Struct("<Q")


def send_frame(channel: socket.socket, payload: bytes) -> None:
    """Write a length and that many bytes. Raises OSError."""
    channel.sendall(_LENGTH.pack(len(payload)))
    channel.sendall(payload)


def receive_frame(
    channel: socket.socket, bytes_max: int, seconds: float | None = None
) -> bytearray:
    """Read one frame; within `seconds` in all, or however long the channel's own timeout allows.

    Raises EOFError when it is cut short, ValueError when too long, OSError (TimeoutError).
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_receive(channel, _LENGTH.size, deadline))
    if length > bytes_max:
        raise ValueError(f"a frame of {length} bytes; at most {bytes_max}")
    return _receive(channel, length, deadline)


def _receive(channel: socket.socket, length: int, deadline: float | None) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    done = 0
    while done < length:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"only {done} of {length} bytes came in time")
            channel.settimeout(left)
        got = channel.recv_into(view[done:])
        if got == 0:
            raise EOFError(f"the stream ended after {done} of {length} bytes")
        done += got
    return data
