"""The confined side of the jail: a process that imports once and forks for every artifact.

Started by `models.jail` as `python -m modelstream.models.jail_child FD`. The zygote itself never
sees an artifact: it gets a socket for each check, and the child that it forks speaks there.
"""

import encodings
import gc
import os
import pkgutil
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import msgspec

from modelstream.confinement.confine import confine
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.formats import format_named, formats
from modelstream.formats.runtime import onnxruntime
from modelstream.limits import CHECK_REQUEST_BYTES_MAX
from modelstream.models.check import CheckRequest, check
from modelstream.models.jail_protocol import (
    EXIT_MEMORY,
    READY,
    Ending,
    Order,
)

_DECODE_CHECK_REQUEST = msgspec.msgpack.Decoder(CheckRequest).decode

_DECODE_ORDER = msgspec.msgpack.Decoder(Order).decode


def main() -> None:
    """Import all formats, say so, and serve orders until the parent is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    import_all()
    # What is here now is never freed: without this, the collector would touch, and so copy, it.
    gc.collect()
    gc.freeze()
    control.send(READY)
    while _serve(control):
        pass


def import_all() -> None:
    """Import all that a check may come to need: a confined child can open no file any more."""
    for name in formats():
        # What is not installed is told to those who publish such a model.
        with suppress(ImportError):
            format_named(name)
    onnxruntime()
    import_module("numpy.ma")  # NumPy does so itself, when `unique` is first called
    # An XML document names its encoding, and Python imports each when it is first asked for.
    for each in pkgutil.iter_modules(encodings.__path__):
        with suppress(ImportError):  # some are those of other operating systems
            import_module(f"encodings.{each.name}")


def _serve(control: socket.socket) -> bool:
    """Fork for one order; False when the parent is gone."""
    message, descriptors, _, _ = socket.recv_fds(control, 1024, 1)
    if not descriptors:
        return False
    order = _DECODE_ORDER(message)
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        _answer(descriptors[0], order, zygote)
    os.close(descriptors[0])
    ending = _await(pid, control, order.seconds)
    if ending is not None:
        control.send(msgspec.msgpack.encode(ending))
    return ending is not None


def _await(pid: int, control: socket.socket, seconds: float) -> Ending | None:
    """Wait for a child's end; kill it when its time is up or the parent is gone (then None)."""
    handle = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    poller.register(control, select.POLLIN)
    ready = [fd for fd, _ in poller.poll(seconds * 1000)]
    os.close(handle)
    if handle not in ready:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if control.fileno() in ready:
        return None
    return Ending(not ready, os.waitstatus_to_exitcode(status))


def _answer(fd: int, order: Order, zygote: int) -> NoReturn:
    """Be confined, say how, and only then read the artifact and answer."""
    code = 1
    try:
        confinement = confine(fd, order.memory_bytes, order.cpu_seconds)
        # Who lost its parent before it was bound to end with it would be nobody's to end.
        if os.getppid() != zygote:
            os._exit(code)
        with socket.socket(fileno=fd) as channel:
            send_frame(channel, msgspec.msgpack.encode(confinement))
            request = receive_frame(channel, CHECK_REQUEST_BYTES_MAX)
            verdict = check(_DECODE_CHECK_REQUEST(request))
            send_frame(channel, msgspec.msgpack.encode(verdict))
        code = 0
    except MemoryError:
        code = EXIT_MEMORY
    finally:
        # Never back into the zygote's loop, whatever happened; the parent reads the exit code.
        os._exit(code)


if __name__ == "__main__":
    main()
