"""A process that has imported what its children need, as its parent sees it: it forks on demand.

It is started for the first child that is wanted and ended after its last user; what runs in it is
`confinement.forking`.
"""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from modelstream.confinement.forking import READY
from modelstream.confinement.spawn import command_of, spawn
from modelstream.errors import InvalidModel
from modelstream.limits import JAIL_GRACE_SECONDS_MAX


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process: the channel to it, and a handle to end it by."""

    channel: socket.socket
    handle: int

    def kill(self) -> None:
        """Kill it, unless it has ended; `end` is still to be called."""
        try:
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        except ProcessLookupError:
            return

    def end(self) -> None:
        """Kill it and forget it."""
        self.kill()
        os.close(self.handle)
        self.channel.close()


@dataclass(frozen=True, slots=True)
class Imports:
    """Which module a forker runs, in which environment, and what is said where it does not start."""

    module: str
    environment: Mapping[str, str]
    what: str
    advice: str
    seconds: float


class Forker:
    """Forks children; whoever uses it says so (`enter`) and when it is done (`leave`)."""

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self._lock = threading.Lock()
        self._users = 0
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def enter(self) -> None:
        """Keep it running from now on."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """End it where nobody else uses it."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._end()

    def fork(self, *descriptors: int) -> Child:
        """Return a child that has these descriptors too. Raises InvalidModel."""
        with self._lock:
            for _ in range(2):
                process, control = self._running or self._start()
                try:
                    return _forked(control, descriptors)
                except OSError:  # it was killed, by whom ever: the next one is another
                    self._end()
        raise InvalidModel(
            f"the process that imports {self._what} ended, twice: {self._says(process)}"
        )

    @property
    def _what(self) -> str:
        return self._imports.what

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        try:
            process, control = spawn(self._imports.module, self._imports.environment)
        except OSError as error:
            raise InvalidModel(f"no process can be started for {self._what}: {error}") from error
        self._running = process, control
        control.settimeout(self._imports.seconds)
        try:
            ready = control.recv(len(READY)) == READY
        except OSError:
            ready = False
        if not ready:
            self._end()
            raise InvalidModel(
                f"{self._what} cannot be imported by the process that runs such models: "
                f"{self._says(process)}; {self._imports.advice}"
            )
        return process, control

    def _end(self) -> None:
        if self._running is None:
            return
        process, control = self._running
        self._running = None
        control.close()
        try:
            process.wait(JAIL_GRACE_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _says(self, process: "subprocess.Popen[bytes]") -> str:
        command = " ".join(command_of(self._imports.module))
        return (
            f"exit code {process.returncode}, more on standard error; it was started as {command}"
        )


def _forked(control: socket.socket, descriptors: tuple[int, ...]) -> Child:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(control, [READY[:1]], [theirs.fileno(), *descriptors])
        _, handles, _, _ = socket.recv_fds(control, len(READY), 1)
        if not handles:
            raise ConnectionResetError("it hung up")
    except OSError:
        ours.close()
        raise
    return Child(ours, handles[0])
