"""A thread whose error is not lost: it stops what goes on beside it, and can be raised there."""

import threading
from collections.abc import Callable
from typing import Self

from modelstream.errors import ModelstreamError
from modelstream.limits import STOP_SECONDS_MAX


class Background:
    """Runs `work(stop)` in a thread, as a context manager; it ends once `stop` is set.

    An error of the work sets `stop` too.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[threading.Event], None],
        stop: threading.Event | None = None,
    ) -> None:
        self._name, self._work = name, work
        self._stop = stop or threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"modelstream-{name}", daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(STOP_SECONDS_MAX)

    def end(self) -> None:
        """Let the work come to its end. Raises its error, ModelstreamError where it goes on."""
        self._stop.set()
        self._thread.join(STOP_SECONDS_MAX)
        self.raise_error()
        if self._thread.is_alive():
            raise ModelstreamError(f"the {self._name} does not stop; please report this")

    def raise_error(self) -> None:
        """Raise what ended the work, if it was an error."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work(self._stop)
        except Exception as error:  # noqa: BLE001 - kept, and raised by `raise_error`
            self._error = error
            self._stop.set()
