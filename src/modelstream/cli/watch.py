"""What happens while a flow is served, as log lines: registry events, and the join's swaps."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from modelstream.cli.sentences import of_event
from modelstream.core.snapshot import PlanView
from modelstream.errors import LogUnavailable, ModelstreamError
from modelstream.events import Drifted, RegistryEvent, Rejected, Released, decode_events
from modelstream.flow import Flow
from modelstream.limits import BATCH_BYTES_MAX, FOLLOW_SECONDS, REGISTRY_READ_RECORDS
from modelstream.log.base import Log
from modelstream.messages import VersionId

_log = logging.getLogger("modelstream")


@contextmanager
def telling_events(log: Log, flow: Flow) -> Iterator[None]:
    """Log every registry event that is written while in the block."""
    events = RegistryTail(log, flow)
    stop = threading.Event()

    def watch() -> None:
        try:
            while not stop.wait(FOLLOW_SECONDS):
                with suppress(LogUnavailable):  # whoever serves says so, and waits
                    _tell(events)
            _tell(events)  # what came with the end
        except ModelstreamError as error:
            _log.error("the registry is not watched any longer: %s", error)

    thread = threading.Thread(target=watch, name="modelstream-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class RegistryTail:
    """The registry's events from the moment on when this was made. For one thread."""

    def __init__(self, log: Log, flow: Flow) -> None:
        self._log, self._flow = log, flow
        _, self._offset = log.bounds(flow.registry, 0)

    def new(self) -> list[RegistryEvent]:
        """Return the events since the last call. Raises InvalidMessage, LogError."""
        found: list[RegistryEvent] = []
        while True:
            batch = self._log.read(
                self._flow.registry, 0, self._offset, REGISTRY_READ_RECORDS, BATCH_BYTES_MAX
            )
            if not len(batch):
                return found
            self._offset = batch.next_offset
            found.extend(decode_events(batch.values))


class Swaps:
    """Notes which version serves each data type, and logs each change."""

    def __init__(self) -> None:
        self._serving: dict[str, VersionId | None] = {}

    def note(self, plan: PlanView) -> None:
        """Compare a data type's plan with what it was."""
        before = self._serving.get(plan.data_type)
        if plan.serving == before:
            return
        self._serving[plan.data_type] = plan.serving
        facts = {
            "event": "swap",
            "data_type": plan.data_type,
            "version": None if plan.serving is None else str(plan.serving),
            "before": None if before is None else str(before),
            "as_of": plan.as_of,
        }
        serves = "nothing serves" if plan.serving is None else f"{plan.serving} serves"
        _log.info("%s %s as of %s", serves, plan.data_type, plan.as_of, extra={"facts": facts})


def _tell(events: RegistryTail) -> None:
    for event in events.new():
        level = logging.WARNING if _alarming(event) else logging.INFO
        told = {each: getattr(event, each, None) for each in ("name", "version", "data_type")}
        facts = {"event": _word(event), **{each: what for each, what in told.items() if what}}
        _log.log(level, "%s", of_event(event), extra={"facts": facts})


def _alarming(event: RegistryEvent) -> bool:
    match event:
        case Rejected() | Drifted(alarm=True) | Released(state="rolled_back"):
            return True
        case _:
            return False


def _word(event: RegistryEvent) -> str:
    return str(msgspec.to_builtins(event)["event"])
