"""What the jail and its processes say to each other: one order and one ending a check.

Everything is msgpack of a known type and of bounded length, because the child at the other end may
have been taken over by the artifact that it read. It goes over the socket in frames.
"""

import msgspec

READY = b"ready"
# Told apart from the exit codes that Python and the C library choose by themselves.
EXIT_MEMORY = 77


class Order(msgspec.Struct, frozen=True):
    """One check, as the zygote is told of it; the child's socket travels beside it."""

    seconds: float
    cpu_seconds: int
    memory_bytes: int


class Ending(msgspec.Struct, frozen=True):
    """How a forked child ended. `status`: its exit code, or minus the signal that killed it."""

    timed_out: bool
    status: int
