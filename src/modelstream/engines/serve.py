"""`serve`: everything that runs a flow on a log, in one process or in several.

One process is the admitter in a thread of its own beside the join. Several are one parent that
admits and watches over workers that join.
"""

import gc
import os
import signal
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from types import FrameType

from modelstream.engines.background import Background
from modelstream.engines.embedded import Embedded
from modelstream.engines.topics import prepare
from modelstream.engines.workers import Workers
from modelstream.errors import InvalidFlow
from modelstream.flow import Flow
from modelstream.formats import import_formats
from modelstream.formats.functions import import_functions
from modelstream.formats.runtime import check_device
from modelstream.limits import POLL_WAIT_MS, SWITCH_SECONDS, WORKERS_MAX
from modelstream.log.base import Log
from modelstream.log.outages import wait_out
from modelstream.models.admit import Admitter
from modelstream.models.artifacts import lowered_bytes
from modelstream.models.jail import Jail
from modelstream.quality.monitor import Monitor

OnTurn = Callable[[Embedded, int], None]


def serve(
    flow: Flow,
    log: Log,
    *,
    once: bool = False,
    workers: int = 1,
    stop: threading.Event | None = None,
    on_turn: OnTurn | None = None,
) -> int:
    """Serve a flow until told to stop; return the number of records answered here.

    SIGTERM and SIGINT stop it after the batch in hand, as `stop` does. With `once` it ends when
    every message that is there has been admitted or answered, or waits for a model. `on_turn` is
    told of every turn of the loop. Raises InvalidFlow, LogError.
    """
    if not 1 <= workers <= WORKERS_MAX:
        raise InvalidFlow(f"workers is {workers}; use 1 to {WORKERS_MAX}")
    check_device(flow.device)
    import_functions(flow.functions)
    stop = stop or threading.Event()
    prepare(flow, log)
    with ExitStack() as stack:
        stack.enter_context(stopping_on_signals(stop))
        jail = stack.enter_context(Jail())
        admitter = stack.enter_context(closing(Admitter(flow, log, jail)))
        admission = Background("admitter", admitter.run, stop)
        watch = Background("monitor", Monitor(flow, log).run, stop)
        if once:
            _drain(admitter, stop)
        else:
            stack.enter_context(admission)
            stack.enter_context(watch)
        if workers > 1:
            answered = Workers(flow, log.url, workers, once=once).run(stop)
        else:
            answered = run_one(flow, log, jail, stop=stop, once=once, on_turn=on_turn)
        if once and not stop.is_set():
            _measure(flow, log, admitter, stop)
    admission.raise_error()
    watch.raise_error()
    return answered


def run_one(
    flow: Flow,
    log: Log,
    jail: Jail,
    *,
    stop: threading.Event,
    once: bool = False,
    instance: str = "",
    on_turn: OnTurn | None = None,
) -> int:
    """Run one instance of the join; return the number of records it answered.

    An instance that comes back under its name takes its partitions over at once.
    """
    import_formats()
    sys.setswitchinterval(SWITCH_SECONDS)
    # What was imported stays for good; looking through it again took 16 ms each time.
    gc.collect()
    gc.freeze()
    instance = instance or f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lowered = partial(lowered_bytes, log=log, flow=flow, jail=jail)
    engine = wait_out(lambda: Embedded(flow, log, lowered, instance), stop)
    if engine is None:
        return 0
    answered = 0
    try:
        goal = wait_out(engine.ends, stop) if once else None
        while not stop.is_set():
            done = wait_out(engine.step, stop) or 0
            answered += done
            if on_turn is not None:
                on_turn(engine, done)
            if goal is not None and not done and wait_out(partial(engine.reached, goal), stop):
                break
    finally:
        engine.close()
    return answered


def admit(flow: Flow, log: Log, *, once: bool = False, stop: threading.Event | None = None) -> None:
    """Run the admitter alone, until told to stop or, with `once`, until no message is left."""
    import_functions(flow.functions)
    stop = stop or threading.Event()
    prepare(flow, log)
    with (
        stopping_on_signals(stop),
        Jail() as jail,
        closing(Admitter(flow, log, jail)) as admitter,
    ):
        if once:
            _drain(admitter, stop)
        else:
            admitter.run(stop)


def _measure(flow: Flow, log: Log, admitter: Admitter, stop: threading.Event) -> None:
    """Measure what is there, and take in what follows from it."""
    monitor = Monitor(flow, log)
    while monitor.step():
        pass
    monitor.tell()
    _drain(admitter, stop)


def _drain(admitter: Admitter, stop: threading.Event) -> None:
    """Admit what is there."""
    goal = admitter.end()
    while not stop.is_set() and admitter.position() < goal:
        wait_out(partial(admitter.step, POLL_WAIT_MS), stop)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Set `stop` on SIGTERM and SIGINT; only the main thread can listen to signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
