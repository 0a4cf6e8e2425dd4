"""What a confined process can still do, tried out in one."""

import ctypes
import errno
import os
import platform
import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from modelstream.confinement import confine as confine_module

MEMORY = 1024 * 1024 * 1024
LANDLOCK_ABI = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
needs_landlock = pytest.mark.skipif(LANDLOCK_ABI < 1, reason="this kernel has no Landlock")
needs_filter = pytest.mark.skipif(
    platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for this machine"
)
needs_scopes = pytest.mark.skipif(LANDLOCK_ABI < 6, reason="this kernel's Landlock has no scopes")


def confined(*actions: str, before: str = "None", cpu_seconds: int = 10) -> list[str]:
    """Run expressions in one confined process; return their values, or the errors they end in.

    `before` is run before, and its value is the name `made`.
    """
    script = f"""
        import errno, os, resource, signal, socket, sys
        from modelstream.confinement.confine import confine
        answer = os.dup(1)
        made = {before}
        confinement = confine(answer, {MEMORY}, {cpu_seconds})
        for action in {list(actions)!r}:
            try:
                said = repr(eval(action))
            except MemoryError:
                said = "MemoryError"
            except OSError as error:
                said = errno.errorcode[error.errno]
            except ValueError as error:
                said = str(error)
            os.write(answer, said.encode() + b"\\n")
        os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "SECRET": "s3cret"},
    )
    return done.stdout.decode().splitlines()


class Kernel:
    """Stands for the C library on a kernel with a certain Landlock, or one that refuses."""

    def __init__(self, abi: int, *, refuses: bool = False) -> None:
        self.abi = abi
        self.refuses = refuses
        self.attributes = b""

    def syscall(self, number: int, *arguments: Any) -> int:
        if number == 444 and arguments[0] is None:
            return self.abi
        if self.refuses:
            ctypes.set_errno(errno.EPERM)
            return -1
        if number == 444:
            self.attributes = arguments[0][: arguments[1].value]
            return os.open("/dev/null", os.O_RDONLY)
        return 0

    def capset(self, *_: object) -> int:
        ctypes.set_errno(errno.EPERM)
        return -1


@pytest.mark.parametrize(
    ("abi", "rights", "guarded"),
    [
        (1, (1 << 13) - 1, ()),
        (2, (1 << 14) - 1, ()),
        (3, (1 << 15) - 1, ()),
        (4, (1 << 15) - 1, (3,)),
        (5, (1 << 16) - 1, (3,)),
        (6, (1 << 16) - 1, (3, 3)),
        (9, (1 << 16) - 1, (3, 3)),
    ],
)
def test_each_landlock_is_asked_for_all_it_knows_and_no_more(
    abi: int, rights: int, guarded: tuple[int, ...]
) -> None:
    kernel, missing = Kernel(abi), list[str]()
    assert confine_module._landlock(kernel, missing) == abi  # type: ignore[arg-type]
    count = 1 + len(guarded)
    assert struct.unpack(f"{count}Q", kernel.attributes) == (rights, *guarded)
    assert len(missing) == 2 - len(guarded)


@pytest.mark.parametrize(
    ("kernel", "word"), [(Kernel(-1), "none"), (Kernel(7, refuses=True), "permitted")]
)
def test_a_kernel_without_landlock_is_told(kernel: Kernel, word: str) -> None:
    missing: list[str] = []
    assert confine_module._landlock(kernel, missing) == 0  # type: ignore[arg-type]
    assert "Landlock" in missing[0]
    assert word in missing[0]


def test_capabilities_that_stay_are_told() -> None:
    missing: list[str] = []
    confine_module._drop_capabilities(Kernel(7), missing)  # type: ignore[arg-type]
    assert "capabilities" in missing[0]


def test_it_says_what_holds_it() -> None:
    abi, missing = confined("confinement.landlock_abi", "confinement.missing")
    assert abi == str(max(0, LANDLOCK_ABI))
    complete = LANDLOCK_ABI >= 6 and platform.machine() in {"x86_64", "aarch64"}
    assert (missing == "()") == complete


def test_nothing_can_be_opened_any_more() -> None:
    actions = [
        "open('/etc/hostname')",
        "open('/proc/self/environ')",
        "os.listdir('/')",
        "os.listdir('.')",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "os.pipe()",
        "os.memfd_create('code')",
    ]
    for action, said in zip(actions, confined(*actions), strict=True):
        assert said in {"EMFILE", "ENOENT", "EPERM"}, action


@needs_landlock
def test_no_file_can_be_made_or_harmed(tmp_path: Path) -> None:
    path, directory, new = tmp_path / "kept", tmp_path / "directory", tmp_path / "new"
    path.touch()
    directory.mkdir()
    harm = [f"os.unlink({str(path)!r})", f"os.truncate({str(path)!r}, 0)"]
    harm += [f"os.rmdir({str(directory)!r})", f"os.mkdir({str(new)!r})"]
    harm += [f"os.symlink('/etc', {str(new)!r})", f"os.rename({str(path)!r}, {str(new)!r})"]
    assert confined(*harm) == ["EACCES"] * len(harm)
    assert path.exists()
    assert directory.exists()
    assert not new.exists()


@needs_filter
def test_no_program_and_no_process_can_be_started_even_by_root() -> None:
    assert confined("os.execv('/bin/true', ['true'])", "os.fork()") == ["EPERM", "EPERM"]


@needs_scopes
def test_no_other_process_can_be_signalled() -> None:
    assert confined("os.kill(os.getppid(), signal.SIGTERM)") == ["EPERM"]


def test_the_environment_and_the_working_directory_are_gone() -> None:
    assert confined("len(os.environ)", "os.getcwd()") == ["0", "ENOENT"]


def test_no_limit_can_be_raised_again_even_by_root() -> None:
    limits = ("RLIMIT_NOFILE", "RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC")
    raised = [f"resource.setrlimit(resource.{limit}, (2**40, 2**40))" for limit in limits]
    assert set(confined(*raised)) == {"not allowed to raise maximum limit"}


def test_memory_is_limited() -> None:
    assert confined(f"len(bytearray({MEMORY}))", "len(bytearray(1000))") == ["MemoryError", "1000"]


def test_processor_time_is_limited() -> None:
    with pytest.raises(subprocess.CalledProcessError) as ended:
        confined("sum(1 for _ in iter(int, 1))", cpu_seconds=1)
    assert ended.value.returncode == -signal.SIGXCPU


def test_it_is_first_to_go_when_memory_runs_out() -> None:
    script = """
        import os
        from modelstream.confinement.confine import confine
        score = os.open("/proc/self/oom_score_adj", os.O_RDONLY)
        confine(score, 2**30, 10)
        os._exit(0 if os.read(score, 9).strip() == b"1000" else 1)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)


def test_what_was_open_is_closed_and_what_is_printed_goes_nowhere() -> None:
    made = "os.open('/etc/hostname', os.O_RDONLY)"
    assert confined(
        "os.fstat(made)", "os.write(1, b'noise') + os.write(2, b'noise')", before=made
    ) == [
        "EBADF",
        "10",
    ]


def run_confined(*lines: str, threads: bool, readable: str) -> list[str]:
    """Run lines in a process that may have threads and read a file; return what they say."""
    script = "\n".join(
        [
            "import os, threading",
            "from modelstream.confinement.confine import confine",
            "answer = os.dup(1)",
            f"confine(answer, {MEMORY}, threads={threads}, readable=[{readable!r}])",
            "say = lambda text: os.write(answer, (str(text) + chr(10)).encode())",
            *lines,
        ]
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


TRIES = """
def attempt(work):
    try:
        work()
        say("done")
    except (OSError, RuntimeError) as error:
        say(type(error).__name__)
"""


@needs_filter
def test_threads_may_be_started_and_are_as_confined(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    start = f"thread = threading.Thread(target=attempt, args=[lambda: open({str(secret)!r})])"
    ran = [TRIES, start, "thread.start()", "thread.join()", "attempt(os.fork)"]
    assert run_confined(*ran, threads=True, readable="/dev/urandom") == [
        "PermissionError",
        "PermissionError",
    ]
    assert run_confined(
        TRIES,
        "attempt(threading.Thread(target=print).start)",
        threads=False,
        readable="/dev/urandom",
    ) == ["RuntimeError"]


@needs_landlock
def test_a_file_may_be_left_readable_and_no_other(tmp_path: Path) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    for each in (allowed, other):
        each.write_text("text")
    ran = [TRIES]
    ran += [f"attempt(lambda: open({str(each)!r}).read())" for each in (allowed, other)]
    ran += [f"attempt(lambda: open({str(allowed)!r}, 'a'))", "attempt(lambda: os.listdir('/'))"]
    assert run_confined(*ran, threads=True, readable=str(allowed)) == [
        "done",
        "PermissionError",
        "PermissionError",
        "PermissionError",
    ]
