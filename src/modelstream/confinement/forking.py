"""The other side of `confinement.forker`: a process that forks a child for each socket it is sent."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import NoReturn

# Said once everything is imported, and with the handle of each child.
READY = b"ready"
_DESCRIPTORS_MAX = 2
# What a child does with its descriptors, the channel first; it confines itself before anything else.
Live = Callable[[Sequence[int]], None]


def fork_on_demand(control: socket.socket, live: Live) -> None:
    """Say that all is imported, and fork whenever asked, until the parent is gone."""
    # Children are not waited for: their parents see them end by the handle that they are sent.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    control.send(READY)
    while _fork(control, live):
        pass


def orphaned(parent: int) -> bool:
    """Tell a child that lost its parent before it was bound to end with it: it is nobody's to end."""
    return os.getppid() != parent


def _fork(control: socket.socket, live: Live) -> bool:
    """Fork one child for the descriptors that come; send a handle of it. False at the end."""
    _, descriptors, _, _ = socket.recv_fds(control, 1, _DESCRIPTORS_MAX)
    if not descriptors:
        return False
    pid = os.fork()
    if pid == 0:
        control.close()
        _live(descriptors, live)
    for descriptor in descriptors:
        os.close(descriptor)
    handle = os.pidfd_open(pid)
    socket.send_fds(control, [READY], [handle])
    os.close(handle)
    return True


def _live(descriptors: Sequence[int], live: Live) -> NoReturn:
    try:
        live(descriptors)
    finally:
        # Never back into the loop above, whatever happened.
        os._exit(0)
