"""The process that has TensorFlow imported, as the serving process sees it: it forks for models.

It is started for the first model that needs it and ended after the last one. There is one a
process, because it takes half a gigabyte and seconds to start.
"""

import os
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass
from functools import cache

from modelstream.confinement.spawn import command_of, spawn
from modelstream.errors import InvalidModel
from modelstream.formats.tensorflow.native.messages import READY
from modelstream.limits import JAIL_GRACE_SECONDS_MAX, NATIVE_START_SECONDS_MAX

_MODULE = "modelstream.formats.tensorflow.native.child"
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Its kernels give other last digits from one batch size to another.
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process: the channel to it, and a handle to end it by."""

    channel: socket.socket
    handle: int

    def end(self) -> None:
        """Kill it, unless it has ended."""
        try:
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        except ProcessLookupError:  # it has
            pass
        finally:
            os.close(self.handle)
            self.channel.close()


class Runtime:
    """Forks children; whoever uses it says so (`enter`) and when it is done (`leave`)."""

    def __init__(self) -> None:
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

    def fork(self) -> Child:
        """Return a confined child that waits for its graph. Raises InvalidModel."""
        with self._lock:
            for _ in range(2):
                process, control = self._running or self._start()
                try:
                    return _forked(control)
                except OSError:  # it was killed, by whom ever: the next one is another
                    self._end()
        raise InvalidModel(f"the process that imports TensorFlow ended, twice: {_says(process)}")

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        try:
            process, control = spawn(_MODULE, _ENVIRONMENT)
        except OSError as error:
            raise InvalidModel(f"no process can be started for TensorFlow: {error}") from error
        self._running = process, control
        control.settimeout(NATIVE_START_SECONDS_MAX)
        try:
            ready = control.recv(len(READY)) == READY
        except OSError:
            ready = False
        if not ready:
            self._end()
            raise InvalidModel(
                "TensorFlow cannot be imported by the process that runs such models: "
                f"{_says(process)}; pip install 'modelstream[tensorflow]'"
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


@cache
def shared_runtime() -> Runtime:
    """Return the one of this process; nothing runs before somebody asks it to fork."""
    return Runtime()


def _forked(control: socket.socket) -> Child:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(control, [READY[:1]], [theirs.fileno()])
        _, handles, _, _ = socket.recv_fds(control, len(READY), 1)
        if not handles:
            raise ConnectionResetError("it hung up")
    except OSError:
        ours.close()
        raise
    return Child(ours, handles[0])


def _says(process: subprocess.Popen[bytes]) -> str:
    command = " ".join(command_of(_MODULE))
    return f"exit code {process.returncode}, more on standard error; it was started as {command}"
