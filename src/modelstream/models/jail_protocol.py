"""What the jail and its processes say to each other: one order and one ending a check, and frames.

Everything is msgpack of a known type and of bounded length, because the child at the other end may
have been taken over by the artifact that it read.
"""

import socket
import struct

import msgspec

READY = b"ready"
# Told apart from the exit codes that Python and the C library choose by themselves.
EXIT_MEMORY = 77
_LENGTH = struct.Struct("<Q")


class Order(msgspec.Struct, frozen=True):
    """One check, as the zygote is told of it; the child's socket travels beside it."""

    seconds: float
    cpu_seconds: int
    memory_bytes: int


class Ending(msgspec.Struct, frozen=True):
    """How a forked child ended. `status`: its exit code, or minus the signal that killed it."""

    timed_out: bool
    status: int


def send_frame(channel: socket.socket, payload: bytes) -> None:
    """Write a length and that many bytes. Raises OSError."""
    channel.sendall(_LENGTH.pack(len(payload)))
    channel.sendall(payload)


def receive_frame(channel: socket.socket, bytes_max: int) -> bytearray:
    """Read one frame. Raises EOFError when it is cut short, ValueError when too long, OSError."""
    (length,) = _LENGTH.unpack(_receive(channel, _LENGTH.size))
    if length > bytes_max:
        raise ValueError(f"a frame of {length} bytes; at most {bytes_max}")
    return _receive(channel, length)


def _receive(channel: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    done = 0
    while done < length:
        got = channel.recv_into(view[done:])
        if got == 0:
            raise EOFError(f"the stream ended after {done} of {length} bytes")
        done += got
    return data
