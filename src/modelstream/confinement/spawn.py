"""Starts a process that imports what a child will need, and then forks confined children.

Such a process never sees untrusted bytes itself; it ends when the socket to it is closed.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping

# A process that is forked must have one thread: these libraries start theirs when they are
# imported, unless they are told not to.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command_of(module: str) -> list[str]:
    """Return how a module is run; the number of its socket's descriptor is added."""
    return [sys.executable, "-s", "-P", "-m", module]


def spawn(
    module: str, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Run a module as a process; return it and the socket to it. Raises OSError.

    It is given this process's module path, an otherwise empty environment and no descriptor but
    its socket and standard error, where it says why it cannot start.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    module_path = os.pathsep.join(map(os.path.abspath, sys.path))
    with theirs:
        try:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, with words of our own
                [*command_of(module), str(theirs.fileno())],
                cwd="/",
                env={"PYTHONPATH": module_path, **_ONE_THREAD, **environment},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # the terminal's interrupt is for the parent to deal with
            )
        except OSError:
            ours.close()
            raise
    return process, ours
