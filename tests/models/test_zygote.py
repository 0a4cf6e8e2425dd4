import sys
from pathlib import Path

import pytest

from modelstream.errors import JailFailed
from modelstream.models import zygote as zygote_module
from modelstream.models.jail_protocol import Order
from modelstream.models.zygote import ZygoteGone, signal_name, start_zygote
from tests.support.waiting import is_alive

ORDER = Order(10.0, 10, 2**30)


def test_a_zygote_that_cannot_start_is_an_error_that_says_how_it_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(JailFailed, match=r"exit code 1.*: /bin/false"):
        start_zygote()


def test_a_zygote_that_says_nothing_is_given_up_and_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mute = tmp_path / "mute"
    mute.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    mute.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(mute))
    monkeypatch.setattr(zygote_module, "JAIL_START_SECONDS_MAX", 0.5)
    monkeypatch.setattr(zygote_module, "JAIL_GRACE_SECONDS_MAX", 0.1)
    with pytest.raises(JailFailed, match="does not start"):
        start_zygote()
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_an_interpreter_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(JailFailed, match="/no/such/python"):
        start_zygote()


def test_a_zygote_finds_its_modules_where_its_parent_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    (tmp_path / "sitecustomize.py").write_text(f"open({str(canary)!r}, 'w').close()")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    start_zygote().end()
    assert canary.exists()


def test_a_zygote_that_was_ended_gives_no_child() -> None:
    zygote = start_zygote()
    zygote.hang_up()
    zygote.process.wait()
    with pytest.raises(ZygoteGone):
        zygote.fork(ORDER)
    with pytest.raises(ZygoteGone):
        zygote.ending(1.0)
    zygote.end()
    assert not is_alive(zygote.process.pid)


def test_a_zygote_tells_how_its_child_ended() -> None:
    zygote = start_zygote()
    zygote.fork(ORDER).close()
    ending = zygote.ending(30.0)
    assert not ending.timed_out
    assert ending.status != 0  # it was hung up on
    zygote.end()


def test_signals_have_names_or_numbers() -> None:
    assert signal_name(9) == "SIGKILL"
    assert signal_name(40) == "signal 40"
