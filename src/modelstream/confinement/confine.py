"""Takes away from this process all that reading a hostile artifact could misuse.

Called in a forked child after its imports and before it sees the artifact. What the kernel cannot
do is no error here: it is told in `Confinement.missing`, for the parent to say aloud.
"""

import ctypes
import os
import resource
import signal
import struct
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelstream.confinement.seccomp import filter_calls

# Linux's own numbers: prctl(2), capabilities(7), landlock(7). The system calls have the same
# number on every architecture that CPython supports on Linux.
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_ADD_RULE = 445
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_PATH = 1
_LANDLOCK_READ_FILE = 1 << 2
_LANDLOCK_QUERY_VERSION = 1
_NICE = 10
# Descriptors of a process that may read files; they are numbered from 0 on, the channel included.
_FILES_OPEN = 1024


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds a child. `landlock_abi` 0: the kernel has no Landlock; `missing` in words."""

    landlock_abi: int
    missing: tuple[str, ...] = ()


def confine(
    keep_fd: int,
    memory_bytes: int,
    cpu_seconds: int | None = None,
    *,
    threads: bool = False,
    readable: Sequence[str] = (),
) -> Confinement:
    """Give up files, network, processes and privileges, for good; only `keep_fd` stays open.

    Standard input, output and error become what standard input is. The process ends with its
    parent. Address space and processor time are limited. Needs no rights.

    Without `cpu_seconds` the process is one that serves: its time has no end, and it is as urgent
    as any. With `threads` it may start some; it must have one alone when this is called. The files in `readable` may be read.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    missing: list[str] = []
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        missing.append("it outlives its parent")
    _be_first_to_go(missing)
    _close_all_but(keep_fd)
    os.environ.clear()
    _leave_for_nowhere(missing)
    if cpu_seconds is not None:
        os.nice(_NICE)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        missing.append(f"no_new_privs: {_last_error()}")
    abi = _landlock(libc, missing, readable)
    _drop_capabilities(libc, missing)
    unfiltered = filter_calls(libc, threads=threads)
    if unfiltered:
        missing.append(unfiltered)
    _limit(memory_bytes, cpu_seconds, threads=threads, files=_FILES_OPEN if readable else 0)
    return Confinement(abi, tuple(missing))


def _be_first_to_go(missing: list[str]) -> None:
    """When the machine runs out of memory, the kernel is to end this process, not its parent."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError as error:
        missing.append(f"first choice when memory runs out: {error.strerror}")


def _close_all_but(keep_fd: int) -> None:
    os.dup2(0, 1)
    os.dup2(0, 2)
    last = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, keep_fd)
    os.closerange(keep_fd + 1, last)


def _leave_for_nowhere(missing: list[str]) -> None:
    """Go to a directory that is gone: nothing is in it, and nothing can be made in it.

    Formats can name files beside the artifact, and a library looks for them in the working
    directory.
    """
    try:
        nowhere = tempfile.mkdtemp()
        os.chdir(nowhere)
        Path(nowhere).rmdir()
    except OSError as error:
        missing.append(f"an empty working directory: {error.strerror}")


def _landlock(libc: ctypes.CDLL, missing: list[str], readable: Sequence[str] = ()) -> int:
    """Deny every other file and, where the kernel can, TCP, signals and abstract sockets to others."""
    abi = max(0, libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if abi == 0:
        missing.append("Landlock: this kernel has none (Linux 5.13 or later, with it enabled)")
        return 0
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    files = (1 << rights) - 1
    attributes = struct.pack("QQQ", files, 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = libc.syscall(
        _LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    for path in readable if ruleset >= 0 else ():
        _allow_reading(libc, ruleset, path, missing)
    if ruleset < 0 or libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) != 0:
        missing.append(f"Landlock: {_last_error()}")
        return 0
    os.close(ruleset)
    if abi < 4:
        missing.append("Landlock for TCP (Linux 6.7 or later)")
    if abi < 6:
        missing.append("Landlock for signals (Linux 6.12 or later)")
    return int(abi)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str, missing: list[str]) -> None:
    try:
        file = os.open(path, os.O_PATH)
    except OSError as error:
        missing.append(f"{path}: {error.strerror}")
        return
    rule = struct.pack("=Qi", _LANDLOCK_READ_FILE, file)
    if libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH, rule, ctypes.c_uint32(0)) != 0:
        missing.append(f"{path}: {_last_error()}")
    os.close(file)


def _drop_capabilities(libc: ctypes.CDLL, missing: list[str]) -> None:
    """Even as root, as containers run: otherwise the limits could be raised again."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if libc.capset(header, struct.pack("6I", 0, 0, 0, 0, 0, 0)) != 0:
        missing.append(f"dropping capabilities: {_last_error()}")


def _limit(memory_bytes: int, cpu_seconds: int | None, *, threads: bool, files: int) -> None:
    """Set limits, none above what this process was given; `files` is for descriptors."""
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: files,
    }
    if cpu_seconds is not None:
        limits[resource.RLIMIT_CPU] = cpu_seconds
    if not threads:  # the kernel counts threads as processes; the filter tells them apart
        limits[resource.RLIMIT_NPROC] = 0
    for which, wanted in limits.items():
        hard = resource.getrlimit(which)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # The signal for spent processor time comes at the soft limit, a plain kill at the hard one.
        spare = 1 if which == resource.RLIMIT_CPU and value != hard else 0
        resource.setrlimit(which, (value, value + spare))


def _last_error() -> str:
    return os.strerror(ctypes.get_errno())
