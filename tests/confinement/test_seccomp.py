"""The filter as a program, run here by hand; what it does to a process is in test_confine."""

import ctypes
import errno
import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.confinement import seccomp
from modelstream.confinement.seccomp import filter_calls

ALLOW = 0x7FFF0000
DENY = 0x00050000 | errno.EPERM
NOT_THERE = 0x00050000 | errno.ENOSYS
THREAD = 0x3D0F00  # the flags that the C library starts a thread with


def decided(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """Run a BPF program on one system call."""
    data = {0: number, 4: architecture, 16: argument}
    jumps = {0x15: int.__eq__, 0x35: int.__ge__, 0x45: int.__and__}
    lines = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    word = at = 0
    while True:
        code, if_true, if_false, value = lines[at]
        if code == 0x06:
            return int(value)
        if code == 0x20:
            word = data[value]
        else:
            at += if_true if jumps[code](word, value) else if_false
        at += 1


machines = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@machines
@given(st.data())
def test_what_is_listed_is_denied_and_the_rest_allowed(machine: str, data: st.DataObject) -> None:
    architecture, calls = seccomp._CALLS[machine]
    program = seccomp._compiled(architecture, calls)
    number = data.draw(st.sampled_from(calls) | st.integers(0, 600))
    assert decided(program, architecture, number) == (DENY if number in calls else ALLOW)


@machines
@given(number=st.integers(0, 2**32 - 1))
def test_calls_of_another_architecture_are_denied(machine: str, number: int) -> None:
    program = seccomp._compiled(*seccomp._CALLS[machine])
    assert decided(program, 0x40000003, number) == DENY


@machines
@given(number=st.integers(0x40000000, 2**32 - 1))
def test_there_is_no_second_way_to_a_call(machine: str, number: int) -> None:
    architecture, calls = seccomp._CALLS[machine]
    assert decided(seccomp._compiled(architecture, calls), architecture, number) == DENY


@machines
@given(number=st.integers(0, 600))
def test_threads_may_be_let_through_and_nothing_else(machine: str, number: int) -> None:
    architecture, calls = seccomp._CALLS[machine]
    clone, clone3, *others = calls
    program = seccomp._compiled(architecture, calls, threads=True)
    assert decided(program, architecture, clone, THREAD) == ALLOW
    assert decided(program, architecture, clone, 17) == DENY  # a fork: it ends with SIGCHLD
    assert decided(program, architecture, clone3) == NOT_THERE
    assert decided(program, 0x40000003, clone, THREAD) == DENY
    if number not in (clone, clone3):
        assert decided(program, architecture, number) == (DENY if number in others else ALLOW)


def test_a_machine_whose_calls_are_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    assert "vax" in filter_calls(ctypes.CDLL(None))


def test_a_kernel_that_refuses_is_told() -> None:
    class Refusing:
        def prctl(self, *_: object) -> int:
            ctypes.set_errno(errno.EINVAL)
            return -1

    assert "Invalid argument" in filter_calls(Refusing())  # type: ignore[arg-type]
