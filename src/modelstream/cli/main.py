"""From arguments to an exit code: 0 fine, 1 a finding, 2 wrong use, 130 interrupted."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from modelstream.cli.arguments import parser
from modelstream.cli.logs import logging_to_stderr
from modelstream.cli.text import plain
from modelstream.errors import (
    InvalidMessage,
    InvalidModel,
    InvalidRecord,
    ModelFailed,
    ModelstreamError,
)

# What was looked at is at fault, not how the command was used.
_FINDINGS = (InvalidMessage, InvalidModel, InvalidRecord, ModelFailed)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; arguments that make no sense raise SystemExit(2).

    An error is one line on standard error.
    """
    arguments = parser().parse_args(argv)
    with logging_to_stderr():
        try:
            code = _function(arguments)(arguments)
            sys.stdout.flush()
        except ModelstreamError as error:
            sys.stderr.write(f"modelstream: {plain(str(error))}\n")
            return 1 if isinstance(error, _FINDINGS) else 2
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:
            _leave_pipe()
            return 0
    return code


def _function(arguments: Namespace) -> Callable[[Namespace], int]:
    """Return the function of a verb; its module is imported now, so that `--help` is quick."""
    module, name = arguments.calls
    function: Callable[[Namespace], int] = getattr(import_module(module), name)
    return function


def _leave_pipe() -> None:
    """Point standard output elsewhere: its reader has gone, and the interpreter will flush it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
