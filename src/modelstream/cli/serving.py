"""Verbs that run: `serve`, `admit`, `demo`."""

import logging
from argparse import Namespace

from rich.console import Console

from modelstream.cli.flows import opened
from modelstream.cli.status import watching_turns
from modelstream.cli.text import counted
from modelstream.cli.watch import telling_events
from modelstream.demo import run
from modelstream.engines import serve as engine
from modelstream.engines.flink.serving import serve_on_flink
from modelstream.engines.topics import prepare
from modelstream.flow import Flow
from modelstream.log.base import Log
from modelstream.query.figures import waiting

_log = logging.getLogger("modelstream")


def serve(arguments: Namespace) -> int:
    """Serve a flow until stopped."""
    with opened(arguments.flow, make=True, waits=True) as (flow, log):
        prepare(flow, log)
        _started("serving", flow, workers=arguments.workers)
        if arguments.engine == "flink":
            with telling_events(log, flow):
                answered = serve_on_flink(
                    flow, log, once=arguments.once, parallelism=arguments.workers
                )
            return _stopped(flow, log, answered)
        with (
            telling_events(log, flow),
            watching_turns(log, flow, Console(stderr=True)) as on_turn,
        ):
            answered = engine.serve(
                flow, log, once=arguments.once, workers=arguments.workers, on_turn=on_turn
            )
        return _stopped(flow, log, answered)


def admit(arguments: Namespace) -> int:
    """Admit models until stopped."""
    with opened(arguments.flow, make=True, waits=True) as (flow, log):
        prepare(flow, log)
        _started("admitting for", flow)
        with telling_events(log, flow):
            engine.admit(flow, log, once=arguments.once)
        _log.info("stopped", extra={"facts": {"event": "stop"}})
    return 0


def demo(arguments: Namespace) -> int:
    """Tell the whole story on one screen; a part of it that did not hold is a finding."""
    return run(keep=arguments.keep, seconds=arguments.seconds)


def _stopped(flow: Flow, log: Log, answered: int) -> int:
    left = waiting(log, flow)
    facts = {"event": "stop", "answered": answered, "waiting": left}
    done = counted(answered, "record")
    _log.info("stopped: %s answered, %s waiting", done, f"{left:,}", extra={"facts": facts})
    return 0


def _started(what: str, flow: Flow, **facts: int) -> None:
    told = {"event": "start", "flow": flow.name, "log": flow.log, **facts}
    _log.info("%s flow %s on %s", what, flow.name, flow.log, extra={"facts": told})
