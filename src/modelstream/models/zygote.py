"""The zygote as its parent sees it: started, asked for children, and ended.

What runs in that process is `models.jail_child`; what is made of the children's answers is the
jail's business.
"""

import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

import msgspec

from modelstream.confinement.spawn import command_of, spawn
from modelstream.errors import JailFailed
from modelstream.limits import (
    JAIL_GRACE_SECONDS_MAX,
    JAIL_START_SECONDS_MAX,
    RECORD_BYTES_MAX,
)
from modelstream.models.jail_protocol import READY, Ending, Order

_DECODE_ENDING = msgspec.msgpack.Decoder(Ending).decode

_MODULE = "modelstream.models.jail_child"
# Its import would start a thread, unless it is told not to report on its use.
_ENVIRONMENT = {"ORT_DISABLE_TELEMETRY": "1"}


class ZygoteGone(Exception):
    """The zygote ended, or answers no more; nothing is known of the child in hand."""


@dataclass(frozen=True, slots=True)
class Zygote:
    """A process that has imported all formats, and the socket to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    def fork(self, order: Order) -> socket.socket:
        """Ask for a child; return the channel to it. Raises ZygoteGone."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                message = msgspec.msgpack.encode(order)
                socket.send_fds(self.control, [message], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise ZygoteGone from error
        return ours

    def ending(self, seconds: float) -> Ending:
        """Wait for it to tell how its child ended. Raises ZygoteGone."""
        self.control.settimeout(seconds)
        try:
            message = self.control.recv(RECORD_BYTES_MAX)
        except OSError as error:
            raise ZygoteGone from error
        if not message:
            raise ZygoteGone
        return _DECODE_ENDING(message)

    def hang_up(self) -> None:
        """Let it know that nobody listens: it kills the child in hand and ends."""
        try:
            self.control.shutdown(socket.SHUT_RDWR)
        except OSError:  # it hung up first
            return

    def end(self) -> None:
        """See it end, its child with it, by force if need be."""
        self.hang_up()
        try:
            self.process.wait(JAIL_GRACE_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.control.close()


def start_zygote() -> Zygote:
    """Start a zygote and wait until it has imported everything. Raises JailFailed."""
    try:
        process, ours = spawn(_MODULE, _ENVIRONMENT)
    except OSError as error:
        raise JailFailed(f"{sys.executable!r} cannot be started: {error.strerror}") from error
    zygote = Zygote(process, ours)
    ours.settimeout(JAIL_START_SECONDS_MAX)
    try:
        ready = ours.recv(len(READY)) == READY
    except OSError:
        ready = False
    if not ready:
        zygote.end()
        raise JailFailed(
            f"the process that checks models does not start (exit code {process.returncode}); it "
            f"says why on standard error; it was started as: {' '.join(command_of(_MODULE))}"
        )
    return zygote


def signal_name(number: int) -> str:
    """Return what a signal is called."""
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time signals have no names
        return f"signal {number}"
