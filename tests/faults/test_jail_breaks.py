"""Code that runs inside the jail's child and means harm: it gets nowhere, and the jail goes on.

No format runs an artifact's code. Here one does, to stand for a library that an artifact took over:
it is put before the real formats in the zygote's module path.
"""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstream.limits import REASON_CHARS_MAX
from modelstream.models.check import CheckRequest, Failed, Passed
from modelstream.models.jail import Jail
from tests.support.artifacts import adder
from tests.support.waiting import children_of, until_gone

pytestmark = pytest.mark.faults

MEMORY = 1024 * 1024 * 1024
GOOD = CheckRequest(data=adder(), format="onnx")

# Python imports this module by itself at its start.
OPEN_DOOR = """
    import os, resource, signal, socket, subprocess, sys, time  # what the attacks need
    import ctypes
    from modelstream import formats
    from modelstream.errors import InvalidModel

    class TakenOver:
        name = "taken-over"

        def lower(self, data, hints):
            channel = [fd for fd in range(3, 64) if is_open(fd)][0]
            namespace = {**globals(), "channel": channel}
            try:
                exec(data.decode(), namespace)
            except OSError as error:
                raise InvalidModel(f"stopped: {error.strerror}")
            return b"done"

    def is_open(fd):
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True

    if "modelstream.models.jail_child" in " ".join(sys.orig_argv):
        sys.modules["taken_over"] = sys.modules[__name__]
        formats._FORMATS["taken-over"] = ("taken_over", "TakenOver")
"""


@pytest.fixture(scope="module")
def open_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    path = str(tmp_path_factory.mktemp("open-door"))
    Path(path, "sitecustomize.py").write_text(textwrap.dedent(OPEN_DOOR))
    sys.path.insert(0, path)
    yield
    sys.path.remove(path)


@pytest.fixture(scope="module")
def jail(open_door: None) -> Iterator[Jail]:
    with Jail(cpu_seconds=5, memory_bytes=MEMORY) as jail:
        yield jail


@pytest.fixture
def hasty_jail(open_door: None) -> Iterator[Jail]:
    with Jail(seconds=0.5) as jail:
        yield jail


def attack(jail: Jail, code: str) -> Failed:
    """Run code in the child; return how that was answered."""
    verdict = jail.check(CheckRequest(data=code.encode(), format="taken-over"))
    assert isinstance(verdict, Failed), "the attack came through"
    return verdict


@pytest.mark.parametrize(
    "code",
    [
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "os.listdir('/')",
        "os.listdir('.')",
        "socket.create_connection(('127.0.0.1', {port}), 1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "open({canary!r}, 'w').write('was here')",
        "os.mkdir({canary!r})",
        "os.symlink('/etc', {canary!r})",
        "os.execv('/bin/sh', ['sh', '-c', 'touch {canary}'])",
        "subprocess.run(['touch', {canary!r}])",
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.dup(channel)",
        "os.fork()",
    ],
)
def test_files_network_and_other_processes_are_out_of_reach(
    jail: Jail, code: str, tmp_path: Path
) -> None:
    if jail.confinement().landlock_abi < 6:
        pytest.skip("this kernel's Landlock is not there, or does not guard signals")
    canary = tmp_path / "canary"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        verdict = attack(jail, code.format(canary=str(canary), port=port))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert verdict.code == "invalid_model"
    assert "stopped" in verdict.reason
    assert not canary.exists()


def test_secrets_of_the_parent_are_not_there(jail: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    verdict = attack(jail, "raise InvalidModel(str(dict(os.environ)))")
    assert verdict.reason == "{}"


@pytest.mark.parametrize(
    ("code", "expected", "reason"),
    [
        ("ctypes.string_at(0)", "crashed", "SIGSEGV"),
        ("os.abort()", "crashed", "SIGABRT"),
        ("os.kill(os.getpid(), 40)", "crashed", "signal 40"),
        ("os._exit(0)", "crashed", "without an answer"),
        ("os._exit(5)", "crashed", "code 5"),
        ("os.close(channel)", "crashed", "code 1"),
        ("os.write(channel, b'junk' * 10)", "crashed", ""),
        ("os.write(channel, bytes(8)); os._exit(0)", "crashed", "nonsense"),
        ("os.write(channel, b'\\x01' + bytes(7) + b'\\xc1'); os._exit(0)", "crashed", "nonsense"),
        (
            "resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass",
            "timeout",
            "processor",
        ),
        ("bytearray(2 ** 31)", "memory", "memory"),
        ("kept = []\nwhile True: kept.append(bytearray(2 ** 20))", "memory", "memory"),
        ("(lambda f: f(f))(lambda f: f(f))", "invalid_model", "RecursionError"),
        ("raise InvalidModel('x' * 10 ** 6)", "invalid_model", "x"),
        ("raise KeyboardInterrupt", "crashed", "code 1"),
    ],
)
def test_however_a_child_ends_it_is_a_verdict(
    jail: Jail, code: str, expected: str, reason: str
) -> None:
    verdict = attack(jail, code)
    assert verdict.code == expected
    assert reason in verdict.reason
    assert len(verdict.reason) <= REASON_CHARS_MAX
    assert isinstance(jail.check(GOOD), Passed)


@pytest.mark.parametrize(
    "code",
    ["time.sleep(600)", "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(600)"],
)
def test_a_child_that_waits_for_ever_is_killed(hasty_jail: Jail, code: str) -> None:
    assert attack(hasty_jail, code).code == "timeout"
    assert hasty_jail._zygote is not None
    assert children_of(hasty_jail._zygote.process.pid) == []


@pytest.mark.parametrize("size", [2**63, 2**31])
def test_an_answer_without_end_is_not_waited_for(hasty_jail: Jail, size: int) -> None:
    flood = (
        f"os.write(channel, ({size}).to_bytes(8, 'little'))\nwhile True: os.write(channel, b'x')"
    )
    assert attack(hasty_jail, flood).code == "crashed"


def test_a_jail_whose_owner_is_killed_leaves_no_process_behind() -> None:
    script = """
        import os, signal, threading
        from modelstream.models.check import CheckRequest
        from modelstream.models.jail import Jail
        from tests.support.artifacts import counts_to
        from tests.support.waiting import children_of, eventually
        jail = Jail()
        endless = CheckRequest(data=counts_to(2**40), format="onnx")
        threading.Thread(target=jail.check, args=(endless,), daemon=True).start()
        zygote = eventually(lambda: jail._zygote).process.pid
        child, = eventually(lambda: children_of(zygote))
        os.write(1, f"{zygote} {child}".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    """
    owner = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert owner.returncode == -9
    until_gone(*map(int, owner.stdout.split()))
