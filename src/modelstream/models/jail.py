"""The jail: checks of untrusted artifacts, each in a confined process that lives for one check.

The process is forked by a zygote (`models.zygote`), which has everything imported. Whatever a child
does, it ends in a verdict here.
"""

import logging
import signal
import socket
import threading
from types import TracebackType
from typing import Self

import msgspec

from modelstream.confinement.confine import Confinement
from modelstream.confinement.frames import receive_frame, send_frame
from modelstream.errors import JailFailed
from modelstream.limits import (
    ADMIT_CPU_SECONDS_MAX,
    ADMIT_MEMORY_BYTES_MAX,
    ADMIT_SECONDS_MAX,
    CHECK_VERDICT_BYTES_MAX,
    JAIL_GRACE_SECONDS_MAX,
    RECORD_BYTES_MAX,
)
from modelstream.models.check import (
    CheckRequest,
    CheckVerdict,
    ChildVerdict,
    Failed,
    Untried,
    check_outside,
)
from modelstream.models.jail_protocol import (
    EXIT_MEMORY,
    Ending,
    Order,
)
from modelstream.models.refusal import shortened
from modelstream.models.zygote import Zygote, ZygoteGone, signal_name, start_zygote

_DECODE_CHILD_VERDICT = msgspec.msgpack.Decoder(ChildVerdict).decode

_DECODE_CONFINEMENT = msgspec.msgpack.Decoder(Confinement).decode

_log = logging.getLogger("modelstream")


class Jail:
    """Checks artifacts, one at a time, from any thread.

    A check may take `seconds` of wall clock and `cpu_seconds` of processor time, and its process
    `memory_bytes` of address space.
    """

    def __init__(
        self,
        *,
        seconds: float = ADMIT_SECONDS_MAX,
        cpu_seconds: int = ADMIT_CPU_SECONDS_MAX,
        memory_bytes: int = ADMIT_MEMORY_BYTES_MAX,
    ) -> None:
        self._order = Order(seconds, cpu_seconds, memory_bytes)
        self._lock = threading.Lock()
        self._zygote: Zygote | None = None
        self._closed = False
        self._told = False

    def check(self, request: CheckRequest) -> CheckVerdict:
        """Check an artifact in a process of its own. Raises JailFailed when none can be started.

        Where its model runs in yet another one, it is tried there, from here. A zygote that dies is
        started again, and the check repeated once: the next time it dies, the artifact is to blame.
        """
        verdict = self._check_inside(msgspec.msgpack.encode(request))
        return check_outside(request, verdict.lowered) if isinstance(verdict, Untried) else verdict

    def _check_inside(self, payload: bytes) -> ChildVerdict:
        with self._lock:
            for _ in range(2):
                try:
                    _, reply, ending = self._ask(payload)
                except ZygoteGone:
                    continue
                return self._verdict(reply, ending)
        return Failed("crashed", "the process that checks models ended, twice, during this check")

    def confinement(self) -> Confinement:
        """Return what holds the children on this machine. Raises JailFailed."""
        with self._lock:
            try:
                confinement, _, ending = self._ask(None)
            except ZygoteGone as error:
                raise JailFailed("the process that checks models ended; try again") from error
        if confinement is None:
            raise JailFailed(f"a confined process ended before it was confined: {ending}")
        return confinement

    def close(self) -> None:
        """End all processes; a check in hand is given up."""
        self._closed = True
        zygote = self._zygote
        if zygote is not None:
            zygote.hang_up()
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, payload: bytes | None) -> tuple[Confinement | None, bytearray | None, Ending]:
        """Have a child forked and confined, give it the request, and wait for its end.

        What it did not say is None; without a payload it is let go once it is confined.
        """
        zygote = self._running()
        # The zygote kills a child when its time is up; only if it fails to, does this side wait on.
        patience = self._order.seconds + JAIL_GRACE_SECONDS_MAX
        try:
            with zygote.fork(self._order) as channel:
                channel.settimeout(patience)
                confinement, reply = self._converse(channel, payload)
            return confinement, reply, zygote.ending(patience)
        except ZygoteGone:
            self._stop()
            raise

    def _converse(
        self, channel: socket.socket, payload: bytes | None
    ) -> tuple[Confinement | None, bytearray | None]:
        confinement: Confinement | None = None
        try:
            said = receive_frame(channel, RECORD_BYTES_MAX)
            confinement = _DECODE_CONFINEMENT(said)
            self._tell(confinement)
            if payload is None:
                return confinement, None
            send_frame(channel, payload)
            return confinement, receive_frame(channel, CHECK_VERDICT_BYTES_MAX)
        except (OSError, EOFError, ValueError, msgspec.MsgspecError):
            return confinement, None  # it ended, hangs or babbles: its ending tells

    def _tell(self, confinement: Confinement) -> None:
        """Say once, aloud, what this machine cannot do to hold a child."""
        if confinement.missing and not self._told:
            self._told = True
            _log.warning(
                "models are checked in a process that is confined less than it could be; missing "
                "here: %s",
                "; ".join(confinement.missing),
            )

    def _verdict(self, reply: bytearray | None, ending: Ending) -> ChildVerdict:
        """Judge a child by how it ended and by what it said."""
        failed = self._failure(ending)
        if failed is not None:
            return failed
        if reply is None:
            return Failed("crashed", "the process that read the model ended without an answer")
        try:
            verdict: ChildVerdict = _DECODE_CHILD_VERDICT(reply)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Failed("crashed", f"the process that read the model answered nonsense: {error}")
        if isinstance(verdict, Failed):
            return Failed(verdict.code, shortened(verdict.reason))
        return verdict

    def _failure(self, ending: Ending) -> Failed | None:
        """Say what a child's end tells against the artifact; None after an orderly one."""
        order, status = self._order, ending.status
        if ending.timed_out:
            return Failed("timeout", f"the model was not ready after {order.seconds:g} seconds")
        if status == 0:
            return None
        if status == -signal.SIGXCPU:
            return Failed("timeout", f"the model took {order.cpu_seconds} s of processor time")
        if status == EXIT_MEMORY:
            return Failed("memory", f"the model needs more than {order.memory_bytes} bytes")
        how = f"by {signal_name(-status)}" if status < 0 else f"with code {status}"
        return Failed("crashed", f"the process that read the model ended {how}")

    def _running(self) -> Zygote:
        if self._zygote is None and not self._closed:
            self._zygote = start_zygote()
        if self._zygote is None or self._closed:
            raise JailFailed("this jail is closed; make a new one")
        return self._zygote

    def _stop(self) -> None:
        if self._zygote is not None:
            self._zygote.end()
            self._zygote = None
