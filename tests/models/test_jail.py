import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelstream.confinement.confine import Confinement
from modelstream.errors import JailFailed
from modelstream.models.check import CheckRequest, Failed, Passed
from modelstream.models.jail import Jail
from tests.support.artifacts import adder, counts_to
from tests.support.waiting import children_of, eventually, is_alive, until_gone

GOOD = CheckRequest(data=adder(), format="onnx", records=(b'{"x": 1}',))
ENDLESS = CheckRequest(data=counts_to(2**40), format="onnx")


@pytest.fixture
def own_jail() -> Iterator[Jail]:
    """A jail whose processes this test may kill."""
    with Jail() as jail:
        yield jail


def zygote_of(jail: Jail) -> int:
    assert jail._zygote is not None
    return jail._zygote.process.pid


def child_of(jail: Jail) -> int:
    """Wait until a check is on, and return its process."""
    return eventually(lambda: children_of(jail._zygote.process.pid) if jail._zygote else [])[0]


def test_a_good_artifact_passes_again_and_again(jail: Jail) -> None:
    verdicts = [jail.check(GOOD) for _ in range(3)]
    assert isinstance(verdicts[0], Passed)
    assert verdicts[0].lowered
    assert verdicts == verdicts[:1] * 3


def test_a_refusal_arrives_with_its_reason(jail: Jail) -> None:
    verdict = jail.check(CheckRequest(data=b"no model", format="onnx"))
    assert isinstance(verdict, Failed)
    assert verdict.code == "invalid_model"


def test_what_holds_the_children_is_told(jail: Jail) -> None:
    confinement = jail.confinement()
    assert confinement.landlock_abi > 0 or any("Landlock" in each for each in confinement.missing)


def test_what_is_missing_is_said_once_and_aloud(
    own_jail: Jail, caplog: pytest.LogCaptureFixture
) -> None:
    own_jail._tell(Confinement(7))
    assert caplog.records == []
    for _ in range(2):
        own_jail._tell(Confinement(0, ("Landlock", "a filter")))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "Landlock; a filter" in record.getMessage()


def test_checks_from_many_threads_take_turns(jail: Jail) -> None:
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(jail.check, [GOOD] * 8))
    assert all(isinstance(verdict, Passed) for verdict in verdicts)


def test_an_artifact_larger_than_a_pipe_goes_through(jail: Jail) -> None:
    verdict = jail.check(CheckRequest(data=bytes(5_000_000), format="onnx"))
    assert isinstance(verdict, Failed)
    assert verdict.code == "invalid_model"


def test_the_zygote_has_one_thread_and_nothing_of_its_parent(
    own_jail: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    with Path(__file__).open() as mine:
        os.set_inheritable(mine.fileno(), True)
        own_jail.check(GOOD)
    process = Path(f"/proc/{zygote_of(own_jail)}")
    assert len(list((process / "task").iterdir())) == 1
    assert b"SECRET" not in (process / "environ").read_bytes()
    opened = [str(each.readlink()) for each in (process / "fd").iterdir()]
    assert len(opened) == 4, opened  # its three standard ones and its socket
    assert __file__ not in opened


def test_a_model_that_takes_too_long_is_killed_and_the_next_one_checked() -> None:
    with Jail(seconds=0.5) as jail:
        verdict = jail.check(ENDLESS)
        assert isinstance(verdict, Failed)
        assert verdict.code == "timeout"
        assert "0.5 seconds" in verdict.reason
        assert children_of(zygote_of(jail)) == []
        assert isinstance(jail.check(CheckRequest(data=b"", format="onnx")), Failed)


def test_a_model_that_takes_too_much_processor_time_is_killed() -> None:
    with Jail(cpu_seconds=1) as jail:
        verdict = jail.check(ENDLESS)
    assert isinstance(verdict, Failed)
    assert verdict.code == "timeout"
    assert "processor" in verdict.reason


def test_an_artifact_that_does_not_fit_into_memory_is_refused_for_that() -> None:
    with Jail(memory_bytes=300 * 1024 * 1024) as jail:
        verdict = jail.check(CheckRequest(data=bytes(200_000_000), format="onnx"))
    assert isinstance(verdict, Failed)
    assert verdict.code == "memory"


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV"), (40, "signal 40")],
)
def test_a_process_that_dies_in_a_check_is_a_verdict(
    own_jail: Jail, number: int, name: str
) -> None:
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(own_jail.check, ENDLESS)
        os.kill(child_of(own_jail), number)
        verdict = pending.result()
    assert isinstance(verdict, Failed)
    assert verdict.code == "crashed"
    assert name in verdict.reason
    assert isinstance(own_jail.check(GOOD), Passed)


def test_a_zygote_that_died_between_checks_is_started_again(own_jail: Jail) -> None:
    own_jail.check(GOOD)
    first = zygote_of(own_jail)
    os.kill(first, signal.SIGKILL)
    until_gone(first)
    assert isinstance(own_jail.check(GOOD), Passed)
    assert zygote_of(own_jail) != first


def test_a_check_whose_zygote_dies_is_repeated_once(own_jail: Jail) -> None:
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(own_jail.check, ENDLESS)
        for _ in range(2):
            child, zygote = child_of(own_jail), zygote_of(own_jail)
            os.kill(zygote, signal.SIGKILL)
            until_gone(zygote, child)
        verdict = pending.result()
    assert isinstance(verdict, Failed)
    assert verdict.code == "crashed"
    assert "twice" in verdict.reason


def test_close_leaves_no_process_behind() -> None:
    jail = Jail()
    jail.check(GOOD)
    zygote = zygote_of(jail)
    jail.close()
    assert not is_alive(zygote)
    jail.close()


def test_close_gives_up_the_check_in_hand(own_jail: Jail) -> None:
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(own_jail.check, ENDLESS)
        child, zygote = child_of(own_jail), zygote_of(own_jail)
        own_jail.close()
        with pytest.raises(JailFailed, match="closed"):
            pending.result()
    assert not is_alive(child)
    assert not is_alive(zygote)


def test_a_closed_jail_starts_nothing() -> None:
    jail = Jail()
    jail.close()
    with pytest.raises(JailFailed, match="closed"):
        jail.check(GOOD)
    with pytest.raises(JailFailed, match="closed"):
        jail.confinement()
