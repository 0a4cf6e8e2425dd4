"""Log lines on standard error: JSON where a program reads them, plain where a person does."""

import json
import logging
import sys

import pytest

from modelstream.cli.logs import logging_to_stderr

LOG = logging.getLogger("modelstream")


def test_a_line_is_json_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr():
        LOG.info("%s serves", "a@1", extra={"facts": {"event": "swap", "as_of": 3}})
        LOG.debug("not for anyone")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    at = told.pop("at")
    assert at.endswith("Z")
    assert told == {"level": "info", "message": "a@1 serves", "event": "swap", "as_of": 3}


def test_a_person_gets_a_plain_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with logging_to_stderr():
        LOG.warning("rejected %s", "\x1b[2J", extra={"facts": {"event": "rejected"}})
    line = capsys.readouterr().err
    assert line.endswith(" warning rejected \\x1b[2J\n")


def test_an_error_has_its_cause_in_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr():
        try:
            int("the cause")
        except ValueError:
            LOG.exception("it ended")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["message"]


def test_nothing_is_left_behind(capsys: pytest.CaptureFixture[str]) -> None:
    before = (list(LOG.handlers), LOG.level)
    with logging_to_stderr():
        pass
    assert (list(LOG.handlers), LOG.level) == before


def test_facts_that_are_no_json_end_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr():
        LOG.info("odd", extra={"facts": {"event": object()}})
        LOG.info("next")
    *trouble, last = capsys.readouterr().err.splitlines()
    assert trouble[0] == "--- Logging error ---"
    assert json.loads(last)["message"] == "next"
