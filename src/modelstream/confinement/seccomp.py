"""A system call filter: no new process, no other program, no socket, whoever the user is.

The limit on processes does not bind root, as whom containers run, and Landlock may be missing; this
holds in both cases. Threads may be let through. The filter is a classic BPF program (seccomp(2)), for the machines in `_CALLS`.
"""

import ctypes
import errno
import os
import platform
import struct

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_DENY = 0x00050000 | errno.EPERM
_NOT_THERE = 0x00050000 | errno.ENOSYS
# BPF: load a word of seccomp_data, jump if equal, if greater or equal, if a bit is set, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Of an argument only the lower half is looked at; both machines write it first.
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_CLONE_THREAD = 0x10000
# On x86-64 the same calls are there a second time from this number on.
_SECOND_TABLE = 0x40000000

# Machine: its AUDIT_ARCH constant and the numbers of
# clone, clone3, fork, vfork, execve, execveat, socket, ptrace.
_CALLS = {
    "x86_64": (0xC000003E, (56, 435, 57, 58, 59, 322, 41, 101)),
    "aarch64": (0xC00000B7, (220, 435, 221, 281, 198, 117)),  # it has no fork and no vfork
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_calls(libc: ctypes.CDLL, *, threads: bool = False) -> str:
    """Deny the calls to this process for good; return why that is not so, or nothing.

    Must come after no_new_privs.
    """
    machine = platform.machine()
    if machine not in _CALLS:
        return f"a system call filter: the calls of {machine} are not known here"
    code = _compiled(*_CALLS[machine], threads=threads)
    program = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        return f"a system call filter: {os.strerror(ctypes.get_errno())}"
    return ""


def _compiled(architecture: int, denied: tuple[int, ...], *, threads: bool = False) -> bytes:
    """Return the program: deny these calls, and any in the way of another architecture."""
    checks = [(_IF_AT_LEAST, _SECOND_TABLE), *((_IF_EQUAL, number) for number in denied)]
    lines = [
        struct.pack("HBBI", _LOAD, 0, 0, _ARCHITECTURE_AT),
        struct.pack("HBBI", _IF_EQUAL, 1, 0, architecture),
        struct.pack("HBBI", _RETURN, 0, 0, _DENY),
        struct.pack("HBBI", _LOAD, 0, 0, _NUMBER_AT),
        *(_letting_threads_through(*denied[:2]) if threads else ()),
    ]
    for index, (code, value) in enumerate(checks):
        lines.append(struct.pack("HBBI", code, len(checks) - index, 0, value))
    lines.append(struct.pack("HBBI", _RETURN, 0, 0, _ALLOW))
    lines.append(struct.pack("HBBI", _RETURN, 0, 0, _DENY))
    return b"".join(lines)


def _letting_threads_through(clone: int, clone3: int) -> list[bytes]:
    """Return the lines that allow `clone` for a thread.

    The flags of `clone3` lie in memory, where a filter cannot look: it is said not to be there,
    and the C library falls back on the other.
    """
    return [
        struct.pack("HBBI", _IF_EQUAL, 0, 1, clone3),
        struct.pack("HBBI", _RETURN, 0, 0, _NOT_THERE),
        struct.pack("HBBI", _IF_EQUAL, 0, 4, clone),
        struct.pack("HBBI", _LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        struct.pack("HBBI", _IF_SET, 0, 1, _CLONE_THREAD),
        struct.pack("HBBI", _RETURN, 0, 0, _ALLOW),
        struct.pack("HBBI", _RETURN, 0, 0, _DENY),
    ]
